"""Rows whose texts are nearly the same: MinHash finds the pairs, the texts decide."""

from functools import partial
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.dedupe.columns import parts
from curate.dedupe.jaccard import packed, similar_sets
from curate.dedupe.minhash import accepted, agreement, band_hashes, match_curve, signatures
from curate.dedupe.shingles import Unit, of_sets, shingles
from curate.reduce import Banded, Compare, Sketch, Sketcher
from curate.stage import threshold

_USUAL_N = {"words": 5, "characters": 24}
_SHOWN = np.array([0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
_SET_BYTES = 1600
"""Of a document of 2,500 characters, which has about 400 shingles of 4 bytes."""


class NearDuplicates(Compare):
    """Keep one of all rows whose texts share most of their word n-grams; drop the others as `near_duplicate`.

    Broder, On the Resemblance and Containment of Documents (1997). Texts are compared as sets of runs of `n` words or
    characters, see `curate.dedupe.folded` for what a word is; pairs that share a band of their MinHash signatures are
    candidates, and those with a Jaccard similarity of `jaccard` or more are duplicates. A text that is null, or in
    which no letter or digit is, has nothing to compare and stays.

    Defaults: a pair of similarity 0.8 is compared with a chance of 97.7 %, one of 0.85 with 99.8 %.
    """

    name: ClassVar[str] = "near_duplicates"
    reason: ClassVar[str] = "near_duplicate"

    column: Literal["text", "caption", "transcript"] = Field("text", description="column to compare")
    unit: Unit = Field("words", description="what n counts; scripts without spaces have a word a character")
    n: int | None = Field(
        None, ge=1, le=100, description="length of a shingle; where not set, 5 words or 24 characters"
    )
    permutations: int = Field(112, ge=1, le=4096, description="numbers of a signature")
    bands: int = Field(16, ge=1, description="parts of a signature, compared where one is equal; divides permutations")
    verify: Literal["texts", "signatures", "none"] = Field(
        "texts", description="what candidates are compared by: all shingles, the signatures (an estimate), or nothing"
    )
    jaccard: float = threshold(0.8, "least similarity of duplicates, where candidates are verified", gt=0, le=1)

    @model_validator(mode="after")
    def _bands_fit(self) -> "NearDuplicates":
        if self.permutations % self.bands:
            raise ValueError(
                f"`permutations` {self.permutations} cannot be cut into {self.bands} `bands` of equal size"
            )
        return self

    def inputs(self) -> tuple[str, ...]:
        """Name the column to compare, and those that scope and survivor go by."""
        return tuple(dict.fromkeys([self.column, *super().inputs()]))

    def open(self) -> Sketcher:
        """Return a function that hashes, signs and packs the texts of a table, a few megabytes at a time."""
        return self._sketch

    def comparing(self) -> Banded:
        """Say how candidates are verified."""
        if self.verify == "texts":
            return Banded(self.bands, _SET_BYTES, partial(similar_sets, at_least=self.jaccard))
        if self.verify == "signatures":
            return Banded(self.bands, 4 * self.permutations, partial(_similar_signatures, at_least=self.jaccard))
        return Banded(self.bands, 0, None)

    def match_curve(self, jaccard: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance that a pair of texts of each similarity is found to be duplicates, float64 like `jaccard`.

        Where signatures decide, that their estimate is high enough is part of it.
        """
        rows = self.permutations // self.bands
        if self.verify == "signatures":
            least = _least_agreeing(self.jaccard, self.permutations)
            return np.array([accepted(s, self.bands, rows, least) for s in jaccard.tolist()])
        met = match_curve(jaccard, self.bands, rows)
        return np.where(jaccard >= self.jaccard, met, 0) if self.verify == "texts" else met

    def notes(self) -> tuple[str, ...]:
        """Say how likely pairs are found, by their similarity."""
        rows = self.permutations // self.bands
        met = match_curve(_SHOWN, self.bands, rows)
        lines = [
            f"{self.bands} bands of {rows} rows; chances for a pair of texts by their Jaccard similarity:",
            "similarity " + " ".join(f"{s:6.2f}" for s in _SHOWN),
            "compared   " + " ".join(f"{chance:6.1%}" for chance in met),
        ]
        if self.verify != "none":
            found = self.match_curve(_SHOWN)
            lines.append("duplicates " + " ".join(f"{chance:6.1%}" for chance in found))
        return tuple(lines)

    def _sketch(self, table: pa.Table) -> Sketch:
        sketched = [self._part(texts) for texts in parts(table[self.column])] or [self._part([])]
        node, check, apart, bands = zip(*[(s.node, s.check, s.apart, s.bands) for s in sketched], strict=True)
        return Sketch(
            node=np.concatenate(node),
            check=np.concatenate(check),
            apart=np.concatenate(apart),
            bands=np.concatenate(bands),
            payload=None if self.verify == "none" else pa.concat_arrays([s.payload for s in sketched]),
        )

    def _part(self, texts: list[str | None]) -> Sketch:
        sets = shingles(texts, self.n or _USUAL_N[self.unit], self.unit)
        signed = signatures(sets, self.permutations)
        apart = sets.counts() == 0
        payload = None
        if self.verify == "texts":
            payload = packed(sets, apart)
        elif self.verify == "signatures":
            payload = _packed_signatures(signed, apart)
        return Sketch(*of_sets(sets), apart=apart, bands=band_hashes(signed, self.bands), payload=payload)


def _packed_signatures(signed: NDArray[np.uint32], apart: NDArray[np.bool_]) -> pa.FixedSizeBinaryArray:
    """Return fixed_size_binary[n], little-endian uint32 each, null where `apart`."""
    kind = pa.binary(4 * signed.shape[1])
    valid = pa.py_buffer(np.packbits(~apart, bitorder="little").tobytes()) if apart.any() else None
    return pa.Array.from_buffers(kind, len(signed), [valid, pa.py_buffer(signed.astype("<u4").tobytes())])


def _similar_signatures(left: pa.Array, right: pa.Array, at_least: float) -> NDArray[np.bool_]:
    """Tell which of m signatures agree with their counterpart in that share of their rows, or more."""
    sides = [_unpacked(side) for side in (left, right)]
    return agreement(*sides) * sides[0].shape[1] >= _least_agreeing(at_least, sides[0].shape[1]) - 0.5


def _unpacked(payload: pa.FixedSizeBinaryArray) -> NDArray[np.uint32]:
    width = payload.type.byte_width
    held = np.frombuffer(payload.buffers()[1], "<u4")[payload.offset * width // 4 :]
    return held[: len(payload) * width // 4].reshape(len(payload), width // 4)


def _least_agreeing(at_least: float, permutations: int) -> int:
    """Return how many equal rows make the share, as fractions are compared: 90 of 112 are 0.8035, 89 are 0.794."""
    return next(rows for rows in range(permutations + 1) if rows / permutations >= at_least)
