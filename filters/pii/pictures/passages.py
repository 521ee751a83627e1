"""The texts that the lines of a picture make, for detectors of text, and the way back from a text to its lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as altered

from filters.pii.pictures.reading import Line
from filters.pii.spans import Span

_LOST_BLANK = re.compile(
    r"(?<=[:;,])(?=[^\W_])"  # Contact:Jane, Smith,born
    r"|(?<=[a-z])(?=[A-Z])"  # JaneSmith
    r"|(?<=[^\W\d_]{2})(?=[\d(+])"  # SSN536, Phone(212)
    r"|(?<=\d)(?=[A-Za-z]{3})"  # 0187SSN
)
_MOST_APART = 1.0
"""Line heights between two lines, bottom to top, of one block."""
_MOST_UNLIKE = 1.7
"""Heights of two lines of one block, the larger over the smaller."""


@dataclass(frozen=True)
class Passage:
    """A text, and for each of its characters the line and the character there; None for what was put between."""

    text: str
    origin: tuple[tuple[int, int] | None, ...]

    def in_lines(self, span: Span) -> Iterator[tuple[int, Span]]:
        """Yield the lines that a finding touches, each with the characters there, first to last."""
        touched: dict[int, list[int]] = {}
        for place in self.origin[span.start : span.stop]:
            if place is not None:
                touched.setdefault(place[0], []).append(place[1])
        for line, characters in touched.items():
            yield line, altered(span, start=min(characters), stop=max(characters) + 1)


def passages(lines: Sequence[Line]) -> list[Passage]:
    """Return each line, all of them in reading order, and blocks of lines under one another; distinct texts once.

    Each comes as it was read, with blanks where letters and marks say that reading lost one, and with blanks where
    there is bare paper too: none of the three is always right. Lines of a block are joined by blanks, so that a name
    or an address that goes on below is one.
    """
    groups = [([index], "\n") for index in range(len(lines))]
    if len(lines) > 1:
        groups.append((list(range(len(lines))), "\n"))
    groups += [(block, " ") for block in _blocks(lines)]
    made: dict[str, Passage] = {}
    for parted in (_as_read, _by_letters, _by_paper):
        parts = [parted(index, line) for index, line in enumerate(lines)]
        for members, between in groups:
            passage = _joined([parts[index] for index in members], between)
            made.setdefault(f"{members} {passage.text}", passage)
    return list(made.values())


def written(line: Line) -> str:
    """Return a line's text with the blanks that reading lost."""
    return _by_paper(0, line).text


def _as_read(index: int, line: Line) -> Passage:
    return Passage(line.text, tuple((index, place) for place in range(len(line.text))))


def _by_letters(index: int, line: Line) -> Passage:
    return _parted(index, line, {match.start() for match in _LOST_BLANK.finditer(line.text)})


def _by_paper(index: int, line: Line) -> Passage:
    return _parted(index, line, {match.start() for match in _LOST_BLANK.finditer(line.text)} | set(line.gaps))


def _parted(index: int, line: Line, breaks: set[int]) -> Passage:
    text, origin = "", list[tuple[int, int] | None]()
    for place, character in enumerate(line.text):
        if place in breaks and text and not text.endswith(" "):
            text += " "
            origin.append(None)
        text += character
        origin.append((index, place))
    return Passage(text, tuple(origin))


def _joined(parts: Sequence[Passage], between: str) -> Passage:
    text, origin = parts[0].text, [*parts[0].origin]
    for part in parts[1:]:
        text += between + part.text
        origin += [*[None] * len(between), *part.origin]
    return Passage(text, tuple(origin))


def _blocks(lines: Sequence[Line]) -> list[list[int]]:
    """Return runs of two lines and more, each right under the one before."""
    below = {index: _below(index, lines) for index in range(len(lines))}
    followed = set(below.values())
    blocks = []
    for first in range(len(lines)):
        if first in followed:
            continue
        block, after = [first], below[first]
        while after is not None and after not in block:
            block.append(after)
            after = below[after]
        if len(block) > 1:
            blocks.append(block)
    return blocks


def _below(index: int, lines: Sequence[Line]) -> int | None:
    """Return the nearest line just under a line that is of its size and shares half of the narrower's width."""
    left, top, right, bottom = _extent(lines[index])
    nearest, least = None, _MOST_APART * lines[index].height
    for other, line in enumerate(lines):
        other_left, other_top, other_right, _ = _extent(line)
        shared = min(right, other_right) - max(left, other_left)
        sizes = sorted((max(line.height, 1.0), max(lines[index].height, 1.0)))
        is_under = other_top > (top + bottom) / 2 and shared > min(right - left, other_right - other_left) / 2
        if is_under and sizes[1] / sizes[0] < _MOST_UNLIKE and other_top - bottom < least:
            nearest, least = other, other_top - bottom
    return nearest


def _extent(line: Line) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in line.corners], [y for _, y in line.corners]
    return min(xs), min(ys), max(xs), max(ys)
