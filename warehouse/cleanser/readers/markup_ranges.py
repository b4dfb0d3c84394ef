"""Where the documents of a markup stream lie: the whole stream, or elements of it that are found in one or two
passes over its blocks.

What lives here: byte ranges. What does not: what of them is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from warehouse.cleanser.code_units import EBCDIC, code_units
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES, DocumentRange, DroppedRange
from warehouse.cleanser.streams import Stream

_ASCII = bytes(range(128)) + b"x" * 128
"""Bytes above 127 stand for parts of letters."""


def whole_stream(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """One record, less a byte order mark."""
    if decision.encoding is None:
        if stream.n_bytes:
            yield DroppedRange(0, stream.n_bytes, "binary")
        return
    mark = decision.byte_order_mark_bytes
    if mark:
        yield DroppedRange(0, mark, "byte_order_mark")
    if stream.n_bytes > mark:
        yield record(mark, stream.n_bytes)


def record(byte_start: int, byte_end: int) -> DocumentRange | DroppedRange:
    """The range as a document, or as dropped where it is too large to be read as a whole."""
    if byte_end - byte_start > LARGEST_RECORD_BYTES:
        return DroppedRange(byte_start, byte_end, "record_too_large")
    return DocumentRange(byte_start, byte_end)


def with_rest_dropped(
    found: Iterable[tuple[int, int]], byte_start: int, byte_end: int, reason: str
) -> Iterator[DocumentRange | DroppedRange]:
    """Records in [byte_start, byte_end) in order, and what lies between them, so that all tile it."""
    for record_start, record_end in found:
        if record_start > byte_start:
            yield DroppedRange(byte_start, record_start, reason)
        yield record(record_start, record_end)
        byte_start = record_end
    if byte_end > byte_start:
        yield DroppedRange(byte_start, byte_end, reason)


def ascii_blocks(stream: Stream, decision: EncodingDecision, encoding: str) -> Iterator[bytes]:
    """The stream less its byte order mark, a byte a code unit: ASCII characters are themselves, all others ``x``.

    So ASCII tags are searched for alike in every encoding; an offset here is one there, times the code unit's
    width, plus the mark. (Second bytes of East Asian double-byte encodings but Johab's lie outside ``<`` and ``>``.)
    """
    units = code_units(encoding)
    table = _ebcdic_table(encoding) if encoding in EBCDIC else _ASCII
    skip = decision.byte_order_mark_bytes
    rest = b""
    for block in stream.blocks():
        data = rest + block[skip:]
        skip = max(0, skip - len(block))
        complete = len(data) // units.width * units.width
        rest = data[complete:]
        if units.width == 1:
            yield data.translate(table)
        else:
            wide = units.units(data[:complete])
            yield np.where(wide < 128, wide, ord("x")).astype(np.uint8).tobytes()


def _ebcdic_table(encoding: str) -> bytes:
    letters = bytes(range(256)).decode(encoding, "replace")
    return bytes(ord(letter) if letter.isascii() else ord("x") for letter in letters)
