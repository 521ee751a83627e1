"""Looking through a gallery: pictures for a text, captions for a picture, pictures for a text with pictures in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curate.errors import TrainError
from curate.train.batch import Example
from curate.train.template import PICTURE, Unusable
from curate.train.using import embedding, matching
from curate.train.using.abilities import Interleaves, able
from curate.train.using.embedding import Vectors
from curate.train.using.items import Item, Items, Told, nobody
from curate.train.using.opened import Opened


@dataclass(frozen=True)
class Query:
    """What is searched by."""

    text: str = ""
    """May hold `<image>` where each picture stands; without any, pictures stand before it."""
    pictures: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Hit:
    """One sample that was found."""

    key: str
    score: float
    caption: str


@dataclass(frozen=True)
class Search:
    """How a gallery is looked through."""

    top: int = 10
    rerank: int = matching.RERANKED
    """The best so many are looked at again, where the model can."""


def retrieve(opened: Opened, query: Query, gallery: Items, search: Search, told: Told = nobody) -> list[Hit]:
    """Return the best of a gallery: pictures for a text, captions for a picture alone.

    Raises:
        TrainError: the architecture cannot search by such a query, or nothing in the gallery can be used.
    """
    opened.embeds()
    if not query.text.strip() and len(query.pictures) != 1:
        raise TrainError("search by a text, by one picture, or by a text with pictures")
    if query.text.strip():
        found, scores = _by_text(opened, query, gallery, search, told)
    else:
        found, scores = _by_picture(opened, query.pictures[0], gallery, search, told)
    order = np.argsort(-scores, kind="stable")[: search.top]
    return [Hit(found[n].key, float(scores[n]), next(iter(found[n].answers), "")) for n in order]


def _by_text(
    opened: Opened, query: Query, gallery: Items, search: Search, told: Told
) -> tuple[Sequence[Item], NDArray[np.floating]]:
    vector_1E, example = _asked(opened, query)
    parts = [
        embedding.similarity(part, vector_1E) for part in embedding.of_pictures(opened, gallery.found, told=told)
    ]
    scores_G1 = np.concatenate(parts)
    if opened.reranks is not None and search.rerank:
        chosen = matching.best(scores_G1.T, search.rerank).T
        logits = matching.logits_of(opened, gallery.found, [example], chosen)
        return gallery.found, matching.reranked(scores_G1, logits, chosen)[:, 0]
    return gallery.found, scores_G1[:, 0]


def _by_picture(
    opened: Opened, picture: bytes, gallery: Items, search: Search, told: Told
) -> tuple[Sequence[Item], NDArray[np.floating]]:
    shown = Item("", "", lambda: picture, gallery.found[0].posed)
    vectors_1QE = embedding.of_pixels(opened, [opened.given(picture)])
    found, texts = _captions(opened, gallery)
    scores_1T = embedding.similarity(vectors_1QE, embedding.of_texts(opened, texts))
    told(len(found))
    if opened.reranks is not None and search.rerank:
        chosen = matching.best(scores_1T, search.rerank)
        logits = matching.logits_of(opened, [shown], texts, chosen)
        return found, matching.reranked(scores_1T, logits, chosen)[0]
    return found, scores_1T[0]


def _captions(opened: Opened, gallery: Items) -> tuple[list[Item], list[Example]]:
    """Return the items that have a caption, and the first one's numbers."""
    found, texts = [], []
    for item in gallery.found:
        try:
            texts.append(opened.reads().captioned(next(iter(item.answers), "")))
        except Unusable:
            continue
        found.append(item)
    if not found:
        raise TrainError("no sample of the gallery has a caption to be found by a picture; search by --text")
    return found, texts


def _asked(opened: Opened, query: Query) -> tuple[Vectors, Example]:
    """Return the vector [1, E] of a text, with the pictures that stand in it, and the text."""
    text = _placed(query)
    if query.pictures:
        able(opened.config.preset, opened.examples, Interleaves, "Search by one of them, or train fromage")
    example = opened.query(text)
    batch = opened.batch([example])
    if query.pictures:
        pixels = np.stack([opened.given(picture) for picture in query.pictures])
        batch = replace(batch, pictures=opened.transform.normalised(pixels).to(batch.pictures.device))
    with opened.computing():
        return opened.embeds().embed_texts(batch).float().cpu().numpy(), example


def _placed(query: Query) -> str:
    places, pictures = query.text.count(PICTURE), len(query.pictures)
    if not places:
        return PICTURE * pictures + query.text.strip()
    if places != pictures:
        raise TrainError(f"the text has {places} places {PICTURE} for {pictures} pictures; give one picture for each")
    return query.text.strip()
