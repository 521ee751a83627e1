"""How often a partition may take its worker down, and what is said when it has done so too often."""

from curate.errors import RunError
from curate.plan import Phase

TRUSTED_ATTEMPTS = 2
"""A worker may die of something else (a machine lost, memory); from the third try on stages run isolated."""
MAX_ATTEMPTS = 6


def gave_up(phase: Phase, partition: int) -> RunError:
    """Return the error for a partition that fails even with isolated stages."""
    names = ", ".join(s.name for s in phase.steps)
    return RunError(
        f"partition {partition} took its worker down {MAX_ATTEMPTS} times, though its stages ({names}) ran in "
        "processes of their own. The machine may be short of memory: try fewer --workers or a smaller partition_size."
    )
