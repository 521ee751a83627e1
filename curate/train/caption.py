"""Captions as BLIP-2's code writes them: small letters, no marks that end or part sentences, fifty words."""

import re

from curate.train.template import Unusable

WORDS = 50
_MARKS = re.compile(r"[.!\"()*#:;~]")
_SPACES = re.compile(r"\s+")


def cleaned(caption: str) -> str:
    """Return a caption cleaned.

    Raises:
        Unusable: no word is left.
    """
    plain = _SPACES.sub(" ", _MARKS.sub(" ", caption.lower())).strip()
    words = plain.split(" ")[:WORDS]
    if not plain:
        raise Unusable("caption_missing")
    return " ".join(words)
