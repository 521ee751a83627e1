"""Which lemmas a word may have, told without the tagger that would choose among them.

Presidio raises the score of a finding where a word before it ("phone", "account") has a certain lemma. spaCy's English
lemmatizer reads the lemma off a table by word, part of speech and whether the word is in its base form; the part of
speech comes from a neural tagger, which would cost as much as finding names. Most words have the same effect whatever
their part of speech, so the tagger runs only for texts in which it would decide.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

REMEMBERED = 1 << 17
OTHER_PARTS = ("PROPN", "X")
"""Parts of speech without a table: names keep their capitals; others, like words in base form, lose them."""


class Lemma(NamedTuple):
    """A lemma that a word may have, as Presidio's context enhancer sees it."""

    text: str
    """In lower case."""
    counts: bool
    """Whether it is a keyword: no stop word and no punctuation."""


class Lemmas:
    """The lemmas that words of a spaCy pipeline may have."""

    def __init__(self, nlp: Any) -> None:
        """Read what the pipeline's components say of lemmas."""
        from spacy.attrs import IS_PUNCT, IS_STOP

        # Asking the vocabulary itself would make an entry of a word, which takes 0.1 ms.
        self._is_stop, self._is_punct = (nlp.vocab.lex_attr_getters[attribute] for attribute in (IS_STOP, IS_PUNCT))
        self._possible = _possible(nlp)
        self._known: dict[str, tuple[Lemma, ...] | None] = {}

    def of(self, word: str) -> tuple[Lemma, ...] | None:
        """Return the lemmas that a word may have, or None where only the whole pipeline tells."""
        if word not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            texts = self._possible(word)
            self._known[word] = None if texts is None else tuple(sorted({self.lemma(text) for text in texts}))
        return self._known[word]

    def lemma(self, text: str) -> Lemma:
        """Return a lemma as the enhancer sees it, see `NlpArtifacts.set_keywords` of Presidio."""
        return Lemma(text.lower(), not self._is_stop(text) and not self._is_punct(text) and text != "be")


def _possible(nlp: Any) -> Callable[[str], set[str] | None]:
    """Return what tells the lemmas, in any case of letters, that a word may get from a pipeline."""
    from spacy.lang.en.lemmatizer import EnglishLemmatizer

    if not {"lemmatizer", "attribute_ruler", "morphologizer", "trainable_lemmatizer"} & set(nlp.pipe_names):
        return lambda _: {""}  # no pipe gives lemmas, and Presidio sees empty ones
    lemmatizer: Any = nlp.get_pipe("lemmatizer") if "lemmatizer" in nlp.pipe_names else None
    rules = list(_ruled(nlp))
    tables = type(lemmatizer) is EnglishLemmatizer and lemmatizer.mode == "rule" and not lemmatizer.overwrite
    if not tables or any(fits is None for fits, _ in rules):
        return lambda _: None

    from_tables = _from_tables(lemmatizer)

    def possible(word: str) -> set[str]:
        lower = word.lower()
        return {*from_tables(word), *(lemma for fits, lemma in rules if fits and fits(lower))}

    return possible


def _from_tables(lemmatizer: Any) -> Callable[[str], list[str]]:
    """Return what tells the lemmas of a word as each part of speech, in its base form and not."""
    from spacy.parts_of_speech import IDS

    tables = [lemmatizer.lookups.get_table(name) for name in lemmatizer.lookups.tables]
    told = [part for part in IDS if any(part.lower() in table for table in tables)]

    def lemmas(word: str) -> list[str]:
        found = [lemmatizer.lemmatize(Word(word, part))[0] for part in (*told, *OTHER_PARTS)]
        lemmatizer.cache.clear()  # spaCy's never ends to grow
        return found

    return lemmas


class Word:
    """As much of a spaCy token as the lemmatizer asks for; making a token takes longer than looking up its lemma."""

    def __init__(self, text: str, part: str) -> None:
        """Take a word and its part of speech."""
        self.text = self.orth = text
        self.pos = self.pos_ = part
        self.morph = NO_MORPHOLOGY


class Morphology:
    """That of a word of which nothing is known."""

    key = 0

    def to_dict(self) -> dict[str, str]:
        """Return no features."""
        return {}


NO_MORPHOLOGY = Morphology()


def _ruled(nlp: Any) -> Iterator[tuple[Callable[[str], bool] | None, str]]:
    """Yield the lemmas that the attribute ruler gives, each with what tells whether a word may get it, or None."""
    if "attribute_ruler" not in nlp.pipe_names:
        return
    for rule in nlp.get_pipe("attribute_ruler").patterns:
        if "LEMMA" in rule["attrs"]:
            for pattern in rule["patterns"]:
                yield _fits(pattern[rule["index"]].get("LOWER")), rule["attrs"]["LEMMA"]


def _fits(lower: Any) -> Callable[[str], bool] | None:
    if isinstance(lower, str):
        return lower.__eq__
    if isinstance(lower, dict) and set(lower) == {"IN"}:
        return set(lower["IN"]).__contains__
    if isinstance(lower, dict) and set(lower) == {"REGEX"}:
        expression = re.compile(lower["REGEX"])
        return lambda word: expression.search(word) is not None
    return None
