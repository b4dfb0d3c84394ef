"""Finding records by the ASCII characters between them, in any encoding.

A scanner looks for newlines, quotes, brackets and delimiters. It sees a stream as one byte per code unit: an ASCII
character stands for itself, anything else is some byte above 0x7F. So each scanner is written once, for bytes, and is
right in UTF-16, in EBCDIC, and in encodings whose second bytes look like brackets.

What lives here: that view, and the way from a scanner's positions to ranges that tile the stream. What does not: any
format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from warehouse.cleanser.code_units import EBCDIC, WIDTHS, CodeUnits, code_units
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES, DocumentRange, DroppedRange
from warehouse.cleanser.streams import Stream
from warehouse.files import BLOCK_BYTES

Span = tuple[int, str | None]
"""Where a stretch of code units ends (it begins where the one before ended), and the reason for dropping it; None for
a record."""

Scan = Callable[[Iterator[bytes]], Iterator[Span]]
"""A scanner: from blocks of the view to spans in ascending order."""

TOO_LARGE = "record_too_large"

_HIDDEN = b"\x80"

_SHIFT_JIS = re.compile(rb"(?:[\x81-\x9f\xe0-\xfc][\x30-\x7e\x80-\xfc])+")
_TWO_BYTES = re.compile(rb"(?:[\x81-\xfe][\x30-\x7e\x80-\xfe])+")
_PAIRS = {
    **dict.fromkeys(("shift_jis", "cp932", "shift_jis_2004", "shift_jisx0213"), _SHIFT_JIS),
    **dict.fromkeys(("gbk", "gb18030", "big5", "cp950", "big5hkscs", "cp949", "johab"), _TWO_BYTES),
}
"""Runs of characters of two bytes in the codecs whose second byte may be that of an ASCII character."""

_KOREAN_SHIFT = re.compile(rb"\x0e[^\x0f\n]*")
_HZ_SHIFT = re.compile(rb"~\{.*?(?:~\}|(?=\n)|\Z)")
_ISO_SHIFT = re.compile(rb"\x1b(?:\$|\([^BJ])[^\x1b\n]*")


def record_ranges(
    stream: Stream, decision: EncodingDecision, scan: Scan, scan_large: Scan | None = None
) -> Iterator[DocumentRange | DroppedRange]:
    """What a scanner found, as byte ranges that tile the stream; adjoining ranges dropped for one reason are joined,
    and a record above `LARGEST_RECORD_BYTES` is dropped.

    Args:
        stream: what is read.
        decision: its encoding.
        scan: finds the records.
        scan_large: finds records within a record that is too large; None where they have no parts.

    Raises:
        InputUnreadable: if the stream cannot be read, or is not the one that was hashed.
    """
    if decision.encoding is None:
        if stream.n_bytes:
            yield DroppedRange(0, stream.n_bytes, "binary")
        return
    mark = decision.byte_order_mark_bytes
    width = WIDTHS.get(decision.encoding, 1)
    if mark:
        yield DroppedRange(0, mark, "byte_order_mark")
    start, end = mark, mark
    held: str | None = "blank"
    found = _spans(views(_less(stream.blocks(), mark), decision.encoding), scan, width)
    for span in found if scan_large is None else _opened(found, stream, decision, scan_large):
        next_end = mark + span[0] * width
        if next_end == end:
            continue
        if held is None or span[1] != held:
            if end > start:
                yield _range(start, end, held)
            start, held = end, span[1]
        end = next_end
    # A last code unit that is cut off belongs to what it follows.
    if stream.n_bytes > start:
        yield _range(start, stream.n_bytes, held)


def _spans(blocks: Iterator[bytes], scan: Scan, width: int) -> Iterator[Span]:
    """What a scanner found, with the records that are too large marked."""
    start = 0
    for end, reason in scan(blocks):
        is_large = reason is None and (end - start) * width > LARGEST_RECORD_BYTES
        yield end, TOO_LARGE if is_large else reason
        start = end


def _opened(spans: Iterator[Span], stream: Stream, decision: EncodingDecision, scan: Scan) -> Iterator[Span]:
    """The spans with those that are too large read a second time, for the records within."""
    encoding = decision.encoding or "ascii"
    width = WIDTHS.get(encoding, 1)
    start = 0
    for end, reason in spans:
        if reason == TOO_LARGE:
            first, last = (decision.byte_order_mark_bytes + unit * width for unit in (start, end))
            inner = views(stream.range_blocks(first, last), encoding)
            for unit, inner_reason in _spans(inner, scan, width):
                yield start + unit, inner_reason
        else:
            yield end, reason
        start = end


def _range(start: int, end: int, reason: str | None) -> DocumentRange | DroppedRange:
    return DocumentRange(start, end) if reason is None else DroppedRange(start, end, reason)


def _less(blocks: Iterable[bytes], n_bytes: int) -> Iterator[bytes]:
    for block in blocks:
        yield block[n_bytes:]
        n_bytes = max(0, n_bytes - len(block))


def views(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The view of consecutive blocks: one byte per complete code unit, in blocks of another size."""
    view = _view_of(encoding)
    rest = b""
    for block in blocks:
        data = rest + block if rest else block
        shown = view(data, False)
        rest = data[len(shown) * WIDTHS.get(encoding, 1) :]
        yield shown
    if rest:
        yield view(rest, True)


