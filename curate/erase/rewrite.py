"""`curate rewrite`: shards without what was erased, a new version, and nothing of it left in the run.

The order is what makes a kill harmless. RUN/rewrite.json says first what is to be done; from then on every step may be
done again, and every command that opens the run does them again before its own work. Shards get new names, so until
the manifest is replaced, in one step, readers have the old version whole, and from then on the new one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curate.erase import certificate
from curate.erase.checkpoints import look, merged, of_keys
from curate.erase.facts import Report
from curate.erase.forget import stamp
from curate.erase.ledger import drop_from_books, partitions_of, strip_ledger
from curate.erase.scrub import scrub, unknown_names
from curate.errors import IntegrityError, RunError
from curate.run.layout import BOOKS, MANIFEST, REWRITE, Run, read_json
from curate.run.lock import locked
from curate.shards import (
    Features,
    Manifest,
    PastVersion,
    ShardEntry,
    keep_version,
    read_tombstones,
    rewritten_name,
    stored_features,
    write_without,
)
from curate.shards.index import index_name
from curate.shards.shard import open_index
from curate.storage import Folder


@dataclass(frozen=True)
class Rewritten:
    """What a rewrite came to."""

    requests: tuple[str, ...]
    """Whose certificates it completed."""
    keys: int
    """Samples that it removed."""
    version: str
    """Of the dataset now."""
    shards: int
    """That were written anew, or left out because nothing was left in them."""


@dataclass(frozen=True)
class Journal:
    """What a rewrite set out to do."""

    at: str
    version: str
    """Of the dataset before."""
    keys: tuple[str, ...]
    checkpoints: dict[str, Any]
    """What models had learned from the samples, told before anything was removed."""

    def save(self, run: Folder) -> None:
        """Write it, whole or not at all."""
        run.write(REWRITE, (json.dumps(vars(self), indent=1, sort_keys=True) + "\n").encode())

    @classmethod
    def load(cls, run: Run) -> "Journal":
        """Read it back.

        Raises:
            IntegrityError: it is damaged.
        """
        content = read_json(run.folder, REWRITE)
        try:
            return cls(content["at"], content["version"], tuple(content["keys"]), dict(content["checkpoints"]))
        except (KeyError, TypeError) as error:
            raise IntegrityError(f"{run.folder.path(REWRITE)}: is damaged. Restore it from a copy") from error


def rewrite(run: Run, checkpoints: Sequence[str], report: Report) -> Rewritten:
    """Remove every sample that has a tombstone and was not removed yet, and complete the requests' certificates.

    Raises:
        RunError: the run is not finished, or another process works in it.
        IntegrityError: it is damaged; nothing was changed then that `curate check` would not find.
    """
    with locked(run.folder):
        _need_finished(run)
        if run.folder.exists(REWRITE):
            _carry_out(run, Journal.load(run), report)
        pending = _pending(run)
        if not pending:
            _look_again(run, checkpoints, report)
            return Rewritten((), 0, Manifest.load(run.folder).version, 0)
        seen = look(checkpoints, run.folder.url, pending, report)
        journal = Journal(stamp(datetime.now(UTC)), Manifest.load(run.folder).version, tuple(pending), seen)
        journal.save(run.folder)
        return _carry_out(run, journal, report)


def finish_rewrite(run: Run, report: Report) -> bool:
    """Finish a rewrite that was stopped; return whether there was one. Every command that opens a run begins so.

    Raises:
        RunError: `work` is not this run's, and is left alone.
        LockedError: it was not stopped: another process is at it.
    """
    if not run.folder.exists(REWRITE):
        return False
    with locked(run.folder):
        if run.folder.exists(REWRITE):
            _need_finished(run)
            _carry_out(run, Journal.load(run), report)
    return True


def _need_finished(run: Run) -> None:
    if not (run.folder.exists(BOOKS) and run.folder.exists(MANIFEST)):
        raise RunError(
            f"{run.folder.url}: is not finished, so there are no shards to rewrite. First: curate run. "
            "It leaves out what was forgotten; then rewrite to remove the raw copies"
        )
    if run.work.names():
        run.need_own_work(run.facts()["id"])


def _pending(run: Run) -> list[str]:
    """Return the keys with a tombstone that no rewrite has removed; one that came back since counts again."""
    table = read_tombstones(run.folder)
    done: set[str] = set()
    for request in certificate.requests(run.folder):
        done |= certificate.removed(certificate.load(run.folder, request) or {"rewritten": []})
    back = {key for entry, rows in _touched(run.folder, table["key"].combine_chunks())
            for key in open_index(run.folder / "shards", entry).keys.take(rows).to_pylist()}  # fmt: skip
    return [key for key in dict.fromkeys(table["key"].to_pylist()) if key in back or key not in done]


def _carry_out(run: Run, journal: Journal, report: Report) -> Rewritten:
    """Do, or do again, all that a journal says."""
    erased = pa.array(list(journal.keys), pa.string())
    before = Manifest.load(run.folder)
    if before.version == journal.version:
        after = _write_shards(run.folder, before, erased, report)
        partitions = partitions_of(run, erased)
        strip_ledger(run, erased, partitions)
        drop_from_books(run, after.samples)
        if after != before:
            # The moment at which readers come to the new version.
            after.save(run.folder)
    else:
        after, partitions = before, partitions_of(run, erased)
    old = _old_manifest(run.folder, journal, after)
    report({"event": "removing", "partitions": len(partitions)})
    _delete_old(run.folder, old, after)
    files = scrub(run, erased, partitions)
    changes = _changes(old, after)
    told = {
        "at": journal.at,
        "from_version": old.version,
        "to_version": after.version,
        "shards": changes,
        "raw": {"partitions": partitions, "files": files, "left_alone": unknown_names(run)},
        "features": stored_features(run.folder.url),
    }
    requests = _certify(run, journal, told)
    run.folder.delete(REWRITE)
    return Rewritten(requests, len(journal.keys), after.version, len(changes))


def _touched(run: Folder, erased: pa.Array) -> list[tuple[ShardEntry, pa.Array]]:
    """Return the shards that hold erased samples, and the rows of those."""
    found = []
    for entry in Manifest.load(run).shards:
        rows = pc.indices_nonzero(pc.is_in(open_index(run / "shards", entry).keys, value_set=erased))
        if len(rows):
            found.append((entry, rows))
    return found


def _write_shards(run: Folder, before: Manifest, erased: pa.Array, report: Report) -> Manifest:
    """Write what stays of the touched shards beside them, with their features; return the new version's manifest."""
    touched = {entry.name: set(rows.to_pylist()) for entry, rows in _touched(run, erased)}
    if touched:
        keep_version(run, before, [entry for entry in before.shards if entry.name in touched])
    features = [Features(run.url, name) for name in stored_features(run.url)] if touched else []
    entries: list[ShardEntry] = []
    for entry in before.shards:
        if entry.name not in touched:
            entries.append(entry)
            continue
        report({"event": "rewriting", "shard": entry.name, "removed": len(touched[entry.name])})
        rows = [row for row in range(entry.samples) if row not in touched[entry.name]]
        new = write_without(run, entry, rows)
        if new is not None:
            entries.append(new)
            for one in features:
                one.carry_over(entry, new, rows)
    return Manifest(before.name, tuple(entries))


