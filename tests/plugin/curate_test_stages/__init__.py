"""A third party's package of stages, found through its entry point: what the engine's tests run."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.reduce import Reduce, Sketch, Sketcher
from curate.sample import column
from curate.stage import Edit, Edited, Editor, Filter, Resources, Scorer, Source, threshold
from curate_test_stages.alike import AlikeCaptions, LineParity
from curate_test_stages.misbehaving import Chatty, DiesOpening, Flaky, LacksWeights, Poison, ReadsCaptions, RenameNumber


class NumberedLines(Source):
    """Lists `rows` captions, `line 0` to `line n-1`; one of `bad_every` is unusable, one of `repeat_every` a copy."""

    name: ClassVar[str] = "numbered_lines"
    writes: ClassVar[tuple[pa.Field, ...]] = (column("url"), column("caption"))
    rows: int = 100
    bad_every: int = 0
    repeat_every: int = 0
    batch: int = 7

    def key_columns(self) -> tuple[str, ...]:
        return ("url", "caption")

    def snapshot(self) -> str:
        return f"{self.rows} {self.bad_every} {self.repeat_every}"

    def scan(self) -> Iterator[pa.Table]:
        for start in range(0, self.rows, self.batch):
            numbers = range(start, min(self.rows, start + self.batch))
            bad = [self.bad_every and i % self.bad_every == 1 for i in numbers]
            named = [0 if self.repeat_every and i % self.repeat_every == 0 else i for i in numbers]
            yield pa.table(
                {
                    "url": pa.array([f"line://{i}" for i in named], pa.string()),
                    "caption": pa.array([f"line {i}" for i in named], pa.string()),
                    "_failed": pa.array(["bad_row" if b else None for b in bad], pa.string()),
                }
            )


class LineNumber(Filter):
    """Measures the number in a caption, and counts in a file how many rows it was asked to measure."""

    name: ClassVar[str] = "line_number"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("line_number", pa.int32()),)
    counter: str | None = None
    at_least: int | None = threshold(None, "number")
    at_most: int | None = threshold(None, "number")
    high_from: int | None = threshold(None, "number from which a line is labelled high")
    labels: ClassVar[tuple[pa.Field, ...]] = (pa.field("line_label", pa.string()),)

    def label(self, scores: pa.Table) -> list[pa.Array]:
        if self.high_from is None:
            return [pa.nulls(scores.num_rows, pa.string())]
        high = pc.greater_equal(scores["line_number"].combine_chunks(), self.high_from)
        return [pc.if_else(high, "high", pa.scalar(None, pa.string()))]

    def open(self) -> Scorer:
        def score(table: pa.Table) -> list[pa.Array]:
            if self.counter:
                with Path(self.counter).open("a") as stream:
                    stream.write("x" * table.num_rows)
            return [pa.array([int(c.split()[-1]) for c in table["caption"].to_pylist()], pa.int32())]

        return score


class Shout(Edit):
    """Turns captions with an even number to capitals and says so; drops those of a multiple of `drop_every`."""

    name: ClassVar[str] = "shout"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("caption"),)
    drop_every: int = 0

    def open(self) -> Editor:
        def edit(table: pa.Table) -> Edited:
            even = [int(c.split()[-1]) % 2 == 0 for c in table["caption"].to_pylist()]
            rows = [i for i, e in enumerate(even) if e]
            findings = pa.table(
                {
                    "row": pa.array(rows, pa.int32()),
                    "reason": pa.array(["QUIET"] * len(rows), pa.string()),
                    "score": pa.array([1.0] * len(rows), pa.float32()),
                    "detector": pa.array(["ear 1.0"] * len(rows), pa.string()),
                    "action": pa.array(["capitals"] * len(rows), pa.string()),
                }
            )
            numbers = [int(c.split()[-1]) for c in table["caption"].to_pylist()]
            dropped = ["too_loud" if self.drop_every and n % self.drop_every == 0 else None for n in numbers]
            return Edited(
                pa.table({"caption": pc.utf8_upper(table["caption"])}),
                changed=pa.array(even, pa.bool_()),
                dropped=pa.array(dropped, pa.string()),
                findings=findings,
            )

        return edit


class LastDigit(Edit):
    """Writes the last digit of the caption as a hash for `one_a_digit`."""

    name: ClassVar[str] = "last_digit"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("digit", pa.string()),)

    def open(self) -> Editor:
        def edit(table: pa.Table) -> Edited:
            spread = [ord(c[-1]) * 0x9E3779B1 % 2**32 for c in table["caption"].to_pylist()]
            return Edited(pa.table({"digit": pa.array([f"{s:08x}" for s in spread], pa.string())}))

        return edit


class OneADigit(Reduce):
    """Keeps the first row of each last digit."""

    name: ClassVar[str] = "one_a_digit"
    reason: ClassVar[str] = "same_digit"
    reads: ClassVar[tuple[str, ...]] = ("digit",)

    def open(self) -> Sketcher:
        def sketch(table: pa.Table) -> Sketch:
            digits = table["digit"].to_pylist()
            none = np.array([d is None for d in digits], bool)
            hashes = [hashlib.blake2b((d or "").encode("utf-8", "replace"), digest_size=8).digest() for d in digits]
            numbers = np.frombuffer(b"".join(hashes), "<u8").astype(np.uint64)
            return Sketch(numbers, numbers, apart=none)

        return sketch


class Slow(Filter):
    """Sleeps a while for each row, so that a run can be killed in the middle."""

    name: ClassVar[str] = "slow"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("slow", pa.int32()),)
    seconds: float = 0.005

    def open(self) -> Scorer:
        def score(table: pa.Table) -> list[pa.Array]:
            time.sleep(self.seconds * table.num_rows)
            return [pa.array([1] * table.num_rows, pa.int32())]

        return score


class Busy(Filter):
    """Keeps the CPU busy with `rounds` of hashing for each row."""

    name: ClassVar[str] = "busy"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("busy", pa.int32()),)
    rounds: int = 1000
    at_most: int | None = threshold(None, "first two bytes of the hash")

    def open(self) -> Scorer:
        def score(table: pa.Table) -> list[pa.Array]:
            hashes = [hashlib.pbkdf2_hmac("sha256", c.encode(), b"", self.rounds) for c in table["caption"].to_pylist()]
            return [pa.array([int.from_bytes(h[:2], "big") for h in hashes], pa.int32())]

        return score


class Length(Filter):
    """Measures a caption's characters on a quarter of a CPU, so that it takes workers of its own."""

    name: ClassVar[str] = "length"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("length", pa.int32()),)
    resources: ClassVar[Resources] = Resources(cpus=0.25)
    at_least: int | None = threshold(None, "characters")

    def open(self) -> Scorer:
        return lambda table: [pc.utf8_length(table["caption"])]


STAGES = (
    AlikeCaptions,
    LineParity,
    NumberedLines,
    LineNumber,
    Shout,
    LastDigit,
    OneADigit,
    Poison,
    DiesOpening,
    LacksWeights,
    Chatty,
    Slow,
    Busy,
    Length,
    RenameNumber,
    ReadsCaptions,
    Flaky,
)
