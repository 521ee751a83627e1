"""datatrove's quality filters over a file of texts; runs in an environment of its own, which `bench.text` makes.

Called as `text_peer.py TEXTS.parquet DECISIONS.json`. Every filter judges every document, as ours do; then the
filters as a pipeline, in which a document that one drops is seen by none behind it.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

KINDS = {
    "gopher_quality": GopherQualityFilter,
    "gopher_repetition": GopherRepetitionFilter,
    "c4_quality": C4QualityFilter,
    "fineweb_quality": FineWebQualityFilter,
}


def judged(filters: dict, texts: list[str]) -> list[dict[str, str | None]]:
    """Return what each filter says of each text: a reason, or None."""
    found = []
    for text in texts:
        told = {}
        for name, one in filters.items():
            try:
                kept = one.filter(Document(text=text, id=""))
            except (ZeroDivisionError, IndexError) as error:
                kept = (False, type(error).__name__)
            told[name] = None if kept is True else kept[1]
        found.append(told)
    return found


def piped(filters: dict, texts: list[str]) -> tuple[list[str], int]:
    """Return what the pipeline says of each text, `filter: reason` or an empty string, and how many it keeps."""
    told = []
    for text in texts:
        document = Document(text=text, id="")
        reason = ""
        for name, one in filters.items():
            kept = one.filter(document)
            if kept is not True:
                reason = f"{name}: {kept[1]}"
                break
        told.append(reason)
    return told, told.count("")


def timed(work: Callable, *given: object) -> tuple[Any, float]:
    """Return what the work returns, and its CPU seconds."""
    started = time.process_time()
    return work(*given), time.process_time() - started


def main() -> None:
    texts = pq.read_table(sys.argv[1])["text"].to_pylist()
    filters = {name: kind() for name, kind in KINDS.items()}
    judged(filters, texts[:20])  # spaCy loads
    found, seconds = timed(judged, filters, texts)
    (told, kept), seconds_piped = timed(piped, filters, texts)
    result = {"decisions": found, "seconds": seconds, "piped": told, "kept": kept, "seconds_piped": seconds_piped}
    Path(sys.argv[2]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
