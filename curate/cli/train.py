"""Training from the command line: progress lines, then the final figures."""

import json
import sys
from typing import Any

from curate.errors import TrainError


def run_training(preset: str, data: str, out: str, settings: list[str], *, as_json: bool) -> None:
    """Train and print the final metrics.

    Raises:
        TrainError: a setting is not written as key=value, or training refuses.
    """
    from curate.train import train

    overrides: dict[str, str] = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise TrainError(f"--set {text}: write it as key=value")
        overrides[key] = value
    final = train(preset, data, out, overrides=overrides, progress=_json_line if as_json else _line)
    if as_json:
        _json_line({"event": "finished", **final})
    else:
        print("  ".join(f"{name} {_short(value)}" for name, value in final.items()))


def _json_line(metrics: dict[str, Any]) -> None:
    print(json.dumps(metrics), flush=True)


def _line(metrics: dict[str, Any]) -> None:
    print("  ".join(f"{name} {_short(value)}" for name, value in metrics.items()), file=sys.stderr, flush=True)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
