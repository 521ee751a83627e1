"""Tables and pages that commands print."""

import inspect
import json
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from curate.errors import ModelError, RecipeError, nearest
from curate.recipe import Recipe
from curate.registry import stages
from curate.run.engine import Finished
from curate.run.forecast import Forecast
from curate.stage import Filter, Stage

if TYPE_CHECKING:
    from curate.cli.build import Planned

WIDTH = 120
"""Of pages that are not printed to a terminal."""


def pages() -> Console:
    """Return the terminal, or pages of WIDTH."""
    # Paths and reasons are printed as they are: brackets in them are no markup.
    console = Console(markup=False)
    return console if console.is_terminal else Console(markup=False, width=WIDTH)


def show_finished(finished: Finished, out: str, *, as_json: bool) -> None:
    """Print the books as a table that balances line by line, and what was published."""
    if as_json:
        facts = {"out": out, "version": finished.manifest.version, "samples": finished.manifest.samples,
                 "shards": len(finished.manifest.shards), "stages": finished.books.to_json()}  # fmt: skip
        print(json.dumps({"event": "finished", **facts}))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "in", "kept", "dropped", "failed", "why"):
        table.add_column(name, justify="left" if name in {"stage", "why"} else "right", overflow="fold")
    for stage, count in finished.books.items():
        reasons = [f"{reason} {n:,}" for reason, n in (count.dropped + count.failed).most_common()]
        numbers = (count.entered, count.kept, count.dropped.total(), count.failed.total())
        table.add_row(stage, *(f"{n:,}" for n in numbers), ", ".join(reasons))
    console = pages()
    console.print(table)
    manifest = finished.manifest
    console.print(
        f"{manifest.samples:,} samples in {len(manifest.shards):,} shards at {out}/shards, "
        f"version {manifest.version[:16]}", highlight=False, soft_wrap=True,
    )  # fmt: skip


def show_plan(forecast: Forecast, after: "Planned | None", *, as_json: bool) -> None:
    """Print what a run would do, and what would follow it."""
    if as_json:
        print(json.dumps(forecast.to_json() | ({"train": after.to_json()} if after else {})))
        return
    console = pages()
    console.print(f"{forecast.rows:,} samples in {forecast.partitions:,} partitions", highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "kind", "stored", "to do", "time", "cpus", "gpus"):
        table.add_column(name, justify="left" if name in {"stage", "kind"} else "right")
    for line in forecast.lines:
        resources = f"{line.cpus:g}", f"{line.gpus:g}"
        table.add_row(line.stage, line.kind, f"{line.stored:,}", line.to_do, line.time, *resources)
    console.print(table)
    for note in [*forecast.notes, *(after.told() if after else ())]:
        console.print(note, highlight=False, soft_wrap=True)


def show_faults(run: str, faults: list[str], *, as_json: bool) -> None:
    """Print what `check` found."""
    if as_json:
        print(json.dumps({"run": run, "faults": faults}))
    elif faults:
        print("\n".join(faults))
    else:
        print(f"{run}: books balance, every shard and index entry is as the manifest says, ledger and shards agree")


def show_stages(*, as_json: bool) -> None:
    """Print every stage, a line each."""
    if as_json:
        print(json.dumps({name: _facts(stage) for name, stage in stages().items()}))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "kind", "what it does"):
        table.add_column(name, overflow="fold")
    for name, stage in stages().items():
        table.add_row(name, stage.kind, (inspect.getdoc(stage) or "").partition("\n")[0])
    pages().print(table)


def show_stage(name: str, *, as_json: bool) -> None:
    """Print one stage in full.

    Raises:
        RecipeError: there is no such stage.
    """
    stage = stages().get(name)
    if stage is None:
        raise RecipeError([f"no stage named '{name}'.{nearest(name, stages())}"])
    facts = _facts(stage)
    if as_json:
        print(json.dumps(facts))
        return
    console = pages()
    console.print(f"{name} ({stage.kind})\n\n{inspect.getdoc(stage)}\n", highlight=False, markup=False)
    for what in ("reads", "writes"):
        console.print(f"{what}: {', '.join(facts[what]) or 'nothing'}", highlight=False, markup=False)
    table = Table(box=None, pad_edge=False)
    for column in ("option", "type", "default", "what it is"):
        table.add_column(column, overflow="fold")
    for option in facts["options"]:
        table.add_row(option["name"], option["type"], option["default"], option["description"])
    console.print(table)
    console.print(f"defined in {stage.__module__}", highlight=False)


def _facts(stage: type[Stage]) -> dict[str, Any]:
    options = [
        {
            "name": name,
            "type": str(getattr(field.annotation, "__name__", field.annotation)) if isinstance(field.annotation, type)
            else str(field.annotation).replace("typing.", ""),
            "default": "required" if field.is_required() else repr(field.get_default(call_default_factory=True)),
            "description": (field.description or "") + (" (decides only)" if field.json_schema_extra else ""),
        }
        for name, field in stage.model_fields.items()
    ]  # fmt: skip
    labels = stage.labels if issubclass(stage, Filter) else ()
    writes = [f"{f.name}: {f.type}" for f in (*stage.writes, *labels)]
    return {"kind": stage.kind, "reads": list(stage.reads), "writes": writes, "options": options,
            "doc": inspect.getdoc(stage), "module": stage.__module__}  # fmt: skip


def show_models(recipe: Recipe) -> None:
    """Print the models of a recipe and where they are."""
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "model", "licence", "size", "here"):
        table.add_column(name, overflow="fold")
    for stage in recipe.stages:
        for model in stage.models():
            try:
                path = model.locate()
            except ModelError as error:
                table.add_row(stage.name, model.name, model.licence, "?", f"no: {error}")
                continue
            files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
            size = sum(f.stat().st_size for f in files) / 1e6
            table.add_row(stage.name, model.name, model.licence, f"{size:,.1f} MB", str(path))
    pages().print(table)


__all__ = ["show_faults", "show_finished", "show_models", "show_plan", "show_stage", "show_stages"]
