"""What a stage is: validated settings that, opened on a worker, become a function over Arrow tables.

Source  finds samples.                                   Filter  measures, and thresholds decide.
Edit    fills or replaces columns.                       Reduce  judges the whole corpus together, see reduce.py.
Sink    says which members a sample has in a shard.

A stage knows nothing of Ray, of files or of other stages. `open()` runs once in each worker: weights load
there and never travel.
"""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from curate.models import Model

FINDINGS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),  # position in the table that was given
        pa.field("reason", pa.string(), nullable=False),  # kind of what was found: EMAIL_ADDRESS, ...
        pa.field("score", pa.float32()),  # the detector's own confidence, 0..1
        pa.field("detector", pa.string(), nullable=False),  # name and version of what found it
        pa.field("place", pa.string()),  # where in what the edit wrote, see `place_in_text` and its neighbours
        pa.field("action", pa.string()),  # what was done: placeholder, mask, pseudonym, remove, blur, silence
        pa.field("match", pa.string()),  # keyed hash of the value, where a secret allows one; null otherwise
    ]
)
"""What an Edit tells the ledger. It never holds a value, nor anything a value can be read from."""


def place_in_text(column: str, start: int, stop: int, turn: int | None = None) -> str:
    """Say where in a text a finding's replacement stands: `caption 12:20`, or `conversations[2] 5:13`.

    Characters are counted in the text as the edit wrote it: in the one before, the place would tell the value's length.
    """
    return f"{column}{'' if turn is None else f'[{turn}]'} {start}:{stop}"


def place_in_picture(left: int, top: int, right: int, bottom: int) -> str:
    """Say which box of a picture, in pixels, a finding's cover takes: `image 10,20,110,64`."""
    return f"image {left},{top},{right},{bottom}"


def place_in_sound(start_s: float, stop_s: float) -> str:
    """Say which stretch of a sound, in seconds, was covered: `audio 1.20-1.95`."""
    return f"audio {start_s:.2f}-{stop_s:.2f}"


@dataclass(frozen=True)
class Edited:
    """What an Edit returns for a table of n rows."""

    columns: pa.Table
    """The stage's columns, n rows; what stands in rows that did not change is ignored."""
    changed: pa.Array | None = None
    """bool[n]; None says that every row changed."""
    failed: pa.Array | None = None
    """string[n]: why the row failed, null where it did not."""
    dropped: pa.Array | None = None
    """string[n]: why the row is dropped, null where it stays."""
    findings: pa.Table | None = None
    """FINDINGS rows for the ledger."""


@dataclass(frozen=True)
class Measured:
    """What a Filter returns for a table of n rows where it can say why it could not measure one."""

    columns: Sequence[pa.Array]
    """Of its `outputs`."""
    failed: pa.Array
    """string[n]: why the row failed, null where it did not."""


Scorer = Callable[[pa.Table], Sequence[pa.Array] | Measured]
Editor = Callable[[pa.Table], Edited]
Member = tuple[str, bytes]
Packer = Callable[[pa.Table], Iterator[tuple[str, list[Member]]]]


