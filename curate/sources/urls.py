"""The source `urls`: lists of URLs and captions in files."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from curate.sample import column
from curate.sources.files import InputFile, find_files, snapshot
from curate.sources.read_lines import read_txt
from curate.sources.read_rows import every_row, kind_of, read_rows, suffixes
from curate.sources.rows import Wanted
from curate.stage import Source

SUFFIXES = suffixes("csv", "tsv", "jsonl", "txt")


class Urls(Source):
    """List URLs and captions from parquet, csv, tsv, jsonl or txt files; the text kinds also as `.gz` and `.zst`."""

    name: ClassVar[str] = "urls"
    writes: ClassVar[tuple[pa.Field, ...]] = (column("url"), column("caption"))
    permanent: ClassVar[frozenset[str]] = frozenset({"no_url", "bad_row"})

    path: str = Field(min_length=1, description="a file, a folder of files or a glob; local or any fsspec URL")
    url: str = Field("url", min_length=1, description="column that holds the URL; txt has a URL a line and no columns")
    caption: str | None = Field("caption", description="column that holds the caption; null where there are none")

    def scan(self) -> Iterator[pa.Table]:
        """Yield the rows of all files, files sorted by name, a few thousand rows at a time.

        Raises:
            InputError: a file is missing, empty, of another format than its name says, or lacks a column.
            StorageError: the disk or the store refuses.
        """
        return every_row(self.path, self._files(), self._read)

    def snapshot(self) -> str:
        """Hash names, sizes and versions of the files."""
        return snapshot(self._files())

    def key_columns(self) -> tuple[str, ...]:
        """A sample is a URL with its caption."""
        return ("url", "caption")

    def _files(self) -> list[InputFile]:
        return find_files(self.path, SUFFIXES)

    def _read(self, file: InputFile) -> Iterator[pa.Table]:
        wanted = Wanted({"url": self.url, "caption": self.caption}, must="url")
        return read_txt(file, wanted) if kind_of(file, SUFFIXES) == "txt" else read_rows(file, SUFFIXES, wanted)
