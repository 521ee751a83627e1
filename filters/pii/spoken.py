"""Numbers, addresses and spelled words as people say them, brought into the form that text detectors know.

`five five five, zero one two three` becomes `5550123` and `jane dot smith at example dot com` becomes
`jane.smith@example.com`; each piece remembers which characters of the transcript it stands for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from filters.pii.spans import Span

SCORE = 0.3
"""Of what only this module finds, below every detector's: where both find the same, the detector names it."""
MIN_LETTERS = 4  # "U S A" and "F B I" are spelled and no one's name
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[^\w\s]|_")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_UNITS = _words("zero one two three four five six seven eight nine")
_TEENS = _words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_NUMBERS = {word: str(value) for value, word in enumerate(_UNITS + _TEENS)}
_NUMBERS |= {word: str(value) for value, word in zip(range(20, 100, 10), _TENS, strict=True)}
_TIMES = {"double": 2, "triple": 3}
_BETWEEN = {"oh": "0", "o": "0", "to": "2", "too": "2", "for": "4", "hundred": "00"}
"""Words that are digits only where digits stand around them; `oh`, `o` and `hundred` may also end a number."""
_MISHEARD = {"won": "1", "tree": "3", "free": "3", "fine": "5", "find": "5", "sex": "6", "ate": "8", "nein": "9"}
"""What speech recognition makes of digits (measured: `415, fine, fine, fine, 0137`), where digits stand around."""
_BETWEEN |= _MISHEARD
_ENDING = frozenset({"oh", "o", "hundred"})
_GUESSED = _BETWEEN.keys() - _ENDING
_MOST_LEFT, _MOST_LEFT_GUESSED = 2, 4  # digits that stay as they are: "two, three", "one to one"
_SILENT = frozenset(",-\u2013.()/")
_DOTS = frozenset({"dot", "point"})
_ZONES = frozenset(
    _words("com org net edu gov mil info biz io co uk us ca au de fr es it nl ch at eu jp cn in br se no app dev ai me")
)
_JOINS = {"dot": ".", ".": ".", "underscore": "_", "_": "_", "dash": "-", "hyphen": "-", "-": "-", "plus": "+"}
_AT = frozenset({"at", "@"})
_LIKE_AT = frozenset({"that", "and", "an", "hat", "add"})
"""What speech recognition makes of a quick `at` (measured: `jane.mit that example.com`)."""
_NEVER_LOCAL = frozenset(
    _words(
        "a an and are at be by call can contact e email for from i in is it its mail me my of on or our please reach "
        "send site so that the them then this to us via visit was we web website write you your"
    )
)
_MOST_LOCAL_WORDS = 3


