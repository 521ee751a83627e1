"""Taking published weights over, from the command line."""

import json
from collections.abc import Mapping
from pathlib import Path

from curate.cli.train import overrides_of

SHOWN = 3
"""Names told of each reason; --json tells all."""


def run_import(kind: str, source: Path, preset: str, settings: list[str], out: Path, *, as_json: bool) -> None:
    """Import a checkpoint and print what was taken, what was left out and what stays random.

    Raises:
        TrainError: it is not of that kind, or not of the preset's sizes.
    """
    from curate.train.importing.bringing import import_checkpoint

    done = import_checkpoint(kind, source, preset, overrides_of(settings), out)
    taken = done.taken
    if as_json:
        facts = {"tensors": len(taken.weights), "left": taken.left, "random": taken.new, "cut": taken.cut}
        print(json.dumps({**facts, "tokenizers": done.tokenizers}))
        return
    numbers = sum(tensor.numel() for tensor in taken.weights.values())
    print(f"{len(taken.weights)} tensors, {numbers:,} numbers -> {out}")
    _tell("left out", taken.left)
    _tell("not in it", taken.new)
    _tell("cut", {"rows added for pictures and padding": taken.cut} if taken.cut else {})
    print(f"tokenizers: {', '.join(done.tokenizers) or 'none beside it'}")


def _tell(what: str, names: Mapping[str, list[str]]) -> None:
    for why, some in sorted(names.items()):
        more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
        print(f"{what}: {', '.join(some[:SHOWN])}{more} ({why})")


def run_export(checkpoint: Path, to: Path) -> None:
    """Export a model and print what loads it.

    Raises:
        TrainError: there is none, or transformers has no such format.
    """
    from curate.train.exporting import export

    name = export(checkpoint, to)
    print(f"{to}: transformers.{name}.from_pretrained('{to}') loads it")
