"""Which groups the samples of a partition belong to, as far as it can be told from what is stored of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.audit.lexicon import dialect, mentions

_HOST = r"^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/@?#]*@)?(?P<host>[^/:?#]+)"
Bools = npt.NDArray[np.bool_]
SIZES = (128, 256, 512, 1024)
"""Bounds of the size buckets: pixels of a picture's shorter side."""


@dataclass(frozen=True)
class Kind:
    """One way to tell groups apart, on n samples."""

    name: str
    known: Bools
    """bool[n]: where it can be told; the others are in no group and count nowhere."""
    groups: dict[str, Bools]


def kinds(columns: pa.Table) -> Iterator[Kind]:
    """Yield every way to tell groups apart that these columns allow: url, caption or text, language, width, height."""
    names = columns.column_names
    texts = [n for n in ("caption", "text") if n in names]
    if texts:
        yield from _by_words(columns.select(texts))
    if "language" in names:
        yield _by_value("language", columns["language"].combine_chunks())
    if "url" in names:
        yield _by_value("source", _hosts(columns["url"].combine_chunks()))
    if "width" in names and "height" in names:
        yield from _by_shape(*(columns[n].cast(pa.float64()).to_numpy() for n in ("width", "height")))


def _hosts(urls: pa.Array) -> pa.Array:
    """Return string[n]: the host in small letters, null where the text is no URL."""
    found = pc.struct_field(pc.extract_regex(urls, _HOST), "host")
    return pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), pc.utf8_lower(found))


def _by_words(columns: pa.Table) -> Iterator[Kind]:
    parts = [c.combine_chunks() for c in columns.columns]
    known = np.logical_or.reduce([np.asarray(c.is_valid().to_numpy(zero_copy_only=False)) for c in parts])
    texts = pc.binary_join_element_wise(*(pc.fill_null(part, "") for part in parts), "\n")
    terms: dict[str, Bools] = {}
    categories: dict[str, Bools] = {"any of them": np.zeros(len(texts), bool)}
    for term, hit in mentions(texts):
        terms[f"{term.word}"] = hit
        for name in (term.category, "any of them"):
            categories[name] = categories.get(name, np.zeros(len(texts), bool)) | hit
    yield Kind("identity", known, categories)
    yield Kind("identity term", known, terms)
    features = dict(dialect(texts))
    yield Kind("dialect", known, {"any of them": np.logical_or.reduce(list(features.values())), **features})


def _by_value(name: str, values: pa.Array) -> Kind:
    known = np.asarray(values.is_valid().to_numpy(zero_copy_only=False))
    encoded = values.dictionary_encode()
    codes = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy())
    return Kind(name, known, {value: codes == code for code, value in enumerate(encoded.dictionary.to_pylist())})


def _by_shape(width: npt.NDArray[np.float64], height: npt.NDArray[np.float64]) -> Iterator[Kind]:
    known = ~(np.isnan(width) | np.isnan(height))
    with np.errstate(invalid="ignore"):
        shapes = {"landscape": width > height, "portrait": width < height, "square": width == height}
        yield Kind("orientation", known, {n: hit & known for n, hit in shapes.items()})
        bucket = np.digitize(np.fmin(width, height), SIZES)
    names = [
        f"under {SIZES[0]}",
        *(f"{a} to {b - 1}" for a, b in pairwise(SIZES)),
        f"from {SIZES[-1]}",
    ]
    yield Kind("short side", known, {n: (bucket == i) & known for i, n in enumerate(names)})
