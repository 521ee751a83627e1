"""From raw columns to a source's table: what cannot be used keeps its row and says why."""

import pyarrow as pa
import pyarrow.compute as pc

from curate.sample import column

FAILED = "_failed"
SCHEMA = pa.schema([column("url"), column("caption"), pa.field(FAILED, pa.string())])
BATCH_ROWS = 8192


def rows(urls: pa.Array, captions: pa.Array | None, broken: pa.Array | None = None) -> pa.Table:
    """Return n rows of url, caption and `_failed`.

    Args:
        urls: text or bytes of any Arrow kind, n.
        captions: the same, or None where there are none.
        broken: bool[n], rows that could not be parsed; they fail as `bad_row` like those that are not UTF-8.
    """
    urls, bad_urls = _text(urls)
    captions, bad_captions = _text(pa.nulls(len(urls)) if captions is None else captions)
    bad = pc.or_(bad_urls, bad_captions)
    if broken is not None:
        bad = pc.or_(bad, broken)
    absent = pc.coalesce(pc.equal(pc.utf8_trim_whitespace(urls), ""), pa.scalar(value=True))
    none = pa.scalar(None, pa.string())
    failed = pc.if_else(bad, "bad_row", pc.if_else(absent, "no_url", none))
    return pa.table([pc.if_else(pc.or_(bad, absent), none, urls), pc.if_else(bad, none, captions), failed], SCHEMA)


def broken_rows(count: int) -> pa.Table:
    """Return rows of which nothing can be said but that they are there."""
    nothing = pa.nulls(count, pa.string())
    return pa.table([nothing, nothing, pa.array(["bad_row"] * count, pa.string())], SCHEMA)


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
