"""The trainer's commands, their options and their help."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    list[str],
    typer.Option(
        metavar="RUN[:WEIGHT]",
        help="a run whose shards to train on; repeatable: runs are mixed, by weight (a number or sqrt) if all have one",
    ),
]
Preset = Annotated[str, typer.Argument(help="a preset, such as llava-tiny")]
Settings = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="change a setting; repeatable; `curate presets NAME` lists them"),
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object a line, for machines")]


def train(  # noqa: PLR0913, PLR0917 - each argument is an option
    preset: Preset,
    data: Data,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="where checkpoints go  [default: ./PRESET]")] = None,
    settings: Settings = [],  # noqa: B006 - typer copies it
    cache: Annotated[str | None, typer.Option(metavar="DIR", help="where shards of remote runs are copied to")] = None,
    workers: Annotated[int, typer.Option(min=0, help="processes that Ray Train starts  [default: this one]")] = 0,
    fsdp: Annotated[bool, typer.Option("--fsdp", help="divide the blocks' weights among processes")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what training would be, and stop")] = False,
    as_json: Json = False,
) -> None:
    """Train a preset straight from runs' shards; continue at the exact sample where training stopped.

    torchrun can start it too: `torchrun --nproc-per-node 8 $(which curate) train ...`.
    """
    from curate.cli.presets import run_forecast
    from curate.cli.train import run_training

    if dry_run:
        run_forecast(preset, data, settings, as_json=as_json)
        return
    how = {"cache": cache, "workers": workers, "divided": fsdp}
    run_training(preset, data, out or preset, settings, as_json=as_json, **how)


def presets(
    name: Annotated[str | None, typer.Argument(help="one preset, with every setting")] = None, as_json: Json = False
) -> None:
    """List the presets: architecture, parameters that learn, all parameters, and memory; or one's settings."""
    from curate.cli.presets import run_preset, run_presets

    if name is None:
        run_presets(as_json=as_json)
    else:
        run_preset(name, as_json=as_json)


def features(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run, whose features/ is written")],
    preset: Annotated[str, typer.Option("--for", metavar="PRESET", help="the preset that will be trained")],
    settings: Settings = [],  # noqa: B006 - typer copies it
    dtype: Annotated[str, typer.Option(help="float16 or float32")] = "float16",
    as_json: Json = False,
) -> None:
    """Store what a preset's frozen towers say of every picture of a run, so that training need not look again."""
    from curate.cli.train import run_features

    run_features(run, preset, settings, dtype, as_json=as_json)


def trace(
    checkpoint: Annotated[str, typer.Argument(metavar="DIR", help="what `curate train` wrote, or one checkpoint")],
    key: Annotated[str | None, typer.Option(help="the sample's key, 32 hex digits")] = None,
    url: Annotated[str | None, typer.Option(help="where the sample came from; reads all of the data")] = None,
    data: Annotated[
        list[str], typer.Option(metavar="RUN", help="the data it was fed, each run, where that lies elsewhere now")
    ] = [],  # noqa: B006 - typer copies it
    as_json: Json = False,
) -> None:
    """Say whether a checkpoint learned from a sample, and in which steps; exit status 1 if it did not."""
    from curate.cli.train import run_trace

    if not run_trace(checkpoint, key, url, data, as_json=as_json):
        raise typer.Exit(1)


def take_over(
    kind: Annotated[str, typer.Argument(help="what was published, such as lavis-blip2 or hf-llava")],
    source: Annotated[Path, typer.Argument(metavar="FILE_OR_DIR", help="safetensors, or pickles of tensors alone")],
    preset: Annotated[str, typer.Option("--for", metavar="PRESET", help="the preset whose weights they are")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="where our model.safetensors goes")],
    settings: Settings = [],  # noqa: B006 - typer copies it
    as_json: Json = False,
) -> None:
    """Take a published checkpoint over, whole: every tensor is renamed, or left out for a reason that is told."""
    from curate.cli.weights import run_import

    run_import(kind, source, preset, settings, out, as_json=as_json)


def export(
    checkpoint: Annotated[Path, typer.Argument(metavar="DIR", help="what `curate train` wrote")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="where config.json and model.safetensors go")],
) -> None:
    """Write a trained model in the format of transformers: BLIP-2, InstructBLIP and LLaVA have one."""
    from curate.cli.weights import run_export

    run_export(checkpoint, to)


COMMANDS = (presets, train, features, trace, export)
