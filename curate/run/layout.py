"""Where everything of a run is, and whether an output may be used for a recipe."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from curate.errors import IntegrityError, PurgedError, RunError
from curate.recipe import Recipe
from curate.storage import Folder

RECIPE, RUN, BOOKS, MANIFEST = "recipe.yaml", "run.json", "books.json", "manifest.json"
REWRITE = "rewrite.json"
"""There while `curate rewrite` is at work, or was stopped in the middle."""
OWNER = "owner.json"
"""In `work`: which run the raw samples belong to, so that no other run reads, or purges, what is not its own."""


def read_json(folder: Folder, name: str) -> dict[str, Any]:
    """Read what a run noted of itself.

    Raises:
        IntegrityError: the file is not what a run wrote.
    """
    try:
        return dict(json.loads(folder.read(name)))
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"{folder.path(name)}: is not what a run wrote. Restore it from a copy, or choose another --out."
        ) from error


@dataclass(frozen=True)
class Run:
    """A run directory, and its `work` folder, which is sensitive and may live elsewhere."""

    folder: Folder
    work: Folder

    @classmethod
    def at(cls, url: str, work: str | None = None) -> "Run":
        """Name the run at `url`; an existing one knows where its work is."""
        folder = Folder(url)
        if folder.exists(RUN):
            stored = read_json(folder, RUN)["work"]
            if work is not None and Folder(work).url != Folder(stored or f"{folder.url}/work").url:
                raise RunError(f"{url}: its raw samples are at {stored or 'work/'}, not at {work}; leave --work out")
            work = stored
        return cls(folder, Folder(work) if work else folder / "work")

    @property
    def purged(self) -> bool:
        """Whether the raw samples of a finished run were deleted."""
        return self.folder.exists(BOOKS) and not self.work.exists("source/done.json")

    def facts(self) -> dict[str, Any]:
        """Return what run.json says; empty for a run that never began."""
        return read_json(self.folder, RUN) if self.folder.exists(RUN) else {}

    def claim(self, recipe: Recipe, snapshot: str) -> None:
        """Begin or continue this run with `recipe`.

        Raises:
            RunError: the output holds another recipe's run, something else, or one whose input has changed since.
        """
        facts = self.facts()
        if facts:
            self._check_same(facts, recipe, snapshot)
        elif self.folder.names():
            raise RunError(f"{self.folder.url}: holds files, and they are not a run's. Choose an empty --out.")
        else:
            work = None if self.work.url == (self.folder / "work").url else self.work.url
            if self.work.names():
                raise RunError(f"{self.work.url}: holds files, and they are not this run's. Choose an empty --work.")
            facts = {"recipe": recipe.name, "source": recipe.source.identity(), "snapshot": snapshot, "work": work}
            facts["id"] = uuid.uuid4().hex
            self.folder.write(RUN, json.dumps(facts, indent=1).encode())
        if not self.purged:
            self._own_work(facts["id"])

    def _own_work(self, name: str) -> None:
        self.work.make_private()
        if not self.work.names():
            self.work.write(OWNER, json.dumps({"id": name}).encode())
        self.need_own_work(name)

    def need_own_work(self, name: str) -> None:
        """Raise RunError where `work` holds another run's samples, or somebody's files."""
        owner = read_json(self.work, OWNER).get("id") if self.work.exists(OWNER) else None
        if owner != name:
            raise RunError(f"{self.work.url}: holds what is not this run's, and is left alone. Choose another --work.")

    def record(self, recipe: Recipe) -> None:
        """Keep the recipe as run: it stands beside the books that it gave."""
        self.folder.write(RECIPE, recipe.to_yaml().encode())

    def _check_same(self, facts: dict[str, Any], recipe: Recipe, snapshot: str) -> None:
        where = self.folder.url
        if facts["recipe"] != recipe.name:
            other = facts["recipe"]
            raise RunError(f"{where}: holds a run of recipe '{other}', not '{recipe.name}'. Choose another --out.")
        if facts["source"] != recipe.source.identity():
            raise RunError(
                f"{where}: holds a run with other settings of its source '{recipe.source.name}'. "
                "Choose another --out, or give the settings in its recipe.yaml."
            )
        if facts["snapshot"] != snapshot and not self.purged:
            raise RunError(
                f"{where}: the input files of '{recipe.source.name}' have changed since this run began. "
                "Restore them, or choose another --out."
            )

    def need_whole(self) -> None:
        """Raise RunError where a rewrite was stopped in the middle: it comes first."""
        if self.folder.exists(REWRITE):
            raise RunError(
                f"{self.folder.url}: a rewrite was stopped in the middle. Finish it: curate rewrite {self.folder.url}"
            )

    def stored_recipe_path(self) -> str:
        """Return the URL of the recipe as run.

        Raises:
            RunError: there is no run here.
        """
        if not self.folder.exists(RECIPE):
            raise RunError(f"{self.folder.url}: no run here (it has no {RECIPE})")
        return f"{self.folder.url}/{RECIPE}"

    def need_work(self, what: str) -> None:
        """Raise PurgedError where the raw samples are gone."""
        if self.purged:
            raise PurgedError(
                f"{self.folder.url}: {what} needs the raw samples, which `curate purge` deleted. "
                "Run the recipe into another --out."
            )
