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

from warehouse.cleanser.readers.syntax import TOO_LARGE, Span, scan_lines

_QUOTE, _BACKSLASH, _LINE_FEED, _COMMA, _OPENING, _CLOSING = b'"\\\n,[]'

_IS_SEEN = bytes(byte in b'[]{},"\n' for byte in range(256))
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
            ends, is_blank = ends[ends > 0], True
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
    end = position + offset + 1
    rest: bytes | None = block[offset + 1 :]
    while rest is not None and not rest.strip():
        end += len(rest)
        rest = next(blocks, None)
    others = b"" if rest is None else rest.lstrip()
    end += len(rest or b"") - len(others)
    yield end, "markup"
    for unit, reason in scan_lines(chain((others,), blocks)):
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


def scan_members(blocks: Iterator[bytes]) -> Iterator[Span]:
    """The values in the arrays that are members of one large value, each with the comma after it; the rest of that
    value is too large.

    Some collections are one object: ``{"version": "1.1", "data": [...]}`` (SQuAD, COCO).
    """
    structure = _Structure()
    position, depth, is_array, is_blank = 0, 0, False, True
    for block in blocks:
        offsets, characters, depths = structure.of(block, depth)
        is_opening = (characters == _OPENING) & (depths == 2)
        is_closing = (characters == _CLOSING) & (depths == 1)
        start = 0
        for index in np.flatnonzero(
            is_opening | is_closing | ((characters == _COMMA) & (depths == 2))
        ).tolist():
            offset = int(offsets[index])
            if is_closing[index]:
                is_blank = is_blank and not block[start:offset].strip()
                if is_array and not is_blank:
                    yield position + offset, None
                is_array = False
            elif is_opening[index] or is_array:
                yield position + offset + 1, TOO_LARGE if is_opening[index] else None
                start, is_array, is_blank = offset + 1, True, True
        is_blank = is_blank and not block[start:].strip()
        depth = int(depths[-1]) if len(depths) else depth
        position += len(block)
    yield position, TOO_LARGE


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
        offsets = np.flatnonzero(np.frombuffer(block.translate(_IS_SEEN), np.bool_))
        characters = data[offsets]
        is_quote = (characters == _QUOTE) & ~self._is_escaped_at(block, data, offsets)
        n_quotes = np.cumsum(is_quote) + self._is_in_string
        is_line_feed = characters == _LINE_FEED
        # How many quotes there were before the line; 0 in the first, which goes on with what was open.
        n_quotes_before = np.maximum.accumulate(np.where(is_line_feed, n_quotes, 0))
        is_inside = (n_quotes - n_quotes_before) % 2 == 1
        if len(offsets):
            self._is_in_string = bool(is_inside[-1])
        is_structure = ~(is_inside | is_line_feed | (characters == _QUOTE))
        offsets, characters = offsets[is_structure], characters[is_structure]
        depths = depth + np.cumsum(_DEPTH_CHANGE[characters], dtype=np.int64)
        if len(depths):
            depths -= np.minimum(np.minimum.accumulate(depths), 0)
        return offsets, characters, depths

    def _is_escaped_at(
        self, block: bytes, data: NDArray[np.uint8], offsets: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        """Whether an odd run of backslashes is before each offset."""
        is_escaped = np.zeros(len(offsets), np.bool_)
        was_escaped, self._is_escaped = self._is_escaped, False
        if was_escaped and len(offsets) and not offsets[0]:
            is_escaped[0] = True
        if b"\\" not in block:
            # An empty block leaves things as they were.
            self._is_escaped = was_escaped and not block
            return is_escaped
        backslashes = np.flatnonzero(data == _BACKSLASH)
        starts = backslashes[np.diff(backslashes, prepend=-2) != 1]
        # A run at the begin of the block goes on with the backslash that ended the block before.
        n_before = np.zeros(len(starts), np.intp)
        n_before[0] = was_escaped and not starts[0]
        is_after = offsets > 0
        is_after[is_after] = data[offsets[is_after] - 1] == _BACKSLASH
        run = np.searchsorted(starts, offsets[is_after]) - 1
        is_escaped[is_after] = (offsets[is_after] - starts[run] + n_before[run]) % 2 == 1
        if block.endswith(b"\\"):
            self._is_escaped = bool((len(block) - starts[-1] + n_before[-1]) % 2)
        return is_escaped
