"""Training from the command line: a progress line now and then, then the final figures."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from curate.errors import TrainError

EVERY_S = 5.0
"""Between progress lines; metrics.jsonl has every step."""
OFTEN = ("step", "looked", "searched")
"""Events that are not worth a line each."""
WHY = {
    "used": "the model learned from it",
    "failed": "drawn, but never usable",
    "not_reached": "training never came to it",
    "held_out": "held out: the model was measured on it, and never learned from it",
    "erased": "erased before training began, and never read",
    "not_in_data": "no shard of the data holds it",
}
"""What became of a sample, in words."""


def run_training(preset: str, data: list[str], out: str, settings: list[str], *, as_json: bool, **how: Any) -> None:
    """Train and print the final metrics; `how` are options of `curate.train.train`.

    Raises:
        TrainError: a setting is not written as key=value, or training refuses.
    """
    from curate.train import train

    say, overrides = shown(as_json=as_json), overrides_of(settings)
    finish(train(preset, data, out, overrides=overrides, progress=say, **how), as_json)


def run_features(run: str, preset: str, settings: list[str], dtype: str, *, as_json: bool) -> None:
    """Store features and print what was done."""
    from curate.train import store_features

    say, overrides = shown(as_json=as_json), overrides_of(settings)
    finish(store_features(preset, run, overrides=overrides, dtype=dtype, progress=say), as_json)


def run_trace(checkpoint: str, key: str | None, url: str | None, data: list[str], *, as_json: bool) -> bool:
    """Print what became of a sample; return whether anything in the checkpoint comes from it."""
    from curate.train import trace

    found = trace(checkpoint, key=key, url=url, data=data, progress=_Lines().show)
    if as_json:
        _json_line(found)
    else:
        for sample in found["samples"]:
            print("\n".join(_told(sample, found["steps"])))
        if not found["samples"]:
            print(f"no sample of the data came from {url}; erased ones cannot be searched by URL, give their --key")
        if found["started_from"]:
            print(f"training started from the weights at {found['started_from']}: trace those too")
    return bool(found["used"])


def _told(sample: dict[str, Any], steps: int) -> Iterator[str]:
    where = f"{sample['run']} {sample['shard']} row {sample['row']}" if sample["shard"] else sample["run"]
    yield f"{sample['key']} in {where}: {WHY[sample['status']]}"
    for name, said in (("steps", "learned from"), ("failed_steps", "drawn and not usable")):
        if sample[name]:
            yield f"  {said} in {len(sample[name])} of {steps} steps: {', '.join(map(str, sample[name]))}"
    if sample["vocabulary"]:
        yield "  the vocabulary was learned from its text, among others"


def finish(final: dict[str, Any], as_json: bool) -> None:
    """Print the last figures."""
    if os.environ.get("RANK", "0") != "0":  # of several processes that torchrun started, the first speaks
        return
    if as_json:
        _json_line({"event": "finished", **final})
    else:
        for name, value in final.items():
            print(f"{name:>16}  {_short(value)}")


def overrides_of(settings: list[str]) -> dict[str, str]:
    """Split what stands behind each --set.

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


def shown(*, as_json: bool) -> Callable[[dict[str, Any]], None]:
    """Return what shows the trainer's events."""
    return _json_line if as_json else _Lines().show


def _json_line(metrics: dict[str, Any]) -> None:
    print(json.dumps(metrics), flush=True)


class _Lines:
    """Progress on standard error, one line every few seconds."""

    def __init__(self) -> None:
        self.last = 0.0

    def show(self, event: dict[str, Any]) -> None:
        at_step = event.get("event") == "step"
        figures = {n: v for n, v in event.items() if n != "event" and not (at_step and n in {"step", "steps"})}
        now = time.monotonic()
        last_step = at_step and event["step"] == event["steps"]
        if event.get("event") in OFTEN and now - self.last < EVERY_S and not last_step:
            return
        self.last = now
        head = f"step {event['step']} of {event['steps']}" if at_step else str(event.get("event"))
        print(f"{head}: " + "  ".join(f"{n} {_short(v)}" for n, v in figures.items()), file=sys.stderr, flush=True)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {_short(one)}" for name, one in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_short, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
