"""Carrying a recipe out, for the commands that do."""

from dataclasses import dataclass

from curate.recipe import Recipe
from curate.run.engine import Finished, Runner


@dataclass(frozen=True)
class Way:
    """Where and how the work is done, as the command line says."""

    out: str
    work: str | None
    workers: int | None
    local: bool
    stall_timeout: float


def carry_out(recipe: Recipe, way: Way, *, as_json: bool) -> Finished:
    """Carry a recipe out, or go on with it, and print its books."""
    from curate.cli.erase import opened
    from curate.cli.progress import progress
    from curate.cli.show import show_finished
    from curate.run.engine import execute

    with progress(as_json=as_json) as report:
        finished = execute(recipe, opened(way.out, way.work), lambda: _hire(way), report)
    show_finished(finished, way.out, as_json=as_json)
    return finished


def _hire(way: Way) -> Runner:
    if way.local:
        from curate.run.local import LocalRunner

        return LocalRunner()
    from curate.run.start import start_ray

    return start_ray(way.workers, way.stall_timeout)
