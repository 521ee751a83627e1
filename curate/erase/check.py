"""Holding tombstones, certificates and what a run still has of erased samples against each other."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curate.erase import certificate
from curate.erase.places import places
from curate.errors import CurateError
from curate.ledger import FATES, FOLDER
from curate.run.layout import MANIFEST, Run
from curate.shards import read_tombstones
from curate.shards.tombstones import ERASED, TOMBSTONES


def check_erasures(run: Run) -> list[str]:
    """Return every fault of a run's erasures, one line each. What waits for a rewrite is none."""
    try:
        tombstones = read_tombstones(run.folder)
        certificates = {r: certificate.load(run.folder, r) for r in certificate.requests(run.folder)}
    except CurateError as error:
        return [f"erasures: {error}"]
    erased = set(tombstones["key"].to_pylist())
    faults = []
    if len(erased) < tombstones.num_rows:
        faults.append(f"{TOMBSTONES}: {tombstones.num_rows - len(erased)} keys stand in it twice")
    for request, content in certificates.items():
        faults += _against(request, content or {}, erased)
    there = {r for r, content in certificates.items() if content}
    for request in sorted(set(tombstones["request"].to_pylist()) - there):
        faults.append(f"erasures/{request}.json: is missing, and tombstones name that request; curate rewrite makes it")
    faults += _came_back(run, certificates)
    return faults + list(_unnamed(run, erased))


def _against(request: str, content: dict[str, Any], erased: set[str]) -> Iterator[str]:
    lost = [key for key in certificate.keys_of(content) if key not in erased]
    if lost:
        yield (f"erasures/{request}.json: {len(lost)} of its keys have no tombstone, first {lost[0]}: "
               "say the same curate forget again")  # fmt: skip


def _came_back(run: Run, certificates: dict[str, dict[str, Any] | None]) -> Iterator[str]:
    if not run.folder.exists(MANIFEST):
        return
    gone = {key: r for r, content in certificates.items() for key in certificate.removed(content or {"rewritten": []})}
    try:
        back = places(run.folder, gone)
    except CurateError:
        return  # the check of the shards says so
    for key, place in back.items():
        yield (f"shards/{place.shard}: holds {key}, which erasures/{gone[key]}.json says was removed: "
               "curate rewrite removes it")  # fmt: skip


def _unnamed(run: Run, erased: set[str]) -> Iterator[str]:
    """Yield samples that the ledger calls erased and that no tombstone keeps from coming back."""
    for name in run.folder.names(FOLDER):
        part = (run.folder / FOLDER).read_parquet(name, ["key", "event", "reason"])
        told = pc.and_(pc.is_in(part["event"], value_set=pa.array(FATES)), pc.equal(part["reason"], ERASED))
        for key in part.filter(told)["key"].to_pylist():
            if key not in erased:
                yield f"{TOMBSTONES}: lacks {key}, which the ledger says was erased: it would come back"
