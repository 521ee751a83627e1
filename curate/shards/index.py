"""Where every member of a shard lies: an Arrow IPC file beside the tar, read through a memory map.

One row a sample, in the order of the tar; docs/shards.md states the schema for other programs.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from curate.errors import IntegrityError

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field(
            "members",
            pa.list_(
                pa.field(
                    "item",
                    pa.struct(
                        [
                            pa.field("extension", pa.dictionary(pa.int16(), pa.string()), nullable=False),
                            pa.field("offset", pa.uint64(), nullable=False),  # bytes from the start of the tar
                            pa.field("size", pa.uint64(), nullable=False),  # bytes
                        ]
                    ),
                    nullable=False,
                )
            ),
            nullable=False,
        ),
    ],
    metadata={"format": "curate-index-1"},
)


def index_name(shard: str) -> str:
    """Return the name of a shard's index: `00000.idx` for `00000.tar`."""
    return shard.removesuffix(".tar") + ".idx"


class IndexBuilder:
    """Collects members in the order of the tar. Takes about 100 bytes a sample."""

    def __init__(self) -> None:
        """Start with no samples."""
        self.keys: list[str] = []
        self._starts = [0]
        self._codes: list[int] = []
        self._extensions: dict[str, int] = {}
        self._offsets: list[int] = []
        self._sizes: list[int] = []

    def add(self, extension: str, offset: int, size: int) -> None:
        """Note a member of the sample that `close_sample` will name."""
        self._codes.append(self._extensions.setdefault(extension, len(self._extensions)))
        self._offsets.append(offset)
        self._sizes.append(size)

    def close_sample(self, key: str) -> None:
        """Name the sample that the members since the last call make up."""
        self.keys.append(key)
        self._starts.append(len(self._codes))

    def to_bytes(self) -> bytes:
        """Return the index file; equal indexes give equal bytes."""
        extension = pa.DictionaryArray.from_arrays(
            pa.array(self._codes, pa.int16()), pa.array(list(self._extensions), pa.string())
        )
        offset, size = pa.array(self._offsets, pa.uint64()), pa.array(self._sizes, pa.uint64())
        item = SCHEMA.field("members").type.value_type
        members = pa.StructArray.from_arrays([extension, offset, size], fields=list(item))
        starts = pa.array(self._starts, pa.int32())
        lists = pa.ListArray.from_arrays(starts, members, type=SCHEMA.field("members").type)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, SCHEMA) as writer:
            writer.write_batch(pa.record_batch([pa.array(self.keys, pa.string()), lists], schema=SCHEMA))
        return sink.getvalue().to_pybytes()


class Index:
    """A read index: views on its buffers, nothing copied. Sample i has members `starts[i]` up to `starts[i + 1]`."""

    def __init__(self, buffer: pa.Buffer, where: str) -> None:
        """Open the bytes of an index file; `where` names it in errors.

        Raises:
            IntegrityError: it is no index file.
        """
        try:
            batch = pa.ipc.open_file(buffer).get_batch(0)
        except (pa.ArrowInvalid, pa.ArrowIndexError, OSError) as error:
            raise IntegrityError(f"{where}: is damaged: no Arrow file with one record batch") from error
        if not batch.schema.equals(SCHEMA, check_metadata=True):
            raise IntegrityError(f"{where}: is an index of another format than {SCHEMA.metadata}")
        lists = batch.column("members")
        members = lists.values
        extension = members.field("extension")
        self.keys: pa.StringArray = batch.column("key")
        self.extensions: list[str] = extension.dictionary.to_pylist()
        self.starts = _ints(lists.offsets)
        self.codes = _ints(extension.indices)
        self.offsets = _ints(members.field("offset"))
        self.sizes = _ints(members.field("size"))

    def __len__(self) -> int:
        return len(self.keys)

    def members(self) -> list[tuple[str, int, int]]:
        """Return (member name, offset, size) of every member, in order."""
        keys = np.repeat(np.array(self.keys.to_pylist(), object), np.diff(self.starts))
        names = (f"{key}.{self.extensions[code]}" for key, code in zip(keys, self.codes, strict=True))
        return list(zip(names, self.offsets, self.sizes, strict=True))


def _ints(array: pa.Array) -> Sequence[int]:
    """View an integer array: subscripts give Python ints at a third of what a numpy subscript costs."""
    return memoryview(array.to_numpy())
