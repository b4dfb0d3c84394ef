"""A stream's lines as a search for markers sees them: one byte a code unit, the same for every encoding.

What lives here: making ASCII of what is ASCII in any encoding, block by block, whole lines at a time. What does
not: what the lines mean (`structure.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.cleanser.code_units import EBCDIC, CodeUnits, code_units
from warehouse.cleanser.streams import Stream

BLANK = b" \t\r\n"
LONGEST_LINE_UNITS = 1 << 20
"""A line longer than 1 Mi code units is seen in parts: no marker is as long."""

_LONE_RETURN = re.compile(rb"\r(?!\n)")
_NO_ASCII = 0xFF


@dataclass(frozen=True)
class LineView:
    """Some whole lines.

    Attributes:
        byte_start: where their first byte lies in the stream.
        data: a byte for each code unit, ASCII where that is; every line ends with a line feed.
        width: bytes of the stream for each byte of `data`.
        begins_line: False for the rest of a very long line.
    """

    byte_start: int
    data: bytes
    width: int
    begins_line: bool

    def byte_at(self, position: int) -> int:
        """Where in the stream the code unit at this position of `data` lies."""
        return self.byte_start + position * self.width


def line_views(
    stream: Stream, byte_start: int, encoding: str, byte_end: int | None = None
) -> Iterator[LineView]:
    """The stream's lines from `byte_start` on, to `byte_end` or its end; bytes at the end that are no code unit are
    left out.

    Raises:
        InputUnreadable: if the stream is not the one that was hashed.
    """
    units = code_units(encoding)
    table = _ebcdic_table(encoding) if encoding in EBCDIC else None
    rest, begins_line = b"", True
    for block in stream.range_blocks(byte_start, stream.n_bytes if byte_end is None else byte_end):
        rest += block
        seen = _seen(rest[: _n_settled(rest, units)], units, table)
        whole = seen[: seen.rfind(b"\n") + 1] or (seen if len(seen) > LONGEST_LINE_UNITS else b"")
        if whole:
            yield LineView(byte_start, whole, units.width, begins_line)
            begins_line = whole.endswith(b"\n")
            rest = rest[len(whole) * units.width :]
            byte_start += len(whole) * units.width
    if len(rest) >= units.width:
        seen = _seen(rest[: len(rest) // units.width * units.width], units, table)
        yield LineView(byte_start, seen, units.width, begins_line)


def seen_at(stream: Stream, byte_start: int, n_units: int, encoding: str) -> bytes:
    """A look at some code units, unproven."""
    units = code_units(encoding)
    raw = stream.peek(byte_start, n_units * units.width)
    table = _ebcdic_table(encoding) if encoding in EBCDIC else None
    return _seen(raw[: len(raw) // units.width * units.width], units, table)


def _n_settled(raw: bytes, units: CodeUnits) -> int:
    """Bytes in whole code units, less a carriage return at the very end: its line feed may be yet to come."""
    n_units = len(raw) // units.width
    if n_units and units.units(raw)[-1] == 0x0D:
        n_units -= 1
    return n_units * units.width


def _seen(raw: bytes, units: CodeUnits, table: bytes | None) -> bytes:
    if units.width > 1:
        seen = np.minimum(units.units(raw), _NO_ASCII).astype(np.uint8).tobytes()
    else:
        seen = raw if table is None else raw.translate(table)
    return _LONE_RETURN.sub(b"\n", seen) if b"\r" in seen else seen


def _ebcdic_table(encoding: str) -> bytes:
    text = bytes(range(256)).decode(encoding, "replace")
    ascii_or_none = [ord(character) if character < "\x80" else _NO_ASCII for character in text]
    ascii_or_none[0x15] = 0x0A
    return bytes(ascii_or_none)
