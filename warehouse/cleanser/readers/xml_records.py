"""Records in XML that is too large to be read as a whole: elements at one depth, found by streaming.

Expat (Python's `xml.parsers.expat`) walks over the tags. It is shown every character that is not ASCII, and every
ampersand, as a letter: so it need not know the encoding, and there is nothing that it could expand or fetch.

What lives here: byte ranges. What does not: what of a record is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.parsers import expat

from warehouse.cleanser.code_units import code_units
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.markup_ranges import ascii_blocks, record
from warehouse.cleanser.readers.markup_tokens import DEEPEST_ELEMENTS
from warehouse.cleanser.readers.reader import LARGEST_RECORD_BYTES, DocumentRange, DroppedRange
from warehouse.cleanser.streams import Stream

DEEPEST_RECORDS = 4
"""Records are children of the root (depth 1), or their children, and so on, down to this depth."""

LONGEST_END_TAG = 1 << 16
"""Expat tells of an end tag when it is complete; so much of it is kept from earlier blocks."""

_TO_LETTERS = bytes(
    code if code in b"\t\n\r" or (32 <= code < 127 and code != ord("&")) else ord("x") for code in range(256)
)


def find_records(
    stream: Stream, decision: EncodingDecision, encoding: str
) -> Iterator[DocumentRange | DroppedRange]:
    """The elements at the smallest depth at which none is too large to be read, and as ``markup`` what lies between
    them.

    Where the XML is malformed, or deeper than `DEEPEST_ELEMENTS`, what follows the last whole record is dropped as
    ``invalid_xml``.
    """
    mark, width = decision.byte_order_mark_bytes, code_units(encoding).width
    depth = _record_depth(_Walk().elements(ascii_blocks(stream, decision, encoding)), width)
    if mark:
        yield DroppedRange(0, mark, "byte_order_mark")
    position = mark
    walk = _Walk()
    for found_depth, start, end in walk.elements(ascii_blocks(stream, decision, encoding)):
        if found_depth != depth:
            continue
        byte_start, byte_end = mark + start * width, mark + end * width
        if byte_start > position:
            yield DroppedRange(position, byte_start, "markup")
        yield record(byte_start, byte_end)
        position = byte_end
    if stream.n_bytes > position:
        yield DroppedRange(position, stream.n_bytes, "invalid_xml" if walk.is_malformed else "markup")


def _record_depth(elements: Iterable[tuple[int, int, int]], width: int) -> int:
    largest = [0] * (DEEPEST_RECORDS + 1)
    for depth, start, end in elements:
        largest[depth] = max(largest[depth], (end - start) * width)
    fitting = [depth for depth in range(1, DEEPEST_RECORDS + 1) if 0 < largest[depth] <= LARGEST_RECORD_BYTES]
    return fitting[0] if fitting else 1


class _Walk:
    """One way through a document.

    Attributes:
        is_malformed: whether it ended early, because the tags fit no further.
    """

    def __init__(self) -> None:
        self.is_malformed = False
        self._parser = expat.ParserCreate("us-ascii")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._starts: list[int] = []
        self._depth = -1
        self._found: list[tuple[int, int, int]] = []
        self._window = b""
        self._window_start = 0

    def elements(self, blocks: Iterable[bytes]) -> Iterator[tuple[int, int, int]]:
        """Depth, start and end of each element at depths 1 to `DEEPEST_RECORDS`, in order of their ends; offsets in
        the blocks."""
        position = 0
        for block in blocks:
            kept = self._window[-LONGEST_END_TAG:]
            self._window_start = position - len(kept)
            self._window = kept + block
            position += len(block)
            yield from self._parsed(block.translate(_TO_LETTERS), is_last=False)
        yield from self._parsed(b"", is_last=True)

    def _parsed(self, data: bytes, is_last: bool) -> list[tuple[int, int, int]]:
        self._found = []
        if not self.is_malformed:
            try:
                self._parser.Parse(data, is_last)
            except expat.ExpatError:
                self.is_malformed = True
        return self._found

    def _start(self, _name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if 1 <= self._depth <= DEEPEST_RECORDS:
            self._starts.append(self._parser.CurrentByteIndex)
        if self._depth > DEEPEST_ELEMENTS:
            raise expat.ExpatError("too deep")

    def _end(self, _name: str) -> None:
        if 1 <= self._depth <= DEEPEST_RECORDS:
            self._found.append((self._depth, self._starts.pop(), self._end_of_tag()))
        self._depth -= 1

    def _end_of_tag(self) -> int:
        """Expat tells where an end tag begins, but where an empty element's tag ends."""
        index = self._parser.CurrentByteIndex
        place = index - self._window_start
        if place >= 0 and self._window[place : place + 2] != b"</":
            return index
        end = self._window.find(b">", place)
        if place < 0 or end < 0:
            raise expat.ExpatError("an end tag of any length")
        return self._window_start + end + 1
