"""What every worker must know to carry out its share of a plan; small, and picklable."""

from dataclasses import dataclass

from curate.plan import Phase, Plan, Step
from curate.run.layout import Run

ROWS_PER_BUCKET = 1_000_000
"""A bucket of a Reduce is judged in memory: about 100 bytes a row, so 100 MB."""


@dataclass(frozen=True)
class Job:
    """A plan on a run whose source was listed."""

    plan: Plan
    run: Run
    rows: int
    """Rows that the source lists, unusable ones included."""
    partitions: int

    @property
    def buckets(self) -> int:
        """Into how many hash ranges a Reduce is divided: set by the input, never by the number of workers."""
        return max(1, -(-self.rows // ROWS_PER_BUCKET))

    def phase_before(self, phase: Phase) -> Phase | None:
        """Return the phase whose survivors enter this one."""
        return self.plan.phases[phase.index - 1] if phase.index else None

    def steps_before(self, phase: Phase) -> tuple[Step, ...]:
        """Return the steps of all earlier phases, in order."""
        return tuple(s for p in self.plan.phases[: phase.index] for s in p.steps)
