"""What every worker must know to carry out its share of a plan; small, and picklable."""

from dataclasses import dataclass

from curate.plan import Phase, Plan, Step
from curate.run.layout import Run


@dataclass(frozen=True)
class Job:
    """A plan on a run whose source was listed."""

    plan: Plan
    run: Run
    rows: int
    """Rows that the source lists, unusable ones included."""
    partitions: int

    @property
    def memory_bytes(self) -> int:
        """How many bytes of records a task of a Reduce may hold."""
        return max(1, int(self.plan.recipe.settings.reduce_memory_mb * (1 << 20)))

    def phase_before(self, phase: Phase) -> Phase | None:
        """Return the phase whose survivors enter this one."""
        return self.plan.phases[phase.index - 1] if phase.index else None

    def steps_before(self, phase: Phase) -> tuple[Step, ...]:
        """Return the steps of all earlier phases, in order."""
        return tuple(s for p in self.plan.phases[: phase.index] for s in p.steps)
