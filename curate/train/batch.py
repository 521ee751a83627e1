"""What one pass through a model eats.

Shape suffixes in this folder: B samples, L places of text, P pictures, N patches, M = 1 + N with the class token,
Q queries, W width of the vision tower, H of the Q-Former, D of the language model, E of a shared space, V vocabulary,
C colours, S side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from curate.train.template import UNLABELLED, Tokens


@dataclass(frozen=True)
class Example:
    """One sample as numbers. An architecture uses the texts that it needs."""

    text: Tokens
    """What the language model reads and says, or what a stage without one reads."""
    told: list[int] | None = None
    """What the Q-Former is told beside the picture."""
    answer: Tokens | None = None
    """What the decoder of an encoder-decoder says."""
    picture: NDArray[Any] | None = None
    """uint8[S, S, 3], or the features that its frozen tower has for it."""


@dataclass(frozen=True)
class Text:
    """Sequences padded to equal length at the right, or packed: several in a row."""

    ids_BL: torch.Tensor
    labels_BL: torch.Tensor
    mask_BL: torch.Tensor
    """1 where there is a token; where sequences are packed, the number of each in its row, from 1."""

    @classmethod
    def padded(cls, rows: Sequence[Tokens], filling: int = 0) -> Self:
        """Pad sequences with the token `filling`, which no mask and no label shows."""
        length = max((len(row) for row in rows), default=0)
        return cls(
            _padded([row.ids for row in rows], length, filling),
            _padded([row.labels for row in rows], length, UNLABELLED),
            _padded([[1] * len(row) for row in rows], length, 0),
        )

    @classmethod
    def packed(cls, rows: Sequence[Sequence[Tokens]], filling: int = 0) -> Self:
        """Lay the sequences of each row side by side, and pad rows with the token `filling`.

        The first place of a sequence has no label: what is before it is of another one.
        """
        length = max((sum(map(len, row)) for row in rows), default=0)
        return cls(
            _padded([[token for one in row for token in one.ids] for row in rows], length, filling),
            _padded([[label for one in row for label in _unled(one)] for row in rows], length, UNLABELLED),
            _padded([[number for number, one in enumerate(row, 1) for _ in one.ids] for row in rows], length, 0),
        )

    @property
    def labelled(self) -> int:
        """Tokens that a loss is a mean over."""
        return int((self.labels_BL != UNLABELLED).sum())


@dataclass(frozen=True)
class Batch:
    """Samples of one micro-batch, all of them usable."""

    text: Text
    told: Text | None
    answer: Text | None
    pictures: torch.Tensor
    """float32[P, C, S, S], or stored features [P, ...] where `cached`."""
    cached: bool
    places_B: torch.Tensor
    """int64[B]: where each sample stands in the training order; random draws are functions of it."""
    idle: bool = False
    """Whether it only keeps this process in step with others, and is not learned from."""

    def __len__(self) -> int:
        """Samples."""
        return int(self.places_B.shape[0])

    def to(self, device: torch.device) -> "Batch":
        """Move every tensor."""
        moved = {f.name: _moved(getattr(self, f.name), device) for f in fields(self)}
        return replace(self, **moved)


def joined(texts: Sequence[Text], filling: int = 0, at_least: int = 0) -> Text:
    """Stack texts of different lengths, padded to the longest one or to `at_least` places."""
    length = max(at_least, *(text.ids_BL.shape[1] for text in texts))
    fillings = (filling, UNLABELLED, 0)
    columns = zip(*((t.ids_BL, t.labels_BL, t.mask_BL) for t in texts), strict=True)
    return Text(
        *(torch.cat([_wider(t, length, f) for t in column]) for column, f in zip(columns, fillings, strict=True))
    )


def _wider(table_BL: torch.Tensor, length: int, filling: int) -> torch.Tensor:
    return functional.pad(table_BL, (0, length - table_BL.shape[1]), value=filling)


def dealt(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Deal sequences into few rows of up to `room` places; return the numbers of the sequences in each.

    First-fit decreasing (Johnson 1974, doi 10.1137/0203025): at most 11/9 of the fewest possible rows, and 1. A longer
    sequence has a row of its own.
    """
    rows: list[list[int]] = []
    free: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda n: (-lengths[n], n)):
        row = next((row for row, left in enumerate(free) if lengths[number] <= left), len(rows))
        if row == len(rows):
            rows.append([])
            free.append(room)
        rows[row].append(number)
        free[row] -= lengths[number]
    return rows


def told(rows: Sequence[list[int]], filling: int = 0) -> Text:
    """Pad sequences that nobody is asked to say."""
    return Text.padded([Tokens(row, [UNLABELLED] * len(row)) for row in rows], filling)


def _unled(tokens: Tokens) -> list[int]:
    return [UNLABELLED, *tokens.labels[1:]]


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, Text):
        return Text(*(t.to(device) for t in (value.ids_BL, value.labels_BL, value.mask_BL)))
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _padded(rows: Sequence[Sequence[int]], length: int, filling: int) -> torch.Tensor:
    table = np.full((len(rows), length), filling, np.int64)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return torch.from_numpy(table)
