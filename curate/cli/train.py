"""Training from the command line: a progress line now and then, then the final figures."""

import json
import sys
import time
from typing import Any

from curate.errors import TrainError

EVERY_S = 5.0
"""Between progress lines; metrics.jsonl has every step."""


def run_training(preset: str, data: str, out: str, settings: list[str], *, as_json: bool) -> None:
    """Train and print the final metrics.

    Raises:
        TrainError: a setting is not written as key=value, or training refuses.
    """
    from curate.train import train

    progress = _json_line if as_json else _Lines().show
    final = train(preset, data, out, overrides=overrides_of(settings), progress=progress)
    if as_json:
        _json_line({"event": "finished", **final})
    else:
        for name, value in final.items():
            print(f"{name:>16}  {_short(value)}")


def overrides_of(settings: list[str]) -> dict[str, str]:
    """Read what `--set` was given.

    Raises:
        TrainError: one is not written as key=value.
    """
    overrides: dict[str, str] = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise TrainError(f"--set {text}: write it as key=value")
        overrides[key] = value
    return overrides


def _json_line(metrics: dict[str, Any]) -> None:
    print(json.dumps(metrics), flush=True)


class _Lines:
    """Progress on standard error, one line every few seconds."""

    def __init__(self) -> None:
        self.last = 0.0

    def show(self, event: dict[str, Any]) -> None:
        figures = {name: value for name, value in event.items() if name not in {"event", "step", "steps"}}
        now = time.monotonic()
        last_step = event.get("step") == event.get("steps")
        if event.get("event") == "step" and now - self.last < EVERY_S and not last_step:
            return
        self.last = now
        head = f"step {event['step']} of {event['steps']}" if event.get("event") == "step" else str(event.get("event"))
        print(f"{head}: " + "  ".join(f"{n} {_short(v)}" for n, v in figures.items()), file=sys.stderr, flush=True)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
