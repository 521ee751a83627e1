"""A random sample of what is published, for people to read, and what they found.

A file of JSON lines: `found` is null where nobody has read, `[]` where there is no personal data, else a list of kinds
such as `["PERSON"]`. It holds texts of the corpus in clear: it is written for its owner's eyes (mode 0600).
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.audit.bounds import upper
from curate.audit.published import TEXT_COLUMNS, Drawn, texts_of
from curate.audit.residual import ANY, ResidualLine, kinds_in
from curate.errors import InputError, RunError
from curate.run.layout import Run
from curate.storage import Folder, input_file

REVIEWERS = "people"


def write_review(path: str, drawn: Drawn, run: Run) -> None:
    """Write the drawn samples' texts, and where each stands.

    Raises:
        RunError: the file would lie in the run, where it would be published.
        InputError: there is such a file: it may hold people's work.
    """
    target = Path(path).resolve()  # a link or `..` may lead into the run
    if run.folder.is_local and target.is_relative_to(Path(run.folder.path("")).resolve()):
        raise RunError(f"{path}: is inside the run, which may be published; write the review somewhere else")
    if target.exists():
        raise InputError(f"{path}: is there already, and may hold what people found; choose another name")
    lines = [json.dumps(_line(drawn, number), ensure_ascii=False) + "\n" for number in drawn.numbers]
    with Folder(str(target.parent)).writing(target.name, mode=0o600) as local:
        local.write_text("".join(lines), encoding="utf-8")


def _line(drawn: Drawn, number: int) -> dict[str, Any]:
    facts = texts_of(drawn.reader.read(number))
    shard, row = drawn.reader.place(number)
    place = {"version": drawn.reader.version, "key": drawn.reader.key(number), "row": row}
    place["shard"] = drawn.reader.manifest.shards[shard].name
    return place | {"texts": {n: facts[n] for n in TEXT_COLUMNS if facts.get(n) is not None}, "found": None}


@dataclass(frozen=True)
class Reviewed:
    """What people found in a random sample."""

    lines: tuple[ResidualLine, ...]
    read: int
    unread: int


def read_review(path: str, version: str, confidence: float) -> Reviewed:
    """Count what people found.

    Lines that nobody has read are left out. They are in random order: the first so many are a random sample too.

    Raises:
        InputError: it is no review, not of this dataset, a key stands twice, or nothing was read.
    """
    folder, name = input_file(path)
    rows = [_read(path, i, line) for i, line in enumerate(folder.read(name).decode().splitlines(), 1) if line.strip()]
    other = next((row for row in rows if row["version"] != version), None)
    if other is not None:
        raise InputError(f"{path}: is of version {other['version'][:16]}, and the run has {version[:16]}")
    if len({row["key"] for row in rows}) < len(rows):
        raise InputError(f"{path}: a key stands twice: each sample is counted once")
    read = [row["found"] for row in rows if row["found"] is not None]
    if not read:
        raise InputError(f"{path}: nobody has read a line yet: write [] or a list of kinds where `found` is null")
    counts = Counter(kind for found in read for kind in kinds_in(found))
    lines = tuple(_counted(kind, counts[kind], len(read), confidence) for kind in (ANY, *sorted(counts.keys() - {ANY})))
    return Reviewed(lines, len(read), len(rows) - len(read))


def _counted(kind: str, found: int, read: int, confidence: float) -> ResidualLine:
    return ResidualLine(REVIEWERS, kind, found, read, 1e6 * upper(found, read, confidence), 1e6 * found / read)


def _read(path: str, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        version, key, found = row["version"], row["key"], row["found"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}:{number}: not a line that `curate audit --review` wrote") from error
    if found is not None and not (isinstance(found, list) and all(isinstance(kind, str) for kind in found)):
        raise InputError(f'{path}:{number}: `found` must be null, [] or a list of kinds such as ["PERSON"]')
    return {"version": version, "key": key, "found": found}
