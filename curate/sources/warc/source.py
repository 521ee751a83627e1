"""The source `warc`: pages and texts in web archives."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from curate.errors import InputError, StorageError
from curate.sample import column
from curate.sources.files import COMPRESSED, InputFile, find_files, snapshot
from curate.sources.rows import BATCH_ROWS, FAILED, TOO_LARGE
from curate.sources.warc.members import CUT, DAMAGED
from curate.sources.warc.read import PLACE, ReadWarc
from curate.sources.warc.records import BAD_LENGTH, BAD_RECORD, Record, records
from curate.stage import Edit, Source
from curate.storage import refusals

SUFFIXES = tuple(f".{kind}{end}" for kind in ("warc", "wet") for end in ("", *COMPRESSED))
_MAY_BE_PAGES = frozenset({"response", "resource", "conversion"})
_HEAD_BYTES = 8
_BEGINNINGS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"WARC/": "not compressed"}
_MOST_HEADER = 8192  # characters of an address or an id

_Row = tuple[str | None, str | None, str | None, str, str, int, int, str | None]


class Warc(Source):
    """List the records of WARC and WET files, plain, `.gz` or `.zst`, that may hold a page; workers then read them.

    Responses, resources and conversions are samples; what tells about them (warcinfo, request, metadata, revisit) and
    the rare continuation is none. A record that is damaged, and a stretch of bytes that is no record, is a sample that
    failed. `collection` is the name of the file up to its first dot.
    """

    name: ClassVar[str] = "warc"
    writes: ClassVar[tuple[pa.Field, ...]] = (*map(column, ("url", "document", "date", "collection")), *PLACE)
    permanent: ClassVar[frozenset[str]] = frozenset({BAD_LENGTH, BAD_RECORD, CUT, DAMAGED, TOO_LARGE, "no_record_id"})

    path: str = Field(min_length=1, description="a file, a folder of files or a glob; local or any fsspec URL")
    main_content: bool = Field(
        default=True, description="leave out menus, head and foot lines, and comments; otherwise take all that is shown"
    )
    max_record_bytes: int = Field(
        20_000_000, ge=1, le=500_000_000, description="of a record and of the page in it, unpacked; a larger one fails"
    )

    def scan(self) -> Iterator[pa.Table]:
        """Yield the records of all files in their order, files sorted by name. No page is looked into.

        Raises:
            InputError: there are no files, or no record in them.
            StorageError: the disk or the store refuses.
        """
        found = 0
        waiting: list[_Row] = []
        for file in find_files(self.path, SUFFIXES):
            for row in self._rows(file):
                found += 1
                waiting.append(row)
                if len(waiting) == BATCH_ROWS:
                    yield _table(waiting)
                    waiting = []
        if not found:
            raise InputError(f"{self.path}: no record in it that may hold a page: no response, resource or conversion")
        if waiting:
            yield _table(waiting)

    def snapshot(self) -> str:
        """Hash names, sizes and versions of the files."""
        return snapshot(find_files(self.path, SUFFIXES))

    def key_columns(self) -> tuple[str, ...]:
        """A sample is a record, which has an id of its own, of an address at a time."""
        return ("document", "url", "date")

    def load(self) -> Edit:
        """Return the stage that takes the texts out of the records; as many of its samples may fail as of these."""
        return ReadWarc(**self.model_dump(include=set(ReadWarc.model_fields)))

    def _rows(self, file: InputFile) -> Iterator[_Row]:
        try:
            with file.fs.open(file.path, "rb") as stream:
                _expect_archive(file, stream.read(_HEAD_BYTES))
                for record in records(stream, file.name, most=0):
                    if record.fault or record.headers.get("warc-type", "").lower() in _MAY_BE_PAGES:
                        yield self._row(file, record)
        except ImportError as error:
            raise InputError(f"{file.path}: {error}. Install it: pip install 'curate-multimodal[filters]'") from error
        except refusals() as error:
            raise StorageError(f"{file.path}: {getattr(error, 'strerror', None) or error}") from error

    def _row(self, file: InputFile, record: Record) -> _Row:
        names = ("warc-target-uri", "warc-record-id", "warc-date")
        url, document, date = (_bare(record.headers.get(name)) for name in names)
        collection = file.name.rpartition("/")[2].partition(".")[0]
        fault = record.fault or (None if document else "no_record_id")
        if fault is None and record.length > self.max_record_bytes:
            fault = TOO_LARGE
        return url, document, date, collection, file.path, record.member, record.inside, fault


def _expect_archive(file: InputFile, head: bytes) -> None:
    """Refuse a file whose name says another compression than its first bytes; what is merely damaged is read.

    Raises:
        InputError: the text says what it looks like.
    """
    if not file.name.endswith(SUFFIXES):
        raise InputError(f"{file.path}: cannot tell its format: its name ends in none of {', '.join(SUFFIXES)}")
    expected = next((kind for end, kind in COMPRESSED.items() if file.name.endswith(end)), "not compressed")
    found = next((kind for magic, kind in _BEGINNINGS.items() if head.startswith(magic)), expected)
    if found != expected:
        raise InputError(f"{file.path}: by its name it is {expected}, but its first bytes are {found}: rename it")


def _bare(value: str | None) -> str | None:
    """Return a header without the angle brackets that ids have, and that WARC 1.0 shows addresses with."""
    bare = (value or "").strip("<> ")[:_MOST_HEADER]
    return bare or None


def _table(waiting: list[_Row]) -> pa.Table:
    schema = pa.schema([*Warc.writes, pa.field(FAILED, pa.string())])
    columns = [pa.array(values, field.type) for values, field in zip(zip(*waiting, strict=True), schema, strict=True)]
    return pa.table(columns, schema)
