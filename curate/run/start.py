"""Choosing the Ray runner without importing Ray before it is asked for."""

import importlib.util
from typing import TYPE_CHECKING

from curate.errors import RunError

if TYPE_CHECKING:
    from curate.run.ray import RayRunner


def start_ray(workers: int | None, stall_timeout_s: float) -> "RayRunner":
    """Connect to Ray, or start it on this machine.

    Raises:
        RunError: Ray is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise RunError(
            "Ray is not installed. Install it with `pip install 'curate-multimodal[cluster]'`, or add --local."
        )
    from curate.run.ray import RayRunner

    return RayRunner(workers, stall_timeout_s)
