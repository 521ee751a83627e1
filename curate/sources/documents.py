"""The source `documents`: texts in files, a row each."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from curate.sample import column
from curate.sources.files import InputFile, find_files, snapshot
from curate.sources.read_rows import every_row, read_rows, suffixes
from curate.sources.rows import BAD_ROW, TOO_LARGE, Wanted
from curate.stage import Source

SUFFIXES = suffixes("jsonl", "csv", "tsv")
_USUAL = {"document": "id", "url": "url", "date": "date", "collection": "collection"}


class Documents(Source):
    """Take documents from parquet, jsonl, csv or tsv files; the text kinds also as `.gz` and `.zst`.

    Columns that are not named in the settings are taken where a file has them under their usual name, and are null
    elsewhere. A row whose text is null fails; a document of no words passes, and is for filters to judge.
    """

    name: ClassVar[str] = "documents"
    writes: ClassVar[tuple[pa.Field, ...]] = tuple(map(column, ("text", *_USUAL)))
    permanent: ClassVar[frozenset[str]] = frozenset({BAD_ROW, TOO_LARGE, "no_text"})

    path: str = Field(min_length=1, description="a file, a folder of files or a glob; local or any fsspec URL")
    text: str = Field("text", min_length=1, description="column that holds the text")
    document: str | None = Field(None, min_length=1, description="column of the document's id; `id` if there is one")
    url: str | None = Field(None, min_length=1, description="column of its address; `url` if there is one")
    date: str | None = Field(None, min_length=1, description="column of its date, ISO 8601; `date` if there is one")
    collection: str | None = Field(
        None, min_length=1, description="column of the part of the corpus it belongs to; `collection` if there is one"
    )
    max_document_bytes: int = Field(
        64_000_000, ge=1, le=500_000_000, description="bytes of a text in UTF-8; a row with a longer one fails"
    )

    def scan(self) -> Iterator[pa.Table]:
        """Yield the rows of all files, files sorted by name, about 32 MiB at a time, or one row.

        Raises:
            InputError: a file is missing, empty, of another format than its name says, or lacks a column.
            StorageError: the disk or the store refuses.
        """
        return every_row(self.path, self._files(), lambda file: read_rows(file, SUFFIXES, self._wanted()))

    def snapshot(self) -> str:
        """Hash names, sizes and versions of the files."""
        return snapshot(self._files())

    def key_columns(self) -> tuple[str, ...]:
        """A sample is an id, an address and a text: many files count their documents from 1."""
        return ("document", "url", "text")

    def _files(self) -> list[InputFile]:
        return find_files(self.path, SUFFIXES)

    def _wanted(self) -> Wanted:
        given = {name: getattr(self, name) for name in _USUAL}
        return Wanted(
            {"text": self.text} | {name: given[name] or usual for name, usual in _USUAL.items()},
            must="text",
            blank=True,
            absent=frozenset(name for name, named in given.items() if named is None),
            spelled=frozenset({"document", "date"}),
            most_bytes=self.max_document_bytes,
            too_long=TOO_LARGE,
        )
