"""Checking a run against itself: books, shards, indexes, ledger. Works without the raw samples."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import CurateError, IntegrityError, RunError
from curate.ledger import FATES, FOLDER, read_part
from curate.run.books import Books, imbalances
from curate.run.layout import BOOKS, REWRITE, Run, read_json
from curate.shards import Manifest, check_shards, check_versions, shard_keys


def check(run: Run) -> list[str]:
    """Return every fault of a finished run, one line each.

    Raises:
        RunError: there is no finished run here.
    """
    if not run.folder.exists(BOOKS):
        raise RunError(f"{run.folder.url}: no finished run here (it has no {BOOKS}). `curate run` continues one.")
    try:
        stored = read_json(run.folder, BOOKS)
    except IntegrityError as error:
        return [f"books: {error}", *check_shards(run.folder)]
    books = Books.from_json(stored["stages"])
    faults = [f"books: {fault}" for fault in imbalances(books, stored["rows"])]
    if run.folder.exists(REWRITE):
        faults.append(f"{REWRITE}: a rewrite was stopped in the middle. Finish it: curate rewrite {run.folder.url}")
    faults += check_shards(run.folder)
    faults += check_versions(run.folder)
    faults += _check_ledger(run, books, stored["rows"])
    return faults


def _check_ledger(run: Run, books: Books, listed: int) -> list[str]:
    """Compare the ledger with the books, count by count, and with the shards, key by key in order."""
    try:
        counts, kept = _tally(run)
    except (CurateError, pa.ArrowInvalid) as error:
        return [f"ledger: cannot be read: {error}"]
    faults = []
    fates = sum(counts.values())
    if fates != listed:
        faults.append(f"ledger: {fates} samples have a fate, the source listed {listed}")
    expected = _expected(books)
    for what in sorted(set(counts) | set(expected), key=str):
        if counts[what] != expected[what]:
            stage, event, reason = what
            named = " ".join(filter(None, (stage, event, reason)))
            faults.append(f"ledger: {named}: {counts[what]} rows, the books say {expected[what]}")
    return faults + _check_keys(run, kept)


def _tally(run: Run) -> tuple[Counter[tuple[str, str, str | None]], list[str]]:
    counts: Counter[tuple[str, str, str | None]] = Counter()
    kept: list[str] = []
    for partition in range(sum(n.endswith(".parquet") for n in run.folder.names(FOLDER))):
        part = read_part(run.folder, partition)
        fates = part.filter(pc.is_in(part["event"], pa.array(FATES)))
        counts.update(zip(*(fates[c].to_pylist() for c in ("stage", "event", "reason")), strict=True))
        kept += fates.filter(pc.equal(fates["event"], "kept"))["key"].to_pylist()
    return counts, kept


def _expected(books: Books) -> Counter[tuple[str, str, str | None]]:
    expected: Counter[tuple[str, str, str | None]] = Counter()
    for stage, count in books.items():
        expected.update({(stage, "dropped", reason): n for reason, n in count.dropped.items()})
        expected.update({(stage, "failed", reason): n for reason, n in count.failed.items()})
    sink, last = list(books.items())[-1]
    expected[sink, "kept", None] = last.kept
    return expected


def _check_keys(run: Run, kept: list[str]) -> list[str]:
    try:
        stored = [key for entry in Manifest.load(run.folder).shards for key in shard_keys(run.folder, entry.name)]
    except CurateError as error:
        return [f"shards: {error}"]
    if stored == kept:
        return []
    missing, extra = set(kept) - set(stored), set(stored) - set(kept)
    if missing or extra:
        return [f"ledger: {len(missing)} kept samples are in no shard, {len(extra)} samples in shards were not kept"]
    return ["ledger: the shards hold the kept samples in another order"]
