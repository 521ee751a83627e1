"""The stage that reads the records that `warc` listed, and takes the text of pages out of them."""

from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import pyarrow as pa
from pydantic import Field

from curate.errors import IntegrityError, StorageError
from curate.sample import column
from curate.sources.files import COMPRESSED, file_system
from curate.sources.warc.page import Page, page
from curate.sources.warc.records import Record, records
from curate.stage import Edit, Edited, Editor
from curate.storage import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = (pa.field("_file", pa.string()), pa.field("_member", pa.int64()), pa.field("_inside", pa.int64()))
"""Where a record is: its file as the file system spells it, and see `Record`."""
_NEAR_BYTES = 1 << 20  # of a file that are read rather than jumped over: an object store answers each jump anew


class ReadWarc(Edit):
    """Read records, and turn pages into text with Resiliparse (Bevendorff et al., ECIR 2018; arXiv 2406.11794 uses it).

    What is text already, as in WET files, stays as it is. Answers that are no page (another media type, an error, a
    redirection) and pages without text are dropped; what is damaged fails.
    """

    name: ClassVar[str] = "read_warc"
    reads: ClassVar[tuple[str, ...]] = tuple(field.name for field in PLACE)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("text"),)
    permanent: ClassVar[frozenset[str]] = frozenset({"bad_encoding", "bad_http", "tangled_html", "too_large"})

    path: str = Field(min_length=1, description="the archives, whose file system is asked")
    main_content: bool = Field(default=True, description="leave out menus, head and foot lines, and comments")
    max_record_bytes: int = Field(20_000_000, ge=1, le=500_000_000, description="of a page, compressed and not")

    def open(self) -> Editor:
        """Return a function that reads a table's records, quickest where they are in the order of their files."""
        import resiliparse.extract.html2text
        import resiliparse.parse.encoding  # noqa: F401 - a missing package is said before any file is read

        fs, _ = file_system(self.path)

        def edit(table: pa.Table) -> Edited:
            places = zip(*(table[name].to_pylist() for name in self.reads), strict=True)
            shelf = _Shelf(fs, self.max_record_bytes)
            try:
                return _edited([self._page(shelf.record(*place)) for place in places])
            finally:
                shelf.close()

        return edit

    def _page(self, record: Record) -> Page:
        if record.length > self.max_record_bytes:
            return Page(failed="too_large")
        return page(record, self.max_record_bytes, main_content=self.main_content)


class _Shelf:
    """The file that was read last, open where it was left."""

    def __init__(self, fs: Any, most: int) -> None:
        self._fs, self._most, self._path = fs, most, ""
        self._stream: IO[bytes] | None = None
        self._records: Iterator[Record] = iter(())
        self._at = (0, 0)

    def record(self, path: str, member: int, inside: int) -> Record:
        """Return the record at a place.

        Raises:
            IntegrityError: there is no whole one.
            StorageError: the disk or the store refuses.
        """
        try:
            if self._stream is None or path != self._path or not self._is_ahead(member, inside):
                self._go(path, member, inside)
            self._at = (member, inside)
            for record in self._records:
                if (record.member, record.inside) == self._at and not record.fault:
                    return record
                if (record.member, record.inside) >= self._at:
                    break
        except refusals() as error:
            raise StorageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
        raise IntegrityError(f"{path}: has changed since it was listed. Run the recipe into another --out.")

    def _is_ahead(self, member: int, inside: int) -> bool:
        """Tell whether reading on brings a place sooner than beginning anew, at its member, does."""
        near = member + inside - sum(self._at) < _NEAR_BYTES
        together = self._path.endswith(tuple(COMPRESSED)) and member == self._at[0]
        return (member, inside) > self._at and (near or together)

    def _go(self, path: str, member: int, inside: int) -> None:
        if path != self._path:
            self.close()
            self._stream = self._fs.open(path, "rb")
            self._path = path
        self._records = records(cast("IO[bytes]", self._stream), path, self._most, member, inside)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _edited(pages: list[Page]) -> Edited:
    texts, dropped, failed = (
        pa.array([getattr(page, name) for page in pages], pa.string()) for name in ("text", "dropped", "failed")
    )
    return Edited(pa.table([texts], pa.schema(ReadWarc.writes)), dropped=dropped, failed=failed)
