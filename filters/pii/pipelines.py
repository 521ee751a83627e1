"""spaCy pipelines: names with as few of their components as give the names that the whole pipeline gives."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from curate.errors import ModelError
from curate.models import Model
from filters.pii.lemmas import Lemmas

BATCH = 128
NAMES, BOUNDARIES = "doc.ents", {"token.is_sent_start", "token.dep"}
"""What components say of themselves: that they give names; that they tell where sentences start."""


class Pipeline:
    """A loaded spaCy pipeline."""

    def __init__(self, model: Model) -> None:
        """Load it.

        Raises:
            ModelError: it is not here, is no pipeline, or recognizes no names.
        """
        self._nlp = _load(model)
        self.language: str = self._nlp.lang
        self.named = f"{self._nlp.meta['lang']}_{self._nlp.meta['name']} {self._nlp.meta['version']}"
        self.lemmas = Lemmas(self._nlp)
        naming = [name for name in self._nlp.pipe_names if NAMES in self._nlp.get_pipe_meta(name).assigns]
        if not naming:
            raise ModelError(f"spaCy pipeline '{model.name}' recognizes no entities; give one with `ner`")
        self._bounding = self._before(naming[0])
        # An entity ruler may look at anything that other components say: then all of them run.
        self._alone = [self._nlp.get_pipe_meta(name).factory for name in naming] == ["ner"]
        self._names_only = self._disabled(naming)
        self._bounds_only = self._disabled(self._bounding)
        self._both = self._disabled([*naming, *self._bounding])

    def labels(self) -> set[str]:
        """Return the labels of names that it gives."""
        return {label for labels in self._nlp.pipe_labels.values() for label in labels}

    def memory_zone(self) -> AbstractContextManager[Any]:
        """Free on leaving what spaCy remembers of words: it keeps every one it ever saw otherwise."""
        return self._nlp.memory_zone()

    def tokens(self, text: str) -> Any:
        """Return the Doc of a text, tokens only."""
        return self._nlp.make_doc(text)

    def whole(self, texts: Sequence[str]) -> list[Any]:
        """Return Docs that went through all components."""
        return list(self._nlp.pipe(texts, batch_size=BATCH))

    def names(self, texts: Sequence[str]) -> list[Any]:
        """Return Docs whose `ents` are those of the whole pipeline.

        spaCy's recognizer never lets a name reach over the start of a sentence, where a parser before it says that one
        starts; otherwise it looks at words only. So it runs alone first; only texts with a name of several words are
        parsed, and only those of which one reaches over a start are read again, with the starts.
        """
        if not self._alone:
            return self.whole(texts)
        docs = list(self._nlp.pipe(texts, disable=self._names_only, batch_size=BATCH))
        if not self._bounding:
            return docs
        if self._names_only == self._both:  # the parser shares a layer that runs anyway
            return docs
        unsure = [place for place, doc in enumerate(docs) if any(len(name) > 1 for name in doc.ents)]
        parsed = self._nlp.pipe((docs[place] for place in unsure), disable=self._bounds_only, batch_size=BATCH)
        crossed = [place for place, doc in zip(unsure, parsed, strict=True) if _crosses(doc)]
        again = self._nlp.pipe([texts[place] for place in crossed], disable=self._both, batch_size=BATCH)
        for place, doc in zip(crossed, again, strict=True):
            docs[place] = doc
        return docs

    def _before(self, naming: str) -> list[str]:
        """Name the components before a recognizer that tell where sentences start."""
        order = self._nlp.pipe_names
        return [
            name for name in order[: order.index(naming)] if BOUNDARIES & set(self._nlp.get_pipe_meta(name).assigns)
        ]

    def _disabled(self, kept: Sequence[str]) -> list[str]:
        """Name all components but some, and those whose output they read."""
        needed = {*kept, *self._heard_by(kept)}
        return [name for name in self._nlp.pipe_names if name not in needed]

    def _heard_by(self, listeners: Iterable[str]) -> Iterator[str]:
        for name, pipe in self._nlp.pipeline:
            if set(getattr(pipe, "listening_components", ())) & set(listeners):
                yield name


def _crosses(doc: Any) -> bool:
    return any(token.is_sent_start for name in doc.ents for token in name[1:])


def _load(model: Model) -> Any:
    import spacy

    model.locate()
    try:
        return spacy.load(model.name.removeprefix("package:"))
    except (OSError, ValueError) as error:
        raise ModelError(f"'{model.name}' is not a spaCy pipeline: {error}") from error
