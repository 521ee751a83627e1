"""How high the right ones stand: recall at k, reciprocal rank, NDCG and top-k accuracy from a table of scores.

Ties count against us: what scores the same as something wrong stands below it, so a constant scorer finds nothing.
Axes: Q queries, G gallery (what is looked through), N samples, C classes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curate.errors import TrainError

Ranks = NDArray[np.int64]


def ranks(scores_QG: ArrayLike, relevant: Sequence[set[int]]) -> Ranks:
    """Return for each query the place, from 1, of its best relevant item, int64[Q].

    That place is one more than the number of irrelevant items that score at least as high.

    Raises:
        TrainError: the sizes do not fit, a score is not a number, or a query has no relevant item in the gallery.
    """
    scores = _table(scores_QG, len(relevant), "sets of relevant items")
    as_high = np.empty(scores.shape, bool)
    for query, items in enumerate(relevant):
        if not items or min(items) < 0 or max(items) >= scores.shape[1]:
            raise TrainError(f"query {query}: relevant items {sorted(items)} are not 1 or more of {scores.shape[1]}")
        own = list(items)
        as_high[query] = scores[query] >= scores[query, own].max()
        as_high[query, own] = False
    return 1 + as_high.sum(axis=1)


def recall_at(places: Ranks, k: int) -> float:
    """Return the share of queries with a relevant item among the first `k`, as retrieval papers count R@k."""
    return float(np.mean(places <= k))


def mean_reciprocal_rank(places: Ranks) -> float:
    """Return the mean of one over the place."""
    return float(np.mean(1 / places))


def retrieval(scores: ArrayLike, captions_of: Sequence[set[int]], ks: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """Return R@k both ways and the mean reciprocal rank, from scores of pictures (rows) against captions (columns).

    `captions_of` has the columns of the captions of each picture; every caption is of one picture at least. Names are
    `image_to_text_R@1` and the like, `text_to_image_...`.

    Raises:
        TrainError: as `ranks`; a caption of no picture is among them.
    """
    table = _table(scores, len(captions_of), "sets of captions")
    pictures_of: list[set[int]] = [set() for _ in range(table.shape[1])]
    to_text = ranks(table, captions_of)
    for picture, captions in enumerate(captions_of):
        for caption in captions:
            pictures_of[caption].add(picture)
    if lost := [caption for caption, pictures in enumerate(pictures_of) if not pictures]:
        raise TrainError(f"caption {lost[0]} (of {len(lost)}) is of no picture; leave out what cannot be found")
    to_image = ranks(table.T, pictures_of)
    return {
        f"{way}_{name}": figure
        for way, places in (("image_to_text", to_text), ("text_to_image", to_image))
        for name, figure in [*((f"R@{k}", recall_at(places, k)) for k in ks), ("MRR", mean_reciprocal_rank(places))]
    }


def ndcg(scores_QG: ArrayLike, relevance_QG: ArrayLike) -> float:
    """Return the mean NDCG over queries of graded relevance, k being the number of items with any relevance.

    As the dense annotations of VisDial are counted (Das et al. 2017, arXiv 1611.08669; its challenge): gains are the
    relevances, discounts log2(place + 1), and the ideal order stands over the same k. Tied items stand with the
    less relevant first.

    Raises:
        TrainError: the sizes differ, a score is not a number, or a query has nothing relevant.
    """
    relevance = np.asarray(relevance_QG, float)
    scores = _table(scores_QG, len(relevance), "rows of relevance")
    if relevance.shape != scores.shape:
        raise TrainError(f"scores are {scores.shape} and relevances {relevance.shape}; give one for each score")
    if not (np.isfinite(relevance) & (relevance >= 0)).all() or not relevance.any(axis=1).all():
        raise TrainError("a query has a relevance below 0 or not finite, or none above 0; leave such queries out")
    return float(np.mean([_ndcg(*pair) for pair in zip(scores, relevance, strict=True)]))


def _ndcg(scores_G: NDArray[np.floating], relevance_G: NDArray[np.float64]) -> float:
    k = np.count_nonzero(relevance_G)
    discount = 1 / np.log2(np.arange(2, k + 2))
    shown = relevance_G[np.lexsort((relevance_G, -scores_G))][:k]
    ideal = np.sort(relevance_G)[::-1][:k]
    return float(shown @ discount / (ideal @ discount))


def top_k_accuracy(scores_NC: ArrayLike, labels: Sequence[int], ks: Sequence[int] = (1, 5)) -> dict[str, float]:
    """Return the share of samples whose label is among the `k` best classes, by the names `top-1`, `top-5`, ...

    Raises:
        TrainError: as `ranks`.
    """
    places = ranks(scores_NC, [{int(label)} for label in labels])
    return {f"top-{k}": recall_at(places, k) for k in ks}


def _table(scores: ArrayLike, rows: int, what: str) -> NDArray[np.floating]:
    table = np.asarray(scores)
    if table.dtype.kind != "f":  # 5,000 pictures by 25,000 captions are 500 MB: floats stay as they are
        table = table.astype(float)
    if table.ndim != 2 or not table.size or len(table) != rows:  # noqa: PLR2004
        raise TrainError(f"scores are {table.shape} for {rows} {what}; give a row for each")
    if np.isnan(table).any():
        raise TrainError(f"row {int(np.argwhere(np.isnan(table))[0][0])} of the scores holds what is not a number")
    return table
