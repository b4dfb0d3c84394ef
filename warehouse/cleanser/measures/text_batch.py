"""Several texts side by side as arrays, so that one numpy operation serves them all.

What lives here: characters, pieces between white space, lines. What does not: what is counted on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.measures.character_kinds import BLANK, LINE_BREAK, N_KINDS, kind_of_code_point

Positions = NDArray[np.int64]

_NEWLINE, _RETURN, _SPACE = map(ord, "\n\r ")


@dataclass(frozen=True)
class Lines:
    """Lines of all texts, in order: text of each, [start, end) without the break, pieces [first, last)."""

    text: Positions
    start: Positions
    end: Positions
    first_piece: Positions
    last_piece: Positions

    @property
    def is_blank(self) -> NDArray[np.bool]:
        return np.equal(self.last_piece, self.first_piece)


@dataclass(frozen=True)
class TextBatch:
    """Texts joined with a newline after each; positions count characters of `joined`."""

    texts: Sequence[str]
    joined: str
    code_points: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    starts: Positions
    lengths: Positions

    @classmethod
    def of(cls, texts: Sequence[str]) -> TextBatch:
        joined = "\n".join([*texts, ""])
        code_points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        starts = np.cumsum(lengths + 1) - lengths - 1
        return cls(texts, joined, code_points, kind_of_code_point()[code_points], starts, lengths)

    @property
    def ends(self) -> Positions:
        """Of each text: where the newline after it stands."""
        return self.starts + self.lengths

    @cached_property
    def kind_counts(self) -> NDArray[np.int64]:
        """Characters of each text and kind."""
        text = np.repeat(np.arange(len(self.texts), dtype=np.int64) * N_KINDS, self.lengths + 1)
        counts = np.bincount(text + self.kinds, minlength=N_KINDS * len(self.texts))
        counts = counts.reshape(len(self.texts), N_KINDS)
        counts[:, LINE_BREAK] -= 1
        return counts

    @cached_property
    def pieces(self) -> list[str]:
        """The texts cut at white space, in order."""
        return self.joined.split()

    @cached_property
    def _piece_edges(self) -> Positions:
        """Start and end of each piece, in turn."""
        is_piece = np.zeros(len(self.kinds) + 1, bool)
        is_piece[1:] = self.kinds > BLANK
        return np.flatnonzero(is_piece[1:] != is_piece[:-1])

    @property
    def piece_starts(self) -> Positions:
        return self._piece_edges[::2]

    @property
    def piece_ends(self) -> Positions:
        return self._piece_edges[1::2]

    @cached_property
    def piece_bounds(self) -> Positions:
        """Text `i` has the pieces [bounds[i], bounds[i + 1])."""
        return np.searchsorted(self.piece_starts, np.append(self.starts, len(self.kinds)))

    @cached_property
    def piece_follows_blanks(self) -> NDArray[np.bool]:
        """Whether other white space than a single space stands before a piece."""
        starts = self.piece_starts
        before = np.concatenate((starts[:1], self.piece_ends[:-1]))
        after_space: NDArray[np.bool] = self.code_points[np.maximum(starts - 1, 0)] == _SPACE
        after_one: NDArray[np.bool] = starts - before == 1
        return ~(after_space & after_one)

    @cached_property
    def broken_lines(self) -> Lines:
        """Lines as `str.splitlines` finds them."""
        breaks = np.flatnonzero(self.kinds == LINE_BREAK)
        if len(breaks) == len(self.newline_lines.end):
            return self._without_ends(self.newline_lines)
        returns = breaks[self.code_points[breaks] == _RETURN]
        if len(returns):
            before_newline = returns[self.code_points[returns + 1] == _NEWLINE]
            breaks = np.setdiff1d(breaks, np.setdiff1d(before_newline, self.ends - 1))
        return self._without_ends(self._lines(breaks))

    def _without_ends(self, lines: Lines) -> Lines:
        """Lines, but for what a text's last line break leaves behind it."""
        follows_last_break = (lines.start == lines.end) & (lines.end == self.ends[lines.text])
        kept = np.flatnonzero(~follows_last_break)
        return Lines(
            lines.text[kept],
            lines.start[kept],
            lines.end[kept],
            lines.first_piece[kept],
            lines.last_piece[kept],
        )

    @property
    def n_newlines(self) -> NDArray[np.int64]:
        """Newlines in each text."""
        return np.bincount(self.newline_lines.text, minlength=len(self.texts)) - 1

    @cached_property
    def newline_lines(self) -> Lines:
        """Lines as `str.split` finds them with a newline for separator."""
        return self._lines(np.flatnonzero(self.code_points == _NEWLINE))

    def _lines(self, ends: Positions) -> Lines:
        starts = np.concatenate(([0], ends[:-1] + 1))
        return Lines(
            np.searchsorted(self.starts, starts, side="right") - 1,
            starts,
            ends,
            np.searchsorted(self.piece_starts, starts),
            np.searchsorted(self.piece_starts, ends),
        )


def sums_by_text(values: NDArray[np.generic], bounds: Positions) -> NDArray[np.int64]:
    """Sum of `values` over each range [bounds[i], bounds[i + 1]), which may be empty."""
    running = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=running[1:])
    return running[bounds[1:]] - running[bounds[:-1]]
