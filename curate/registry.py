"""Finding stages by name. Ours and anybody's come in through the same door: the entry points `curate.stages`."""

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from curate.errors import RecipeError
from curate.stage import Stage

GROUP = "curate.stages"


@lru_cache(maxsize=1)
def stages() -> dict[str, type[Stage]]:
    """Return every registered stage by name.

    Raises:
        RecipeError: an entry point does not load, or two stages share a name.
    """
    found: dict[str, type[Stage]] = {}
    faults: list[str] = []
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        for stage in _load(point, faults):
            other = found.setdefault(stage.name, stage)
            if other is not stage:
                faults.append(f"stage '{stage.name}' is registered twice: by {other.__module__}, {stage.__module__}")
    if faults:
        raise RecipeError(faults)
    return dict(sorted(found.items()))


def _load(point: EntryPoint, faults: list[str]) -> Iterable[type[Stage]]:
    try:
        loaded = point.load()
    except (ImportError, AttributeError) as error:
        faults.append(f"entry point {GROUP}: {point.name} = {point.value} does not load: {error}")
        return ()
    wrong = [s for s in loaded if not (isinstance(s, type) and issubclass(s, Stage) and hasattr(s, "name"))]
    faults.extend(f"entry point {GROUP}: {point.value} holds {s!r}, which is not a named stage" for s in wrong)
    return [s for s in loaded if s not in wrong]
