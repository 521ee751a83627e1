"""What a published checkpoint is to an importer: which tensors become which of ours, which are left out, and why.

A name is written as a pattern: `{n}` stands for a number, `{x}` for the rest. Both sides of a `Rename` use the same
ones, so the same table read backwards gives the names of an export.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch

Tensors = dict[str, torch.Tensor]
Facts = Mapping[str, Any]
"""What config.json beside the weights says; empty where there is none."""
_HOLES = {"{n}": r"(?P<n>\d+)", "{x}": r"(?P<x>.+)"}


@dataclass(frozen=True)
class Rename:
    """One tensor of theirs becomes one of ours, or several equal ones."""

    theirs: str
    ours: tuple[str, ...]


@dataclass(frozen=True)
class Left:
    """Names that are not taken, and why."""

    pattern: str
    why: str


def _unchanged(tensors: Tensors, _facts: Facts) -> Tensors:
    return tensors


def _unknown(_facts: Facts) -> int | None:
    return None


@dataclass(frozen=True)
class Source:
    """One kind of published checkpoint."""

    kind: str
    renames: tuple[Rename, ...]
    left: tuple[Left, ...] = ()
    """Names of theirs."""
    absent: tuple[Left, ...] = ()
    """Names of ours that a preset may lack though it has others of the same part."""
    new: tuple[Left, ...] = ()
    """Names of ours that nothing in the checkpoint fills, though it fills others of the same part."""
    claims: tuple[str, ...] = ()
    """Parts of ours that it must fill; others are filled whole or not at all."""
    tokenizers: Mapping[str, str] = field(default_factory=dict)
    """Where beside the weights a part's tokenizer lies."""
    prepare: Callable[[Tensors, Facts], Tensors] = _unchanged
    """Turns its layouts into the one that `renames` reads."""
    first_added_token: Callable[[Facts], int | None] = _unknown
    """Where the rows of the vocabulary begin that were added for pictures and padding, and may be cut."""


def rename(theirs: str, *ours: str) -> Rename:
    """Spell a `Rename`."""
    return Rename(theirs, ours)


def found(pattern: str, name: str) -> Mapping[str, str] | None:
    """Return what stands in a pattern's holes, or None where a name is not of it."""
    match = _compiled(pattern).fullmatch(name)
    return None if match is None else match.groupdict()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern)
    for hole, expression in _HOLES.items():
        escaped = escaped.replace(re.escape(hole), expression)
    return re.compile(escaped)


def put(pattern: str, holes: Mapping[str, str]) -> str:
    """Fill a pattern's holes."""
    return pattern.format(**holes)


def why_left(patterns: Iterable[Left], name: str) -> str:
    """Return why a name is not taken; empty where no pattern has it."""
    return next((left.why for left in patterns if found(left.pattern, name) is not None), "")


def prefixed(theirs: str, ours: str, names: Mapping[str, str]) -> tuple[Rename, ...]:
    """Spell renames between two prefixes, each of a module with weight and bias."""
    return tuple(rename(f"{theirs}{there}.{{x}}", f"{ours}{here}.{{x}}") for there, here in names.items())
