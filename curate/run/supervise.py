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


def no_room(phase: Phase, segment: int) -> RunError:
    """Return the error for stages whose workers find no place, or die before they begin."""
    needs = phase.resources(segment)
    names = ", ".join(s.name for s in phase.segments[segment])
    return RunError(
        f"no worker for {names} could start: each asks for {needs.cpus:g} CPUs, {needs.gpus:g} GPUs and "
        f"{needs.memory_bytes:,} bytes, and no machine of the cluster has that much free. Add one, or wait for room."
    )
