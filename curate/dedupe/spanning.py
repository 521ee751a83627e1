"""Which of n nodes are joined by the pairs seen so far, and the few pairs that say so.

A cluster of k pictures has up to k * (k - 1) / 2 pairs, and k - 1 of them tell as much. Which pairs are kept depends on
the order of the pairs; which components there are does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.forest import grown

Edges = tuple[NDArray[np.int64], NDArray[np.int64]]


class Spanning:
    """Nodes 0 to n - 1, each alone at first."""

    def __init__(self, nodes: int) -> None:
        """Start with no pair."""
        self.labels = np.arange(nodes)
        """int64[n]: equal for nodes that are joined by pairs that were taken in."""
        self.changes = 0
        """How often `labels` changed."""
        self._edges: list[Edges] = []
        self._waiting: list[Edges] = []
        self._waits = 0

    def add(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        """Note m pairs of nodes. They are taken in once there are many, or `edges` asks."""
        self._waiting.append((left, right))
        self._waits += len(left)
        if self._waits > len(self.labels) // 8:
            self._take_in()

    def edges(self) -> Edges:
        """Return int64[k] twice: pairs among those added, fewer than nodes, that join all that was joined."""
        self._take_in()
        none = np.zeros(0, np.int64)
        left, right = zip((none, none), *self._edges, strict=True)
        return np.concatenate(left), np.concatenate(right)

    def _take_in(self) -> None:
        if not self._waits:
            return
        left, right = (np.concatenate(side) for side in zip(*self._waiting, strict=True))
        self._waiting, self._waits = [], 0
        kept, tree = grown(self.labels[left], self.labels[right], len(self.labels))
        if len(kept):
            self.labels = tree[self.labels]
            self.changes += 1
            self._edges.append((left[kept], right[kept]))


@dataclass(frozen=True)
class Nodes:
    """Which node each of the hashes on the left and on the right of a search belongs to."""

    spanning: Spanning
    left: NDArray[np.int64]
    right: NDArray[np.int64]

    @property
    def changes(self) -> int:
        """Return how often labels changed."""
        return self.spanning.changes

    def of_left(self) -> NDArray[np.int64]:
        """Return the label of each hash on the left."""
        return self.spanning.labels[self.left]

    def of_right(self) -> NDArray[np.int64]:
        """Return the label of each hash on the right."""
        return self.spanning.labels[self.right]
