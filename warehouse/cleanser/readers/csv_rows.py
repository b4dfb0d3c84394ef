"""Rows and cells of delimited text, as written and not only as RFC 4180 would have it.

A quote opens a quoted cell only where a cell begins, and closes it only before a delimiter or line end; a doubled quote
within stands for one. An opening quote that is never closed, or is followed by what looks like another opening quote,
is an ordinary character: its row ends with its line. Rows and cells follow the same rules.

What lives here: that grammar, on strings of which ASCII characters alone matter. What does not: which delimiter a file
uses (`csv_dialect.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES
from warehouse.cleanser.readers.syntax import Span, scan_lines
from warehouse.files import BLOCK_BYTES

QUOTE = '"'

_RUN = re.compile(r'"++')
_CONTENT = re.compile(r'[^"]*+(?:""[^"]*+)*+')


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes:
        delimiter: one character between cells.
        is_quoted: whether cells may stand in double quotes.
        n_columns: cells that most rows have.
        columns: names from the header row; None where there is none.
    """

    delimiter: str
    is_quoted: bool = True
    n_columns: int = 1
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

    Holds one row, and no more of it than `LARGEST_RECORD_BYTES` and a block; for where a longer one ends see
    `_after_large_row`.
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
            text, skipped = _after_large_row(text, dialect, blocks)
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
            end = len(text) if is_last else _MORE
        if end < 0 or end - start > LARGEST_RECORD_BYTES:
            return
        yield end
        start = end


_STRAY, _OPEN, _MORE = -1, -2, -3


def _row_end(quotes: _Quotes, start: int, is_last: bool) -> int:
    """End of the row that begins at `start`; `_OPEN` if a cell of it is not closed in time, `_MORE` if what follows the
    piece decides."""
    text = quotes.text
    bound = start + LARGEST_RECORD_BYTES
    line_end = text.find("\n", start)
    opening = quotes.opening(start, line_end, is_row_start=True)
    while opening is not None:
        closing = quotes.closing(opening + 1, bound)
        if closing == _STRAY or (closing == _OPEN and is_last and len(text) <= bound):
            break
        if closing == _OPEN:
            return _OPEN
        # A quote at the very end may be the first of two.
        if closing + 1 == len(text) and not is_last:
            return _MORE
        line_end = text.find("\n", closing)
        opening = quotes.opening(closing + 1, line_end, is_row_start=False)
    if line_end >= 0:
        return line_end + 1
    return len(text) if is_last else _MORE


class _Quotes:
    """Quotes in a piece of a table: which of them open a cell, and where it is closed."""

    def __init__(self, text: str, delimiter: str) -> None:
        self.text = text
        self._opener = delimiter + QUOTE
        self._ends = (delimiter, "\n", "\r", "")
        # A search from the first of these comes to the second without a verdict, so any search between them does.
        # Without this a table of quotes that are never closed would be searched to its end for each of them.
        self.barren = (0, 0)

    def opening(self, start: int, line_end: int, is_row_start: bool) -> int | None:
        """The first quote from `start` to the line's end that stands where a cell begins."""
        if is_row_start and self.text.startswith(QUOTE, start):
            return start
        found = self.text.find(self._opener, start, len(self.text) if line_end < 0 else line_end)
        return None if found < 0 else found + 1

    def closing(self, start: int, bound: int) -> int:
        """Where the cell is closed whose content begins at `start`; `_STRAY` if another opens before it is, `_OPEN` if
        neither happens before `bound`."""
        text, first = self.text, start
        while start < min(bound, len(text)):
            if text.startswith(QUOTE, start):
                end = _end_of(_RUN, text, start, bound)
                if (end - start) % 2 == 0:
                    start = end
                    continue
                found = end - 1
            elif self.barren[0] <= start < self.barren[1]:
                found = self.barren[1]
            else:
                found = _end_of(_CONTENT, text, start, bound)
            if found >= len(text) or (found + 1 >= bound and bound < len(text)):
                break
            if text[found + 1 : found + 2] in self._ends:
                return found
            if text[found - 1] in self._ends:
                self.barren = (first, found)
                return _STRAY
            start = found + 1
        if bound >= len(text):
            self.barren = (first, len(text))
        return _OPEN


def _end_of(pattern: re.Pattern[str], text: str, start: int, bound: int) -> int:
    found = pattern.match(text, start, bound)
    return start if found is None else found.end()


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


def _after_large_row(text: str, dialect: Dialect, blocks: Iterator[bytes]) -> tuple[str, int]:
    """What follows a row that is too long, and how many characters were skipped.

    A line that is too long is skipped to its end. A cell that is not closed may be a large one, or have a stray quote
    before it: if the lines that it holds are like rows, the quote is stray and the next line is a row; else the row
    ends with the line in which the cell is closed, or another one opened.
    """
    bound = LARGEST_RECORD_BYTES
    is_open = _row_end(_Quotes(text, dialect.delimiter), 0, is_last=False) == _OPEN
    if not is_open or _are_rows(text[max(0, bound - _LOOK_CHARACTERS) : bound], dialect):
        return _after_line(text, bound, blocks)
    # The character before is needed to tell an opening quote; a run of quotes must not be begun in its middle.
    n_skipped = max(1, len(text[:bound].rstrip(QUOTE))) - 1
    text = text[n_skipped:]
    while (verdict := _verdict(text, dialect.delimiter)) is None:
        n_quotes = len(text) - len(text.rstrip(QUOTE))
        tail = text[: len(text) - n_quotes][-1:] + QUOTE * (n_quotes if n_quotes < 2 else 2 + n_quotes % 2)
        block = next(blocks, None)
        if block is None:
            return "", n_skipped + len(text)
        n_skipped += len(text) - len(tail)
        text = tail + block.decode("latin-1")
    text, n = _after_line(text, verdict, blocks)
    return text, n_skipped + n


_LOOK_CHARACTERS = 1 << 14
_LOWEST_SHARE_OF_ROWS = 0.8


def _are_rows(text: str, dialect: Dialect) -> bool:
    """Whether the lines in the middle of a piece have as many delimiters as rows have."""
    lines = text.split("\n")[1:-1]
    n_rows = sum(1 for line in lines if line.count(dialect.delimiter) == dialect.n_columns - 1)
    return dialect.n_columns > 1 and n_rows > 0 and n_rows >= _LOWEST_SHARE_OF_ROWS * len(lines)


def _verdict(text: str, delimiter: str) -> int | None:
    """Where an open cell is closed, or another is opened; None if neither is certain."""
    quotes = _Quotes(text, delimiter)
    closing = quotes.closing(1, len(text))
    found = quotes.barren[1] if closing == _STRAY else closing
    return found if 0 <= found < len(text) - 1 else None


def _after_line(text: str, start: int, blocks: Iterator[bytes]) -> tuple[str, int]:
    """What follows the line that `start` is in, and how many characters were skipped."""
    n_skipped = 0
    end = text.find("\n", start)
    while end < 0:
        n_skipped += len(text)
        block = next(blocks, None)
        if block is None:
            return "", n_skipped
        text = block.decode("latin-1")
        end = text.find("\n")
    return text[end + 1 :], n_skipped + end + 1
