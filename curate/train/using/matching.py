"""Re-ranking: what vectors found alike is looked at again, picture and text together.

As BLIP-2 does (arXiv 2301.12597, section 4.4, k = 128): the score of those re-ranked is cosine plus the logit of a true
pair; the others keep their order behind them. Axes as in `embedding`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from curate.train.batch import Example, Text
from curate.train.using.embedding import NOTHING, Vectors
from curate.train.using.items import Item, Told, nobody
from curate.train.using.opened import Opened, chunks

RERANKED = 128
BEHIND = 100.0
"""Taken from what is not re-ranked: more than any logit makes up for."""


def best(scores: Vectors, k: int) -> NDArray[np.bool_]:
    """Return bool of the shape of `scores`: the `k` best of each row, of equals the first."""
    chosen = np.zeros(scores.shape, bool)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.put_along_axis(chosen, order, values=True, axis=1)
    return chosen


def reranked(scores: Vectors, logits: Vectors, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return scores in which the chosen come first, in the order of cosine plus logit."""
    exact = scores.astype(np.float64)  # float32 cannot tell -99.5 from -99.500003
    return np.where(chosen, exact + logits, exact - BEHIND)


def logits_of(
    opened: Opened,
    items: Sequence[Item],
    texts: Sequence[Example],
    chosen_GT: NDArray[np.bool_],
    *,
    blank: bool = False,
    told: Told = nobody,
) -> Vectors:
    """Return float32[G, T]: the logit of a true pair where `chosen_GT`, 0 elsewhere. A picture is looked at once."""
    logits_GT = np.zeros(chosen_GT.shape, np.float32)
    rows = [row for row in range(len(items)) if chosen_GT[row].any()]
    for some in chunks(rows, opened.batch_size):
        seen = look(opened, [items[row] for row in some], blank=blank)
        pairs = [(n, int(t)) for n, row in enumerate(some) for t in np.flatnonzero(chosen_GT[row])]
        for part in chunks(pairs, opened.batch_size):
            here, columns = [n for n, _ in part], [t for _, t in part]
            found = pair_logits(opened, seen[here], [texts[column] for column in columns])
            logits_GT[[some[n] for n in here], columns] = found
        told(len(some))
    return logits_GT


def look(opened: Opened, items: Sequence[Item], *, blank: bool = False) -> torch.Tensor:
    """Return [G, ...]: what the towers say of items' pictures."""
    batch = opened.batch([replace(NOTHING, picture=opened.decoded(item.read())) for item in items], blank=blank)
    with opened.computing():
        return opened.trained.model.seen(batch)


def pair_logits(opened: Opened, seen: torch.Tensor, texts: Sequence[Example]) -> Vectors:
    """Return float32[B]: the logits of pairs. The model must be one that re-ranks."""
    text = Text.padded([example.text for example in texts])
    device = opened.trained.model.device
    moved = Text(text.ids_BL.to(device), text.labels_BL.to(device), text.mask_BL.to(device))
    with opened.computing():
        return np.asarray(opened.model.match_logits(seen, moved).float().cpu().numpy())
