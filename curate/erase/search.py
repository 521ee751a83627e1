"""Finding the samples that somebody asks to have erased: in the shards, in the ledger, and in `work` while it is there.

What was redacted is found in `work`, which holds the lists as they came; or, once that is purged, by the keyed hash of
the value in the ledger, where the recipe had it written (`redact_pii` with `match: true`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curate.erase.facts import Facts, in_shards, in_work
from curate.erase.pictures import PICTURES, Likeness
from curate.erase.selectors import Selector, canonical_url, fold, host_of, within
from curate.ledger import FATES, FOLDER, read_part
from curate.pii_match import pseudonym, value_match
from curate.run.layout import Run

Report = Callable[[dict[str, Any]], None]


@dataclass
class Found:
    """What a search met."""

    keys: dict[str, Selector] = field(default_factory=dict)
    """Each sample, and the first selector that met it, in the order of the search."""
    met: dict[Selector, int] = field(default_factory=dict)
    """How many samples each selector met."""
    unread: list[str] = field(default_factory=list)
    """What could not be looked through, a line each."""

    def add(self, key: str, by: Selector, seen: set[tuple[str, Selector]]) -> None:
        """Note that a selector met a sample."""
        if (key, by) not in seen:
            seen.add((key, by))
            self.keys.setdefault(key, by)
            self.met[by] = self.met.get(by, 0) + 1


class Wanted:
    """Selectors made ready to be held against samples."""

    def __init__(self, selectors: Sequence[Selector], likeness: Likeness | None, secret: bytes | None) -> None:
        """Sort them by kind; a secret lets texts be found by their pseudonyms too."""
        self._urls = {s.value: s for s in selectors if s.kind == "url"}
        self._domains = [s for s in selectors if s.kind == "domain"]
        self._texts = [(fold(s.value), s) for s in selectors if s.kind == "text"]
        if secret is not None:
            self._texts += [(pseudonym(secret, s.given), s) for s in selectors if s.kind == "text"]
        self.likeness = likeness

    @property
    def words(self) -> bool:
        """Whether anything but pictures is looked for."""
        return bool(self._urls or self._domains or self._texts)

    def matches(self, facts: Facts) -> Iterator[Selector]:
        """Yield the selectors that a sample's addresses and texts meet."""
        for url in facts.urls:
            if (exact := self._urls.get(canonical_url(url))) is not None:
                yield exact
            yield from (s for s in self._domains if within(host_of(url), s.value))
        for text in map(fold, facts.texts if self._texts else ()):
            yield from (s for value, s in self._texts if value in text)


def search(
    run: Run, selectors: Sequence[Selector], likeness: Likeness | None, secret: bytes | None, report: Report
) -> Found:
    """Return the samples that any selector meets, those that were dropped or failed included.

    Raises:
        IntegrityError: a shard or a table is damaged.
        StorageError: one cannot be read.
    """
    found, seen = Found(), set[tuple[str, Selector]]()
    _by_ledger(run, selectors, secret, found, seen)
    wanted = Wanted(selectors, likeness, secret)
    if wanted.words or wanted.likeness is not None:
        for facts in _everything(run, wanted, report):
            for by in wanted.matches(facts):
                found.add(facts.key, by, seen)
            _by_likeness(facts, wanted.likeness, found, seen)
    if not run.work.exists("source/done.json"):
        found.unread.append(
            f"{run.work.url}: the raw samples are not there (purged), so only what was published can "
            "be searched by address, picture and text; redacted values by their hash, if one was kept"
        )
    return found


def _everything(run: Run, wanted: Wanted, report: Report) -> Iterator[Facts]:
    pictures = PICTURES if wanted.likeness is not None else frozenset()
    yield from in_shards(run.folder, pictures, report)
    yield from in_work(run, report, pictures=wanted.likeness is not None)


def _by_likeness(facts: Facts, likeness: Likeness | None, found: Found, seen: set[tuple[str, Selector]]) -> None:
    if likeness is None or not facts.pictures:
        return
    for hits in likeness.of(facts.pictures):
        for number in sorted(hits):
            found.add(facts.key, likeness.selectors[number], seen)


def _by_ledger(
    run: Run, selectors: Sequence[Selector], secret: bytes | None, found: Found, seen: set[tuple[str, Selector]]
) -> None:
    """Find keys, and redacted values by their keyed hash."""
    keys = {s.value: s for s in selectors if s.kind == "key"}
    marks = {value_match(secret, s.given): s for s in selectors if s.kind == "text"} if secret is not None else {}
    if not keys and not marks:
        return
    for part in _identities(run):
        here = part.filter(pc.is_in(part["key"], value_set=pa.array(list(keys), pa.string())))
        for key in dict.fromkeys(here["key"].to_pylist()):
            found.add(key, keys[key], seen)
        if marks and "match" in part.column_names:
            hit = part.filter(pc.is_in(part["match"], value_set=pa.array(list(marks), pa.string())))
            for key, match in zip(hit["key"].to_pylist(), hit["match"].to_pylist(), strict=True):
                found.add(key, marks[match], seen)


def _identities(run: Run) -> Iterator[pa.Table]:
    """Yield what names each partition's samples: the ledger, or the list where nothing was published yet."""
    for name in run.folder.names(FOLDER):
        yield (run.folder / FOLDER).read_parquet(name, ["key", "match"])
    if not run.folder.exists(FOLDER):
        for name in run.work.names("source"):
            if name.endswith(".parquet"):
                yield (run.work / "source").read_parquet(name, ["key"])


@dataclass(frozen=True)
class Fate:
    """What a run's books say of a sample."""

    partition: int
    event: str
    stage: str
    reason: str | None


def fates(run: Run, keys: Sequence[str]) -> dict[str, Fate]:
    """Return what became of samples, by key; those that the ledger does not know are left out."""
    wanted, events = pa.array(list(keys), pa.string()), pa.array(FATES)
    found: dict[str, Fate] = {}
    for name in run.folder.names(FOLDER):
        partition = int(name.removesuffix(".parquet").rpartition("-")[2])
        part = read_part(run.folder, partition)
        part = part.filter(pc.and_(pc.is_in(part["key"], value_set=wanted), pc.is_in(part["event"], value_set=events)))
        for row in part.select(["key", "event", "stage", "reason"]).to_pylist():
            fate = Fate(partition, row["event"], row["stage"], row["reason"])
            # A row that the list holds twice has two fates: the one that stayed counts.
            if row["key"] not in found or fate.reason != "repeated_row":
                found[row["key"]] = fate
    return found