def _old_manifest(run: Folder, journal: Journal, after: Manifest) -> Manifest:
    return after if after.version == journal.version else PastVersion(run.url, journal.version).manifest


def _delete_old(run: Folder, old: Manifest, after: Manifest) -> None:
    """Delete what the new version does not name: its readers are those that were opened before."""
    for name in stored_features(run.url):
        Features(run.url, name).relist(after.shards)
    named = {entry.name for entry in after.shards}
    for entry in old.shards:
        if entry.name not in named:
            run.delete(f"shards/{entry.name}")
            run.delete(f"shards/{index_name(entry.name)}")
    run.sweep("shards")


def _changes(old: Manifest, after: Manifest) -> list[dict[str, Any]]:
    """Say which shard took the place of which."""
    now = {entry.name: entry for entry in after.shards}
    changes = []
    for entry in old.shards:
        if entry.name not in now:
            new = now.get(rewritten_name(entry.name))
            changes.append({
                "old": entry.name, "old_sha256": entry.sha256, "removed": entry.samples - (new.samples if new else 0),
                "new": new.name if new else None, "new_sha256": new.sha256 if new else None,
            })  # fmt: skip
    return changes


def _certify(run: Run, journal: Journal, told: dict[str, Any]) -> tuple[str, ...]:
    """Complete the certificate of each request whose samples were removed; a request without one gets it."""
    rows = read_tombstones(run.folder).to_pylist()
    keys = set(journal.keys)
    requests = list(dict.fromkeys(row["request"] for row in rows if row["key"] in keys))
    for request in requests:
        mine = [row for row in rows if row["request"] == request and row["key"] in keys]
        content = certificate.load(run.folder, request) or certificate.from_tombstones(run, request, rows)
        done = [r for r in content["rewritten"] if r["at"] != journal.at]
        content["rewritten"] = [*done, {**told, "keys": [row["key"] for row in mine]}]
        share = of_keys(journal.checkpoints, [row["key"] for row in mine])
        content["checkpoints"] = merged(content["checkpoints"], share)
        certificate.save(run.folder, content)
    return tuple(requests)


def _look_again(run: Run, checkpoints: Sequence[str], report: Report) -> None:
    """Look through checkpoints for all that was ever erased, and add what they saw to the certificates."""
    if not checkpoints:
        return
    for request in certificate.requests(run.folder):
        content = certificate.load(run.folder, request)
        if content is not None:
            told = look(checkpoints, run.folder.url, certificate.keys_of(content), report)
            content["checkpoints"] = merged(content["checkpoints"], told)
            certificate.save(run.folder, content)
