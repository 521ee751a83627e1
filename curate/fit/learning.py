"""fastText's own learning, made repeatable."""

import contextlib
import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate.errors import InputError

_M_PERTURB, _TO_ZEROS, _OFF = -6, 0xFF, 0  # of glibc's malloc.h: new memory is filled with 0xff minus this byte


def supervise(path: Path, **settings: Any) -> Any:
    """Learn a classifier with one thread; the same file, seed and settings give the same model.

    Raises:
        InputError: learning diverged, or this machine cannot repeat it.
    """
    import fasttext

    with _zeroed_memory():
        try:
            return fasttext.train_supervised(input=str(path), thread=1, loss="softmax", verbose=0, **settings)
        except RuntimeError as error:
            raise InputError(f"learning failed: {error}. Lower --learning-rate") from error


@contextlib.contextmanager
def _zeroed_memory() -> Iterator[None]:
    """Have malloc give zeros.

    With one thread fastText draws the first tenth of its word vectors and leaves the others as malloc gave them (its
    `DenseMatrix::uniform` draws a tenth a thread, up to ten). Fresh pages are zeros, so large models learn; a small one
    finds what was freed before: seen as other weights each time, and as `Encountered NaN` in two of three tries.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError as error:
        raise InputError(
            "fitting needs glibc: fastText reads memory that it did not fill, which glibc can zero"
        ) from error
    mallopt(_M_PERTURB, _TO_ZEROS)
    try:
        yield
    finally:
        mallopt(_M_PERTURB, _OFF)
