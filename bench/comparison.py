"""One line of a comparison, and the timing of two sides in turns."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Comparison:
    """Ours beside a public tool, on the same input in one run."""

    what: str
    ours: float
    peer: float | None
    unit: str
    goal: str
    less_is_better: bool = False

    def spelled(self, bench: str) -> str:
        """Return one JSON line; a ratio above 1 says that ours is better."""
        line = {"bench": bench, **asdict(self), "ratio": self._ratio()}
        del line["less_is_better"]
        return json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()})

    def _ratio(self) -> float | None:
        if not self.peer or not self.ours:
            return None
        return self.peer / self.ours if self.less_is_better else self.ours / self.peer


def in_turns(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the best seconds of each side; they take turns, so that a busy machine is busy for both."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for side, work in enumerate((ours, peer)):
            started = time.perf_counter()
            work()
            best[side] = min(best[side], time.perf_counter() - started)
    return best[0], best[1]
