"""Parquet: rows, in the JSON lines that the container makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.json_lines import extract
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Reader
from warehouse.cleanser.readers.syntax import record_ranges, scan_lines
from warehouse.cleanser.streams import Stream


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """A record for each row."""
    return record_ranges(stream, decision, scan_lines)


PARQUET = Reader("parquet", "1", frozenset(), find_documents, extract=extract, container="parquet")
