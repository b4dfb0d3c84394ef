"""Plain text and Markdown: the whole stream is one document, less a byte order mark and blank lines around
it."""

from __future__ import annotations

from collections.abc import Iterator

from warehouse.cleanser.code_units import EBCDIC, STATEFUL, code_units
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Reader
from warehouse.cleanser.streams import Stream

LOOK_BYTES = 1 << 12
"""Blank space is looked through in steps of 4 KiB, a multiple of every code unit's width."""

_BLANK = frozenset(b"\t\n\r ")
_EBCDIC_BLANK = frozenset(b"\x05\x15\x25\x0d\x40")


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """One document, with what surrounds it dropped; the ranges tile the stream."""
    if decision.encoding is None:
        yield DroppedRange(0, stream.n_bytes, "binary")
        return
    mark = decision.byte_order_mark_bytes
    if mark:
        yield DroppedRange(0, mark, "byte_order_mark")
    start = _first_line(stream, mark, decision.encoding)
    end = _end_of_last_line(stream, start, decision.encoding)
    if start > mark:
        yield DroppedRange(mark, start, "blank")
    if end > start:
        yield DocumentRange(start, end)
    if end < stream.n_bytes:
        yield DroppedRange(end, stream.n_bytes, "blank")


def _is_blank(data: bytes, encoding: str) -> list[bool]:
    blank = _EBCDIC_BLANK if encoding in EBCDIC else _BLANK
    return [unit in blank for unit in code_units(encoding).units(data).tolist()]


def _first_line(stream: Stream, start: int, encoding: str) -> int:
    """Begin of the first line that is not blank, or the end of a stream without one."""
    units = code_units(encoding)
    line_start = start
    while look := stream.peek(start, LOOK_BYTES):
        blank = _is_blank(look, encoding)
        first = blank.index(False) * units.width if False in blank else len(look)
        ends = units.line_ends(look[:first], is_last=False)
        line_start = start + ends[-1] if ends else line_start
        if first < len(look) // units.width * units.width:
            return line_start
        start += len(look)
    return line_start if stream.n_bytes % units.width else stream.n_bytes


def _end_of_last_line(stream: Stream, start: int, encoding: str) -> int:
    """End of the last line that is not blank, its line end included."""
    units = code_units(encoding)
    if encoding in STATEFUL or (stream.n_bytes - start) % units.width:
        return stream.n_bytes
    end = stream.n_bytes
    while end > start:
        look_start = max(start, end - LOOK_BYTES)
        look = stream.peek(look_start, end - look_start)
        blank = _is_blank(look, encoding)
        if False in blank:
            last = len(blank) - blank[::-1].index(False)
            rest = stream.peek(look_start + last * units.width, 2 * LOOK_BYTES)
            ends = units.line_ends(rest, is_last=True)
            return look_start + last * units.width + (ends[0] if ends else len(rest))
        end = look_start
    return start


PLAIN = Reader("plain", "1", frozenset({".txt", ".text", ".md", ".markdown"}), find_documents)
