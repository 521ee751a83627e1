"""The rules once more, slow and plain, as papers and authors' code state them; words and sentences are spaCy's."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

import numpy as np

from filters.text.classes import english, members

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}


@lru_cache(maxsize=1)
def _spacy():
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline


def words(text):
    return [token.text for token in _spacy().make_doc(text) if token.text.strip()]


def sentences(text):
    return [one for one in (sentence.text.strip() for sentence in _spacy()(text).sents) if one]


def is_symbol(character):
    return unicodedata.category(character)[0] in "PS" or unicodedata.category(character) == "Cc"


@lru_cache(maxsize=1)
def _line_ends():
    return tuple(chr(point) for point in np.flatnonzero(members(english()["line_ends"])))


def gopher_quality(text):
    every = words(text)
    real = [word for word in every if not all(map(is_symbol, word))]
    lines = text.splitlines()

    def of_words(count):
        return count / len(every) if every else None

    def of_lines(count):
        return count / len(lines) if lines else None

    return [
        len(real),
        sum(map(len, real)) / len(real) if real else None,
        of_words(text.count("#")),
        of_words(text.count("...") + text.count("…")),
        of_lines(sum(line.lstrip().startswith(("•", "-")) for line in lines)),
        of_lines(sum(line.rstrip().endswith(("...", "…")) for line in lines)),
        of_words(sum(any(map(str.isalpha, word)) for word in every)),
        len(STOP_WORDS & set(every)),
    ]


def _said_again(pieces):
    seen, count, characters = set(), 0, 0
    for piece in pieces:
        if piece in seen:
            count, characters = count + 1, characters + len(piece)
        seen.add(piece)
    return count, characters


def _top(every, n):
    grams = Counter(tuple(every[i : i + n]) for i in range(len(every) - n + 1))
    if not grams:
        return 0
    gram, times = grams.most_common(1)[0]
    return len(" ".join(gram)) * times


def _duplicated(every, n):
    seen, characters, at = set(), 0, 0
    while at + n <= len(every):
        gram = tuple(every[at : at + n])
        if gram in seen:
            characters, at = characters + len("".join(gram)), at + n
        else:
            seen.add(gram)
            at += 1
    return characters


def gopher_repetition(text):
    if not text:
        return [0, 0, None, 0, None] + [None] * 9
    every, length = words(text), len(text)
    paragraphs, lines = re.split(r"\n{2,}", text.strip()), re.split(r"\n+", text)
    shares = []
    for pieces in (paragraphs, lines):
        count, characters = _said_again(pieces)
        shares += [count / len(pieces), characters / length]
    top = [_top(every, n) / length for n in (2, 3, 4)]
    return [length, *shares, *top, *(_duplicated(every, n) / length for n in range(5, 11))]


POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


def c4(text):
    """Measurements, and the text that is left."""
    count, kept, lorem, brackets = 0, [], 0, 0
    lines = re.sub(r"\[\d*]|\[edit]|\[citation needed]", "", text).splitlines()
    for line in map(str.strip, lines):
        small = line.lower()
        if any(len(word) > 1000 for word in line.split()):
            continue
        if not line.endswith((".", "?", "!", '"', "'")) or line.endswith("...") or len(line.split()) < 3:
            continue
        lorem += "lorem ipsum" in small
        if "javascript" in small:
            continue
        brackets += "{" in line
        if any(phrase in small for phrase in POLICIES):
            continue
        count += len(sentences(line))
        kept.append(line)
    return [count, len(kept) / len(lines) if lines else None, lorem, brackets], "\n".join(kept)


def fineweb_quality(text):
    lines = [line for line in text.split("\n") if line.strip()]
    every = words(text)
    newlines = text.count("\n")
    characters = len(text) - newlines

    def of_lines(count):
        return count / len(lines) if lines else None

    return [
        len(lines),
        of_lines(sum(line.endswith(_line_ends()) for line in lines)),
        of_lines(sum(len(line) <= 30 for line in lines)),
        _said_again(lines)[1] / characters if characters else None,
        newlines / len(every) if every else None,
    ]
