"""Plain text: one document, or the several that share a file; less a byte order mark and blank lines."""

from __future__ import annotations

from collections.abc import Iterator

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Reader
from warehouse.cleanser.readers.structure import find_documents_from
from warehouse.cleanser.streams import Stream


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """The documents, with what surrounds them dropped; the ranges tile the stream."""
    if decision.encoding is None:
        if stream.n_bytes:
            yield DroppedRange(0, stream.n_bytes, "binary")
        return
    mark = decision.byte_order_mark_bytes
    if mark:
        yield DroppedRange(0, mark, "byte_order_mark")
    yield from find_documents_from(stream, mark, decision.encoding)


PLAIN = Reader("plain", "2", frozenset({".txt", ".text"}), find_documents)
