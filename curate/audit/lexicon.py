"""Words that place a text in a group: identity terms, and features of a dialect; their sources stand in the files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Term:
    """An identity term."""

    category: str
    word: str
    of_people: bool
    """Whether it speaks of people only where a word for people follows, at once or after one more word."""

    @property
    def pattern(self) -> str:
        """RE2 and Python: the term, its plural too, as a whole word."""
        return rf"\b{_spaced(self.word)}s?\b" + (rf"(?:\W+\w+)?\W+(?:{_people()})\b" if self.of_people else "")

    @cached_property
    def exchangeable(self) -> re.Pattern[str]:
        """The term alone and not its plural, with an article before it: what can be exchanged for another."""
        after = rf"(?=(?:\W+\w+)?\W+(?:{_people()})\b)" if self.of_people else ""
        return re.compile(rf"\b(?:(?P<article>an?)(?P<gap>\s+))?(?P<term>{_spaced(self.word)})\b{after}", re.IGNORECASE)


def _spaced(word: str) -> str:
    return r"[\s-]+".join(re.escape(part) for part in re.split(r"[\s-]+", word))


@lru_cache(maxsize=1)
def _people() -> str:
    return "|".join(_lines("person_words.txt"))


def _lines(name: str) -> list[str]:
    text = files("curate.audit").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@lru_cache(maxsize=1)
def identity_terms() -> tuple[Term, ...]:
    """Return the identity terms."""
    rows = (line.split("\t") for line in _lines("identity_terms.tsv"))
    return tuple(Term(category, word, after == "person") for category, word, after in rows)


@lru_cache(maxsize=1)
def dialect_features() -> tuple[tuple[str, str], ...]:
    """Return names and RE2 patterns."""
    return tuple((name, pattern) for name, pattern in (line.split("\t") for line in _lines("dialect_features.tsv")))


def templates() -> list[str]:
    """Return sentences with `{}` for a term."""
    return _lines("templates.txt")


def mentions(texts: pa.Array) -> Iterator[tuple[Term, npt.NDArray[np.bool_]]]:
    """Yield each identity term with bool[n]: which texts mention it."""
    for term in identity_terms():
        yield term, _matching(texts, term.pattern)


def dialect(texts: pa.Array) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Yield each feature with bool[n]: which texts have it."""
    for name, pattern in dialect_features():
        yield name, _matching(texts, pattern)


def _matching(texts: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    hit = pc.fill_null(pc.match_substring_regex(texts, pattern, ignore_case=True), fill_value=False)
    return np.asarray(hit.to_numpy(zero_copy_only=False))


def swapped(text: str, term: Term, other: str) -> str:
    """Return the text with `other` in place of every `term`: its article and its capital follow."""

    def exchange(found: re.Match[str]) -> str:
        word = other[0].upper() + other[1:] if found["term"][0].isupper() and _begins(text, found) else other
        article = found["article"]
        if article is None:
            return word
        fitting = "an" if _takes_an(word) else "a"
        return (fitting.capitalize() if article[0].isupper() else fitting) + found["gap"] + word

    return term.exchangeable.sub(exchange, text)


def _begins(text: str, found: re.Match[str]) -> bool:
    """Tell whether the term begins a sentence, where any word has a capital."""
    before = text[: found.start("term")].rstrip()
    return not before or before[-1] in ".!?"


def filled(template: str, word: str) -> str:
    """Put a term, or nothing, into a template."""
    text = template.replace("{} ", f"{word} " if word else "")
    fixed = re.sub(r"\b([Aa])n? (?=(\w+))", lambda m: f"{m[1]}{'n' if _takes_an(m[2]) else ''} ", text)
    return fixed[0].upper() + fixed[1:]


def _takes_an(word: str) -> bool:
    return word[0].lower() in "aeiou" and not word.lower().startswith("euro")
