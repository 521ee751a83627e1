"""Which checkpoints learned from erased samples. One that did is listed; nothing here ever calls a model clean."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.erase.facts import Report
from curate.errors import CurateError, InputError, RunError

_STATE = "state.json"


def look(folders: Sequence[str], run: str, keys: Sequence[str], report: Report) -> dict[str, Any]:
    """Search folders, and all below, for checkpoints of `curate train`; say of each what it learned from the keys.

    Returns:
        `searched`, the folders; `saw`, `did_not` and `cannot_tell`, one entry for each checkpoint that was found.

    Raises:
        InputError: a folder is not there.
        RunError: training is not installed, so no checkpoint can be read.
    """
    told: dict[str, Any] = {"searched": [str(f) for f in folders], "saw": [], "did_not": [], "cannot_tell": []}
    found = [path for folder in folders for path in _checkpoints(folder)]
    if found and importlib.util.find_spec("torch") is None:
        raise RunError("checkpoints cannot be read without torch. Install it: pip install 'curate-multimodal[train]'")
    for number, path in enumerate(found):
        report({"event": "searched", "where": str(path), "checkpoints": number, "of": len(found)})
        _tell(path, run, keys, told)
    return told


def _checkpoints(folder: str) -> list[Path]:
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"--checkpoints {folder}: no such folder. Give one that `curate train --out` wrote to")
    return sorted(path.parent for path in root.rglob(_STATE) if _is_ours(path))


def _is_ours(state: Path) -> bool:
    """Tell a checkpoint, a damaged one too, from other programs' files of that name and from half-written ones."""
    if state.parent.name.startswith("."):
        return False
    try:
        content = json.loads(state.read_bytes())
    except (OSError, ValueError):
        return state.parent.name.startswith("step-")
    return isinstance(content, dict) and str(content.get("format", "")).startswith("curate-checkpoint")


def _tell(path: Path, run: str, keys: Sequence[str], told: dict[str, Any]) -> None:
    from curate.train import seen_by

    try:
        sight = seen_by(str(path), run, keys)
    except CurateError as error:
        told["cannot_tell"].append({"checkpoint": str(path), "why": str(error)})
        return
    if sight is None:
        told["did_not"].append({"checkpoint": str(path), "why": "was fed other runs"})
    elif sight.pop("used"):
        sight["samples"] = {key: seen for key, seen in sight["samples"].items() if any(map(_learned, seen))}
        told["saw"].append(sight)
    else:
        why = "was fed this run, and no step of it learned from the samples"
        told["did_not"].append({"checkpoint": str(path), "why": why, "started_from": sight["started_from"]})


def _learned(sighting: dict[str, Any]) -> bool:
    return bool(sighting["steps"] or sighting["vocabulary"])


def of_keys(told: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return what was told of some of the keys alone: one request's share."""
    mine, saw, did_not = set(keys), [], list(told["did_not"])
    for sight in told["saw"]:
        samples = {key: seen for key, seen in sight["samples"].items() if key in mine}
        if samples:
            saw.append({**sight, "samples": samples})
        else:
            why = "was fed this run, and no step of it learned from the samples"
            entry = {"checkpoint": sight["checkpoint"], "why": why, "started_from": sight["started_from"]}
            did_not.append(entry)
    return {**told, "saw": saw, "did_not": sorted(did_not, key=lambda entry: entry["checkpoint"])}


def merged(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of checkpoints after another search; the later one counts for what both looked at."""
    looked = {entry["checkpoint"] for kind in ("saw", "did_not", "cannot_tell") for entry in now[kind]}
    kept = {
        kind: [e for e in before[kind] if e["checkpoint"] not in looked] for kind in ("saw", "did_not", "cannot_tell")
    }
    # A checkpoint that saw an earlier share of the request's samples goes on being listed.
    for entry in before["saw"]:
        again = next((e for e in now["saw"] if e["checkpoint"] == entry["checkpoint"]), None)
        if entry["checkpoint"] in looked:
            samples = {**entry["samples"], **(again["samples"] if again else {})}
            kept["saw"].append({**(again or entry), "samples": samples})
    seen = {entry["checkpoint"] for entry in kept["saw"]}
    both = {kind: kept[kind] + [e for e in now[kind] if e["checkpoint"] not in seen] for kind in kept}
    searched = list(dict.fromkeys([*before["searched"], *now["searched"]]))
    return {"searched": searched} | {k: sorted(v, key=lambda e: e["checkpoint"]) for k, v in both.items()}
