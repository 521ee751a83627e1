"""A finished run, read partition by partition: how far each sample came, and what is stored to tell its groups by."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import InputError, IntegrityError, ModelError, RunError, SecretError
from curate.ledger import FATES, FOLDER, part_name, read_part
from curate.plan import Plan, Step, make_plan
from curate.recipe import Recipe, parse_recipe
from curate.run.books import Books
from curate.run.columns import align, results_at
from curate.run.ingest import FOLDER as SOURCE
from curate.run.job import Job
from curate.run.layout import BOOKS, Run, read_json
from curate.run.parts import read_table
from curate.shards.tombstones import erased_keys
from curate.stage import Filter

TEXTS = ("caption", "text")
_LISTED = (*TEXTS, "url")
_MEASURED = ("language", "width", "height")


@dataclass(frozen=True)
class Part:
    """n samples of a partition, in the order of the source."""

    keys: pa.Array
    reached: npt.NDArray[np.int64]
    """The last stage that each entered, by its place in the books; one past the last for those that were published."""
    failed: npt.NDArray[np.bool_]
    """Whether it failed there; else it was dropped there, or published."""
    columns: pa.Table
    """What is stored of them, as the source listed it or a stage measured it; null where it was not measured."""


@dataclass(frozen=True)
class AuditedRun:
    """A run whose books are closed."""

    run: Run
    recipe: Recipe
    plan: Plan | None
    """None where weights, evaluation sets or a secret are not here: what is stored could be another recipe's."""
    books: Books
    rows: int
    partitions: int
    notes: tuple[str, ...]
    """What could not be read, and why."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that could lose a sample, in order."""
        return tuple(self.books)

    @property
    def has_list(self) -> bool:
        """Whether the list that the run began with is there."""
        return not self.run.purged

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The recipe's filters."""
        return tuple(s for s in self.recipe.stages if isinstance(s, Filter))

    def known_from(self, column: str) -> int:
        """Return the place of the first stage that samples enter with this column known of all of them."""
        step = None if column in _LISTED else self._writer(column)
        if step is None:
            return 0
        place = self.stages.index(step.name)
        # A filter's own scores are known of those it drops; what an edit writes only of those it lets through.
        return place if isinstance(step.stage, Filter) else place + 1

    def _writer(self, column: str) -> Step | None:
        """Return the first step that writes a column, if its results can be read."""
        steps = self.plan.steps if self.plan is not None else ()
        found = next((s for s in steps if column in (f.name for f in s.stage.outputs())), None)
        return found if found is not None and (isinstance(found.stage, Filter) or self.has_list) else None

    def parts(self) -> Iterator[Part]:
        """Yield every partition.

        Raises:
            IntegrityError: the ledger and the list are not of one run.
        """
        places = {name: i for i, name in enumerate(self.stages)}
        for partition in range(self.partitions):
            ledger = read_part(self.run.folder, partition)
            fates = ledger.filter(pc.is_in(ledger["event"], pa.array(FATES))).combine_chunks()
            kept = np.asarray(pc.equal(fates["event"], "kept").to_numpy())
            reached = np.array([places[name] for name in fates["stage"].to_pylist()], dtype=np.int64)
            failed = np.asarray(pc.equal(fates["event"], "failed").to_numpy())
            keys = fates["key"].combine_chunks()
            yield Part(keys, np.where(kept, len(places), reached), failed, self._columns(partition, keys))

    def _columns(self, partition: int, keys: pa.Array) -> pa.Table:
        found: dict[str, pa.ChunkedArray] = {}
        if self.has_list:
            found |= self._listed(partition, keys)
        if self.plan is None:
            return pa.table(found)
        job = Job(self.plan, self.run, self.rows, self.partitions)
        rows = pa.array(range(len(keys)), pa.int32())
        for name in _MEASURED:
            step = self._writer(name)
            if step is not None:
                folder, file = results_at(job, step, partition)
                stored = read_table(folder, file, ["row", name]) if folder.exists(file) else None
                if stored is not None:
                    found[name] = align(stored, rows)[name]
        return pa.table(found)

    def _listed(self, partition: int, keys: pa.Array) -> dict[str, pa.ChunkedArray]:
        names = [f.name for f in self.recipe.source.outputs() if f.name in _LISTED]
        listed = read_table(self.run.work / SOURCE, part_name(partition) + ".parquet", ["key", *names])
        if not listed["key"].combine_chunks().equals(keys):
            raise IntegrityError(f"{part_name(partition)}: ledger and list do not name the same samples")
        # What was erased is in no group and in no sample of texts, though its raw copy may await the rewrite.
        gone = pc.is_in(keys, value_set=erased_keys(self.run.folder))
        return {n: pa.chunked_array([pc.if_else(gone, None, listed[n].combine_chunks())]) for n in names}


def open_run(url: str) -> AuditedRun:
    """Read what a finished run says of itself.

    Raises:
        RunError: there is no finished run.
        RecipeError: its recipe names stages that are not installed here.
    """
    run = Run.at(url)
    if not run.folder.exists(BOOKS):
        raise RunError(f"{run.folder.url}: no finished run here (it has no {BOOKS}). `curate run` goes on.")
    recipe = parse_recipe(run.folder.read("recipe.yaml"), run.stored_recipe_path())
    stored = read_json(run.folder, BOOKS)
    partitions = sum(n.endswith(".parquet") for n in run.folder.names(FOLDER))
    notes = []
    if run.purged:
        notes.append(
            "the raw list was purged: what a dropped sample said or where it came from is not known any more. "
            "Groups by words and by source are counted among published samples only: who was left out cannot be told"
        )
    plan: Plan | None = None
    try:
        plan = make_plan(recipe, run.facts()["snapshot"])
    except (InputError, ModelError, SecretError) as error:
        notes.append(f"what the stages measured cannot be told from another recipe's: {error}")
    return AuditedRun(run, recipe, plan, Books.from_json(stored["stages"]), stored["rows"], partitions, tuple(notes))
