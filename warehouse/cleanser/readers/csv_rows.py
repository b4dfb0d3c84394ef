"""Rows and cells of delimited text, as written and not only as RFC 4180 would have it.

A quote opens a quoted cell only where a cell begins, and closes it only before a delimiter or line end; a doubled quote
within stands for one. An opening quote that is never closed, or is followed by what looks like another opening quote,
is an ordinary character: its row ends with its line. Rows and cells follow the same rules.

What lives here: that grammar, on strings of which ASCII characters alone matter. What does not: which delimiter a file
uses (`csv_dialect.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES
from warehouse.cleanser.readers.syntax import Span, scan_lines
from warehouse.files import BLOCK_BYTES

QUOTE = '"'


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes:
        delimiter: one character between cells.
        is_quoted: whether cells may stand in double quotes.
        columns: names from the header row; None where there is none.
    """

    delimiter: str
    is_quoted: bool = True
    columns: tuple[str, ...] | None = None


def split_row(row: str, dialect: Dialect) -> list[str]:
    """The cells of one row; its line end (in EBCDIC U+0085) is not part of the last."""
    row = row[:-1].removesuffix("\r") if row.endswith(("\n", "\x85")) else row
    if not dialect.is_quoted or QUOTE not in row:
        return row.split(dialect.delimiter)
    quotes = _Quotes(row, dialect.delimiter)
    cells: list[str] = []
    start = 0
    while True:
        closing = quotes.closing(start + 1, len(row)) if row.startswith(QUOTE, start) else _STRAY
        if closing >= 0:
            cells.append(row[start + 1 : closing].replace(2 * QUOTE, QUOTE))
            end = closing + 1
        else:
            end = row.find(dialect.delimiter, start)
            end = len(row) if end < 0 else end
            cells.append(row[start:end])
        if end >= len(row):
            return cells
        start = end + 1


def scan_rows(blocks: Iterator[bytes], dialect: Dialect) -> Iterator[Span]:
    """Each row with its line end is a record; blank rows are dropped.

    Holds one row, and no more of it than `LARGEST_RECORD_BYTES` and a block; a longer one ends with the line on which
    it gets too long.
    """
    if not dialect.is_quoted:
        yield from scan_lines(blocks)
        return
    text, position, is_last = "", 0, False
    while not is_last or text:
        if not is_last:
            more, is_last = _at_least(blocks, max(BLOCK_BYTES, len(text)))
            text += more
        start = 0
        for end in row_ends(text, dialect, is_last):
            yield position + end, "blank" if text[start:end].isspace() else None
            start = end
        text, position = text[start:], position + start
        if len(text) > LARGEST_RECORD_BYTES:
            text, skipped = _after_line(text, blocks)
            position += skipped
            yield position, None


def row_ends(text: str, dialect: Dialect, is_last: bool) -> Iterator[int]:
    """Ends of the rows of a piece of a table that begins with a row, as far as they are certain and not too long.

    Args:
        text: the piece.
        dialect: how the table is written.
        is_last: whether nothing follows the piece.
    """
    quotes = _Quotes(text, dialect.delimiter)
    start = 0
    while start < len(text):
        end = _row_end(quotes, start, is_last) if dialect.is_quoted else text.find("\n", start) + 1
        if end == 0:
            end = len(text) if is_last else None
        if end is None or end - start > LARGEST_RECORD_BYTES:
            return
        yield end
        start = end


def _row_end(quotes: _Quotes, start: int, is_last: bool) -> int | None:
    """End of the row that begins at `start`; None if what follows the piece decides, or it is too long."""
    text = quotes.text
    bound = start + LARGEST_RECORD_BYTES
    line_end = text.find("\n", start)
    opening = quotes.opening(start, line_end, is_row_start=True)
    while opening is not None:
        closing = quotes.closing(opening + 1, bound)
        if closing == _STRAY or (closing == _OPEN and is_last and len(text) <= bound):
            break
        # A quote at the very end may be the first of two.
        if closing == _OPEN or (closing + 1 == len(text) and not is_last):
            return None
        line_end = text.find("\n", closing)
        opening = quotes.opening(closing + 1, line_end, is_row_start=False)
    if line_end >= 0:
        return line_end + 1
    return len(text) if is_last else None


_STRAY = -1
_OPEN = -2


class _Quotes:
    """Quotes in a piece of a table: which of them open a cell, and where it is closed."""

    def __init__(self, text: str, delimiter: str) -> None:
        self.text = text
        self._opener = delimiter + QUOTE
        self._ends = (delimiter, "\n", "\r", "")
        # From the first to the second of these no run of quotes closes anything: without it, a table of quotes that
        # are never closed would be searched to its end for each of them.
        self._barren = (0, 0)

    def opening(self, start: int, line_end: int, is_row_start: bool) -> int | None:
        """The first quote from `start` to the line's end that stands where a cell begins."""
        if is_row_start and self.text.startswith(QUOTE, start):
            return start
        found = self.text.find(self._opener, start, len(self.text) if line_end < 0 else line_end)
        return None if found < 0 else found + 1

    def closing(self, start: int, bound: int) -> int:
        """Where the cell is closed whose content begins at `start`; `_STRAY` if another opens before it is, `_OPEN` if
        neither happens before `bound`."""
        text = self.text
        first = start
        while (found := text.find(QUOTE, start, bound)) >= 0:
            following = text[found + 1 : found + 2]
            if following in self._ends:
                return found
            if self._barren[0] <= found < self._barren[1] and text[found - 1] != QUOTE:
                start = self._barren[1]
            elif following == QUOTE:
                start = found + 2
            elif text[found - 1] in self._ends:
                self._barren = (first, found)
                return _STRAY
            else:
                start = found + 1
        if bound >= len(text):
            self._barren = (first, len(text))
        return _OPEN


def _at_least(blocks: Iterator[bytes], n: int) -> tuple[str, bool]:
    """The next `n` characters or a little more, and whether they are the last."""
    parts: list[str] = []
    while n > 0:
        block = next(blocks, None)
        if block is None:
            return "".join(parts), True
        parts.append(block.decode("latin-1"))
        n -= len(block)
    return "".join(parts), False


def _after_line(text: str, blocks: Iterator[bytes]) -> tuple[str, int]:
    """What follows the line on which a row got too long, and how many characters were skipped."""
    n_skipped = 0
    end = text.find("\n", LARGEST_RECORD_BYTES)
    while end < 0:
        n_skipped += len(text)
        block = next(blocks, None)
        if block is None:
            return "", n_skipped
        text = block.decode("latin-1")
        end = text.find("\n")
    return text[end + 1 :], n_skipped + end + 1
