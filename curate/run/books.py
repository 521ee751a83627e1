"""Counting: for every stage, in = kept + dropped by reason + failed by reason; and the budget of failures."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curate.errors import BudgetError, IntegrityError
from curate.plan import Plan


@dataclass
class StageBooks:
    """What became of the samples that entered one stage."""

    entered: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def add(self, other: "StageBooks") -> None:
        """Add another count of the same stage."""
        self.entered += other.entered
        self.kept += other.kept
        self.dropped.update(other.dropped)
        self.failed.update(other.failed)

    @property
    def balanced(self) -> bool:
        """Whether every sample that entered is accounted for."""
        return self.entered == self.kept + self.dropped.total() + self.failed.total()

    def to_json(self) -> dict[str, Any]:
        """Return plain values, reasons sorted."""
        return {
            "in": self.entered,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
            "failed": dict(sorted(self.failed.items())),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "StageBooks":
        """Read back what `to_json` gave."""
        return cls(stored["in"], stored["kept"], Counter(stored["dropped"]), Counter(stored["failed"]))


class Books(dict[str, StageBooks]):
    """The books of a run or of a part of it, by stage in order."""

    def add(self, other: Mapping[str, StageBooks]) -> None:
        """Add another part's books."""
        for stage, count in other.items():
            self.setdefault(stage, StageBooks()).add(count)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {stage: count.to_json() for stage, count in self.items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Books":
        """Read back what `to_json` gave."""
        return cls({stage: StageBooks.from_json(count) for stage, count in stored.items()})


def imbalances(books: Mapping[str, StageBooks], listed: int) -> list[str]:
    """Return every place where samples are missing or too many, from `listed` rows of the source on."""
    faults = []
    arriving = listed
    for stage, count in books.items():
        if count.entered != arriving:
            faults.append(f"{stage}: {count.entered} samples entered, {arriving} came from the stage before")
        if not count.balanced:
            faults.append(f"{stage}: in {count.entered} is not kept {count.kept} + dropped {count.dropped.total()} "
                          f"+ failed {count.failed.total()}")
        arriving = count.kept
    return faults


def check_balance(books: Mapping[str, StageBooks], listed: int) -> None:
    """Raise IntegrityError where the books do not balance."""
    faults = imbalances(books, listed)
    if faults:
        raise IntegrityError("the books do not balance:\n" + "\n".join(faults))


def allowed_fraction(plan: Plan, stage: str) -> float:
    """Return the share of a stage's samples that may fail."""
    every = (plan.recipe.source, *(s.stage for s in plan.steps), plan.recipe.sink)
    own = next((s.max_failed_fraction for s in every if s.name == stage), None)
    return plan.recipe.settings.max_failed_fraction if own is None else own


def check_budget(plan: Plan, books: Mapping[str, StageBooks], out: str, at_most: int | None = None) -> None:
    """Stop a run that fails broadly.

    While it runs, `at_most` is how many samples could enter a stage at the most: the run stops when that stage is
    sure to end over its budget, whatever the order in which partitions finish.

    Raises:
        BudgetError: with the reasons, and what to do.
    """
    for stage, count in books.items():
        fraction = allowed_fraction(plan, stage)
        failed = count.failed.total()
        if failed > fraction * (count.entered if at_most is None else at_most):
            reasons = ", ".join(f"{reason} {n}" for reason, n in count.failed.most_common(8))
            remedy = "Mend the input, or accept them"
            if _may_mend(plan, stage, count):
                remedy = f"Try the failed ones again: curate retry {out}\nOr accept them"
            raise BudgetError(
                f"{stage}: {failed} of {count.entered} samples failed, over its budget of {fraction:.1%} ({reasons}).\n"
                f"What succeeded is kept. {remedy}: "
                f"curate run ... --set {stage}.max_failed_fraction={_above(failed, count.entered)}"
            )


def _may_mend(plan: Plan, stage: str, count: StageBooks) -> bool:
    """Tell whether trying again could help: not for what the source lists, nor for failures that are for ever."""
    step = next((s for s in plan.steps if s.name == stage), None)
    return step is not None and not count.failed.keys() <= step.stage.permanent


def _above(failed: int, entered: int) -> float:
    """Return a round fraction that would have let this many failures pass."""
    return min(1.0, round(failed / max(entered, 1) + 0.01, 2))
