"""E-mail addresses below domains that no public registry lists: `jane@mail.corp`, `jane@host.internal`.

Presidio takes an address only under a public suffix. Names of files and of packages look alike and are left out.
"""

import re
from collections.abc import Iterator

from filters.pii.recognizers.recognizer import Found, Recognizer

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?<![\w.@+-])[\w+-]{{1,40}}(?:\.[\w+-]{{1,40}}){{0,4}}@(?:{_LABEL}\.){{1,4}}([A-Za-z]{{2,24}})(?![\w@-]|\.[\w-])"
)
_FILES = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "ico",
        "js",
        "mjs",
        "ts",
        "css",
        "html",
        "json",
        "py",
        "so",
        "dll",
        "tgz",
    ]
)
"""Endings of files: `icon@2x.png` is none's address."""
SCORE = 0.4
"""Above the default threshold, below what Presidio gives an address under a public suffix."""


def _find(text: str) -> Iterator[Found]:
    for hit in _ADDRESS.finditer(text):
        if hit[1].lower() not in _FILES:
            yield Found(*hit.span(), SCORE)


PRIVATE_EMAILS = Recognizer(name="PrivateEmailRecognizer", entity="EMAIL_ADDRESS", needs=r"\w@\w", find=_find)
