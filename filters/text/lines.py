"""The lines and paragraphs of a slice, as the rules' authors split texts: three ways that differ on empty pieces."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.text.classes import BREAK
from filters.text.slices import Hashes, Positions, Slice
from filters.text.words import Words

_NEWLINE, _RETURN = ord("\n"), ord("\r")


@dataclass(frozen=True)
class Pieces:
    """Spans of a slice, in order; the rows' pieces stand one behind the other."""

    starts: Positions
    ends: Positions
    offsets: Positions
    """int64[rows + 1]: which piece is the first of each row."""

    def counts(self) -> NDArray[np.int64]:
        """Return int64[rows], pieces of each row."""
        return np.diff(self.offsets)

    def rows(self) -> Positions:
        """Return int64[m], the row of each piece."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts())

    def lengths(self) -> NDArray[np.int64]:
        """Return int64[m], code points of each piece."""
        return self.ends - self.starts

    def where(self, mask: NDArray[np.bool_]) -> "Pieces":
        """Return the pieces that a bool[m] picks."""
        kept = np.concatenate([[0], np.cumsum(mask, dtype=np.int64)])
        return Pieces(self.starts[mask], self.ends[mask], kept[self.offsets])

    def stripped(self, words: Words) -> "Pieces":
        """Return the pieces without white space at their ends; a piece of white space alone is empty."""
        first, after = np.searchsorted(words.starts, self.starts), np.searchsorted(words.starts, self.ends)
        full = first < after
        starts, ends = self.starts.copy(), self.starts.copy()
        starts[full], ends[full] = words.starts[first[full]], words.ends[after[full] - 1]
        return Pieces(starts, ends, self.offsets)


def split_lines(text: Slice) -> Pieces:
    """Split as `str.splitlines` does: at every line boundary of Unicode, with no empty line at the end."""
    at = np.flatnonzero((text.flags & BREAK) != 0)
    following = np.minimum(at + 1, len(text.points) - 1)
    pair = (text.points[at] == _RETURN) & (text.points[following] == _NEWLINE)
    pair &= text.row_of(at) == text.row_of(following)
    pair &= following == at + 1
    second = np.concatenate([[False], pair[:-1]]) if len(at) else pair
    pieces = _pieces(text, at[~second], (at + 1 + pair)[~second])
    last = np.zeros(len(pieces.starts), np.bool_)
    last[pieces.offsets[1:] - 1] = True
    return pieces.where(~(last & (pieces.starts == pieces.ends)))


def split_newlines(text: Slice) -> Pieces:
    r"""Split as `str.split("\n")` does: there is an empty piece where a text begins or ends with a newline."""
    at = text.places("\n")
    return _pieces(text, at, at + 1)


def split_newline_runs(text: Slice) -> Pieces:
    r"""Split as `re.split("\n+", text)` does: runs of newlines cut once."""
    starts, ends = _newline_runs(text)
    return _pieces(text, starts, ends)


def split_paragraphs(text: Slice, words: Words) -> Pieces:
    """Split a text without white space at its ends where two newlines or more stand together."""
    starts, ends = _newline_runs(text)
    whole = Pieces(text.starts[:-1], text.starts[1:], np.arange(text.rows + 1)).stripped(words)
    row = text.row_of(starts)
    cut = (ends - starts > 1) & (starts >= whole.starts[row]) & (ends <= whole.ends[row])
    return _pieces(text, starts[cut], ends[cut], whole)


def repeated(text: Slice, pieces: Pieces) -> NDArray[np.bool_]:
    """Return bool[m]: whether a piece stands in its row more than once, its first place left out."""
    return after_the_first(text.hashes(pieces.starts, pieces.ends), pieces.rows())


def after_the_first(hashes: Hashes, rows: Positions) -> NDArray[np.bool_]:
    """Return bool[m]: whether something of the same row has the same hash, for all but one of them."""
    found = np.zeros(len(hashes), np.bool_)
    keys = in_row(hashes, rows)
    order = np.argsort(keys)
    found[order[1:]] = keys[order[1:]] == keys[order[:-1]]
    return found


def in_row(hashes: Hashes, rows: Positions) -> Hashes:
    """Return uint64[m], hashes that differ between rows."""
    return (hashes ^ (rows.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F))) * np.uint64(0x9FB21C651E98DF25)


def _newline_runs(text: Slice) -> tuple[Positions, Positions]:
    """Return where the runs of newlines begin and end; a run ends with its row."""
    at = text.places("\n")
    follows = np.zeros(len(at), np.bool_)
    follows[1:] = at[1:] == at[:-1] + 1
    follows &= ~np.isin(at, text.starts)
    begins = np.flatnonzero(~follows)
    lasts = np.append(begins[1:], len(at))[: len(begins)] - 1
    return at[begins], at[lasts] + 1


def _pieces(text: Slice, cut_starts: Positions, cut_ends: Positions, within: Pieces | None = None) -> Pieces:
    """Return what stands between cuts, one piece more than cuts in each row."""
    firsts, lasts = (text.starts[:-1], text.starts[1:]) if within is None else (within.starts, within.ends)
    counts = text.per_row(cut_starts) + 1
    offsets = np.concatenate([[0], np.cumsum(counts)])
    starts, ends = np.empty(offsets[-1], np.int64), np.empty(offsets[-1], np.int64)
    is_first, is_last = np.zeros(offsets[-1], np.bool_), np.zeros(offsets[-1], np.bool_)
    is_first[offsets[:-1]] = True
    is_last[offsets[1:] - 1] = True
    starts[is_first], starts[~is_first] = firsts, cut_ends
    ends[is_last], ends[~is_last] = lasts, cut_starts
    return Pieces(starts, ends, offsets)