@dataclass(frozen=True)
class Token:
    """A piece of text, and the characters of the transcript it stands for."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True)
class Spoken:
    """A transcript in written form."""

    text: str
    pieces: tuple[tuple[int, int, Token], ...]
    """Characters start (in) to stop (out) of `text`, and what they stand for."""
    found: tuple[Span, ...]
    """What only a listener would find, in characters of the transcript."""

    def heard(self, start: int, stop: int) -> tuple[int, int] | None:
        """Return which characters of the transcript stand behind characters of `text`; None where there are none."""
        behind = [token for begin, end, token in self.pieces if begin < stop and start < end]
        return (behind[0].start, behind[-1].stop) if behind else None


def written(transcript: str, digits_at_least: int) -> Spoken:
    """Write down what was said; numbers of `digits_at_least` digits or more are findings of their own."""
    tokens = [Token(match[0], *match.span()) for match in _TOKEN.finditer(transcript)]
    tokens = list(_numbers(tokens))
    tokens, addresses = _addresses(tokens)
    tokens, spelled = _spelled(tokens)
    numbers = [t for t in tokens if sum(map(str.isdigit, t.text)) >= digits_at_least and not _has_letters(t.text)]
    kinds = (("SPOKEN_NUMBER", numbers), ("SPOKEN_ADDRESS", addresses), ("SPELLED_WORD", spelled))
    found = [Span(t.start, t.stop, kind, SCORE, "spoken") for kind, hits in kinds for t in hits]
    return Spoken(*_laid_out(transcript, tokens), tuple(sorted(found, key=lambda s: (s.start, s.stop))))


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _laid_out(transcript: str, tokens: Sequence[Token]) -> tuple[str, tuple[tuple[int, int, Token], ...]]:
    """Join tokens with what stood between them in the transcript."""
    parts: list[str] = []
    pieces, length, last = [], 0, 0
    for token in tokens:
        gap = transcript[last : token.start]
        parts += [gap, token.text]
        length += len(gap)
        pieces.append((length, length + len(token.text), token))
        length += len(token.text)
        last = token.stop
    return "".join([*parts, transcript[last:]]), tuple(pieces)


def _numbers(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield tokens with each run of spoken digits as one token of digits."""
    place = 0
    while place < len(tokens):
        digits, stop = _run(tokens, place)
        guessed = any(_word(tokens, i) in _GUESSED for i in range(place, stop))
        if stop - place > 1 and sum(map(str.isdigit, digits)) > (_MOST_LEFT_GUESSED if guessed else _MOST_LEFT):
            yield Token(digits, tokens[place].start, tokens[stop - 1].stop)
            place = stop
        else:
            yield tokens[place]
            place += 1


def _run(tokens: Sequence[Token], start: int) -> tuple[str, int]:
    """Return the digits that are said from a token on, and where they end; none where it is no digit."""
    digits, place = "", start + (_word(tokens, start) == "plus")
    stop = start
    while True:
        value, after = _digit(tokens, place, _BETWEEN if digits else _MISHEARD)
        if value is None:
            break
        digits += value
        between, place = _between(tokens, after)
        digits += between
        stop = place if between.isdigit() else after
        place += bool(between.isdigit() and _word(tokens, place) in _SILENT)
    return ("+" if digits and _word(tokens, start) == "plus" else "") + digits, stop


def _digit(tokens: Sequence[Token], place: int, guesses: Mapping[str, str]) -> tuple[str | None, int]:
    """Return what a number word says, or a word that may be one where a digit follows, and where it ends."""
    word = _word(tokens, place)
    if word in guesses and _digit_follows(tokens, place + 1):
        return guesses[word], place + 1
    return _atom(tokens, place)


