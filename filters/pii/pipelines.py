"""spaCy pipelines: the names that the whole pipeline gives, with as little of it as that takes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from curate.errors import ModelError
from curate.models import Model
from filters.pii.lemmas import Lemmas
from filters.pii.naming import Name, NameReader, is_readable

BATCH = 128
NAMES, BOUNDARIES = "doc.ents", {"token.is_sent_start", "token.dep"}
"""What components say of themselves: that they give names; that they tell where sentences start."""


class Labelled(NamedTuple):
    """A name: characters start (in) to stop (out)."""

    start: int
    stop: int
    label: str


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
        self._reader = self._readable(naming)
        bounding = self._bounding(naming[0])
        self._bounds = bool(bounding)
        self._unneeded = self._other_than({*bounding, *self._heard_by(bounding)})

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

    def names(self, texts: Sequence[str]) -> tuple[list[Any], list[list[Labelled]]]:
        """Return Docs, of which the tokens are told, and the names that the whole pipeline finds in them.

        spaCy's recognizer never lets a name reach over the start of a sentence, where a parser before it says that one
        starts; otherwise it looks at words only. So it reads alone first; only texts with a name of several words are
        parsed, and only those of which one reaches over a start are read again, with the starts.
        """
        if self._reader is None:
            docs = self.whole(texts)
            return docs, [[Labelled(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs]
        docs = [self._nlp.make_doc(text) for text in texts]
        names = self._read(self._reader, docs)
        return docs, [_placed(doc, found) for doc, found in zip(docs, names, strict=True)]

    def _read(self, reader: NameReader, docs: Sequence[Any]) -> list[list[Name]]:
        names = _in_batches(reader, docs, [None] * len(docs))
        unsure = [i for i, found in enumerate(names) if any(name.stop - name.start > 1 for name in found)]
        if not self._bounds or not unsure:
            return names
        parsed = self._nlp.pipe((docs[i] for i in unsure), disable=self._unneeded, batch_size=BATCH)
        starts = [doc.to_array("SENT_START") == 1 for doc in parsed]
        crossed = [(i, at) for i, at in zip(unsure, starts, strict=True) if _crosses(names[i], at)]
        again = _in_batches(reader, [docs[i] for i, _ in crossed], [at for _, at in crossed])
        for (i, _), found in zip(crossed, again, strict=True):
            names[i] = found
        return names

    def _readable(self, naming: Sequence[str]) -> NameReader | None:
        """Return a reader of names where nothing but one recognizer of words gives them."""
        factories = [self._nlp.get_pipe_meta(name).factory for name in naming]
        # An entity ruler may look at anything that other components say, a shared layer must run first.
        if factories != ["ner"] or list(self._heard_by(naming)):
            return None
        ner = self._nlp.get_pipe(naming[0])
        return NameReader(ner) if is_readable(ner) else None

    def _bounding(self, naming: str) -> list[str]:
        """Name the components before a recognizer that tell where sentences start."""
        before = self._nlp.pipe_names[: self._nlp.pipe_names.index(naming)]
        return [name for name in before if BOUNDARIES & set(self._nlp.get_pipe_meta(name).assigns)]

    def _other_than(self, kept: set[str]) -> list[str]:
        return [name for name in self._nlp.pipe_names if name not in kept]

    def _heard_by(self, listeners: Iterable[str]) -> Iterator[str]:
        """Name the components whose output others read."""
        for name, pipe in self._nlp.pipeline:
            if set(getattr(pipe, "listening_components", ())) & set(listeners):
                yield name


def _in_batches(reader: NameReader, docs: Sequence[Any], starts: Sequence[np.ndarray | None]) -> list[list[Name]]:
    batches = range(0, len(docs), BATCH)
    return [found for at in batches for found in reader.read(docs[at : at + BATCH], starts[at : at + BATCH])]


def _crosses(names: Sequence[Name], starts: np.ndarray) -> bool:
    return any(starts[name.start + 1 : name.stop].any() for name in names)


def _placed(doc: Any, names: Sequence[Name]) -> list[Labelled]:
    """Return names by their characters."""
    placed = []
    for name in names:
        last = doc[name.stop - 1]
        placed.append(Labelled(doc[name.start].idx, last.idx + len(last), name.label))
    return placed


def _load(model: Model) -> Any:
    import spacy
    from thinc.api import use_ops

    model.locate()
    try:
        # The matrix products of NumPy's library take a third of the time of those of spaCy's default, BLIS.
        with use_ops("numpy", use_blis=False):
            return spacy.load(model.name.removeprefix("package:"))
    except (OSError, ValueError) as error:
        raise ModelError(f"'{model.name}' is not a spaCy pipeline: {error}") from error
