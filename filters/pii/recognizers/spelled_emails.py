"""E-mail addresses spelled so that no program finds them: "jane dot smith at example dot com"."""

import re
from collections.abc import Iterator

from filters.pii.recognizers.recognizer import Found, Recognizer

_OPEN, _CLOSE = r"[ ]?[\[({<][ ]?", r"[ ]?[\])}>][ ]?"
_MARKED_AT = (
    rf"(?:{_OPEN}(?:at|@|a|ät|arroba){_CLOSE}|[ ]?(?:_at_|&#64;|&commat;|%40|\uff20|\ufe6b)[ ]?|[ ]@[ ]|[ ]@|@[ ])"
)
_MARKED_DOT = (
    rf"(?:{_OPEN}(?:dot|\.|punkt|punto|point){_CLOSE}|[ ](?:dot|punkt|punto)[ ]"
    r"|[ ]?\.[ ](?=[a-z]{2,6}\b)|[ ]\.[ ]?)"
)
_DOT = rf"(?:{_MARKED_DOT}|\.)"
_LABEL = r"[A-Za-z0-9](?:[\w-]{0,60}[A-Za-z0-9])?"
_LOCAL = rf"(?<![\w.@])[\w+-]{{1,40}}(?:{_DOT}[\w+-]{{1,40}}){{0,3}}"
# What ends a plain sentence must not end an address: "in", "it", "is", "at", "be", "me", "so", "to" are countries too.
_TLD = (
    r"(?:com|org|net|edu|gov|info|io|dev|biz|name|co(?:{dot}(?:uk|jp|nz|za|in|kr))?|ac{dot}uk|uk|de|fr|es|nl|eu|ca|au|jp|ch|pl|se"
    r"|dk|fi|cz|pt|br|mx|ru|cn|example|test)(?![\w-])"
)
_END = _TLD.replace("{dot}", _DOT)
_FREE = (
    r"(?:gmail|googlemail|yahoo|hotmail|outlook|live|icloud|aol|protonmail|proton|gmx|web|mail|yandex|zoho|fastmail)"
)

_MARKED = re.compile(rf"(?i){_LOCAL}{_MARKED_AT}{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}{_DOT}{_END}")
_WORDS = re.compile(rf"(?i){_LOCAL}[ ]at[ ]{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}[ ](?:dot|punkt|punto)[ ]{_END}")
_SIGN = re.compile(rf"(?i)(?<![\w.@])[\w.+-]{{1,64}}@{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}{_MARKED_DOT}{_END}")
# With plain "at" and plain dots only a name with a dot or a figure in it, a mail provider, or angle brackets tell.
_PLAIN = re.compile(
    r"(?i)(?<![\w.@])(?:[a-z]{2,30}[._][a-z]{2,30}|[a-z]{2,30}[0-9]{1,4})"
    rf"[ ]at[ ]{_LABEL}(?:\.{_LABEL}){{0,2}}\.{_END}"
    rf"|(?<![\w.@])[\w.+-]{{2,64}}[ ]at[ ]{_FREE}\.{_END}"
    rf"|(?<=<)[\w.+-]{{1,64}}[ ]at[ ]{_LABEL}(?:\.{_LABEL}){{0,3}}\.[a-z]{{2,12}}(?=>)"
)


def _find(text: str) -> Iterator[Found]:
    for pattern, score in ((_MARKED, 0.8), (_WORDS, 0.8), (_SIGN, 0.8), (_PLAIN, 0.5)):
        for hit in pattern.finditer(text):
            yield Found(*hit.span(), score)


SPELLED_EMAILS = Recognizer(
    name="SpelledEmailRecognizer",
    entity="EMAIL_ADDRESS",
    needs=(
        r"(?i)[\[({<][ ]?(?:at|ät|arroba|a|@)[ ]?[\])}>]|_at_|@[ ]|[ ]@|&#64;|&commat;|%40|[\uff20\ufe6b]"
        r"|@[^\n@]{1,200}(?:dot|punkt|punto|[\[({<]|[ ]\.)"
        r"|[ ]at[ ][\w-]{1,63}(?:\.\w|[ ]?[\[({<.]|[ ](?:dot|punkt|punto)[ ])"
    ),
    find=_find,
)
