"""Checking a run of the demo: each planted row met its reason, and no planted value is where it must not be."""

from collections.abc import Collection as Container
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from curate.demo.faults import Fault
from curate.demo.pieces import pieces
from curate.errors import RunError

RAW = "work"
"""The folder of a run that holds samples as they came; `curate purge` deletes it."""

Line = tuple[str, str, str]
"""Stage, event and reason of a row of the ledger."""


def unmet(run: Path, faults: Sequence[Fault], address: str) -> list[str]:
    """Return a line for each planted row that the ledger does not have under its stage and reason.

    Raises:
        RunError: the run's list of samples is not there any more, or never was.
    """
    keys = _keys(run)
    ledger = _ledger(run)
    complaints = []
    for fault in faults:
        found = ledger.get(keys.get((fault.url(address), fault.caption), ""), set())
        if not any(_is_expected(fault, line) for line in found):
            wanted = f"{fault.stage} {fault.event} {fault.reason}".strip()
            has = "; ".join(sorted(" ".join(line).strip() for line in found)) or "nothing"
            complaints.append(f"{fault.what} ({fault.path}): expected {wanted}, the ledger has {has}")
    return complaints


def _is_expected(fault: Fault, line: Line) -> bool:
    stage, event, reason = line
    if fault.event == "kept":
        return event == "kept"
    return (stage, event, reason) == (fault.stage, fault.event, fault.reason)


def _keys(run: Path) -> dict[tuple[str, str], str]:
    """Return the key of each (URL, caption): keys are made with a secret, so only the raw list tells."""
    parts = sorted((run / RAW / "source").glob("*.parquet"))
    if not parts:
        raise RunError(f"{run / RAW}/source: no list of samples. Check a run before it is purged.")
    rows = (row for part in parts for row in pq.read_table(part, columns=["key", "url", "caption"]).to_pylist())
    return {(row["url"], row["caption"]): row["key"] for row in rows}


def _ledger(run: Path) -> dict[str, set[Line]]:
    lines: dict[str, set[Line]] = {}
    for part in sorted((run / "ledger").glob("*.parquet")):
        for row in pq.read_table(part, columns=["key", "stage", "event", "reason"]).to_pylist():
            lines.setdefault(row["key"], set()).add((row["stage"], row["event"], row["reason"] or ""))
    return lines


def leaks(folder: Path, values: Mapping[str, str], without: Container[str] = (RAW,)) -> list[str]:
    """Search every file below `folder` for `values` (value: kind), whatever their case; return a line for each find.

    Tars are unpacked, Parquet and Arrow files read, and all others taken as bytes. Lines name the place and the kind,
    never the value. `without` names what directly below the folder is left out.
    """
    needles = {value.lower().encode(): kind for value, kind in values.items()}
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        inside = file.relative_to(folder)
        if inside.parts[0] in without:
            continue
        kinds = (kind for _, data in pieces(file, inside.as_posix()) for kind in _found(data, needles))
        found += [f"{inside}: a planted {kind}" for kind in sorted(set(kinds))]
    return found


def _found(content: bytes, needles: Mapping[bytes, str]) -> Iterator[str]:
    lower = content.lower()
    return (kind for needle, kind in needles.items() if needle in lower)