def _between(tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """Return what stands between two digits, and where it ends: a mark, `dot`, or what sounds like a digit."""
    word = _word(tokens, place)
    if word in _SILENT:
        return "", place + 1
    if word in _DOTS and _atom(tokens, place + 1)[0] is not None:
        return ".", place + 1
    if word in _BETWEEN and (word in _ENDING or _digit_follows(tokens, place + 1)):
        return _BETWEEN[word], place + 1
    return "", place


def _digit_follows(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether the next word is a digit, misheard ones and marks passed over."""
    while _word(tokens, place) in _SILENT or _word(tokens, place) in _BETWEEN:
        place += 1
    return _atom(tokens, place)[0] is not None


def _atom(tokens: Sequence[Token], place: int) -> tuple[str | None, int]:
    """Return what one number word or figure says, and where it ends: `twenty one` is 21, `double five` 55."""
    word = _word(tokens, place)
    if word in _TIMES:
        value = _NUMBERS.get(_word(tokens, place + 1), _word(tokens, place + 1))
        return (value * _TIMES[word], place + 2) if value.isdecimal() and len(value) == 1 else (None, place)
    if word in _TENS:
        unit = _word(tokens, place + 1 + (_word(tokens, place + 1) == "-"))
        if unit in _UNITS[1:]:
            return _NUMBERS[word][0] + _NUMBERS[unit], place + 2 + (_word(tokens, place + 1) == "-")
    if word in _NUMBERS:
        return _NUMBERS[word], place + 1
    return (word, place + 1) if word.isdecimal() else (None, place)


def _word(tokens: Sequence[Token], place: int) -> str:
    return tokens[place].text.lower() if 0 <= place < len(tokens) else ""


def _addresses(tokens: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Return tokens with each spoken host name, and the mailbox before it, as one; and these alone."""
    kept: list[Token] = []
    found: list[Token] = []
    for place, token in enumerate(tokens):
        if kept and kept[-1].stop > token.start:
            continue
        kept.append(token)
        if token.text.lower() in _ZONES and len(kept) > 2 and _joins(kept, len(kept) - 2, "."):  # noqa: PLR2004
            if _word(tokens, place + 1) in _JOINS and _word(tokens, place + 2) in _ZONES:
                continue  # of `co dot uk` the last names the zone
            whole, start = _address(kept)
            kept = [*kept[:start], whole]
            found.append(whole)
    return kept, found


def _joins(tokens: Sequence[Token], place: int, mark: str = "") -> bool:
    """Tell whether a token joins its neighbours: a word as in `a dot b`, or a mark with no space around it."""
    if not 0 < place < len(tokens) - 1:
        return False
    token, joined = tokens[place], _JOINS.get(_word(tokens, place), "")
    close = tokens[place - 1].stop == token.start and token.stop == tokens[place + 1].start
    return bool(joined) and (not mark or joined == mark) and (close or token.text.isalpha())


def _chain(tokens: Sequence[Token], last: int) -> int:
    """Return where a chain of joined words that ends at `last` begins."""
    start = last
    while start > 1 and _joins(tokens, start - 1) and tokens[start - 2].text.isalnum():
        start -= 2
    return start


def _address(tokens: Sequence[Token]) -> tuple[Token, int]:
    """Return the address that ends with the last token, and the place of its first token."""
    host = _chain(tokens, len(tokens) - 1)
    name = "".join(_JOINS.get(t.text.lower(), t.text) for t in tokens[host:])
    start, at = host, _word(tokens, host - 1)
    if at in _AT or at in _LIKE_AT:
        start = _mailbox(tokens, host - 2)
    if start > host - 2 or start < 0:
        return Token(name, tokens[host].start, tokens[-1].stop), host
    mailbox = "".join(_JOINS.get(t.text.lower(), t.text) for t in tokens[start : host - 1])
    return Token(f"{mailbox}@{name}", tokens[start].start, tokens[-1].stop), start


def _mailbox(tokens: Sequence[Token], last: int) -> int:
    """Return where the mailbox that ends at `last` begins; after `last` where none does."""
    start, words = last + 1, 0
    while words < _MOST_LOCAL_WORDS and start > 0:
        text = tokens[start - 1].text
        if not text.isalnum() or text.lower() in _NEVER_LOCAL:
            break
        start = _chain(tokens, start - 1)
        words += 1
    return start if words else len(tokens)


def _spelled(tokens: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Return tokens with each run of single letters as one word, and these words alone."""
    kept: list[Token] = []
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        letters = [place] if _is_letter(tokens, place) else []
        while letters and _is_letter(tokens, after := _next_letter(tokens, letters[-1])):
            letters.append(after)
        if len(letters) >= MIN_LETTERS:
            spelled = "".join(tokens[i].text for i in letters)
            kept.append(Token(spelled.capitalize(), tokens[place].start, tokens[letters[-1]].stop))
            found.append(kept[-1])
            place = letters[-1] + 1
        else:
            kept.append(tokens[place])
            place += 1
    return kept, found


def _next_letter(tokens: Sequence[Token], place: int) -> int:
    return place + 1 + (_word(tokens, place + 1) in _SILENT)


def _is_letter(tokens: Sequence[Token], place: int) -> bool:
    word = _word(tokens, place)
    return len(word) == 1 and word.isalpha()
