"""Packing samples the way img2dataset does, so that what reads its shards reads ours."""

import json
import math
from collections.abc import Iterator
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from curate.errors import RunError
from curate.sample import COLUMNS
from curate.stage import Member, Packer, Sink

_FIELDS = ("caption", "url", "width", "height", "original_width", "original_height", "sha256")
_MORE = (
    "document",
    "date",
    "collection",
    "text",
    "audio_url",
    "audio_seconds",
    "audio_sha256",
    "transcript",
    "conversations",
)
"""Fields of ours that a sample's json has where some stage writes them."""
_MEDIA = ("image", "audio")
_DIGITS = 4
_RESERVED = frozenset(("uid", "status", "error_message", "exif"))


class WebDataset(Sink):
    """Write each sample as picture, sound, `json` and `txt`, with the names and fields of img2dataset 1.47.

    A table without `image` gives samples without a picture, one without `audio` samples without sound. `txt` is the
    caption; where no stage writes captions it is the document's text, which the `json` then does not repeat.
    """

    name: ClassVar[str] = "webdataset"
    include_scores: bool = Field(default=True, description="write what filters measured into each sample's json")

    def open(self) -> Packer:
        """Return a function that yields (key, members) for each row."""
        return lambda table: _pack(table, self.include_scores)


def _pack(table: pa.Table, include_scores: bool) -> Iterator[tuple[str, list[Member]]]:
    scores = [f.name for f in table.schema if include_scores and _is_score(f)]
    taken = sorted(_RESERVED.intersection(scores))
    if taken:
        raise RunError(f"a stage writes a column '{taken[0]}', which img2dataset's json uses otherwise: rename it")
    wanted = ("key", *(f"{name}_format" for name in _MEDIA), *_MORE, *_FIELDS, *scores)
    small = table.select([name for name in table.column_names if name in wanted])
    media = {name: table[name] for name in _MEDIA if name in table.column_names}
    with_text = not {"caption", "text"}.isdisjoint(small.column_names)
    for row, values in enumerate(small.to_pylist()):
        members = [m for name, column in media.items() for m in _member(values, name, column[row].as_py())]
        written = values.pop("text", None) if "caption" not in values else values["caption"]
        members.append(("json", _json(values, scores)))
        if with_text:
            members.append(("txt", (written or "").encode()))
        yield values["key"], members


def _is_score(field: pa.Field) -> bool:
    """Tell a measurement from a sample's own columns, the run's bookkeeping and embeddings."""
    kind = field.type
    scalar = any(is_it(kind) for is_it in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, _is_text))
    return scalar and field.name not in COLUMNS.names and not field.name.startswith("_")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _member(values: dict[str, Any], name: str, data: bytes | None) -> list[Member]:
    if data is None:
        return []
    if not values.get(f"{name}_format"):
        raise RunError(f"a row has `{name}` and no {name}_format: the stage that writes the one must write both")
    return [(values[f"{name}_format"], data)]


def _json(values: dict[str, Any], scores: list[str]) -> bytes:
    key = values["key"]
    content = {name: values.get(name) for name in _FIELDS}
    content |= {"key": key, "uid": key, "status": "success", "error_message": None, "exif": "{}"}
    content |= {name: _stable(values[name]) for name in (*_MORE, *scores) if name in values}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()


def _stable(value: Any) -> Any:
    """Round a float to four significant digits, so that the last bits of a measurement do not change a shard."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
