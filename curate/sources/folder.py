"""What the sources of folders share: listing samples, their captions, the snapshot."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from curate.errors import InputError
from curate.fetch.picture import MOST_PIXELS
from curate.sources.beside import Beside, find_samples
from curate.sources.files import file_system, snapshot
from curate.sources.rows import BATCH_ROWS, FAILED
from curate.stage import Source

Row = tuple[str | None, ...]
"""Values of `writes`, then why the row is of no use, if it is not."""


class Folder(Source):
    """Settings and steps of a source whose samples are files below a folder."""

    suffixes: ClassVar[tuple[str, ...]]
    """What the names of media end in."""
    together: ClassVar[bool]
    """Whether files of one stem are one sample."""
    lacks: ClassVar[str]
    """What a folder without samples has none of."""

    path: str = Field(min_length=1, description="the folder; local or any fsspec URL")
    max_bytes: int = Field(20_000_000, ge=1, description="bytes of a picture's file")
    max_pixels: int = Field(50_000_000, ge=1, le=MOST_PIXELS, description="width times height, checked before decoding")

    def scan(self) -> Iterator[pa.Table]:
        """Yield the samples in the order of their paths; paths are below the folder.

        Raises:
            InputError: there is no such folder, or no sample in it.
            StorageError: the disk or the store refuses.
        """
        waiting: list[Row] = []
        found = 0
        root = file_system(self.path)[1]
        for sample in self._samples():
            waiting.append(self.row(root, sample))
            found += 1
            if len(waiting) == BATCH_ROWS:
                yield self._table(waiting)
                waiting = []
        if not found:
            ends = ", ".join(self.suffixes)
            raise InputError(f"{self.path}: no {self.lacks} below this folder: no name ends in {ends}")
        if waiting:
            yield self._table(waiting)

    @abstractmethod
    def row(self, root: str, sample: Beside) -> Row:
        """Return the row of one sample."""

    def snapshot(self) -> str:
        """Hash names, sizes and versions of media and captions."""
        return snapshot(file for sample in self._samples() for file in sample.files)

    def _samples(self) -> Iterator[Beside]:
        return find_samples(self.path, self.suffixes, together=self.together)

    def _table(self, waiting: list[Row]) -> pa.Table:
        columns = zip(*waiting, strict=True)
        schema = pa.schema([*self.writes, pa.field(FAILED, pa.string())])
        return pa.table([pa.array(values, pa.string()) for values in columns], schema)