def _view_of(encoding: str) -> Callable[[bytes, bool], bytes]:
    """What shows a piece of a stream: all of it if it is the last, else as far as its end is certain."""
    if encoding in WIDTHS:
        units = code_units(encoding)
        return lambda data, _is_last: _narrowed(units, data)
    if encoding in EBCDIC:
        table = _ascii_table(encoding)
        return lambda data, _is_last: data.translate(table)
    if encoding in _PAIRS:
        pairs = _PAIRS[encoding]
        return lambda data, is_last: _without_pairs(pairs, data, is_last)
    if encoding.startswith("iso2022") or encoding == "hz":
        shift = {"iso2022_kr": _KOREAN_SHIFT, "hz": _HZ_SHIFT}.get(encoding, _ISO_SHIFT)
        return lambda data, is_last: _without_shifted(shift, data, is_last)
    return lambda data, _is_last: data


def _narrowed(units: CodeUnits, data: bytes) -> bytes:
    return bytes(np.minimum(units.units(data), _HIDDEN[0]).astype(np.uint8))


def _ascii_table(encoding: str) -> bytes:
    """Each byte of a one-byte codec as ASCII; its line ends as line feeds."""
    line_feeds = code_units(encoding).line_feeds
    characters = [bytes([byte]).decode(encoding, "replace") for byte in range(256)]
    shown = (min(ord(character), _HIDDEN[0]) for character in characters)
    return bytes(0x0A if byte in line_feeds else code for byte, code in enumerate(shown))


def _hidden(found: re.Match[bytes]) -> bytes:
    return _HIDDEN * len(found[0])


def _without_pairs(pairs: re.Pattern[bytes], data: bytes, is_last: bool) -> bytes:
    shown = pairs.sub(_hidden, data)
    # A lead byte at the end waits for its second.
    return shown if is_last or not shown or shown[-1] <= _HIDDEN[0] else shown[:-1]


def _without_shifted(shift: re.Pattern[bytes], data: bytes, is_last: bool) -> bytes:
    """Shifted characters are hidden; each line begins unshifted (RFC 1468, RFC 1843)."""
    end = len(data) if is_last or len(data) > 2 * BLOCK_BYTES else data.rfind(b"\n") + 1
    return shift.sub(_hidden, data[:end])


def scan_lines(blocks: Iterator[bytes]) -> Iterator[Span]:
    """Each line with its line feed, however long, is a record; blank ones are dropped."""
    position, is_blank = 0, True
    for block in blocks:
        start = 0
        for end in (np.flatnonzero(np.frombuffer(block, np.uint8) == 0x0A) + 1).tolist():
            is_blank = is_blank and block[start:end].isspace()
            yield position + end, "blank" if is_blank else None
            start, is_blank = end, True
        is_blank = is_blank and not block[start:].strip()
        position += len(block)
    yield position, "blank" if is_blank else None
