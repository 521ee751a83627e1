"""From URLs to a measured model: run, check, features, train, evaluate. Each step is done once, and resumes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.cli.carry import Way, carry_out
from curate.cli.train import finish, shown
from curate.errors import IntegrityError, RecipeError, TrainError
from curate.recipe import Recipe
from curate.recipe.training import EvaluateSection, TrainSection
from curate.storage import Folder

NOTES = "build.json"
"""In the model's folder: which steps are done, for which shards and settings."""
WRITES = {"train": "final.json", "evaluate": "evaluation.json"}
"""What a step leaves there last."""


@dataclass(frozen=True)
class Planned:
    """What follows a recipe's shards, checked."""

    section: TrainSection
    model: str
    no_features: str
    """Why no features are stored; empty if they are."""
    steps: int

    @property
    def evaluate(self) -> dict[str, Any] | None:
        """How the model is measured, as JSON has it."""
        return None if self.section.evaluate is None else self.section.evaluate.model_dump()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"preset": self.section.preset, "settings": self.section.settings, "out": self.model,
                "features": not self.no_features, "steps": self.steps, "evaluate": self.evaluate}  # fmt: skip

    def told(self) -> list[str]:
        """Return what `curate plan` prints."""
        features = f"no features are stored: {self.no_features}" if self.no_features else "features of frozen towers"
        training = f"{self.steps:,} steps of {self.section.preset} into {self.model}"
        training += "; evaluate" if self.evaluate else ""
        return [f"then `curate build`: check; {features}; {training}"]


def planned(recipe: Recipe) -> Planned:
    """Check what a recipe says about training, before any work.

    Raises:
        RecipeError: it says nothing, or something that the trainer does not know.
    """
    section = recipe.train
    if section is None:
        raise RecipeError([f"{recipe.name}: has no section 'train'. Write `train: {{preset: llava-tiny}}`, or use run"])
    from curate.train.features import why_not
    from curate.train.presets import configure

    try:
        config = configure(section.preset, section.settings)
    except TrainError as error:
        raise RecipeError([f"{recipe.train_at}: train: {fault}" for fault in str(error).splitlines()]) from error
    no_features = why_not(config) if section.features else "features is false"
    return Planned(section, section.out or f"{recipe.name}-model", no_features, config.steps)


def build(recipe: Recipe, way: Way, *, as_json: bool) -> None:
    """Do what is not done yet, and print the model's figures.

    Raises:
        CurateError: of any kind; what is done stays, and the same command goes on.
    """
    plan = planned(recipe)
    say = _say(as_json=as_json)
    say("run", way.out)
    version = carry_out(recipe, way, as_json=as_json).manifest.version
    notes = Notes.of(plan, version)
    if not notes.has("check"):
        say("check", way.out)
        _check(way.out)
        notes.add("check")
    if not notes.has("train"):
        _train(plan, way.out, say, as_json=as_json)
        notes.add("train")
    if plan.section.evaluate is not None and not notes.has("evaluate"):
        say("evaluate", plan.model)
        _evaluate(plan.section.evaluate, plan, way.out, as_json=as_json)
        notes.add("evaluate")
    finish(json.loads(Path(plan.model, "final.json").read_bytes()), as_json)


def _check(out: str) -> None:
    from curate.cli.erase import opened
    from curate.erase import check_erasures
    from curate.run.check import check

    run = opened(out)
    faults = [*check(run), *check_erasures(run)]
    if faults:
        raise IntegrityError("\n".join(faults))


def _train(plan: Planned, run: str, say: Callable[[str, str], None], *, as_json: bool) -> None:
    from curate.train import store_features, train

    section, show = plan.section, shown(as_json=as_json)
    if not plan.no_features:
        say("features", run)
        store_features(section.preset, run, overrides=section.settings, progress=show)
    say("train", plan.model)
    train(section.preset, run, plan.model, overrides=section.settings, progress=show)


def _evaluate(how: EvaluateSection, plan: Planned, run: str, *, as_json: bool) -> None:
    from curate.cli.use import run_evaluation
    from curate.train.decoder import Decoding
    from curate.train.using.evaluating import Measures
    from curate.train.using.opened import open_checkpoint
    from curate.train.using.sources import Source
    from curate.train.using.speaking import Asking

    opened = open_checkpoint(plan.model)
    source = Source((run,), held_out=opened.config.held_out > 0, at_most=how.samples)
    measures = Measures(Asking(Decoding(how.max_new_tokens)), controls=how.controls)
    run_evaluation(opened, source, measures, Path(plan.model, "evaluation.json"), as_json=as_json)


@dataclass(frozen=True)
class Notes:
    """What each step was last done for, in a file of the model's folder that appears whole."""

    folder: Folder
    now: dict[str, Any]
    """By step: what it would be done for now."""

    @classmethod
    def of(cls, plan: Planned, version: str) -> "Notes":
        """Read nothing yet."""
        of: dict[str, Any] = {"version": version, "preset": plan.section.preset, "settings": plan.section.settings}
        of |= {"features": not plan.no_features}
        return cls(Folder(plan.model), {"check": version, "train": of, "evaluate": of | {"how": plan.evaluate}})

    def has(self, step: str) -> bool:
        """Whether a step is done, and what it wrote still here."""
        wrote = WRITES.get(step, NOTES)
        return self._done().get(step) == self.now[step] and self.folder.exists(wrote)

    def add(self, step: str) -> None:
        """Note that a step is done."""
        done = self._done() | {step: self.now[step]}
        self.folder.write(NOTES, (json.dumps(done, indent=1, sort_keys=True) + "\n").encode())

    def _done(self) -> dict[str, Any]:
        return dict(json.loads(self.folder.read(NOTES))) if self.folder.exists(NOTES) else {}


def _say(*, as_json: bool) -> Callable[[str, str], None]:
    def say(step: str, where: str) -> None:
        event = {"event": "begin", "what": step, "where": where}
        print(json.dumps(event) if as_json else f"{step}: {where}", flush=True)

    return say
