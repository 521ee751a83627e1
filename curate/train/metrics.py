"""OUT/metrics.jsonl: one line for each step, each step once, equal to the last byte for equal runs."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from curate.errors import TrainError


class Metrics:
    """The file, open for appending after the lines of the steps that are done."""

    def __init__(self, path: Path, steps_done: int, *, writes: bool = True) -> None:
        """Cut the file behind step `steps_done`: what a killed run wrote past its checkpoint is trained again.

        Of several processes one writes; for the others every line is lost.

        Raises:
            TrainError: lines of steps that were done are missing.
        """
        if writes:
            _cut(path, steps_done)
        self._stream = (path if writes else Path(os.devnull)).open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def append(self, line: dict[str, Any]) -> None:
        """Add one step; it is in the file when this returns."""
        self._stream.write(json.dumps(line).encode() + b"\n")
        self._stream.flush()

    def sync(self) -> None:
        """Have the disk hold every line, before a checkpoint relies on them."""
        if self._stream.name != os.devnull:
            os.fsync(self._stream.fileno())


def _cut(path: Path, steps_done: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    kept = lines[:steps_done]
    if [_step(line) for line in kept] != list(range(1, steps_done + 1)):
        raise TrainError(
            f"{path}: does not hold steps 1 to {steps_done}, which the checkpoint has behind it. "
            "Restore the file, or train into another folder"
        )
    draft = path.with_name(".tmp-" + path.name)
    draft.write_bytes(b"".join(kept))
    draft.replace(path)


def _step(line: bytes) -> int | None:
    try:
        step: int = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return None
    return step
