"""Samples that a run judged to be copies of one another: what erases the one should be asked about the others."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pyarrow as pa

from curate.run.layout import Run
from curate.run.parts import reading
from curate.storage import Folder

FOLDER = "reduce"


class Clusters:
    """Who stands for whom, by every Reduce whose verdicts a run still has."""

    def __init__(self, run: Run) -> None:
        """Read the verdicts: one row for each sample that was dropped in favour of another."""
        self._of: dict[str, list[set[str]]] = defaultdict(list)
        self.known = bool(run.work.names(FOLDER))
        """Whether there is anything to tell mates by: a purged run has nothing."""
        self.survivors: dict[str, list[tuple[str, str]]] = defaultdict(list)
        """Of a dropped key, the stage that dropped it and the key that stayed for it."""
        for stage in run.work.names(FOLDER):
            by_survivor: dict[str, set[str]] = {}
            for key, survivor in _verdicts(run.work / FOLDER / stage):
                if key != survivor:
                    by_survivor.setdefault(survivor, {survivor}).add(key)
                    self.survivors[key].append((stage.rpartition("-")[0], survivor))
            for cluster in by_survivor.values():
                for key in cluster:
                    self._of[key].append(cluster)

    def mates(self, keys: Iterable[str]) -> list[str]:
        """Return every sample that is a copy of one of these, or of a copy of it, without the keys themselves; sorted.

        What exact and near duplicates joined is followed to the end.
        """
        reached, todo = set(keys), list(keys)
        asked = set(reached)
        while todo:
            for cluster in self._of.get(todo.pop(), ()):
                new = cluster - reached
                reached |= new
                todo += new
        return sorted(reached - asked)


def _verdicts(folder: Folder) -> Iterator[tuple[str, str]]:
    """Yield key and survivor of each row that a Reduce dropped, by whatever it decided with these sketches."""
    for decision in folder.names():
        for name in folder.names(decision):
            if name.startswith("verdict-"):
                file = f"{decision}/{name}"
                with reading(folder, file), folder.open_native(file) as stream:
                    told = pa.ipc.open_file(stream)
                    # Of repeated lines it stands here which they are: their documents are no copies.
                    named = {"key", "survivor"} <= set(told.schema.names)
                    table: pa.Table = told.read_all().select(["key", "survivor"] if named else [])
                if named:
                    yield from zip(table["key"].to_pylist(), table["survivor"].to_pylist(), strict=True)
