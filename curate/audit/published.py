"""Published samples, drawn at random by a seed, as a table of the columns that stages read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curate.run.layout import Run
from curate.sample import COLUMNS
from curate.shards import ShardReader

TEXT_COLUMNS = ("caption", "text", "transcript", "conversations")
"""Where a published sample has text."""
BATCH_ROWS = 64
"""Samples read together: their pictures and sounds are in memory."""
_IMAGES, _SOUNDS = ("jpg", "png", "webp", "gif"), ("wav", "flac", "ogg", "mp3")


@dataclass(frozen=True)
class Drawn:
    """A random sample of what a run publishes, erased samples left out."""

    reader: ShardReader
    numbers: tuple[int, ...]
    """Of the samples drawn, in the order of drawing."""

    @property
    def everything(self) -> bool:
        """Whether the sample is all there is."""
        return len(self.numbers) == len(self.reader)

    def tables(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the columns `names` of the drawn samples, a few at a time; null where a sample has none."""
        for start in range(0, len(self.numbers), BATCH_ROWS):
            rows = [_row(self.reader.read(number), names) for number in self.numbers[start : start + BATCH_ROWS]]
            yield pa.table({n: _column([row[n] for row in rows], n) for n in names})


def draw(run: Run, size: int, seed: int) -> Drawn:
    """Draw `size` published samples, each sample equally likely; all of them where there are fewer.

    Raises:
        RunError: the run has no finished dataset.
    """
    reader = ShardReader(run.folder.url)
    chosen = np.random.default_rng(seed).permutation(len(reader))[:size]
    return Drawn(reader, tuple(int(i) for i in chosen))


def texts_of(members: dict[str, bytes]) -> dict[str, Any]:
    """Return what a sample's json says, its caption, or a document's text, from the text member where it has none."""
    facts = dict(json.loads(members["json"])) if "json" in members else {}
    name = "text" if "document" in facts else "caption"
    if facts.get(name) is None and "txt" in members:
        facts[name] = members["txt"].decode()
    return facts


def _column(values: list[Any], name: str) -> pa.Array:
    """Return a column; what is no column of every sample is a measurement, of the type that the json shows."""
    if name in COLUMNS.names:
        return pa.array(values, COLUMNS.field(name).type)
    array = pa.array(values)
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _row(members: dict[str, bytes], names: Sequence[str]) -> dict[str, Any]:
    facts = texts_of(members)
    for column, kinds in (("image", _IMAGES), ("audio", _SOUNDS)):
        kind = next((k for k in kinds if k in members), None)
        facts |= {column: members.get(kind or ""), f"{column}_format": kind}
    return {name: facts.get(name) for name in names}
