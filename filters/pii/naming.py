"""spaCy's entity recognizer, read off for many texts at a time.

The recognizer goes through a text token by token and at each chooses among begin, in, last, unit and out (BILUO) by a
small network over three tokens. spaCy makes these steps in compiled code that spends 24 us a token, more than the
convolutions below it take; here one step of all texts is one small matrix product. The weights, the states and which
moves are allowed are spaCy's (`pipeline/_parser_internals/ner.pyx`, `ml/parser_model.pyx`); so are the names.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

FEATURES = 3
"""Tokens that the network looks at: this one, and within a name its first and the one before."""


class Name(NamedTuple):
    """Tokens start (in) to stop (out) of a text."""

    start: int
    stop: int
    label: str


class NameReader:
    """Reads names with the weights of a spaCy `ner` component."""

    def __init__(self, ner: Any) -> None:
        """Take the network of a component that `is_readable`."""
        self._tokens = ner.model.get_ref("tok2vec")
        self._lower, upper = ner.model.get_ref("lower"), ner.model.get_ref("upper")
        self._bias = self._lower.get_param("b")
        self._weights, self._upper_bias = np.ascontiguousarray(upper.get_param("W").T), upper.get_param("b")
        moves = [ner.moves.get_class_name(move).partition("-") for move in range(ner.moves.n_moves)]
        self._kinds = np.array([kind for kind, _, _ in moves])
        self._labels = [label for _, _, label in moves]
        self._known = np.array([bool(label) for label in self._labels])
        self._outside = int(np.flatnonzero(self._kinds == "O")[0])
        self._allowed = self._tables()

    def read(self, docs: Sequence[Any], starts: Sequence[np.ndarray | None]) -> list[list[Name]]:
        """Return the names of each Doc, in order.

        Args:
            docs: tokens are enough.
            starts: of each Doc bool[tokens], the tokens at which a sentence starts, or None where that is unknown.
        """
        names: list[list[Name]] = [[] for _ in docs]
        order = sorted((i for i in range(len(docs)) if len(docs[i])), key=lambda i: -len(docs[i]))
        if order:
            moves = self._moves([docs[i] for i in order], [starts[i] for i in order])
            for row, i in enumerate(order):
                names[i] = self._names(moves[row, : len(docs[i])])
        return names

    def _moves(self, docs: Sequence[Any], starts: Sequence[np.ndarray | None]) -> np.ndarray:
        """Return int[docs, tokens of the longest]: the move at each token; docs are in order, the longest first."""
        lengths = np.array([len(doc) for doc in docs])
        first = np.cumsum(lengths) - lengths + 1  # the row of each Doc's first token; row 0 stands for none
        vectors = self._lower.predict(self._tokens.predict(docs))
        ahead = _closed_ahead(docs, starts, lengths)
        blank = _padded([doc.to_array("IS_SPACE").astype(bool) for doc in docs], lengths)
        moves = np.full((len(docs), lengths[0]), self._outside)
        opened = np.full(len(docs), -1)
        label = np.zeros(len(docs), int)  # 1 + the move that opened a name, 0 where none is open
        for token in range(lengths[0]):
            here = int(np.searchsorted(-lengths, -token, side="left"))
            is_open = opened[:here] >= 0
            rows = first[:here] + token
            hidden = vectors[rows, 0]
            hidden = hidden + vectors[np.where(is_open, first[:here] + opened[:here], 0), 1]
            hidden += vectors[np.where(is_open, rows - 1, 0), 2]
            hidden += self._bias
            scores = hidden.max(axis=2) @ self._weights + self._upper_bias
            may = self._allowed[label[:here], ahead[:here, token] + 2 * blank[:here, token]]
            chosen = np.where(may, scores, -np.inf).argmax(axis=1)
            moves[:here, token] = chosen
            kinds = self._kinds[chosen]
            opened[:here] = np.where(kinds == "B", token, np.where(kinds == "I", opened[:here], -1))
            label[:here] = np.where(kinds == "B", chosen + 1, np.where(kinds == "I", label[:here], 0))
        return moves

    def _tables(self) -> np.ndarray:
        """Return bool[1 + moves, 4, moves]: which moves are allowed by the move that opened a name, and by the token.

        Of a token matter whether a name may reach beyond it (bit 0 set where not) and whether it is blank (bit 1).
        """
        count = len(self._labels)
        allowed = np.zeros((1 + count, 4, count), bool)
        for at in range(4):
            closed_ahead, blank = bool(at & 1), bool(at & 2)
            allowed[0, at] = self._known & (
                ((self._kinds == "B") & (not closed_ahead) & (not blank)) | ((self._kinds == "U") & (not blank))
            )
            allowed[0, at, self._outside] = True
            for opening in np.flatnonzero(self._kinds == "B"):
                same = np.array([label == self._labels[opening] for label in self._labels])
                goes_on = (self._kinds == "I") & (not closed_ahead)
                allowed[1 + opening, at] = same & (goes_on | (self._kinds == "L"))
        return allowed

    def _names(self, moves: np.ndarray) -> list[Name]:
        names, start = [], 0
        for token in np.flatnonzero(moves != self._outside).tolist():
            kind = self._kinds[moves[token]]
            if kind in "BU":
                start = token
            if kind in "LU":
                names.append(Name(start, token + 1, self._labels[moves[token]]))
        return names


def is_readable(ner: Any) -> bool:
    """Tell whether a component is a greedy recognizer of the shape that spaCy trains."""
    model = ner.model
    if ner.cfg.get("beam_width") != 1 or not model.attrs.get("has_upper"):
        return False
    lower = model.get_ref("lower")
    return lower.get_dim("nF") == FEATURES and lower.get_dim("nP") > 1 and not model.attrs["unseen_classes"]


def _closed_ahead(docs: Sequence[Any], starts: Sequence[np.ndarray | None], lengths: np.ndarray) -> np.ndarray:
    """Return bool[docs, tokens]: where no name may reach beyond a token, at the last and before a sentence's start."""
    ends = []
    for doc, begins in zip(docs, starts, strict=True):
        end = np.zeros(len(doc), bool) if begins is None else np.append(begins[1:], [False])
        end[-1] = True
        ends.append(end)
    return _padded(ends, lengths)


def _padded(rows: Sequence[np.ndarray], lengths: np.ndarray) -> np.ndarray:
    padded = np.zeros((len(rows), int(lengths[0])), int)
    for row, values in enumerate(rows):
        padded[row, : len(values)] = values
    return padded
