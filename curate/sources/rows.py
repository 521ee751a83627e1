"""From raw columns to a source's table: what cannot be used keeps its row and says why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from curate.sample import column

FAILED = "_failed"
BATCH_ROWS = 8192
BATCH_BYTES = 32 << 20
MOST_ROW_BYTES = 1 << 20
BAD_ROW, TOO_LARGE = "bad_row", "too_large"


@dataclass(frozen=True)
class Wanted:
    """What a source takes of a file: columns of a sample, and what the file calls them."""

    columns: Mapping[str, str | None]
    """Name in the file by name in the sample; None where a column stays null."""
    must: str
    """The column of a sample without which a row is of no use: it fails as `no_url`, `no_text`."""
    blank: bool = False
    """Whether spaces only, or nothing at all, are a value of `must`."""
    absent: frozenset[str] = frozenset()
    """Columns of a sample that a file may lack."""
    spelled: frozenset[str] = frozenset()
    """Columns of a sample that need not be text in the file, such as numbers and dates: they are written out."""
    most_bytes: int = MOST_ROW_BYTES
    """Of a value."""
    too_long: str = BAD_ROW
    """Why a row with a longer one fails."""

    @property
    def schema(self) -> pa.Schema:
        """Of the tables that readers yield."""
        return pa.schema([*(column(name) for name in self.columns), pa.field(FAILED, pa.string())])

    @property
    def needed(self) -> list[str]:
        """Columns that a file must have."""
        return list(dict.fromkeys(named for name, named in self.named.items() if name not in self.absent))

    @property
    def named(self) -> dict[str, str]:
        """Columns of a sample that are taken from the file, and their names there."""
        return {name: named for name, named in self.columns.items() if named is not None}

    def present(self, there: Iterable[str]) -> dict[str, str]:
        """Return those of `named` that a file with the columns `there` has."""
        names = set(there)
        return {name: named for name, named in self.named.items() if named in names}


def rows(wanted: Wanted, found: Mapping[str, pa.Array], failed: pa.Array) -> pa.Table:
    """Return n rows of the wanted columns and `_failed`.

    Args:
        wanted: the columns.
        found: by name in the sample, text or bytes of any Arrow kind, n; those not there are null.
        failed: string[n], why a row could not be parsed, null where it could. The others fail where a value is not
            UTF-8 or too long, and where the column they must have is null.
    """
    none = pa.scalar(None, pa.string())
    texts: dict[str, pa.Array] = {}
    for name in wanted.columns:
        texts[name], bad = _text(found.get(name, pa.nulls(len(failed))))
        failed = pc.coalesce(failed, pc.if_else(bad, BAD_ROW, none))
        long = pc.fill_null(pc.greater(pc.binary_length(texts[name]), wanted.most_bytes), fill_value=False)
        failed = pc.coalesce(failed, pc.if_else(long, wanted.too_long, none))
    usable = failed.is_null()
    given = texts[wanted.must].is_valid()
    if not wanted.blank:
        given = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts[wanted.must]), ""), fill_value=False)
    failed = pc.coalesce(failed, pc.if_else(given, none, f"no_{wanted.must}"))
    texts[wanted.must] = pc.if_else(given, texts[wanted.must], none)
    return pa.table([*(pc.if_else(usable, texts[name], none) for name in wanted.columns), failed], wanted.schema)


def broken_rows(wanted: Wanted, count: int) -> pa.Table:
    """Return rows of which nothing can be said but that they are there."""
    return rows(wanted, {}, pa.array([BAD_ROW] * count, pa.string()))


def _text(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return string[n] and bool[n]: where bytes are not UTF-8."""
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    raw = values.cast(pa.large_binary())
    try:
        return raw.cast(pa.string()), pa.array([False] * len(raw), pa.bool_())
    except pa.ArrowInvalid:
        decoded = [_decoded(value) for value in raw.to_pylist()]
        bad = [text is None and value.is_valid for text, value in zip(decoded, raw, strict=True)]
        return pa.array(decoded, pa.string()), pa.array(bad, pa.bool_())


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
