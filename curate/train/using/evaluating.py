"""How good a model is, and whether it looks: the same scores with the pictures, with blank ones and with others.

What blank or exchanged pictures score is what words alone are worth. Axes as in `embedding`; C classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from curate.errors import TrainError, nearest
from curate.train.batch import Example
from curate.train.template import Unusable
from curate.train.using import embedding, figures, matching, speaking
from curate.train.using.abilities import Embeds, Speaks
from curate.train.using.figures import Figures
from curate.train.using.items import Item, Items, exchanged, usable
from curate.train.using.matching import RERANKED
from curate.train.using.opened import Opened
from curate.train.using.speaking import Asking

Sight = Literal["real", "blank", "shuffled"]
Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Measures:
    """What is measured, and how."""

    asking: Asking = field(default_factory=Asking)
    rerank: int = RERANKED
    classes: tuple[str, ...] = ()
    """Names of classes to tell apart without having been trained to."""
    template: str = "a photo of a {}"
    controls: bool = True
    """Whether blank and exchanged pictures are shown too."""


@dataclass(frozen=True)
class Showing:
    """Items as they are shown this time."""

    items: Sequence[Item]
    sight: Sight
    progress: Progress

    @property
    def blank(self) -> bool:
        """Whether every picture is the mean colour."""
        return self.sight == "blank"

    def told(self, doing: str) -> Callable[[int], None]:
        """Return what counts items that are done."""
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            self.progress({"event": doing, "pictures": self.sight, "done": done, "of": len(self.items)})

        return more


def evaluate(opened: Opened, items: Items, measures: Measures, progress: Progress) -> dict[str, Any]:
    """Return the scores by name, each real, blank and shuffled with its interval, and what could not be used.

    Raises:
        TrainError: the architecture cannot be measured so, or no item can be used.
    """
    tasks = _tasks(opened, items, measures)
    left = usable(opened, items, lambda item: [task.asks(item) for task in tasks])
    scores: dict[str, Figures] = {}
    for showing in _showings(left.found, measures, progress):
        scores[showing.sight] = {}
        for task in tasks:
            scores[showing.sight] |= task.scored(showing)
    return {
        "checkpoint": str(opened.folder),
        "preset": opened.config.preset,
        "samples": len(left.found),
        "failed": dict(left.failed),
        "scores": _by_name(scores),
    }


def _by_name(scores: Mapping[str, Figures]) -> dict[str, dict[str, dict[str, float | None]]]:
    names = next(iter(scores.values()))
    return {name: {sight: scored[name]._asdict() for sight, scored in scores.items()} for name in names}


def _showings(items: Sequence[Item], measures: Measures, progress: Progress) -> list[Showing]:
    showings = [Showing(items, "real", progress)]
    if measures.controls:
        showings.append(Showing(items, "blank", progress))
        others = exchanged(items)
        showings += [Showing(others, "shuffled", progress)] if others else []
    return showings


class _Said:
    """Captions or answers against what people wrote."""

    def __init__(self, opened: Opened, measures: Measures, items: Items) -> None:
        self.opened, self.asking = opened, measures.asking
        self.talks = self.asking.question is None and any(item.posed.talks for item in items.found)

    def asks(self, item: Item) -> None:
        self.opened.examples.asked(self.asking.spelled(item.question))

    def scored(self, showing: Showing) -> Figures:
        told = showing.told("asked")
        said = list(speaking.answers(self.opened, showing.items, self.asking, blank=showing.blank, told=told))
        answers = [item.answers for item in showing.items]
        return figures.of_answers(said, answers) if self.talks else figures.of_captions(said, answers)


class _Found:
    """Captions for pictures, and pictures for captions."""

    def __init__(self, opened: Opened, measures: Measures) -> None:
        self.opened, self.rerank = opened, measures.rerank if opened.reranks is not None else 0

    def asks(self, item: Item) -> None:
        if item.posed.talks:
            raise TrainError(f"{self.opened.config.preset} compares pictures with captions, and answers no question")
        for caption in item.answers:
            self.opened.reads().captioned(caption)

    def scored(self, showing: Showing) -> Figures:
        columns: dict[str, int] = {}
        texts_of = [{columns.setdefault(text, len(columns)) for text in item.answers} for item in showing.items]
        texts = [self.opened.reads().captioned(text) for text in columns]
        scores_GT = _alike(self.opened, showing, texts)
        ways = {"image_to_text": False, "text_to_image": True}
        found = {
            f"{way}_{name}": figure
            for way, pictures in ways.items()
            for name, figure in figures.of_ranking(scores_GT, texts_of, pictures=pictures).items()
        }
        return found | (self._reranked(showing, texts, scores_GT, texts_of) if self.rerank else {})

    def _reranked(
        self, showing: Showing, texts: Sequence[Example], scores_GT: embedding.Vectors, texts_of: Sequence[set[int]]
    ) -> Figures:
        """Look again at the best of each picture and of each text; a pair that both name is looked at once."""
        of_picture, of_text = matching.best(scores_GT, self.rerank), matching.best(scores_GT.T, self.rerank).T
        told = showing.told("re-ranked")
        logits = matching.logits_of(
            self.opened, showing.items, texts, of_picture | of_text, blank=showing.blank, told=told
        )
        scored: Figures = {}
        for way, chosen, pictures in (("image_to_text", of_picture, False), ("text_to_image", of_text, True)):
            again = matching.reranked(scores_GT, logits, chosen)
            found = figures.of_ranking(again, texts_of, pictures=pictures)
            scored |= {f"{way}_reranked_{name}": figure for name, figure in found.items()}
        return scored


class _Classed:
    """Classes told apart by their names alone (Radford et al. 2021, arXiv 2103.00020, section 3.1)."""

    def __init__(self, opened: Opened, measures: Measures) -> None:
        if "{}" not in measures.template:
            raise TrainError(f"the template {measures.template!r} has no place for a class: write {{}} there")
        opened.embeds()
        self.opened, self.classes = opened, measures.classes
        self.texts = [self._read(measures.template.replace("{}", name)) for name in measures.classes]

    def _read(self, text: str) -> Example:
        try:
            return self.opened.reads().captioned(text)
        except Unusable as reason:
            raise TrainError(f"the class {text!r} cannot be used: {reason}") from None

    def asks(self, item: Item) -> None:
        if item.label not in self.classes:
            raise TrainError(f"class {item.label!r} is not one of --classes.{nearest(item.label, self.classes)}")

    def scored(self, showing: Showing) -> Figures:
        labels = [self.classes.index(item.label) for item in showing.items]
        return figures.of_classes(_alike(self.opened, showing, self.texts), labels)


def _tasks(opened: Opened, items: Items, measures: Measures) -> list[_Said | _Found | _Classed]:
    if measures.classes:
        return [_Classed(opened, measures)]
    compares = isinstance(opened.model, Embeds) and not any(item.posed.talks for item in items.found)
    found: list[_Said | _Found | _Classed] = [_Found(opened, measures)] if compares else []
    if isinstance(opened.model, Speaks):
        found.append(_Said(opened, measures, items))
    return found or [_Found(opened, measures)]


def _alike(opened: Opened, showing: Showing, texts: Sequence[Example]) -> embedding.Vectors:
    """Return float32[G, T] without holding the vectors of more than a batch of pictures."""
    texts_TE = embedding.of_texts(opened, texts)
    told = showing.told("embedded")
    parts = embedding.of_pictures(opened, showing.items, blank=showing.blank, told=told)
    return np.concatenate([embedding.similarity(part, texts_TE) for part in parts])
