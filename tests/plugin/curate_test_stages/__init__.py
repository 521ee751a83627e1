"""A third party's package of stages, found through its entry point: what the engine's tests run."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import ModelError
from curate.sample import column
from curate.stage import Edit, Edited, Editor, Filter, Judge, Reduce, Resources, Scorer, Source, Verdicts, threshold


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

    def open(self) -> Scorer:
        def score(table: pa.Table) -> list[pa.Array]:
            if self.counter:
                with Path(self.counter).open("a") as stream:
                    stream.write("x" * table.num_rows)
            return [pa.array([int(c.split()[-1]) for c in table["caption"].to_pylist()], pa.int32())]

        return score


class Shout(Edit):
    """Turns captions with an even number to capitals and says so."""

    name: ClassVar[str] = "shout"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("caption"),)

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
                }
            )
            return Edited(
                pa.table({"caption": pc.utf8_upper(table["caption"])}), changed=pa.array(even), findings=findings
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
    reads: ClassVar[tuple[str, ...]] = ("digit",)
    shuffle_by: ClassVar[str] = "digit"

    def open(self) -> Judge:
        def judge(table: pa.Table) -> Verdicts:
            first: dict[str, str] = {}
            keys, digits = table["key"].to_pylist(), table["digit"].to_pylist()
            survivor = [first.setdefault(d, k) for d, k in zip(digits, keys, strict=True)]
            dropped = [None if s == k else "same_digit" for s, k in zip(survivor, keys, strict=True)]
            return Verdicts(pa.array(dropped, pa.string()), pa.array(survivor, pa.string()))

        return judge


class Poison(Filter):
    """Raises, dies or hangs on the captions whose number is in `numbers`; everything else measures 1.

    While the file `unless` is there, nothing happens to anybody.
    """

    name: ClassVar[str] = "poison"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("poison", pa.int32()),)
    numbers: tuple[int, ...] = ()
    how: Literal["raise", "segfault", "hang"] = "raise"
    unless: str | None = None

    def open(self) -> Scorer:
        def score(table: pa.Table) -> list[pa.Array]:
            for caption in table["caption"].to_pylist():
                if int(caption.split()[-1]) in self.numbers and not (self.unless and Path(self.unless).exists()):
                    self._harm(caption)
            return [pa.array([1] * table.num_rows, pa.int32())]

        return score

    def _harm(self, caption: str) -> None:
        if self.how == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.how == "hang":
            time.sleep(3600)
        raise ValueError(caption)


class DiesOpening(Filter):
    """Takes its process down before it is open."""

    name: ClassVar[str] = "dies_opening"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("dies_opening", pa.int32()),)

    def open(self) -> Scorer:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("a dead process went on")


class LacksWeights(Filter):
    """Finds no weights when it is opened."""

    name: ClassVar[str] = "lacks_weights"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("lacks_weights", pa.int32()),)

    def open(self) -> Scorer:
        raise ModelError("no weights here")


class Chatty(Filter):
    """Prints while it works, as many libraries do."""

    name: ClassVar[str] = "chatty"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("chatty", pa.int32()),)

    def open(self) -> Scorer:
        def score(table: pa.Table) -> list[pa.Array]:
            print("loading, please wait", flush=True)  # noqa: T201 - what this stage is for
            return [pa.array([1] * table.num_rows, pa.int32())]

        return score


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


class RenameNumber(Edit):
    """Would turn a number into text, which no recipe may have."""

    name: ClassVar[str] = "rename_number"
    reads: ClassVar[tuple[str, ...]] = ("line_number",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("line_number", pa.string()),)

    def open(self) -> Editor:
        return lambda table: Edited(pa.table({"line_number": pc.cast(table["line_number"], pa.string())}))


class ReadsCaptions(Filter):
    """Reads a column that nobody writes."""

    name: ClassVar[str] = "reads_captions"
    reads: ClassVar[tuple[str, ...]] = ("captions",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("reads_captions", pa.int32()),)

    def open(self) -> Scorer:
        return lambda table: [pc.utf8_length(table["captions"])]


class Flaky(Edit):
    """Fetches a made-up picture; odd numbers are down while the file `until` is missing, those in `gone` for ever."""

    name: ClassVar[str] = "flaky"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("image"), column("image_format"))
    permanent: ClassVar[frozenset[str]] = frozenset({"gone"})
    until: str
    gone: tuple[int, ...] = ()
    counter: str | None = None
    padding: int = 0
    """Bytes that each picture has beside its number."""

    def open(self) -> Editor:
        def edit(table: pa.Table) -> Edited:
            numbers = [int(c.split()[-1]) for c in table["caption"].to_pylist()]
            if self.counter:
                with Path(self.counter).open("a") as stream:
                    stream.write("x" * len(numbers))
            down = not Path(self.until).exists()
            failed = ["gone" if n in self.gone else "down" if down and n % 2 else None for n in numbers]
            rest = bytes(self.padding)
            media = [None if f else b"picture %d" % n + rest for n, f in zip(numbers, failed, strict=True)]
            pictures = pa.table({"image": pa.array(media, pa.large_binary()), "image_format": ["jpg"] * len(numbers)})
            return Edited(pictures, failed=pa.array(failed, pa.string()))

        return edit


STAGES = (
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
