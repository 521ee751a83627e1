"""What a run says of itself: reasons, languages, and examples of what was taken for a near-duplicate."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from curate.demo.debian import Say
from curate.ledger import FATES, KEPT, read_ledger
from curate.storage import Folder

_EXAMPLES = 3
_SHOWN = 240  # characters of an example's text


@dataclass(frozen=True)
class Told:
    """Counts of a run."""

    rows: int
    kept: int
    reasons: Counter[tuple[str, str]]
    """Rows that were dropped or failed, by stage and reason."""


def tell(run: Path, languages: Mapping[str, str], say: Say) -> Told:
    """Say what became of a run's rows.

    Args:
        run: its folder, not purged.
        languages: of the pages, by address.
        say: where lines go.
    """
    fates = [row for row in read_ledger(Folder(str(run))).to_pylist() if row["event"] in FATES]
    urls = _column(run / "work" / "source", "url")
    reasons = Counter((row["stage"], row["reason"]) for row in fates if row["event"] != KEPT)
    kept = sum(row["event"] == KEPT for row in fates)
    say(f"of {len(fates):,} rows {kept:,} were kept; the others:")
    for (stage, reason), count in sorted(reasons.items(), key=lambda pair: -pair[1]):
        say(f"  {count:6,}  {stage}: {reason}")
    _tell_languages(fates, {key: languages.get(url or "", "none") for key, url in urls.items()}, say)
    _tell_examples(run, urls, say)
    return Told(len(fates), kept, reasons)


def _tell_languages(fates: list[dict[str, str]], language: Mapping[str, str], say: Say) -> None:
    given = Counter(language[row["key"]] for row in fates)
    kept = Counter(language[row["key"]] for row in fates if row["event"] == KEPT)
    say("kept of each language: " + ", ".join(f"{name} {kept[name]:,}/{given[name]:,}" for name in sorted(given)))


def _tell_examples(run: Path, urls: Mapping[str, str | None], say: Say) -> None:
    """Say which documents three near-duplicates were dropped for, and how they begin."""
    pairs = sorted(_survivors(run).items(), key=lambda pair: urls[pair[0]] or "")
    texts = _texts(run)
    for key, survivor in pairs[:: max(1, len(pairs) // _EXAMPLES)][:_EXAMPLES]:
        say(f"near-duplicate {urls[key]}\n  of {urls[survivor]}")
        for name in (key, survivor):
            say(f"    {' '.join((texts[name] or '').split())[:_SHOWN]}")


def _survivors(run: Path) -> dict[str, str]:
    """Return who stands for each dropped near-duplicate."""
    found: dict[str, str] = {}
    for file in sorted((run / "work").glob("**/near_duplicates-*/**/*.arrow")):
        with pa.memory_map(str(file)) as source:
            table = pyarrow.ipc.open_file(source).read_all()
            if "survivor" in table.column_names:
                found |= dict(zip(table["key"].to_pylist(), table["survivor"].to_pylist(), strict=True))
    return found


def _texts(run: Path) -> dict[str, str | None]:
    """Return every text as it came: from the list, or from what read the archive."""
    folders = [run / "work" / "source", *(run / "work" / "edits").glob("read_warc-*")]
    return {key: text for folder in folders for key, text in _column(folder, "text").items()}


def _column(folder: Path, name: str) -> dict[str, str | None]:
    """Return a column by key, from all partitions that have it."""
    found: dict[str, str | None] = {}
    for part in sorted(folder.glob("*.parquet")):
        if name in pq.read_schema(part).names:
            table = pq.read_table(part, columns=["key", name])
            found |= dict(zip(table["key"].to_pylist(), table[name].to_pylist(), strict=True))
    return found