@dataclass(frozen=True)
class Resources:
    """What one worker of a stage takes. Stages next to each other that take the same share a worker."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory_bytes: int = 0


def threshold(default: Any, description: str, **limits: Any) -> Any:
    """Declare a setting that only decides: moving it re-decides from stored scores and measures nothing."""
    return Field(default, description=description, json_schema_extra={"decides": True}, **limits)


class Stage(BaseModel):
    """Settings common to every stage. Subclass one of the five kinds below, not this."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    name: ClassVar[str]
    kind: ClassVar[str]
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[pa.Field, ...]] = ()
    """Columns with the default settings; override `inputs` and `outputs` where settings choose them."""
    version: ClassVar[int] = 1
    """Raise it when the same settings come to give other results: stored results are then not reused."""
    resources: ClassVar[Resources] = Resources()
    permanent: ClassVar[frozenset[str]] = frozenset()
    """Reasons of failure that trying again cannot mend."""

    max_failed_fraction: float | None = threshold(
        None, "share of this stage's samples that may fail; the recipe's own where not set", ge=0, le=1
    )

    def inputs(self) -> tuple[str, ...]:
        """Name the columns that this stage reads."""
        return self.reads

    def outputs(self) -> tuple[pa.Field, ...]:
        """Return the columns that this stage writes."""
        return self.writes

    def models(self) -> tuple[Model, ...]:
        """Name the weights this stage loads; a plan finds them before any work starts."""
        return ()

    def measuring(self) -> dict[str, Any]:
        """Return the settings that change results, JSON-ready: all but those that only decide."""
        deciding = {n for n, f in type(self).model_fields.items() if _decides(f.json_schema_extra)}
        return self.model_dump(mode="json", exclude=deciding)

    def identity(self) -> str:
        """Hash what this stage would compute: name, version, measuring settings and weights."""
        parts = [self.name, self.version, self.measuring(), [m.fingerprint() for m in self.models()]]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _decides(extra: object) -> bool:
    return isinstance(extra, dict) and bool(extra.get("decides"))


class Source(Stage):
    """Finds samples. `scan` lists them cheaply, in an order that depends on the input alone."""

    kind: ClassVar[str] = "source"

    partition_size: int = Field(1000, ge=1, description="samples a partition: the unit of work, retry and storage")
    partition_bytes: int = Field(
        128_000_000, ge=1, le=500_000_000, description="of what is listed, texts above all: a partition ends before it"
    )

    @abstractmethod
    def scan(self) -> Iterator[pa.Table]:
        """Yield tables of `writes`, and a string column `_failed` where rows are unusable.

        Raises:
            InputError: the input is missing, empty, of the wrong format or lacks a column.
        """

    @abstractmethod
    def snapshot(self) -> str:
        """Hash names, sizes and versions of the input files: changes whenever `scan` might."""

    @abstractmethod
    def key_columns(self) -> tuple[str, ...]:
        """Name the columns that identify a sample at this source; `sample_key` hashes them."""

    def load(self) -> "Edit | None":
        """Return the stage that reads the media `scan` only listed, or None if that is a later stage's work."""
        return None


class Filter(Stage):
    """Measures each row (`open`), then thresholds decide (`decide`). Row-local, and changes nothing."""

    kind: ClassVar[str] = "filter"
    labels: ClassVar[tuple[pa.Field, ...]] = ()
    """Text columns that thresholds decide, published beside the scores of samples that are kept."""

    @abstractmethod
    def open(self) -> Scorer:
        """Load what is needed; return a function from a table of n rows to the columns of `writes`.

        A null in the first column says that the row could not be measured: it fails, as `unmeasured`, or for the
        reason that `Measured` gives.
        """

    def label(self, scores: pa.Table) -> Sequence[pa.Array]:  # noqa: ARG002 - for those that override it
        """Return a string[n] for each of `labels`, null where there is nothing to say; from stored scores alone."""
        return ()

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return string[n], the reason to drop a row or null; `at_least` and `at_most` bound the first column."""
        measured = scores.column(0).combine_chunks()
        reason = pa.nulls(len(measured), pa.string())
        for bound, outside, why in (
            ("at_least", pc.less, "below_at_least"),
            ("at_most", pc.greater, "above_at_most"),
        ):
            limit = getattr(self, bound, None)
            if limit is not None:
                reason = pc.if_else(outside(measured, limit), why, reason)
        return reason


class Edit(Stage):
    """Fills or replaces its `writes` in some rows, and tells the ledger what it found. Row-local."""

    kind: ClassVar[str] = "edit"

    @abstractmethod
    def open(self) -> Editor:
        """Load what is needed; return a function from a table of n rows to an `Edited`."""


class Sink(Stage):
    """Says which members each sample has in a shard; the run writes, numbers and indexes the shards."""

    kind: ClassVar[str] = "sink"

    samples_per_shard: int = Field(1000, ge=1, description="samples in each shard; the last may hold fewer")

    @abstractmethod
    def open(self) -> Packer:
        """Return a function that yields (key, [(extension, bytes), ...]) for each row of a table."""
