"""What a reader is: it finds the documents in a stream of one kind.

A new kind of source is one file beside this one and one line in ``registry.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.streams import Stream


@dataclass(frozen=True)
class DocumentRange:
    """The bytes [byte_start, byte_end) of a stream that are one document."""

    byte_start: int
    byte_end: int


@dataclass(frozen=True)
class DroppedRange:
    """The bytes [byte_start, byte_end) of a stream that become no text.

    Attributes:
        byte_start: first byte in the stream.
        byte_end: one past the last byte.
        reason: ``byte_order_mark``, ``binary``, ``blank`` or ``control_characters``.
    """

    byte_start: int
    byte_end: int
    reason: str


@dataclass(frozen=True)
class Reader:
    """A way to find documents.

    Attributes:
        name: as column ``reader`` shows it.
        version: rises when other documents would be found.
        suffixes: lower-case file name suffixes that it serves.
        find_documents: ranges in ascending order that tile the stream exactly.
    """

    name: str
    version: str
    suffixes: frozenset[str]
    find_documents: Callable[[Stream, EncodingDecision], Iterator[DocumentRange | DroppedRange]]
