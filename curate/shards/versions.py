"""Versions of a dataset that a rewrite replaced: which keys they held and where, and nothing else of their samples.

RUN/versions/
    VERSION16/manifest.json     the manifest as it was
    indexes/SHA256.idx          the index of a shard that is gone, under its own hash

It is what tells, for ever, whether a model that was fed an old version saw a sample.
"""

import hashlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import CurateError, IntegrityError, RunError
from curate.shards.index import Index, index_name
from curate.shards.manifest import FILE, Manifest, ShardEntry
from curate.shards.tombstones import TOMBSTONES
from curate.storage import Folder

FOLDER = "versions"
_INDEXES = "indexes"
_DIGITS = 16


class PastVersion:
    """A version that was replaced: its manifest, and where each key was. Its samples are not here."""

    def __init__(self, url: str, version: str) -> None:
        """Open a version that the run at a path or URL keeps, by its full name, 64 hex digits.

        Raises:
            RunError: the run keeps no such version.
            IntegrityError: what is kept of it is damaged.
        """
        run, place = Folder(url), f"{FOLDER}/{version[:_DIGITS]}/{FILE}"
        if not run.exists(place):
            raise RunError(f"{run.url}: keeps no version {version[:_DIGITS]}")
        self._run = run
        self.manifest = Manifest.from_bytes(run.read(place), f"{run.url}/{place}")
        self.version = self.manifest.version
        if self.version != version:
            raise IntegrityError(f"{run.url}/{place}: is version {self.version[:_DIGITS]}, not the one it is kept as")

    def keys(self, entry: ShardEntry) -> pa.StringArray:
        """Return the keys that one of its shards held, in order.

        Raises:
            IntegrityError: the index is gone or damaged.
        """
        return _index(self._run, entry).keys

    def find(self, key: str) -> tuple[int, int] | None:
        """Return shard, by number, and row of a key; None where this version did not hold it."""
        for number, entry in enumerate(self.manifest.shards):
            row = pc.index(self.keys(entry), key).as_py()
            if row >= 0:
                return number, row
        return None


def keep_version(run: Folder, manifest: Manifest, replaced: Sequence[ShardEntry]) -> None:
    """Keep what tracing needs of a version whose shards `replaced` are about to go. Doing it again changes nothing."""
    for entry in replaced:
        kept = f"{FOLDER}/{_INDEXES}/{entry.index_sha256}.idx"
        if not run.exists(kept):
            run.write(kept, run.read(f"shards/{index_name(entry.name)}"))
    place = f"{FOLDER}/{manifest.version[:_DIGITS]}/{FILE}"
    if not run.exists(place):
        run.write(place, manifest.to_bytes())


def keep_current(run: Folder) -> None:
    """Keep the version that stands, before other shards take its place: only of a run from which something was erased.

    Versions kept before may lean on indexes beside its shards; those are kept with it.
    """
    if run.exists(FILE) and (run.exists(TOMBSTONES) or past_versions(run)):
        manifest = Manifest.load(run)
        keep_version(run, manifest, list(manifest.shards))


def past_versions(run: Folder) -> list[str]:
    """Return the first 16 digits of each version that a run keeps."""
    return [name for name in run.names(FOLDER) if name != _INDEXES]


def check_versions(run: Folder) -> list[str]:
    """Return every fault of the kept versions, one line each."""
    return [fault for short in past_versions(run) for fault in _check_version(run, short)]


def _check_version(run: Folder, short: str) -> Iterator[str]:
    place = f"{FOLDER}/{short}/{FILE}"
    try:
        version = PastVersion(run.url, Manifest.from_bytes(run.read(place), place).version)
        if version.version[:_DIGITS] != short:
            yield f"versions: {place}: is version {version.version[:_DIGITS]}"
        for entry in version.manifest.shards:
            version.keys(entry)
    except CurateError as error:
        yield f"versions: {error}"


def _index(run: Folder, entry: ShardEntry) -> Index:
    """Open the index of a shard as it was: kept under its hash, or still beside the shard."""
    kept, current = f"{FOLDER}/{_INDEXES}/{entry.index_sha256}.idx", f"shards/{index_name(entry.name)}"
    for place in (kept, current):
        if run.exists(place):
            data = run.read(place)
            if hashlib.sha256(data).hexdigest() == entry.index_sha256:
                return Index(pa.py_buffer(data), f"{run.url}/{place}")
    raise IntegrityError(f"{run.url}/{kept}: the index of {entry.name} is gone or damaged. Restore it from a copy")
