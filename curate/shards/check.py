"""Holding shards against their manifest: every byte, every index entry, every key."""

import hashlib
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa

from curate.errors import IntegrityError, RunError, StorageError
from curate.shards.index import Index, index_name
from curate.shards.manifest import Manifest, ShardEntry
from curate.shards.tar import walk
from curate.storage import Folder

_CHUNK = 1 << 20


def check_shards(run: Folder) -> list[str]:
    """Read all shards of a run and return every fault as one line; none says that all is well.

    Takes one pass over the tars and 16 bytes of memory a sample.
    """
    try:
        manifest = Manifest.load(run)
    except (RunError, IntegrityError) as error:
        return [str(error)]
    folder = run / "shards"
    faults: list[str] = []
    digests = bytearray()
    for entry in manifest.shards:
        index = _check_index(folder, entry, faults)
        _check_tar(folder, entry, index, faults)
        if index is not None:
            digests += b"".join(map(_digest, index.keys.to_pylist()))
    expected = {n for entry in manifest.shards for n in (entry.name, index_name(entry.name))}
    faults += [f"shards/{n}: the manifest does not name it; delete it" for n in folder.names() if n not in expected]
    return faults + list(_repeated_keys(folder, manifest, digests))


def _check_index(folder: Folder, entry: ShardEntry, faults: list[str]) -> Index | None:
    name = index_name(entry.name)
    where = f"shards/{name}"
    try:
        data = folder.read(name)
        if hashlib.sha256(data).hexdigest() != entry.index_sha256:
            faults.append(f"{where}: sha256 differs from the manifest's")
            return None
        index = Index(pa.py_buffer(data), where)
    except (StorageError, IntegrityError) as error:
        faults.append(str(error))
        return None
    if len(index) != entry.samples:
        faults.append(f"{where}: names {len(index)} samples, and the manifest says {entry.samples}")
    return index


def _check_tar(folder: Folder, entry: ShardEntry, index: Index | None, faults: list[str]) -> None:
    where = f"shards/{entry.name}"
    try:
        with folder.open(entry.name) as stream:
            found, size, sha256 = _read_tar(stream, where, faults)
    except StorageError as error:
        faults.append(str(error))
        return
    if size != entry.bytes:
        faults.append(f"{where}: has {size} bytes, and the manifest says {entry.bytes}")
    if sha256 != entry.sha256:
        faults.append(f"{where}: sha256 differs from the manifest's")
    if index is not None:
        faults += _differences(where, found, index)


def _read_tar(stream: IO[bytes], where: str, faults: list[str]) -> tuple[list[tuple[str, int, int]], int, str]:
    digest, size = hashlib.sha256(), 0

    def seen(data: bytes) -> None:
        nonlocal size
        digest.update(data)
        size += len(data)

    found = []
    try:
        for member in walk(stream, seen):
            found.append(member)  # noqa: PERF402 - what was found before a fault counts
    except IntegrityError as error:
        faults.append(f"{where}: {error}")
    while chunk := stream.read(_CHUNK):
        seen(chunk)
    return found, size, digest.hexdigest()


def _differences(where: str, found: list[tuple[str, int, int]], index: Index) -> Iterator[str]:
    expected = index.members()
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=False)):
        if ours != theirs:
            yield f"{where}: member {number} is {_say(theirs)}, and the index says {_say(ours)}"
    if len(found) != len(expected):
        yield f"{where}: holds {len(found)} whole members, and the index names {len(expected)}"


def _say(member: tuple[str, int, int]) -> str:
    name, offset, size = member
    return f"{name} of {size} bytes at {offset}"


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


def _repeated_keys(folder: Folder, manifest: Manifest, digests: bytearray) -> Iterator[str]:
    """Yield a line for each further place of a key that several samples have."""
    values, counts = np.unique(np.frombuffer(digests, "S16"), return_counts=True)
    repeated = {bytes(value).ljust(16, b"\0") for value in values[counts > 1]}
    if not repeated:
        return
    first: dict[str, str] = {}
    for entry in manifest.shards:
        index = _check_index(folder, entry, [])
        for key in index.keys.to_pylist() if index is not None else ():
            if _digest(key) not in repeated:
                continue
            if key in first:
                yield f"shards/{entry.name}: key {key} is in {first[key]} already"
            first.setdefault(key, entry.name)
