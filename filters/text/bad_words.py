"""How many words of a list of bad words a text has."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.errors import ModelError, StageError, nearest
from curate.models import Model
from curate.stage import Filter, Scorer, threshold
from filters.text import settings
from filters.text.rules import Rule, first_broken
from filters.text.stop_words import FROM_COLUMN, code_of

_PACKAGED = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "sv", "th", "zh")
_UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "zh"})
"""Languages written without spaces: a bad word may stand anywhere."""
_WORD = r"\p{L}\p{M}\p{N}_"
_NO_LIST = "none"
_RULES = (Rule("bad_words", "at_most", "at_most", "bad_words"),)


class BadWords(Filter):
    """Drop documents with more than `at_most` words of their language's list of bad words.

    Words and phrases are found in small letters, between characters that belong to no word; in languages written
    without spaces, anywhere. Source: the List of Dirty, Naughty, Obscene and Otherwise Bad Words, as C4 used it, Raffel
    et al. (2020), arXiv:1910.10683, section 2.2; `allowed` are mC4's exceptions. Such lists also drop texts about
    medicine, law and groups of people: Dodge et al. (2021), arXiv:2104.08758.
    """

    name: ClassVar[str] = "bad_words"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("bad_words_list", pa.string()),  # whose list: a language code, or `none` where there is none
        pa.field("bad_words", pa.int32()),  # how many; null where there is no list
    )

    column: settings.Column = settings.text_column()
    language: str = Field(
        "en", description=f"whose list: a language's code, or `{FROM_COLUMN}`: each row's by its column `language`"
    )
    lists: dict[str, str] = Field(
        {code: f"package:expletives/data/sources/ldnoobw-{code}.txt" for code in _PACKAGED},
        description="language code -> text file with a word or phrase a line, in UTF-8; `#` begins a comment line",
    )
    allowed: tuple[str, ...] = Field(
        ("sm", "グロ", "女の子", "性"), description="entries of the lists that do not count"
    )
    at_most: int | None = threshold(0, "bad words", ge=0)

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is judged, and `language` where the list goes by it."""
        return (self.column, *(("language",) if self.language == FROM_COLUMN else ()))

    def models(self) -> tuple[Model, ...]:
        """Name the lists that may be asked for."""
        return tuple(Model(name, licence=_licence(name)) for name in self._asked().values())

    def open(self) -> Scorer:
        """Read the lists; return a function that counts words; a null text cannot be measured.

        Raises:
            ModelError: a list is not here, or holds no word.
            StageError: there is no list for the language, or one is too long.
        """
        finders = {code: _Finder(code, name, self.allowed) for code, name in self._asked().items()}

        def score(table: pa.Table) -> list[pa.Array]:
            texts = table[self.column].combine_chunks()
            by_row = table["language"].to_pylist() if self.language == FROM_COLUMN else [self.language] * len(table)
            codes = np.array([code_of(language) for language in by_row], object)
            return _counted(texts, codes, finders)

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `bad_words` where a document has more than `at_most`."""
        return first_broken(self, _RULES, scores)

    def _asked(self) -> dict[str, str]:
        lists = {code_of(code): name for code, name in self.lists.items()}
        if self.language == FROM_COLUMN:
            return lists
        code = code_of(self.language)
        if code not in lists:
            raise StageError(
                f"bad_words: no list for the language '{self.language}'.{nearest(self.language, tuple(lists))} Name a "
                f"file under `lists`, or say `language: {FROM_COLUMN}`"
            )
        return {code: lists[code]}


def _licence(name: str) -> str:
    return "CC-BY-4.0" if name.startswith("package:expletives/data/sources/ldnoobw") else "the file's own"


def _counted(texts: pa.Array, codes: np.ndarray, finders: Mapping[str, "_Finder"]) -> list[pa.Array]:
    listed = np.array([code if code in finders else _NO_LIST for code in codes], object)
    counts = np.full(len(texts), np.nan)
    for code in sorted(set(listed) - {_NO_LIST}):
        rows = np.flatnonzero(listed == code)
        counts[rows] = finders[code].count(texts.take(pa.array(rows))).to_numpy(zero_copy_only=False)
    names = pc.if_else(texts.is_valid(), pa.array(listed, pa.string()), pa.scalar(None, pa.string()))
    return [names, pa.array(counts, from_pandas=True).cast(pa.int32())]


class _Finder:
    """One language's list."""

    def __init__(self, code: str, name: str, allowed: tuple[str, ...]) -> None:
        entries = _read(name, Model(name, licence=_licence(name)).locate(), allowed)
        self._apart = code not in _UNSPACED
        self._likely = "|".join(re.escape(entry) for entry in entries)
        # A character between two bad words belongs to both: characters of no word are doubled first.
        doubled = "|".join(re.escape(re.sub(r"(\W)", r"\1\1", entry)) for entry in entries)
        self._exact = f"(?:^|[^{_WORD}])(?:{doubled})(?:$|[^{_WORD}])"
        try:
            pc.count_substring_regex(pa.array([""]), self._exact)
        except pa.ArrowInvalid as error:
            raise StageError(
                f"bad_words: {name} has {len(entries)} entries, too many for one list: split it"
            ) from error

    def count(self, texts: pa.Array) -> pa.Array:
        """Return how many entries each text has, null for null."""
        small = pc.utf8_lower(texts)
        found = pc.count_substring_regex(small, self._likely)
        if not self._apart:
            return found
        rows = pc.fill_null(pc.greater(found, 0), fill_value=False)
        doubled = pc.replace_substring_regex(small.filter(rows), f"([^{_WORD}])", r"\1\1")
        return pc.replace_with_mask(found, rows, pc.count_substring_regex(doubled, self._exact))


def _read(name: str, path: Path, allowed: tuple[str, ...]) -> list[str]:
    """Return the entries of a list, the longest first: of two that begin alike, the longer is meant."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ModelError(f"{name}: not UTF-8 at byte {error.start}; `lists` takes text files, a word a line") from error
    entries = {line.strip().lower() for line in lines if not line.startswith("#")} - {"", *allowed}
    if not entries:
        raise ModelError(f"{name}: no words in it; `lists` takes text files, a word a line")
    return sorted(entries, key=lambda entry: (-len(entry), entry))
