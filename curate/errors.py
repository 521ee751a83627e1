"""Everything Curate raises on purpose.

    CurateError                 a person can mend it; its text says what, where and how
    ├── RecipeError             unknown or wrong things in a recipe or an option, all of them at once
    ├── InputError              a source is missing, empty, of the wrong format or lacks a column
    ├── StageError              a stage's code does not keep its contract
    ├── ModelError              weights are not here, or are not what they should be
    ├── SecretError             a secret that the recipe needs is not in the environment, or is too short
    ├── RunError                a run directory cannot be used as asked
    │   ├── LockedError         another process is working in it
    │   └── PurgedError         what was asked for needs raw samples that were deleted
    ├── BudgetError             more samples failed than the recipe allows
    ├── StorageError            the disk or the bucket refused
    ├── IntegrityError          stored bytes are not what their manifest says
    └── TrainError              a preset, checkpoint or data set that training cannot use

A failure of one sample is never an exception: it is a reason in the ledger.
"""

import difflib
from collections.abc import Iterable


class CurateError(Exception):
    """Root of every error raised on purpose."""


class RecipeError(CurateError):
    """A recipe or an option on the command line is wrong; `faults` has one line for each fault."""

    def __init__(self, faults: list[str]) -> None:
        """Keep each fault as one `path:line: what` line."""
        super().__init__("\n".join(faults))
        self.faults = faults

    def __reduce__(self) -> tuple[type["RecipeError"], tuple[list[str]]]:
        """Pickle by the faults, so that the error crosses processes whole."""
        return type(self), (self.faults,)


class InputError(CurateError):
    """A source cannot be read as the recipe says."""


class StageError(CurateError):
    """A stage's code returned what its declaration does not allow: a fault of its author."""


class ModelError(CurateError):
    """Weights are missing or broken."""


class SecretError(CurateError):
    """A secret that the recipe asks for is missing or too short."""


class RunError(CurateError):
    """A run directory cannot be used as asked."""


class LockedError(RunError):
    """Another process works in this run directory."""


class PurgedError(RunError):
    """The raw samples that this needs were purged."""


class BudgetError(CurateError):
    """More samples failed than `max_failed_fraction` allows."""


class StorageError(CurateError):
    """The disk or the object store refused a read or a write."""


class IntegrityError(CurateError):
    """Stored bytes differ from what their manifest, index or books say."""


class TrainError(CurateError):
    """Training or generation cannot go on with this preset, checkpoint or data."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ` Did you mean '...'?` for the closest of `names`, or nothing."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""
