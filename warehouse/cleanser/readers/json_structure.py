"""Where the values of a JSON text begin and end: brackets, commas and strings, by the block.

What lives here: scanners that hold one block and three numbers, whatever the values' size. What does not: validity.

Strings are told from structure as simdjson does it (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB
Journal 2019, section 3.1): a quote after an odd run of backslashes is escaped; between quotes an odd number of them
has gone before. Unlike there, a line feed ends a string, for JSON strings hold none (RFC 8259, section 7): so a lost
quote spoils a line and not the rest of the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.readers.syntax import Span, scan_lines

_QUOTE, _BACKSLASH, _LINE_FEED, _COMMA = b'"\\\n,'

_IS_STRUCTURE = np.zeros(256, np.bool_)
_IS_STRUCTURE[list(b"[]{},")] = True
_DEPTH_CHANGE = np.zeros(256, np.int32)
_DEPTH_CHANGE[list(b"[{")] = 1
_DEPTH_CHANGE[list(b"]}")] = -1


def scan_array(blocks: Iterator[bytes]) -> Iterator[Span]:
    """The values of an array that the first structural character opens, each with the comma after it; what follows
    the array is read by lines."""
    structure = _Structure()
    position, depth, is_blank = 0, 0, True
    for block in blocks:
        offsets, characters, depths = structure.of(block, depth)
        ends = np.flatnonzero((depths <= 0) | ((depths == 1) & (characters == _COMMA)))
        start = 0
        if not depth and len(offsets):
            start = int(offsets[0]) + 1
            yield position + start, "markup"
            is_blank = True
        for index in ends.tolist():
            offset = int(offsets[index])
            is_blank = is_blank and not block[start:offset].strip()
            if depths[index] <= 0:
                yield position + offset, "markup" if is_blank else None
                yield from _after_array(block, offset, position, blocks)
                return
            start, is_blank = offset + 1, True
            yield position + start, None
        is_blank = is_blank and not block[start:].strip()
        depth = int(depths[-1]) if len(depths) else depth
        position += len(block)
    yield position, "blank" if is_blank else None


def _after_array(block: bytes, offset: int, position: int, blocks: Iterator[bytes]) -> Iterator[Span]:
    """The closing bracket with the blank space after it, and then whatever there is, by lines."""
    rest = block[offset + 1 :]
    end = position + offset + 1 + len(rest) - len(rest.lstrip())
    yield end, "markup"
    for unit, reason in scan_lines(chain((rest.lstrip(),), blocks)):
        yield end + unit, reason


def scan_values(blocks: Iterator[bytes]) -> Iterator[Span]:
    """Objects or arrays one after another, each with the blank space before it."""
    structure = _Structure()
    position, depth, is_blank = 0, 0, True
    for block in blocks:
        offsets, characters, depths = structure.of(block, depth)
        ends = offsets[(depths == 0) & (characters != _COMMA)] + 1
        for end in ends.tolist():
            yield position + end, None
        rest = block[int(ends[-1]) :] if len(ends) else block
        is_blank = (is_blank or bool(len(ends))) and not rest.strip()
        depth = int(depths[-1]) if len(depths) else depth
        position += len(block)
    yield position, "blank" if is_blank else None


class _Structure:
    """Brackets and commas outside strings, block by block; knows whether a block begins in a string or after a
    backslash."""

    def __init__(self) -> None:
        self._is_in_string = False
        self._is_escaped = False

    def of(self, block: bytes, depth: int) -> tuple[NDArray[np.intp], NDArray[np.uint8], NDArray[np.int64]]:
        """Offsets in the block, the characters there, and the depth after each: never below 0.

        Args:
            block: the next block.
            depth: the depth before it.
        """
        data = np.frombuffer(block, np.uint8)
        quotes = self._quotes(block, data)
        line_feeds = np.flatnonzero(data == _LINE_FEED)
        quotes_before_line = np.searchsorted(quotes, line_feeds) + self._is_in_string
        # A block's first line goes on with what the block before left open.
        quotes_before_line = np.concatenate(([0], quotes_before_line))
        offsets = np.flatnonzero(_IS_STRUCTURE[data])
        line = np.searchsorted(line_feeds, offsets)
        n_quotes = np.searchsorted(quotes, offsets) + self._is_in_string - quotes_before_line[line]
        offsets = offsets[n_quotes % 2 == 0]
        self._is_in_string = bool((len(quotes) + self._is_in_string - quotes_before_line[-1]) % 2)
        characters = data[offsets]
        depths = depth + np.cumsum(_DEPTH_CHANGE[characters], dtype=np.int64)
        if len(depths):
            depths -= np.minimum(np.minimum.accumulate(depths), 0)
        return offsets, characters, depths

    def _quotes(self, block: bytes, data: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Offsets of quotes that are not escaped."""
        quotes = np.flatnonzero(data == _QUOTE)
        was_escaped, self._is_escaped = self._is_escaped, False
        if not was_escaped and b"\\" not in block:
            return quotes
        backslashes = np.flatnonzero(data == _BACKSLASH)
        starts = backslashes[np.diff(backslashes, prepend=-2) != 1]
        # The backslash that ended the block before is the first of a run that goes on here.
        first_run = int(was_escaped)
        run = np.searchsorted(starts, quotes) - 1
        is_after = (run >= 0) & (quotes > 0)
        is_after[is_after] = data[quotes[is_after] - 1] == _BACKSLASH
        length = quotes[is_after] - starts[run[is_after]] + first_run * (starts[run[is_after]] == 0)
        is_escaped = np.zeros(len(quotes), np.bool_)
        is_escaped[is_after] = length % 2 == 1
        if was_escaped and len(quotes) and not quotes[0]:
            is_escaped[0] = True
        if block.endswith(b"\\"):
            self._is_escaped = bool((len(block) - starts[-1] + first_run * (starts[-1] == 0)) % 2)
        return quotes[~is_escaped]
