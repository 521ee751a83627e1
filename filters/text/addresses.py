"""Which chunks are addresses of the web or of mail: they are one word, whatever signs they hold.

The expression is Diego Perini's (gist.github.com/dperini/729294, MIT) as spaCy changed it (MIT).
"""

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filters.text.classes import character_class
from filters.text.slices import Positions, Slice

LONGEST = 2048
"""A longer chunk is taken for no address: the expression would be slow on it."""
_HOST = "A-Za-z0-9\u00a1-\uffff"
_OCTET = r"\.(?:1?\d{1,2}|2[0-4]\d|25[0-5])"
_PROTOCOL_AND_USER = r"(?:[\w+\-.]{2,}://)?(?:\S+(?::\S*)?@)?"
_PRIVATE = (
    r"(?!(?:10|127)(?:\.\d{1,3}){3})(?!(?:169\.254|192\.168)(?:\.\d{1,3}){2})"
    r"(?!172\.(?:1[6-9]|2\d|3[0-1])(?:\.\d{1,3}){2})"
)
_NUMBERS = rf"(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3])(?:{_OCTET}){{2}}(?:\.(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-4]))"
_NAMES = rf"(?:(?:[{_HOST}][{_HOST}_-]{{0,62}})?[{_HOST}]\.)+"


def is_address(text: Slice, starts: Positions, ends: Positions, spans: Positions) -> NDArray[np.bool_]:
    """Return bool[m]: whether the span that each of `spans`, in order, names is an address.

    Only spans with a full stop before a letter are looked at, each once.
    """
    asked = np.unique(spans)
    dots = text.places(".")
    following = np.searchsorted(dots, starts[asked])
    dotted = following < len(dots)
    dotted[dotted] = dots[following[dotted]] < ends[asked[dotted]]
    dotted &= ends[asked] - starts[asked] <= LONGEST
    asked = asked[dotted]
    found = [
        _matches(text.points[start:end].tobytes())
        for start, end in zip(starts[asked].tolist(), ends[asked].tolist(), strict=True)
    ]
    return np.isin(spans, asked[np.array(found, np.bool_)])


@lru_cache(maxsize=1 << 16)
def _matches(points: bytes) -> bool:
    return _address().match(points.decode("utf-32-le")) is not None


@lru_cache(maxsize=1)
def _address() -> re.Pattern[str]:
    top = f"[{character_class('lower')}]{{2,63}}"
    return re.compile(rf"{_PROTOCOL_AND_USER}(?:{_PRIVATE}{_NUMBERS}|{_NAMES}{top})(?::\d{{2,5}})?(?:[/?#]\S*)?$")
