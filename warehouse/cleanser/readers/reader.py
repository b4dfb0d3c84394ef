"""What a reader is: it finds the documents in a stream of one kind, and says what of each is text.

A new kind of source is one file beside this one and one line in ``registry.py``.

Plain kinds have no `extract`: their chunks are cut in the bytes (DESIGN §6). Structured kinds (markup, records)
have one: a document is a *record*, the bytes between its bounds are decoded as a whole, `extract` makes text of
them, and chunks are slices of that text.

A few kinds cannot be read record by record without knowing how their stream begins (a table's delimiter and
column names). Such a reader has `bind`; `registry.py` hands it out bound to the stream's head.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.streams import Stream

LARGEST_RECORD_BYTES = 16 << 20
"""A record is read as a whole; a longer one is dropped as ``record_too_large``, so that memory is bounded."""

HEAD_CHARACTERS = 1 << 14
"""Characters from the start of a stream by which a reader tells whether it is of its kind."""


def stream_head(stream: Stream, encoding: str | None) -> str:
    """The first `HEAD_CHARACTERS` characters of a stream, less a byte order mark; empty where the bytes are no text.

    The same for the same bytes and encoding, so that a replay binds a reader as the first reading did.
    """
    if encoding is None:
        return ""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return decoder.decode(stream.peek(0, 4 * HEAD_CHARACTERS)).removeprefix("\ufeff")[:HEAD_CHARACTERS]


@dataclass(frozen=True)
class DocumentRange:
    """The bytes [byte_start, byte_end) of a stream that are one document.

    Attributes:
        byte_start: first byte in the stream.
        byte_end: one past the last byte.
        title: what the stream around it calls it; None where it does not.
    """

    byte_start: int
    byte_end: int
    title: str | None = None


@dataclass(frozen=True)
class DroppedRange:
    """The bytes [byte_start, byte_end) of a stream that become no text.

    Attributes:
        byte_start: first byte in the stream.
        byte_end: one past the last byte.
        reason: a short name; docs/cleanser.md lists all of them.
    """

    byte_start: int
    byte_end: int
    reason: str


@dataclass(frozen=True)
class Extracted:
    """What of a record is text.

    Attributes:
        text: the text, not yet repaired.
        title: what the record calls itself; None where it does not.
    """

    text: str
    title: str | None = None


class NoTextError(Exception):
    """A record holds no text, or cannot be read; `reason` becomes that of its dropped range."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def never(_head: str) -> bool:
    """For readers whose kind cannot be told from content alone."""
    return False


@dataclass(frozen=True)
class Reader:
    """A way to find documents.

    Attributes:
        name: as column ``reader`` shows it.
        version: rises when other documents would be found or other text extracted.
        suffixes: lower-case file name suffixes that it serves.
        find_documents: ranges in ascending order that tile the stream exactly.
        accepts: whether a stream with one of the suffixes and this head (its first characters, decoded) may be
            of its kind; where not, its name lies.
        proves: whether a head can be of no other kind, whatever the stream is called.
        extract: text of one record's characters, raising `NoTextError` where there is none; None for plain kinds.
        container: the container format whose members it serves whatever they are called; None for none.
        bind: the same reader made for one stream, by the stream's head alone; None for kinds whose records speak
            for themselves.
    """

    name: str
    version: str
    suffixes: frozenset[str]
    find_documents: Callable[[Stream, EncodingDecision], Iterator[DocumentRange | DroppedRange]]
    accepts: Callable[[str], bool] = bool
    proves: Callable[[str], bool] = never
    extract: Callable[[str], Extracted] | None = None
    container: str | None = None
    bind: Callable[[str], Reader] | None = None

    def bound_to(self, head: str) -> Reader:
        """This reader, made for the stream that begins with `head`: see `stream_head`."""
        return self if self.bind is None else self.bind(head)
