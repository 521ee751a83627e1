"""The commands, their options and their help."""

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from curate.cli import audit_app, erase_app, fit_app, train_app, use_app
from curate.errors import CurateError
from curate.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from curate.cli.build import Planned

app = typer.Typer(
    name="curate", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Turn URL lists and folders into privacy-filtered, deduplicated, scored shards, and train models on them.\n\n"
    "Start with: curate plan RECIPE, then curate run RECIPE. Whatever stops a run, the same command continues it.",
)  # fmt: skip

INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""

RecipeFile = Annotated[str, typer.Argument(metavar="RECIPE", help="a recipe: a YAML file of source, stages and sink")]
RunUrl = Annotated[
    str, typer.Argument(metavar="RUN", help="a run directory: a path or any fsspec URL, such as s3://b/run")
]
Settings = Annotated[
    list[str], typer.Option("--set", metavar="STAGE.OPTION=VALUE", help="change one option of the recipe; repeatable")
]
Out = Annotated[str | None, typer.Option(metavar="URL", help="where the run goes  [default: ./NAME-run]")]
Work = Annotated[str | None, typer.Option(metavar="URL", help="where raw, sensitive samples go  [default: OUT/work]")]
Workers = Annotated[int | None, typer.Option(min=1, help="partitions worked on at the same time  [default: all CPUs]")]
Local = Annotated[bool, typer.Option("--local", help="work in this process, without Ray")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object a line, for machines")]
Stall = Annotated[
    float, typer.Option(metavar="SECONDS", help="end a worker that spends longer than this on one partition")
]


def main() -> None:
    """Run the command line; what a person can mend is one clear message, never a traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        # Without its standalone mode typer returns the status of an Exit, and 130 where it met Ctrl-C.
        status = app(standalone_mode=False) or 0
    except CurateError as error:
        _end(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing is left that could be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        # Typer's own usage errors carry their text; anything else is a fault of this program and shows where.
        if not hasattr(error, "format_message"):
            raise
        _end(error.format_message(), 2)
    if status == INTERRUPTED:
        _end("stopped. What was committed stays; the same command continues.", status)
    sys.exit(status)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _end(message: str, code: int) -> NoReturn:
    print(f"curate: {message}", file=sys.stderr)
    sys.exit(code)


def out_of(recipe: Recipe, out: str | None) -> str:
    """Return where a recipe's run goes."""
    return out or f"{recipe.name}-run"


@app.command()
def run(  # noqa: PLR0913, PLR0917 - a command's options
    recipe: RecipeFile,
    settings: Settings = [],  # noqa: B006 - typer copies it
    out: Out = None,
    work: Work = None,
    workers: Workers = None,
    local: Local = False,
    as_json: Json = False,
    stall_timeout: Stall = 3600.0,
) -> None:
    """Carry a recipe out, or continue where it stopped.

    Prints the books: for every stage, samples in = kept + dropped by reason + failed by reason. A run whose every
    result is stored ends in seconds; a moved threshold decides anew and measures nothing again.
    """
    from curate.cli.carry import Way, carry_out

    loaded = load_recipe(recipe, settings)
    carry_out(loaded, Way(out_of(loaded, out), work, workers, local, stall_timeout), as_json=as_json)


@app.command()
def build(  # noqa: PLR0913, PLR0917 - a command's options
    recipe: RecipeFile,
    settings: Settings = [],  # noqa: B006 - typer copies it
    out: Out = None,
    work: Work = None,
    workers: Workers = None,
    local: Local = False,
    as_json: Json = False,
    stall_timeout: Stall = 3600.0,
) -> None:
    """Carry a recipe out, check the run, and train the model that its section `train` names; or continue.

    Where the preset's towers are frozen, what they say of each picture is stored first. What is done is skipped;
    stopped at any point the same command goes on, to the same bytes. --set train.settings.NAME=VALUE is for training.
    """
    from curate.cli.build import build as build_model
    from curate.cli.carry import Way

    loaded = load_recipe(recipe, settings)
    build_model(loaded, Way(out_of(loaded, out), work, workers, local, stall_timeout), as_json=as_json)


@app.command()
def plan(
    recipe: RecipeFile,
    settings: Settings = [],  # noqa: B006 - typer copies it
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Show what a run would do: partitions, what is stored already, what must run, and what it will cost."""
    from curate.cli.show import show_plan
    from curate.run.forecast import forecast
    from curate.run.layout import Run

    loaded = load_recipe(recipe, settings)
    show_plan(forecast(loaded, Run.at(out_of(loaded, out))), _after(loaded), as_json=as_json)


def _after(recipe: Recipe) -> "Planned | None":
    if recipe.train is None:
        return None
    from curate.cli.build import planned

    return planned(recipe)


@app.command()
def check(run: RunUrl, as_json: Json = False) -> None:
    """Check a run against itself: books, every sha256, every index entry, ledger against shards.

    Exit status 1 and one line for each fault, if there is any. Works on a purged run too.
    """
    from curate.cli.erase import opened
    from curate.cli.show import show_faults
    from curate.erase import check_erasures
    from curate.run.check import check as check_run

    there = opened(run)
    faults = [*check_run(there), *check_erasures(there)]
    show_faults(run, faults, as_json=as_json)
    if faults:
        raise typer.Exit(1)


@app.command()
def retry(
    run: RunUrl,
    settings: Settings = [],  # noqa: B006 - typer copies it
    workers: Workers = None,
    local: Local = False,
    as_json: Json = False,
    stall_timeout: Stall = 3600.0,
) -> None:
    """Try again only the samples that failed for a reason worth another try, and publish the shards anew."""
    from curate.cli.carry import Way, carry_out
    from curate.cli.erase import opened
    from curate.plan import make_plan
    from curate.run.lock import locked
    from curate.run.retry import forget_failures

    there = opened(run)
    recipe = _stored(there.stored_recipe_path(), there.folder.read("recipe.yaml"), settings)
    with locked(there.folder):
        there.need_work("trying again")
        snapshot = recipe.source.snapshot()
        there.claim(recipe, snapshot)  # before anything is withdrawn: what would stop the run stops here
        again = forget_failures(make_plan(recipe, snapshot), there)
    if not as_json:
        print(f"{again} failed samples to try again")
    carry_out(recipe, Way(run, None, workers, local, stall_timeout), as_json=as_json)


def _stored(path: str, text: bytes, settings: list[str]) -> Recipe:
    from curate.recipe import parse_recipe

    return parse_recipe(text, path, settings)


@app.command()
def purge(run: RunUrl) -> None:
    """Delete what is raw: pictures as fetched, captions before redaction. The run stays checkable and trainable."""
    from curate.cli.erase import opened
    from curate.run.lock import locked
    from curate.run.retry import purge as purge_run

    there = opened(run)
    there.stored_recipe_path()
    with locked(there.folder):
        partitions = purge_run(there)
    print(f"deleted the raw samples of {partitions} partitions at {there.work.url}")


@app.command()
def stages(
    name: Annotated[str | None, typer.Argument(help="one stage, in full")] = None, as_json: Json = False
) -> None:
    """List the stages that recipes can use, or show one: options, what it reads and writes, and its source."""
    from curate.cli.show import show_stage, show_stages

    if name is None:
        show_stages(as_json=as_json)
    else:
        show_stage(name, as_json=as_json)


@app.command()
def models(recipe: RecipeFile, settings: Settings = []) -> None:  # noqa: B006 - typer copies it
    """List the models a recipe needs: licence, size, and whether they are on this machine."""
    from curate.cli.show import show_models

    show_models(load_recipe(recipe, settings))


for command in (*erase_app.COMMANDS, *audit_app.COMMANDS, *train_app.COMMANDS, *use_app.COMMANDS):
    app.command()(command)
app.command("import")(train_app.take_over)
app.add_typer(fit_app.app)
