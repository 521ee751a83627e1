"""From the tensors of a published checkpoint to those of a model: each is taken or left out for a stated reason."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from curate.errors import TrainError
from curate.train import adapters
from curate.train.importing.source import Facts, Source, Tensors, found, put, why_left

_SHOWN = 5
ROWS = ("embed_tokens.weight", "shared.weight", "lm_head.weight")
"""Ends of the names of tensors with a row for each token."""


@dataclass
class Taken:
    """What came of a checkpoint."""

    weights: Tensors = field(default_factory=dict)
    """By our names."""
    left: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Their names that were left out, by the reason."""
    new: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Our names that nothing fills, by the reason."""
    cut: list[str] = field(default_factory=list)
    """Our names whose rows past the vocabulary were cut."""


def take(source: Source, tensors: Tensors, model: nn.Module, facts: Facts) -> Taken:
    """Rename tensors to those of a model, which may be on `meta`.

    Raises:
        TrainError: a tensor is of unknown name or other shape, or a part would be filled only in part.
    """
    held = adapters.without(model.state_dict(keep_vars=True))
    wanted = {name: tuple(tensor.shape) for name, tensor in held.items()}
    taken = Taken()
    _rename(source, source.prepare(tensors, facts), wanted, taken)
    _fit(taken, wanted, source.first_added_token(facts))
    _merge_tied(taken, held)
    _require_whole(source, taken, held)
    return taken


def _rename(source: Source, tensors: Tensors, wanted: Mapping[str, object], taken: Taken) -> None:
    parts = {_part(name) for name in wanted}
    unknown: list[str] = []
    for theirs, tensor in sorted(tensors.items()):
        names = names_here(source, theirs)
        why = _why_not(source, theirs, names, parts, wanted)
        if why is None:
            unknown.append(f"{theirs} ({names[0]} here)" if names else theirs)
        elif why:
            taken.left[why].append(theirs)
        else:
            _add(taken, theirs, names, tensor)
    if unknown:
        raise TrainError(
            f"{len(unknown)} tensors have no place in the preset, so this is no {source.kind} checkpoint of its kind: "
            f"{_some(unknown)}. Give the kind and the preset that it is of"
        )


def names_here(source: Source, theirs: str) -> tuple[str, ...]:
    """Return our names of one of their tensors, none where the source has no rule for it."""
    for rule in source.renames:
        holes = found(rule.theirs, theirs)
        if holes is not None:
            return tuple(put(ours, holes) for ours in rule.ours)
    return ()


def _why_not(
    source: Source, theirs: str, names: tuple[str, ...], parts: set[str], wanted: Mapping[str, object]
) -> str | None:
    """Return why a tensor is left out: empty where it is taken, None where nothing is known of it."""
    why = why_left(source.left, theirs)
    if why:
        return why
    if not names:
        return None
    if _part(names[0]) not in parts:
        return f"the preset has no {_part(names[0])}"
    if all(name in wanted for name in names):
        return ""
    return why_left(source.absent, names[0]) or None


def _add(taken: Taken, theirs: str, names: Iterable[str], tensor: torch.Tensor) -> None:
    if not tensor.is_floating_point():
        raise TrainError(f"{theirs}: holds {tensor.dtype}, which are no weights to train with")
    for number, name in enumerate(names):
        if name in taken.weights:
            raise TrainError(f"{theirs}: a second tensor for {name}. The checkpoint mixes layouts")
        taken.weights[name] = tensor.clone() if number else tensor


def _fit(taken: Taken, wanted: Mapping[str, tuple[int, ...]], first_added: int | None) -> None:
    wrong = []
    for name, tensor in taken.weights.items():
        theirs, ours = tuple(tensor.shape), wanted[name]
        if theirs == ours:
            continue
        if _padded(name, theirs, ours) and first_added is not None and first_added <= ours[0]:
            taken.weights[name] = tensor[: ours[0]].clone()
            taken.cut.append(name)
        else:
            wrong.append(f"{name} is {theirs} there and {ours} here")
    if wrong:
        raise TrainError(f"{len(wrong)} tensors have other shapes than the preset's: {_some(wrong)}")


def _padded(name: str, theirs: tuple[int, ...], ours: tuple[int, ...]) -> bool:
    grown = bool(ours) and bool(theirs) and theirs[1:] == ours[1:] and theirs[0] > ours[0]
    return grown and name.startswith("language.") and name.endswith(ROWS)


def _merge_tied(taken: Taken, held: Mapping[str, torch.Tensor]) -> None:
    """Keep one of the names of a tensor that the model holds under several.

    Raises:
        TrainError: the checkpoint holds different ones.
    """
    first = {id(tensor): name for name, tensor in reversed(list(held.items()))}
    for name in sorted(taken.weights):
        kept = first[id(held[name])]
        if kept == name:
            continue
        tensor = taken.weights.pop(name)
        known = taken.weights.setdefault(kept, tensor)
        if known is not tensor and not tensor.is_meta and not torch.equal(known, tensor):
            raise TrainError(f"{name} and {kept} are one matrix in the preset and differ in the checkpoint")


def _require_whole(source: Source, taken: Taken, held: Mapping[str, torch.Tensor]) -> None:
    touched = {_part(name) for name in taken.weights} | set(source.claims)
    filled = {id(held[name]) for name in taken.weights}
    missing = []
    for name, tensor in held.items():
        if _part(name) not in touched or id(tensor) in filled:
            continue
        why = why_left(source.new, name)
        if why:
            taken.new[why].append(name)
        else:
            missing.append(name)
    absent = set(source.claims) - {_part(name) for name in held}
    if absent:
        raise TrainError(f"the preset has no {', '.join(sorted(absent))}, which a {source.kind} checkpoint fills")
    if missing:
        raise TrainError(f"{len(missing)} tensors of the preset are not in the checkpoint: {_some(missing)}")


def _part(name: str) -> str:
    return name.partition(".")[0]


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
