"""`curate explain`: the whole story of one sample, from the list to the shard or to wherever it ended."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curate.erase import certificate
from curate.erase.facts import Report, part_files
from curate.erase.ledger import partitions_of
from curate.erase.mates import Clusters
from curate.erase.places import places
from curate.erase.search import search
from curate.erase.selectors import selector
from curate.errors import RunError
from curate.ledger import read_part
from curate.run.ingest import FOLDER as SOURCE
from curate.run.layout import RUN, Run
from curate.run.parts import read_table
from curate.shards import Features, Manifest, read_tombstones, stored_features
from curate.shards.shard import open_index

_HIDDEN = frozenset({"row", "key", "_failed"})


def keys_of_url(run: Run, url: str, report: Report) -> list[str]:
    """Return the keys of the samples that came from an address, as far as shards and `work` tell.

    Raises:
        RunError: none did.
    """
    found = search(run, [selector("url", url)], None, None, report)
    if not found.keys:
        raise RunError(f"{run.folder.url}: no sample that is still here came from {url}. " + " ".join(found.unread))
    return list(found.keys)


def explain(run: Run, key: str) -> dict[str, Any]:
    """Return all that a run knows of a sample, JSON-ready. Works on a purged run, with what is left there.

    Raises:
        RunError: no run is here, or it has no such sample.
    """
    if not run.folder.exists(RUN):
        raise RunError(f"{run.folder.url}: no run here (it has no {RUN}). Give the directory of a run")
    partitions = partitions_of(run, pa.array([key], pa.string()))
    if not partitions:
        raise RunError(
            f"{run.folder.url}: the ledger has no sample {key}. A key is 32 hex digits; find it with --url, "
            "or finish the run first: the ledger is written at its end"
        )
    clusters = Clusters(run)
    return {
        "key": key,
        "run": run.folder.url,
        "listed": [_listed(run, key, partition) for partition in partitions],
        "events": [event for partition in partitions for event in _events(run, key, partition)],
        "scores": [score for partition in partitions for score in _scores(run, key, partition)],
        "duplicates": _duplicates(clusters, key),
        "shard": _shard(run, key),
        "features": list(_features(run, key)),
        "erased": _erased(run, key),
    }


def _listed(run: Run, key: str, partition: int) -> dict[str, Any]:
    """Say where the source listed it, and whether the raw copy is still in `work`."""
    told: dict[str, Any] = {"partition": partition, "row": None, "raw": "purged", "failed": None}
    for name in part_files(run.work / SOURCE, partition):
        table = read_table(run.work / SOURCE, name)
        (row, *_) = table.filter(pc.equal(table["key"], key)).to_pylist()
        own = [value for column, value in row.items() if column not in _HIDDEN]
        raw = "in work" if any(value is not None for value in own) else "removed"
        told |= {"row": row["row"], "raw": raw, "failed": row.get("_failed")}
    return told


def _events(run: Run, key: str, partition: int) -> Iterator[dict[str, Any]]:
    part = read_part(run.folder, partition)
    for event in part.filter(pc.equal(part["key"], key)).to_pylist():
        yield {name: value for name, value in event.items() if name != "key"}


def _scores(run: Run, key: str, partition: int) -> Iterator[dict[str, Any]]:
    """Yield what each filter measured of it, by every setting that was ever measured with."""
    for folder in run.folder.names("scores"):
        store = run.folder / "scores" / folder
        for name in part_files(store, partition):
            table = read_table(store, name)
            for row in table.filter(pc.equal(table["key"], key)).to_pylist():
                values = {column: value for column, value in row.items() if column not in _HIDDEN}
                stage, _, fingerprint = folder.rpartition("-")
                yield {"stage": stage, "fingerprint": fingerprint, "values": values, "failed": row.get("_failed")}


def _duplicates(clusters: Clusters, key: str) -> dict[str, Any]:
    stood = [{"stage": stage, "survivor": survivor} for stage, survivor in clusters.survivors.get(key, ())]
    return {"known": clusters.known, "survivors": stood, "copies": clusters.mates([key])}


def _shard(run: Run, key: str) -> dict[str, Any] | None:
    place = places(run.folder, [key]).get(key)
    if place is None:
        return None
    manifest = Manifest.load(run.folder)
    index = open_index(run.folder / "shards", manifest.shards[place.number])
    members = range(index.starts[place.row], index.starts[place.row + 1])
    return {
        "name": place.shard,
        "row": place.row,
        "version": manifest.version,
        "members": [
            {"extension": index.extensions[index.codes[m]], "offset": index.offsets[m], "bytes": index.sizes[m]}
            for m in members
        ],
    }


def _features(run: Run, key: str) -> Iterator[dict[str, Any]]:
    place = places(run.folder, [key]).get(key)
    if place is None:
        return
    entry = Manifest.load(run.folder).shards[place.number]
    for name in stored_features(run.folder.url):
        features = Features(run.folder.url, name)
        if features.has(entry):
            yield {"fingerprint": name, "missing": features.missing(place.shard, place.row)}


def _erased(run: Run, key: str) -> dict[str, Any] | None:
    """Say by which request, and what was done since."""
    table = read_tombstones(run.folder)
    rows = table.filter(pc.equal(table["key"], key)).to_pylist()
    if not rows:
        return None
    told = {name: rows[0][name] for name in ("request", "selector")}
    content = certificate.load(run.folder, told["request"])
    rewritten = [r for r in (content or {"rewritten": []})["rewritten"] if key in r["keys"]]
    saw = [
        c["checkpoint"] for c in (content or certificate.blank(run, ""))["checkpoints"]["saw"] if key in c["samples"]
    ]
    return {
        **told,
        "at": rows[0]["at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "certificate": content is not None,
        "rewritten": [{"at": r["at"], "to_version": r["to_version"]} for r in rewritten],
        "seen_by": saw,
    }
