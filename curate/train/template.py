"""Templates to tokens and labels.

A template is a list of pieces, each said by the model or not. Words that stand next to each other are tokenised once,
together, as they will be when the model is asked; which tokens are labels follows from the characters they stand for.
Nothing is tokenised twice to find out where an answer began.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from curate.train.vocabulary import Encoded, Vocabulary

IMAGE = -200
"""Stands in `ids` for one place of a picture; never looked up in the embedding."""
UNLABELLED = -100
PICTURE = "<image>"
"""Stands in a conversation's words where the picture goes."""


class Unusable(Exception):  # noqa: N818 - a reason, not an error: it costs one sample
    """A sample cannot be trained on; its text is the reason that metrics and errors give."""


@dataclass(frozen=True)
class Words:
    """A stretch of text."""

    text: str
    answer: bool = False
    """Whether the model says it: then its tokens are labels."""


@dataclass(frozen=True)
class Slot:
    """The places of a picture."""

    places: int


@dataclass(frozen=True)
class Mark:
    """One special token."""

    id: int
    answer: bool = False


Piece = Words | Slot | Mark


@dataclass(frozen=True)
class Tokens:
    """One sequence: ids and labels, equally many."""

    ids: list[int]
    labels: list[int]

    def __len__(self) -> int:
        """Places."""
        return len(self.ids)


def assemble(vocabulary: Vocabulary, pieces: Iterable[Piece]) -> Tokens:
    """Return a template's tokens and labels.

    Raises:
        Unusable: a token stands for characters of both an answer and what is before it.
    """
    ids: list[int] = []
    labels: list[int] = []
    for kind, group in groupby(pieces, type):
        for said, token in _tokens(vocabulary, kind, list(group)):
            ids.append(token)
            labels.append(token if said else UNLABELLED)
    return Tokens(ids, labels)


def _tokens(vocabulary: Vocabulary, kind: type, group: Sequence[Piece]) -> Iterator[tuple[bool, int]]:
    if kind is Words:
        yield from _said(vocabulary, [piece for piece in group if isinstance(piece, Words)])
        return
    for piece in group:
        if isinstance(piece, Slot):
            yield from ((False, IMAGE) for _ in range(piece.places))
        elif isinstance(piece, Mark):
            yield piece.answer, piece.id


def _said(vocabulary: Vocabulary, words: Sequence[Words]) -> list[tuple[bool, int]]:
    encoded = vocabulary.encode("".join(w.text for w in words))
    owners = [owner for owner, w in enumerate(words) for _ in w.text]
    return [(words[_owner(encoded, n, owners, words)].answer, token) for n, token in enumerate(encoded.ids)]


def _owner(encoded: Encoded, number: int, owners: Sequence[int], words: Sequence[Words]) -> int:
    """Return which of `words` a token belongs to."""
    start, end = encoded.spans[number]
    first = owners[min(start, len(owners) - 1)]
    last = owners[max(start, end - 1)] if end > start else first
    if words[first].answer != words[last].answer:
        raise Unusable("answer_begins_inside_a_token")
    return first
