"""Writing one shard: samples stream into a tar, and its index follows."""

import hashlib
import re
from collections.abc import Iterable
from typing import IO

from curate.errors import RunError
from curate.shards.index import IndexBuilder, index_name
from curate.shards.manifest import ShardEntry
from curate.shards.tar import ending, header, padding
from curate.storage import Folder

Sample = tuple[str, list[tuple[str, bytes]]]

# webdataset ends a key at its first dot and lowers extensions: other names would not come back as they went in.
_KEY = re.compile(r"[0-9A-Za-z_-]+")
_EXTENSION = re.compile(r"[0-9a-z_]+(\.[0-9a-z_]+)*")
_BUFFER = 1 << 20


def write_shard(folder: Folder, name: str, samples: Iterable[Sample]) -> ShardEntry:
    """Write `samples`, (key, [(extension, bytes), ...]) each, as tar `name` and its index into RUN/shards.

    The tar appears whole, then the index; what fails in between leaves nothing that a manifest names.

    Raises:
        RunError: a key or extension cannot be a member name, or is there twice, or a member is too large for a tar.
        StorageError: the disk or bucket refused.
    """
    index = IndexBuilder()
    with folder.writing(name) as local, local.open("wb", buffering=_BUFFER) as stream:
        sha256, size = _write_tar(stream, name, samples, index)
    data = index.to_bytes()
    folder.write(index_name(name), data)
    return ShardEntry(name, sha256, size, len(index.keys), hashlib.sha256(data).hexdigest())


def _write_tar(stream: IO[bytes], name: str, samples: Iterable[Sample], index: IndexBuilder) -> tuple[str, int]:
    digest = hashlib.sha256()
    at = 0

    def put(data: bytes) -> None:
        nonlocal at
        digest.update(data)
        stream.write(data)
        at += len(data)

    seen: set[str] = set()
    for number, (key, members) in enumerate(samples):
        try:
            _check_names(key, [extension for extension, _ in members], seen)
            for extension, data in members:
                put(padding(at) + header(f"{key}.{extension}", len(data)))
                index.add(extension, at, len(data))
                put(data)
        except RunError as error:
            raise RunError(f"{name}: sample {number}: {error}") from error
        index.close_sample(key)
    put(padding(at))
    put(ending(at))
    return digest.hexdigest(), at


def _check_names(key: str, extensions: list[str], seen: set[str]) -> None:
    if not _KEY.fullmatch(key):
        raise RunError("its key may only have letters, digits, '_' and '-': make keys with `sample_key`")
    if key in seen:
        raise RunError("its key is already in this shard: drop one of the two samples first")
    seen.add(key)
    wrong = [extension for extension in extensions if not _EXTENSION.fullmatch(extension)]
    if wrong:
        raise RunError(f"extension {wrong[0]!r} may only have a-z, 0-9, '_' and inner dots: mend the sink")
    if not extensions or len(set(extensions)) < len(extensions):
        raise RunError("it has no member, or two of one extension: mend the sink")
