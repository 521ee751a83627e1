"""Raising the score of findings by the words before them, as Presidio's `LemmaContextAwareEnhancer` does.

The enhancer takes the last keywords up to a finding and the first one from it on, and looks whether a context word of
the recognizer lies in the lemma of one. Here words are looked up only around findings whose score it may change, and
where a word may have several lemmas all are tried: mostly they agree.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from filters.pii.lemmas import Lemma, Lemmas
from filters.pii.patterns import SURE, Hit

RAISE, LEAST_RAISED = 0.35, 0.4
BEFORE, AFTER = 5, 0
"""Of Presidio's enhancer, its defaults: what a context word adds, the least score then, keywords before and after."""

Choices = Sequence[tuple[Lemma, ...]]
"""The lemmas that each token of a text may have."""


def raised(score: float) -> float:
    """Return a score as a context word raises it."""
    return min(max(score + RAISE, LEAST_RAISED), SURE)


class Context:
    """The context words of recognizers."""

    def __init__(self, recognizers: Sequence[Any], threshold: float) -> None:
        """Take the context words of recognizers; the threshold is that of findings."""
        self._words = [tuple(word.lower() for word in recognizer.context or ()) for recognizer in recognizers]
        self._threshold = threshold

    def open(self, hit: Hit) -> bool:
        """Tell whether context may change the score of a hit, or bring it over the threshold."""
        return bool(self._words[hit.recognizer]) and hit.score < SURE and raised(hit.score) >= self._threshold

    def scored(self, hits: Iterable[Hit], doc: Any, lemmas: Lemmas) -> list[Hit] | None:
        """Return hits with their scores raised where context does so, or None where only the whole pipeline tells.

        Args:
            hits: of a text; those that are not `open` stay as they are.
            doc: the spaCy Doc of the text, whose tokens are enough.
            lemmas: of the pipeline.
        """
        tokens = Tokens(doc, lambda token: lemmas.of(token.text))
        scored = []
        for hit in hits:
            raising = self._raises(hit, tokens) if self.open(hit) else {False}
            if raising not in ({True}, {False}):
                return None
            scored.append(hit._replace(score=raised(hit.score)) if raising == {True} else hit)
        return scored

    def decided(self, hits: Iterable[Hit], doc: Any, lemmas: Lemmas) -> list[Hit]:
        """Return the same for a Doc that the whole pipeline has gone through."""
        tokens = Tokens(doc, lambda token: (lemmas.lemma(token.lemma_),))
        raising = [self.open(hit) and self._raises(hit, tokens) == {True} for hit in hits]
        return [hit._replace(score=raised(hit.score)) if up else hit for hit, up in zip(hits, raising, strict=True)]

    def _raises(self, hit: Hit, tokens: "Tokens") -> set[bool]:
        """Return whether a context word stands around a hit: both where it depends on which lemmas words have."""
        words = self._words[hit.recognizer]
        at = tokens.at(hit.start)
        if at is None:
            return {False}
        before = _found(tokens.effects(range(at, -1, -1), words), BEFORE + 1)
        if before == {True}:
            return before
        after = _found(tokens.effects(range(at, len(tokens)), words), AFTER + 1)
        return {a or b for a in before for b in after}


class Tokens:
    """The tokens of a text and the lemmas that they may have."""

    def __init__(self, doc: Any, lemmas: Callable[[Any], tuple[Lemma, ...] | None]) -> None:
        """Take a Doc, and what tells the lemmas that a token of it may have."""
        self._doc = doc
        self._lemmas = lemmas
        starts, lengths = doc.to_array(["IDX", "LENGTH"]).T.astype(int) if len(doc) else (np.zeros(0, int),) * 2
        self._ends = starts + lengths
        self._pieces = self._split() if ":" in doc.text else set()

    def __len__(self) -> int:
        return len(self._doc)

    def at(self, start: int) -> int | None:
        """Return the token at a character, or the next one after a blank; None behind the last."""
        token = int(np.searchsorted(self._ends, start, side="right"))
        return token if token < len(self._ends) else None

    def lemmas(self, token: int) -> tuple[Lemma, ...] | None:
        """Return the lemmas that a token may have."""
        return self._lemmas(self._doc[token])

    def effects(self, order: Iterable[int], words: tuple[str, ...]) -> Iterator[set[tuple[bool, bool]]]:
        """Yield of tokens what they may be: (a keyword, one that holds a context word)."""
        for token in order:
            lemmas = self.lemmas(token)
            if lemmas is None or self._pieces is None:
                yield {(False, False), (True, False), (True, True)}
            else:
                yield {self._effect(lemma, words) for lemma in lemmas}

    def _effect(self, lemma: Lemma, words: tuple[str, ...]) -> tuple[bool, bool]:
        # A text's keywords are split at colons, so that a lemma with one is among them only through its parts.
        counts = (lemma.counts and ":" not in lemma.text) or lemma.text in (self._pieces or ())
        return counts, counts and any(word in lemma.text for word in words)

    def _split(self) -> set[str] | None:
        """Return the parts of keywords with a colon, None where they depend on which lemmas words have."""
        pieces: set[str] = set()
        for token in self._doc:
            if ":" in token.text:
                lemmas = self._lemmas(token)
                if lemmas is None or len(lemmas) > 1:
                    return None
                if lemmas[0].counts:
                    pieces.update(lemmas[0].text.split(":"))
        return pieces


def _found(effects: Iterator[set[tuple[bool, bool]]], keywords: int) -> set[bool]:
    """Return whether a context word is among the first keywords, for all that tokens may be."""
    found: set[bool] = set()
    running = {keywords}
    for options in effects:
        found |= {True for _, holds in options if holds}
        running = {left - counts for left in running for counts, holds in options if not holds}
        if 0 in running:
            found |= {False}
            running -= {0}
        if not running or len(found) > 1:
            return found
    return found | {False}
