"""Cutting chunks of text that stand between spaces into words, by the rules of spaCy's English tokenizer.

Prefixes and suffixes are taken off a chunk's ends, one of each a round, until nothing comes off or what is left is an
exception; what is left is cut at infixes unless it is an address. Words are cut the same in every language: other
languages' exceptions are not known. All chunks of a slice take a round together. The rules are spaCy's
(spacy.io/usage/linguistic-features#how-tokenizer-works); the code is not.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filters.text.addresses import is_address
from filters.text.classes import (
    ALPHA,
    CURRENCY,
    DIGIT,
    HYPHEN,
    INFIX,
    JOINT,
    LOWER,
    PREFIX,
    QUOTE,
    RELATION,
    STOP_AFTER,
    SUFFIX,
    UPPER,
)  # fmt: skip
from filters.text.exceptions import NONE, exceptions, units
from filters.text.slices import Positions, Slice

Mask = NDArray[np.bool_]

ROUNDS = 200
"""After so many, a chunk is cut no further from its ends. Runs of one sign go at once: see `_hasten`."""
HASTE = 40
_DOT, _PLUS, _DASH, _LONG_DASH, _ELLIPSIS, _COMMA = (ord(c) for c in ".+-—…,")
_S = np.array([ord("s"), ord("S")], np.uint32)
_APOSTROPHES = np.array([ord("'"), ord("\u2019")], np.uint32)
_BEFORE_DOLLAR = {1: (np.array([ord("C"), ord("A")], np.uint32),), 2: (np.array([ord("U")]), np.array([ord("S")]))}
_LONGEST_UNIT = 6


@dataclass
class Cutter:
    """A slice being cut: `edge` says where a word, or white space between two, begins."""

    slice: Slice
    edge: Mask
    """bool[n + 1]"""
    knows_exceptions: bool = True

    def cut(self, starts: Positions, ends: Positions) -> None:
        """Mark where words begin inside chunks that stand in order."""
        special = [self._exceptional(starts, ends)]
        starts, ends = starts[~special[0]], ends[~special[0]]
        left: list[tuple[Positions, Positions]] = []
        for number in range(ROUNDS):
            if len(starts) == 0:
                break
            if number % HASTE == HASTE - 1:
                starts, ends = self._hasten(starts, ends)
            starts, ends, done = self._round(starts, ends)
            left.append(done)
        left.append((starts, ends))
        firsts, lasts = (np.concatenate([some[side] for some in left]) for side in (0, 1))
        order = np.argsort(firsts)
        self._cut_inside(firsts[order], lasts[order])

    def _exceptional(self, starts: Positions, ends: Positions) -> Mask:
        """Tell which spans are exceptions, and cut them."""
        found = np.full(len(starts), NONE, np.int64)
        if not self.knows_exceptions:
            return found != NONE
        known = exceptions()
        short = np.flatnonzero((ends - starts <= known.lexicon.longest) & (ends > starts))
        found[short] = known.lexicon.find(self.slice.hashes(starts[short], ends[short]))
        special = found != NONE
        self.edge[known.cut(starts[special], found[special])] = True
        return special

    def _round(self, starts: Positions, ends: Positions) -> tuple[Positions, Positions, tuple[Positions, Positions]]:
        """Take a prefix and a suffix off each span; return those that go on, and those that nothing came off."""
        prefix = self._prefix(starts, ends)
        fewer = np.flatnonzero(prefix > 0)
        over = np.zeros(len(starts), np.bool_)
        over[fewer] = self._exceptional(starts[fewer] + prefix[fewer], ends[fewer])
        suffix = np.zeros(len(starts), np.int64)
        going = np.flatnonzero(~over & (starts + prefix < ends))
        suffix[going] = self._suffix(starts[going] + prefix[going], ends[going])
        fewer = np.flatnonzero(suffix > 0)
        without = self._exceptional(starts[fewer], ends[fewer] - suffix[fewer])
        prefix[fewer[without]] = 0
        over[fewer[without]] = True
        inner, outer = starts + prefix, ends - suffix
        self.edge[inner] = True
        self.edge[outer] = True
        idle = ~over & (prefix + suffix == 0)
        going_on = ~over & ~idle & (inner < outer)
        inner, outer = inner[going_on], outer[going_on]
        special = self._exceptional(inner, outer)
        return inner[~special], outer[~special], (starts[idle], ends[idle])

    def _prefix(self, starts: Positions, ends: Positions) -> Positions:
        """Return the length of what comes off the front of each span, 0 for nothing."""
        points, flags = self.slice.points, self.slice.flags
        point = points[starts]
        length = ((flags[starts] & PREFIX) != 0).astype(np.int64)
        plus = np.flatnonzero(point == _PLUS)
        length[plus] = ~self._holds(starts[plus] + 1, ends[plus], DIGIT)
        dots = np.flatnonzero(point == _DOT)
        run = self._dots_to(starts[dots], ends[dots]) - starts[dots]
        length[dots] = np.where(run > 1, run, 0)
        for before, letters in _BEFORE_DOLLAR.items():
            some = np.flatnonzero(np.isin(point, letters[0]) & (starts + before < ends))
            at = starts[some]
            money = points[at + before] == ord("$")
            if before > 1:
                money &= points[at + 1] == letters[1][0]
            length[some[money]] = before + 1
        return length

    def _suffix(self, starts: Positions, ends: Positions) -> Positions:
        """Return the length of what comes off the back of each span, 0 for nothing; no span is empty."""
        points, flags = self.slice.points, self.slice.flags
        point = points[ends - 1]
        length = ((flags[ends - 1] & SUFFIX) != 0).astype(np.int64)
        more = ends - 2 >= starts
        before = np.maximum(ends - 2, 0)
        counted = more & ((flags[before] & DIGIT) != 0)
        length[counted & ((point == _PLUS) | ((flags[ends - 1] & CURRENCY) != 0))] = 1
        length[more & (point == _ELLIPSIS) & (points[before] == _ELLIPSIS)] = 2
        length[more & np.isin(point, _S) & np.isin(points[before], _APOSTROPHES)] = 2
        dots = np.flatnonzero(more & (point == _DOT))
        length[dots] = self._stop(starts[dots], ends[dots])
        self._unit(starts, ends, length)
        return length

    def _stop(self, starts: Positions, ends: Positions) -> Positions:
        """Return how many of the full stops at the end of each span come off it."""
        flags = self.slice.flags
        run = ends - np.maximum(self._dots_from(ends - 1), starts)
        before = flags[ends - 2]
        alone = (before & STOP_AFTER) != 0
        alone |= ((before & UPPER) != 0) & self._holds(ends - 3, ends, UPPER, starts)
        return np.where(run > 1, run, alone.astype(np.int64))

    def _unit(self, starts: Positions, ends: Positions, length: Positions) -> None:
        """Set the length where a unit stands behind a digit."""
        flags = self.slice.flags
        open_ = np.flatnonzero(((flags[ends - 1] & DIGIT) == 0) & (ends - 2 >= starts))
        for size in range(1, _LONGEST_UNIT + 1):
            open_ = open_[ends[open_] - size > starts[open_]]
            at = ends[open_] - size
            behind = (flags[at - 1] & DIGIT) != 0
            some, at = open_[behind], at[behind]
            known = units().find(self.slice.hashes(at, ends[some])) != NONE
            length[some[known]] = size
            open_ = open_[~behind]

    def _holds(self, places: Positions, ends: Positions, flag: np.uint32, starts: Positions | int = 0) -> Mask:
        """Tell whether places are inside their spans and of a class."""
        inside = (places < ends) & (places >= starts)
        return inside & ((self.slice.flags[np.where(inside, places, 0)] & flag) != 0)

    @cached_property
    def _not_dots(self) -> Positions:
        return np.concatenate([[-1], np.flatnonzero(self.slice.points != _DOT), [len(self.slice.points)]])

    def _dots_to(self, places: Positions, ends: Positions) -> Positions:
        """Return where the run of full stops ends that each place begins."""
        if len(places) == 0:
            return places
        return np.minimum(self._not_dots[np.searchsorted(self._not_dots, places)], ends)

    def _dots_from(self, places: Positions) -> Positions:
        """Return where the run of full stops begins that each place ends."""
        if len(places) == 0:
            return places
        return self._not_dots[np.searchsorted(self._not_dots, places) - 1] + 1

    def _hasten(self, starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
        """Take all signs off both ends at once: a ruled line of a million signs takes no million rounds."""
        ahead, behind = [], []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            flags = self.slice.flags[start:end]
            stays = np.flatnonzero((flags & PREFIX) == 0)
            first = start + int(stays[0]) if len(stays) else end
            stays = np.flatnonzero((flags[first - start :] & SUFFIX) == 0)
            last = first + int(stays[-1]) + 1 if len(stays) else first
            self.edge[start : first + 1] = True
            self.edge[last : end + 1] = True
            if first < last:
                ahead.append(first)
                behind.append(last)
        return np.array(ahead, np.int64), np.array(behind, np.int64)

    def _cut_inside(self, starts: Positions, ends: Positions) -> None:
        """Cut disjoint spans, in order, at their infixes."""
        places = np.flatnonzero((self.slice.flags & JOINT) != 0)
        span = np.searchsorted(starts, places, side="right") - 1
        inside = span >= 0
        inside[inside] = (places[inside] < ends[span[inside]]) & (places[inside] > starts[span[inside]])
        places, span = places[inside], span[inside]
        length = self._infix(places, ends[span])
        cuts = length > 0
        places, span, length = places[cuts], span[cuts], length[cuts]
        stays = ~is_address(self.slice, starts, ends, span)
        places, length = places[stays], length[stays]
        self.edge[places] = True
        self.edge[places + length] = True

    def _infix(self, places: Positions, ends: Positions) -> Positions:
        """Return the length of the infix that each place begins, 0 where none does."""
        points, flags = self.slice.points, self.slice.flags
        point, flag, before = points[places], flags[places], flags[places - 1]
        inside = places + 1 < ends
        beyond = np.where(inside, places + 1, places)
        after, next_point = np.where(inside, flags[beyond], 0), np.where(inside, points[beyond], 0)
        word_before = (before & (ALPHA | DIGIT)) != 0
        between = word_before & ((after & ALPHA) != 0)
        found = (flag & INFIX) != 0
        found |= between & ((flag & (HYPHEN | RELATION)) != 0)
        found |= between & (point == _COMMA) & ((before & ALPHA) != 0)
        found |= (point == _DOT) & ((before & (LOWER | QUOTE)) != 0) & ((after & (UPPER | QUOTE)) != 0)
        found |= (
            np.isin(point, np.array([ord(c) for c in "+-*^"], np.uint32))
            & ((before & DIGIT) != 0)
            & (((after & DIGIT) != 0) | (next_point == _DASH))
        )
        length = found.astype(np.int64)
        runs = np.flatnonzero((point == _DOT) & (next_point == _DOT) & (points[places - 1] != _DOT))
        length[runs] = self._dots_to(places[runs], ends[runs]) - places[runs]
        dashes = ~found & word_before & np.isin(point, [_DASH, _LONG_DASH]) & (next_point == point)
        self._dashes(places, ends, np.flatnonzero(dashes), length)
        return length

    def _dashes(self, places: Positions, ends: Positions, which: Positions, length: Positions) -> None:
        """Set the length of two or three dashes before a letter."""
        points = self.slice.points
        two = self._holds(places[which] + 2, ends[which], ALPHA)
        length[which[two]] = 2
        rest = which[~two & (places[which] + 2 < ends[which])]
        third = (points[places[rest]] == _DASH) & (points[places[rest] + 2] == _DASH)
        third &= self._holds(places[rest] + 3, ends[rest], ALPHA)
        length[rest[third]] = 3
