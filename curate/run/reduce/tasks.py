"""How tasks of a Reduce are handed out."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol


class Each(Protocol):
    """Calls a function for many tuples of arguments, here or on a cluster; results come in any order."""

    def __call__(self, task: Callable[..., Any], items: Iterable[tuple[object, ...]]) -> Iterator[Any]:
        """Call `task(*item)` for each item."""
