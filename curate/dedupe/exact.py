"""Rows that say the same: the same picture, the same words, the same address."""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.dedupe.addresses import canonical
from curate.dedupe.columns import parts
from curate.dedupe.digests import of_hex, of_texts, of_values
from curate.errors import InputError
from curate.reduce import Reduce, Sketch, Sketcher


class ExactDuplicates(Reduce):
    """Keep one of all rows that say the same, drop the others as `exact_duplicate`.

    `by: bytes` compares pictures by their `sha256`. It is taken after metadata was stripped, so a copy that differs in
    its EXIF alone counts as the same. A row without one is an error.

    `by: text` compares the words of `column` and their order: NFKC, lower case, everything that is no letter, mark or
    number a separator (see `curate.dedupe.folded`), as CCNet does before it hashes a paragraph (Wenzek et al., CCNet,
    2019, section 3.1), but that punctuation there vanishes and here separates. `digits: zero` takes all digits for 0,
    as CCNet does. A text that is null, or in which no word is left, stays.

    `by: url` compares `url` in the spelling of `curate.dedupe.addresses.canonical`. A null, or what is no absolute URL,
    stays.
    """

    name: ClassVar[str] = "exact_duplicates"
    reason: ClassVar[str] = "exact_duplicate"

    by: Literal["bytes", "text", "url"] = Field("bytes", description="what has to be the same")
    column: Literal["text", "caption", "transcript"] = Field("text", description="for by: text, the column compared")
    digits: Literal["keep", "zero"] = Field("keep", description="for by: text, whether numbers count by their length")

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is compared, and those that scope and survivor go by."""
        compared = {"bytes": "sha256", "text": self.column, "url": "url"}[self.by]
        return tuple(dict.fromkeys([compared, *super().inputs()]))

    def open(self) -> Sketcher:
        """Return a function that hashes what a row says."""
        return {"bytes": _pictures, "text": self._texts, "url": _addresses}[self.by]

    def _texts(self, table: pa.Table) -> Sketch:
        zero = self.digits == "zero"
        hashed = [of_texts(texts, digits=zero) for texts in parts(table[self.column])] or [of_texts([], digits=zero)]
        node, check, apart = (np.concatenate(halves) for halves in zip(*hashed, strict=True))
        return Sketch(node, check, apart)


def _pictures(table: pa.Table) -> Sketch:
    """Take the hash that is there.

    Raises:
        InputError: a row has none; a group of all that lack one would merge rows that have nothing in common.
    """
    hashes = pa.chunked_array(table["sha256"])
    if hashes.null_count:
        row = pc.index(hashes.is_null(), value=True).as_py()
        named = f", first key {table['key'][row].as_py()}" if "key" in table.column_names else f", the first is {row}"
        raise InputError(
            f"exact_duplicates: {hashes.null_count} rows have no sha256{named}. "
            "Put the stage that fills sha256 (fetch, for a list of URLs) before this one, and fail what it cannot fill."
        )
    try:
        return Sketch(*of_hex(hashes.to_pylist()))
    except ValueError as error:
        raise InputError(f"exact_duplicates: sha256 is not what it says: {error}") from error


def _addresses(table: pa.Table) -> Sketch:
    spelled = [None if url is None else canonical(url) for url in table["url"].to_pylist()]
    return Sketch(*of_values(spelled), np.array([url is None for url in spelled], bool))
