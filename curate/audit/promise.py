"""What a threshold is to promise: a risk, defined exactly, and how much of it at the most.

A row is *bad* where its label says so, else *good*; it is *kept* where the threshold lets it pass.

missed               P(kept | bad)       of all that is bad, the share that passes: the false-negative rate
bad_kept             P(bad | kept)       of all that passes, the share that is bad: the false-omission rate
false_positive_rate  P(dropped | good)   of all that is good, the share that is lost

`missed` and `false_positive_rate` do not depend on how much of the corpus is bad. `bad_kept` does: its labelled rows
must be a random sample of what the stage will see, where for the others bad and good rows may be sampled apart.
"""

import re
from dataclasses import dataclass

import numpy as np

from curate.audit.bounds import Counts
from curate.errors import InputError, nearest

RISKS = ("missed", "bad_kept", "false_positive_rate")
_FORM = re.compile(r"\s*([A-Za-z_]+)\s*<=\s*([0-9.eE+-]+)\s*(%?)\s*")
_OF = {"missed": "bad rows", "bad_kept": "kept rows", "false_positive_rate": "good rows"}


@dataclass(frozen=True)
class Promise:
    """A risk that is to be at most so much."""

    risk: str
    at_most: float

    @classmethod
    def of(cls, text: str) -> "Promise":
        """Read `missed<=0.01` or `missed<=1%`.

        Raises:
            InputError: it is written otherwise, names no risk, or a share that is none.
        """
        found = _FORM.fullmatch(text)
        risk = found[1] if found else text.partition("<")[0].strip()
        if risk not in RISKS:
            raise InputError(
                f"--risk {text}: no risk named '{risk}'; there are {', '.join(RISKS)}.{nearest(risk, RISKS)}"
            )
        try:
            share = float(found[2]) / (100 if found[3] else 1) if found else -1.0
        except ValueError:
            share = -1.0
        if not 0 < share < 1:
            raise InputError(f"--risk {text}: write a share between 0 and 1, for example --risk '{risk}<=0.01'")
        return cls(risk, share)

    @property
    def limits_keeping(self) -> bool:
        """Whether the risk grows with what is kept; else it grows with what is dropped."""
        return self.risk != "false_positive_rate"

    @property
    def of_what(self) -> str:
        """The rows whose share it is."""
        return _OF[self.risk]

    def counts(self, bad: Counts, good: Counts, all_bad: Counts, all_good: Counts) -> tuple[Counts, Counts]:
        """Return errors and trials, given how many bad and good rows are kept of how many (broadcast together)."""
        if self.risk == "missed":
            return bad, np.broadcast_to(all_bad, bad.shape)
        if self.risk == "bad_kept":
            return bad, bad + good
        return all_good - good, np.broadcast_to(all_good, good.shape)

    def __str__(self) -> str:
        return f"{self.risk} <= {self.at_most:g}"
