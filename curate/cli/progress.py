"""Live progress: a table where there is a terminal, plain lines where there is none, JSON for machines."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from curate.run.books import Books

Report = Callable[[dict[str, Any]], None]
PLAIN_EVERY_S = 5.0


@contextmanager
def progress(*, as_json: bool) -> Iterator[Report]:
    """Yield a function that takes the run's events and shows them on standard error (JSON: standard output)."""
    if as_json:
        yield lambda event: print(json.dumps(event), flush=True)
        return
    state = _State()
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Plain(state).report
        return
    with Live(console=console, get_renderable=state.table, refresh_per_second=4, transient=True):
        yield state.take


class _State:
    """What is known so far."""

    def __init__(self) -> None:
        self.books = Books()
        self.seconds: Counter[str] = Counter()
        self.done = self.of = self.shards = self.shards_of = 0
        self.doing = "reading the source"

    def take(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "phase":
            self.done, self.doing = 0, ", ".join(event["stages"]) or "listing"
        elif kind == "partition":
            self.done, self.of = self.done + 1, event["of"]
            self.books.add(Books.from_json(event["stages"]))
            if event["fresh"]:
                self.seconds.update(event["seconds"])
        elif kind == "reduce":
            self.doing = f"{event['stage']} over {event['rows']} samples"
        elif kind == "round":
            self.doing = f"{event['stage']}, {event['doing']}"
        elif kind == "publish":
            self.doing, self.shards_of = "writing shards", event["shards"]
        elif kind == "shard":
            self.shards += 1

    def rate(self, stage: str) -> str:
        seconds = self.seconds.get(stage, 0.0)
        return f"{self.books[stage].entered / seconds:,.0f}" if seconds else ""

    def headline(self) -> str:
        if self.shards_of:
            return f"shard {self.shards} of {self.shards_of}"
        return f"partition {self.done} of {self.of or '?'}: {self.doing}"

    def table(self) -> Table:
        table = Table(title=self.headline(), title_justify="left", box=None)
        for name in ("stage", "in", "kept", "dropped", "failed", "samples/s a worker"):
            table.add_column(name, justify="left" if name == "stage" else "right")
        for stage, count in self.books.items():
            numbers = (count.entered, count.kept, count.dropped.total(), count.failed.total())
            table.add_row(stage, *(f"{n:,}" for n in numbers), self.rate(stage))
        return table


class _Plain:
    """One line now and then."""

    def __init__(self, state: _State) -> None:
        self.state = state
        self.last = 0.0

    def report(self, event: dict[str, Any]) -> None:
        self.state.take(event)
        now = time.monotonic()
        if event["event"] in {"listed", "phase", "publish", "round"} or now - self.last > PLAIN_EVERY_S:
            self.last = now
            print(self._line(event), file=sys.stderr, flush=True)

    def _line(self, event: dict[str, Any]) -> str:
        if event["event"] == "listed":
            return f"{event['rows']:,} samples listed in {event['partitions']:,} partitions"
        if event["event"] == "complete":
            return "complete"
        counts = [f"{s} {c.kept:,}/{c.entered:,}" for s, c in self.state.books.items() if s in event.get("stages", ())]
        return self.state.headline() + (f" (kept/in: {', '.join(counts)})" if counts else "")
