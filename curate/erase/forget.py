"""`curate forget`: tombstones, which every reader obeys at once, and a certificate that says what they are for."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from curate.dedupe.perceptual import NEAR
from curate.erase import certificate
from curate.erase.mates import Clusters
from curate.erase.pictures import Likeness
from curate.erase.places import Place, places
from curate.erase.search import Fate, Found, Report, fates, search
from curate.erase.selectors import DUPLICATE, Selector, secret_or_none
from curate.errors import RunError
from curate.run.layout import RUN, Run
from curate.run.lock import locked
from curate.shards import read_tombstones, write_tombstones
from curate.shards.tombstones import SCHEMA


@dataclass(frozen=True)
class Asked:
    """What is asked, and how far it goes."""

    selectors: Sequence[Selector]
    request: str | None = None
    """The requester's own reference; made from the keys where not given."""
    with_duplicates: bool = False
    within: int = NEAR
    """Bits of 256 in which a picture may differ from one that is looked for."""
    any_turn: bool = False


@dataclass(frozen=True)
class Forgotten:
    """What a request came to."""

    request: str | None
    """None where nothing was written: nothing met, all forgotten before, or a dry run."""
    new: Mapping[str, str]
    """Each key that got a tombstone (or would), and the kind of selector that met it."""
    already: Sequence[str]
    """Keys that had one."""
    missed: Sequence[Selector]
    """Selectors that met nothing, and are not known from an earlier request."""
    known: Sequence[Selector] = ()
    """Selectors that meet nothing any more, and are known from an earlier request."""
    mates: Sequence[str] = ()
    """Copies of the new ones: erased with them if that was asked, else left."""
    followed: bool = False
    fates: Mapping[str, Fate] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    notes: Sequence[str] = ()


def forget(run: Run, asked: Asked, report: Report, *, dry_run: bool = False) -> Forgotten:
    """Put up a tombstone for each sample that the selectors meet, and write or extend the request's certificate.

    Raises:
        RunError: there is no run, or another process works in it.
        InputError: a selector cannot be used.
    """
    if not run.folder.exists(RUN):
        raise RunError(f"{run.folder.url}: no run here (it has no {RUN}). Give the directory of a run")
    if asked.request is not None:
        certificate.need_request(asked.request)
    if dry_run:
        return _found(run, asked, report)
    with locked(run.folder):
        found = _found(run, asked, report)
        return _written(run, asked, found) if found.new else found


def _found(run: Run, asked: Asked, report: Report) -> Forgotten:
    secret = secret_or_none()
    pictures = [s for s in asked.selectors if s.kind == "image"]
    likeness = Likeness(pictures, asked.within, any_turn=asked.any_turn) if pictures else None
    hit = search(run, asked.selectors, likeness, secret, report)
    before = set(read_tombstones(run.folder)["key"].to_pylist())
    new = {key: by.kind for key, by in hit.keys.items() if key not in before}
    clusters = Clusters(run)
    mates = [key for key in clusters.mates(hit.keys) if key not in before]
    if asked.with_duplicates:
        new |= dict.fromkeys(mates, DUPLICATE)
    missed = [s for s in asked.selectors if s not in hit.met]
    known = _known(run, missed, secret)
    return Forgotten(
        request=None,
        new=new,
        already=[key for key in hit.keys if key in before],
        missed=[s for s in missed if s not in known],
        known=known,
        mates=mates,
        followed=asked.with_duplicates,
        fates=fates(run, [*new, *mates]),
        places=places(run.folder, new),
        notes=_notes(run, hit, likeness, clusters, asked, secret),
    )


def _known(run: Run, missed: Sequence[Selector], secret: bytes | None) -> list[Selector]:
    """Return the selectors that an earlier request named: by their keyed hash, for nothing else of them is left."""
    if secret is None or not missed:
        return []
    marks = set()
    for request in certificate.requests(run.folder):
        content = certificate.load(run.folder, request) or {"forgotten": []}
        marks |= {s["match"] for forgotten in content["forgotten"] for s in forgotten["selectors"]}
    return [s for s in missed if s.mark(secret) in marks]


def _notes(
    run: Run, hit: Found, likeness: Likeness | None, clusters: Clusters, asked: Asked, secret: bytes | None
) -> list[str]:  # fmt: skip
    notes = list(hit.unread)
    if likeness is not None:
        notes += [f"--image {s.given}: is nearly flat, so only exact copies of the file were looked for"
                  for s in likeness.flat()]  # fmt: skip
    if any(s.kind == "text" for s in asked.selectors) and secret is None:
        notes.append("CURATE_PII_SECRET is not set, so redacted values were not looked up by their hash in the ledger")
    if not clusters.known:
        notes.append("no duplicates are known here: they are told by work/reduce, which is not there")
    if not run.folder.exists("manifest.json"):
        notes.append("nothing is published here yet: `curate run` will leave the erased samples out")
    return notes


def _written(run: Run, asked: Asked, found: Forgotten) -> Forgotten:
    now = datetime.now(UTC).replace(microsecond=0)
    request = asked.request or _named(found.new)
    content = certificate.load(run.folder, request) or certificate.blank(run, request)
    # The certificate comes first: killed in between, the same command finds no tombstones and says it all again.
    before = [f for f in content["forgotten"] if not found.new.keys() & f["keys"].keys()]
    content["forgotten"] = [*before, _told(asked, found, now)]
    certificate.save(run.folder, content)
    columns = {"key": list(found.new), "request": [request] * len(found.new), "at": [now] * len(found.new),
               "selector": list(found.new.values())}  # fmt: skip
    write_tombstones(run.folder, pa.concat_tables([read_tombstones(run.folder), pa.table(columns, schema=SCHEMA)]))
    return Forgotten(**{**vars(found), "request": request})


def _named(new: Mapping[str, str]) -> str:
    """Name a request by its keys: killed and said again, it is the same request."""
    return f"erasure-{hashlib.sha256(' '.join(sorted(new)).encode()).hexdigest()[:16]}"


def _told(asked: Asked, found: Forgotten, now: datetime) -> dict[str, Any]:
    secret = secret_or_none()
    missed = {s.kind: sum(m.kind == s.kind for m in found.missed) for s in found.missed}
    left = [] if found.followed else list(found.mates)
    return {
        "at": stamp(now),
        "keys": {key: {"selector": kind, **_where(key, found)} for key, kind in found.new.items()},
        "selectors": [{"kind": s.kind, "match": s.mark(secret) if secret is not None else None}
                      for s in asked.selectors if s not in found.missed],
        "met_nothing": missed,
        "duplicates": {"followed": found.followed, "left": left},
    }  # fmt: skip


def _where(key: str, found: Forgotten) -> dict[str, Any]:
    fate, place = found.fates.get(key), found.places.get(key)
    return {
        "fate": None if fate is None else fate.event,
        "stage": None if fate is None else fate.stage,
        "partition": None if fate is None else fate.partition,
        "shard": None if place is None else place.shard,
        "row": None if place is None else place.row,
    }


def stamp(at: datetime) -> str:
    """Spell a moment in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
