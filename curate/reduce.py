"""Stages that judge rows of the whole corpus together: by hashes and numbers that leave a partition, never by samples.

Reduce  joins rows that say the same.                    Compare    joins rows that are like one another, too.
Recurring  tells which pieces of rows came before.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.stage import Edit, Stage, threshold


@dataclass(frozen=True)
class Sketch:
    """What a Reduce takes of n rows out of their partition: hashes, signatures or embeddings, never samples."""

    node: NDArray[np.uint64]
    """uint64[n]: rows with the same node say the same and are duplicates; half of a 128-bit hash of what they say."""
    check: NDArray[np.uint64]
    """uint64[n]: the other half. Rows that share a node by accident differ here, and are not taken for duplicates."""
    apart: NDArray[np.bool_] | None = None
    """bool[n]: rows with nothing to compare, which are nobody's duplicates; None where there are none."""
    bands: NDArray[np.uint64] | None = None
    """uint64[n, b]: rows that share a band are compared. For `Banded`."""
    payload: pa.Array | None = None
    """What rows are compared by: n values of fixed-size binary or lists of numbers, null where `apart`."""
    row: NDArray[np.int32] | None = None
    """For `Recurring`, whose sketch is of m pieces of n rows: int32[m], the row of each. Bands and payload are None."""
    piece: NDArray[np.int32] | None = None
    """int32[m]: which piece of its row it is."""


@dataclass(frozen=True)
class Banded:
    """Rows that share a band are candidates; `alike` says which of them are duplicates."""

    bands: int
    payload_bytes: int
    """Of a row, about: what the plan counts memory and disk by."""
    alike: Callable[[pa.Array, pa.Array], NDArray[np.bool_]] | None
    """Compare n payloads with n others, place by place. None: every candidate is a duplicate, and none is compared."""


@dataclass(frozen=True)
class Cells:
    """Cells learned from a sample of all payloads: rows are compared only with those of a cell of theirs."""

    sample: int
    """Payloads to learn from; those of the smallest keys are taken, so the order of the input does not matter."""
    learn: Callable[[pa.Array], bytes]
    """From payloads to what `assign` needs. Deterministic."""
    assign: Callable[[bytes, pa.Array], NDArray[np.uint64]]
    """Return uint64[n, `searched`], the cells of each of n payloads."""
    searched: int = 1
    """Cells that a row is compared in: those next to its own hold the pairs that a border would part."""


@dataclass(frozen=True)
class Pairwise:
    """Every row is compared with every other, block by block, by a search that misses none."""

    payload_bytes: int
    """Of a row, about."""
    find: Callable[[pa.Array, pa.Array], tuple[NDArray[np.int64], NDArray[np.int64]]]
    """Return the places (i in left, j in right) of all pairs of duplicates among n left and m right payloads.

    Where both are one object, each pair is asked for once; equal payloads of two objects may be of different rows.
    """
    cells: Cells | None = None
    """None: all rows are one cell."""


Sketcher = Callable[[pa.Table], Sketch]
SLICES = {"year": 4, "month": 7, "day": 10}
"""Characters of an ISO 8601 date that name its slice of time."""


class Reduce(Stage):
    """Finds duplicates in the whole corpus, and keeps one row of each cluster.

    It says what of a row leaves its partition (`open`) and what makes two rows duplicates (`comparing`); the run finds
    the pairs, joins them to clusters and picks survivors, the same for any number of workers.
    """

    kind: ClassVar[str] = "reduce"
    reason: ClassVar[str]
    """Why its rows are dropped."""
    records_a_row: ClassVar[int] = 1
    """About how many nodes a row has: what the plan cuts records for memory by."""

    keep: Literal["first", "smallest_key", "highest", "lowest"] = threshold(
        "first", "who survives: the first in the corpus, the smallest key, or the highest or lowest `score`"
    )
    score: str | None = threshold(None, "column of numbers that `highest` and `lowest` go by; a null comes last")
    within: tuple[str, ...] = Field(
        (), description="columns: rows are duplicates only where these are equal; date:year, date:month, date:day slice"
    )
    against: tuple[str, ...] = threshold(
        (), "earlier runs, whose rows came before: what one of them holds a duplicate of is dropped"
    )

    @model_validator(mode="after")
    def _score_is_named(self) -> "Reduce":
        if (self.score is None) == (self.keep in {"highest", "lowest"}):
            raise ValueError("`score` names the column that keep: highest or lowest goes by, and is for these only")
        return self

    @model_validator(mode="after")
    def _slices_are_known(self) -> "Reduce":
        for spelled in self.within:
            name, colon, slice_ = spelled.partition(":")
            if colon and (name != "date" or slice_ not in SLICES):
                known = ", ".join(f"date:{known}" for known in SLICES)
                raise ValueError(f"within: no slice {spelled!r}; there are {known}, and any column as a whole")
        return self

    def inputs(self) -> tuple[str, ...]:
        """Name what is sketched, and the columns that scope and survivor go by."""
        scoped = (column.partition(":")[0] for column in self.within)
        return tuple(dict.fromkeys([*self.reads, *scoped, *((self.score,) if self.score else ())]))

    @abstractmethod
    def open(self) -> Sketcher:
        """Return a function from a table of n rows with the columns of `inputs` to a `Sketch` of them. Row-local."""

    def comparing(self) -> Banded | Pairwise | None:
        """Say how rows with different nodes are found to be duplicates; None: they are not."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Return what a plan should say of this stage beside its cost, line by line."""
        return ()


class Compare(Reduce):
    """A Reduce that also joins rows that are like one another, not only those that say the same."""

    linkage: Literal["single", "leader"] = threshold(
        "single", "single: a cluster is all that hangs together, one row of it stays; leader: a row goes only if it is "
        "itself like a row that stays"
    )  # fmt: skip


class Recurring(Reduce):
    """A Reduce over pieces of rows: it drops no row, but tells which of its pieces came earlier in the corpus.

    Its sketch has a record a piece (`Sketch.row`, `Sketch.piece`); what it found is the column `repeated`, which the
    Edit of `then` goes by.
    """

    records_a_row: ClassVar[int] = 64
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("repeated", pa.list_(pa.int32())),)  # numbers of pieces

    @model_validator(mode="after")
    def _first_is_kept(self) -> "Recurring":
        if self.keep != "first":
            raise ValueError("keep: of pieces the first in the corpus is kept")
        return self

    @abstractmethod
    def then(self) -> Edit:
        """Return the stage that takes repeated pieces out of their rows; it comes next in the plan."""
