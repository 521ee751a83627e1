"""Stages that misbehave on purpose: they raise, crash, hang, print, lack weights or break a recipe."""

import os
import signal
import time
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import ModelError
from curate.sample import column
from curate.stage import Edit, Edited, Editor, Filter, Scorer


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
