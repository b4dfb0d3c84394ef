"""Chunks: documents are cut, and each piece is decoded and repaired.

    plain document -> `sections_of` -> `cut_section` -> chunks and dropped ranges that tile its bytes
    record         -> extracted text -> `cut_record` -> chunks and dropped slices that tile its characters

A section is cut as if nothing were around it: that makes the sections of a large document independent of each other,
so that any number of processes may cut them, in any order, into the same chunks.

What lives here: the way from a document to its chunks. What does not: where a cut is good (``cutting.py``,
``segmenting.py``), what is mended (``repair.py``), and what is measured (``measuring.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.code_units import STATEFUL, code_units
from warehouse.cleanser.cutting import cut_text
from warehouse.cleanser.documents import DocumentRecord
from warehouse.cleanser.readers.reader import DroppedRange
from warehouse.cleanser.records import BoundReaders, EncodedSpan, decode_record, extract, grouped
from warehouse.cleanser.repair import Repaired, repair_chunk, repair_text
from warehouse.cleanser.segmenting import cut_bytes
from warehouse.cleanser.streams import Stream

SECTION_BYTES = 16 << 20
"""Plain documents that are longer are cut in sections of about this length, whatever the number of processes: long
enough that a cut more does not matter, short enough to divide a file of a gigabyte over many cores."""

SECTION_LOOK_BYTES = 1 << 16
"""So far past a multiple of its length a section may end, at a paragraph where there is one, else at a line."""


@dataclass(frozen=True)
class ChunkRecord:
    """A chunk as `corpus.chunk` describes it, with its text.

    Bytes are counted in the stream. Characters are counted in the document's clean text (the texts of its chunks in
    order) where it is plain, and in the text that the reader extracted where it is structured.
    """

    ordinal: int
    byte_start: int
    byte_end: int
    char_start: int
    char_end: int
    encoding: str
    encoding_confidence: float
    encoding_evidence: str
    decoder_state: str | None
    repair: str
    n_replaced: int
    text: str
    n_characters: int
    n_bytes: int
    text_sha256: bytes


@dataclass(frozen=True)
class DroppedSlice(DroppedRange):
    """The characters [char_start, char_end) of a record's extracted text that become no chunk. Its bytes are those of
    the whole record, which counts as covered."""

    char_start: int
    char_end: int


Part = ChunkRecord | DroppedRange


@dataclass(frozen=True)
class Section:
    """Bytes of a plain document that are cut on their own.

    Attributes:
        span: the bytes and their encoding.
        decoder_state: state that a stateful decoder has at the first; None for stateless encodings.
    """

    span: EncodedSpan
    decoder_state: str | None = None


class Source(Protocol):
    """Bytes that are counted as in their stream, of which they may be a part."""

    def range_blocks(self, byte_start: int, byte_end: int) -> Iterator[bytes]: ...

    def peek(self, byte_start: int, n_bytes: int) -> bytes: ...


@dataclass(frozen=True)
class Loaded:
    """The bytes of a stream from `byte_start` on, in memory."""

    byte_start: int
    data: bytes

    def range_blocks(self, byte_start: int, byte_end: int) -> Iterator[bytes]:
        """The bytes [byte_start, byte_end), in one block."""
        yield self.peek(byte_start, byte_end - byte_start)

    def peek(self, byte_start: int, n_bytes: int) -> bytes:
        """At most `n_bytes` bytes from `byte_start` on."""
        start = byte_start - self.byte_start
        return self.data[start : start + n_bytes]


def sections_of(
    source: Source, document: DocumentRecord, section_bytes: int = SECTION_BYTES
) -> list[Section]:
    """The sections of a plain document, which tile it.

    They depend on nothing but its bytes and their encodings: a new one begins where the encoding changes, and at the
    first paragraph (else line) after each multiple of `section_bytes`. A document in a stateful encoding, or without
    line ends, is one section.

    Args:
        source: where it lies.
        document: what to divide.
        section_bytes: a multiple of 4.
    """
    spans = document.spans
    sections: list[Section] = []
    for span in spans:
        state = document.decoder_state if span is spans[0] else None
        is_whole = span.encoding in STATEFUL or span.byte_end - span.byte_start <= section_bytes
        ends = [span.byte_end] if is_whole else _section_ends(source, span, section_bytes)
        for start, end in pairwise([span.byte_start, *ends]):
            sections.append(Section(replace(span, byte_start=start, byte_end=end), state))
    return sections


def _section_ends(source: Source, span: EncodedSpan, section_bytes: int) -> list[int]:
    ends: list[int] = []
    for target in range(span.byte_start + section_bytes, span.byte_end, section_bytes):
        if ends and target <= ends[-1]:
            continue
        look = source.peek(target, min(SECTION_LOOK_BYTES, span.byte_end - target))
        end = _good_end(look, span.encoding)
        if end is not None and target + end < span.byte_end:
            ends.append(target + end)
    return [*ends, span.byte_end]


def _good_end(look: bytes, encoding: str) -> int | None:
    """The end of the first blank line of some bytes, else of their first line; None where no line ends."""
    line_ends = code_units(encoding).line_ends(look, is_last=False)
    for start, end in pairwise(line_ends):
        if look[start:end].decode(encoding, "replace").isspace():
            return end
    return line_ends[0] if line_ends else None


def cut_section(section: Section, blocks: Iterable[bytes], chunking: Chunking) -> Iterator[Part]:
    """Cut a section into chunks; they and the dropped ranges tile it, in order.

    Ordinals and characters count from 0 in the section: `Counters.placed` makes them those of the document.

    Args:
        section: what to cut.
        blocks: its bytes.
        chunking: how.
    """
    span = section.span
    pending: DroppedRange | None = None
    ordinal, position, character = 0, span.byte_start, 0
    for piece in cut_bytes(blocks, span.encoding, chunking, section.decoder_state):
        start, position = position, position + len(piece.raw)
        repaired = repair_chunk(piece.raw, span.encoding, piece.decoder_state, chunking.repair_mojibake)
        if not repaired.text or repaired.text.isspace():
            pending = DroppedRange(start if pending is None else pending.byte_start, position, "blank")
            continue
        if pending is not None:
            yield pending
            pending = None
        end = character + len(repaired.text)
        yield _chunk(repaired, ordinal, (start, position), (character, end), span, piece.decoder_state)
        ordinal, character = ordinal + 1, end
    if pending is not None:
        yield pending


def cut_record(document: DocumentRecord, text: str, errors: str, chunking: Chunking) -> Iterator[Part]:
    """Cut the extracted text of a record into chunks; they and the dropped slices tile its characters.

    A record whose text is blank after repair is a dropped range.

    Args:
        document: the record.
        text: what its reader extracted.
        errors: name of the codec error handler that decoding it needed.
        chunking: how.
    """
    place = (document.byte_start, document.byte_end)
    span = EncodedSpan(*place, document.encoding, document.encoding_confidence, document.encoding_evidence)
    ordinal = 0
    blank: list[DroppedSlice] = []
    for start, end in cut_text(text, chunking):
        repaired = repair_text(text[start:end], chunking.repair_mojibake)
        if not repaired.text or repaired.text.isspace():
            blank.append(DroppedSlice(*place, "blank", start, end))
            continue
        if repaired.plan.errors != errors:
            repaired = replace(repaired, plan=replace(repaired.plan, errors=errors))
        yield from blank
        blank = []
        yield _chunk(repaired, ordinal, place, (start, end), span, document.decoder_state)
        ordinal += 1
    if not ordinal:
        yield DroppedRange(*place, "blank")
    else:
        yield from blank


def _chunk(
    repaired: Repaired,
    ordinal: int,
    bytes_at: tuple[int, int],
    characters_at: tuple[int, int],
    span: EncodedSpan,
    decoder_state: str | None,
) -> ChunkRecord:
    encoded = repaired.text.encode()
    return ChunkRecord(
        ordinal=ordinal,
        byte_start=bytes_at[0],
        byte_end=bytes_at[1],
        char_start=characters_at[0],
        char_end=characters_at[1],
        encoding=span.encoding,
        encoding_confidence=span.confidence,
        encoding_evidence=span.evidence,
        decoder_state=decoder_state,
        repair=repaired.plan.to_json(),
        n_replaced=repaired.n_replaced,
        text=repaired.text,
        n_characters=len(repaired.text),
        n_bytes=len(encoded),
        text_sha256=hashlib.sha256(encoded).digest(),
    )


class Counters:
    """Chunks and characters of a document so far, while its sections go by in order."""

    def __init__(self) -> None:
        self.n_chunks = self.n_characters = 0

    def placed(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The parts of the next section, numbered in the document."""
        first, character = self.n_chunks, self.n_characters
        for part in parts:
            if not isinstance(part, ChunkRecord):
                yield part
                continue
            self.n_chunks, self.n_characters = first + part.ordinal + 1, character + part.char_end
            yield (
                part
                if first == 0
                else replace(
                    part,
                    ordinal=first + part.ordinal,
                    char_start=character + part.char_start,
                    char_end=character + part.char_end,
                )
            )


def cut_document(
    stream: Stream, document: DocumentRecord, chunking: Chunking, section_bytes: int = SECTION_BYTES
) -> Iterator[Part]:
    """Cut a document of any length into chunks, with bounded memory.

    Raises:
        InputUnreadable: if the stream cannot be read or has changed: keep nothing then.
    """
    for _, parts in cut_documents(stream, [document], chunking, section_bytes):
        yield from parts


def cut_documents(
    stream: Stream,
    documents: Iterable[DocumentRecord],
    chunking: Chunking,
    section_bytes: int = SECTION_BYTES,
) -> Iterator[tuple[DocumentRecord, Iterator[Part]]]:
    """Cut consecutive documents of a stream in one pass over its bytes.

    Yields:
        Each document with its parts, which are to be taken before the next is asked for.

    Raises:
        InputUnreadable: if the stream cannot be read or has changed: keep nothing then.
    """
    readers = BoundReaders(stream)
    for group in grouped(documents):
        start = group[0].byte_start
        source: Source = stream
        if len(group) > 1:
            source = Loaded(start, b"".join(stream.range_blocks(start, group[-1].byte_end)))
        for document in group:
            reader = readers.named(document.reader, document.encoding)
            if reader.extract is None:
                yield document, _cut_plain(source, document, chunking, section_bytes)
            else:
                raw = b"".join(source.range_blocks(document.byte_start, document.byte_end))
                text, errors = decode_record(raw, document.spans, document.decoder_state)
                yield document, cut_record(document, extract(reader, text).text, errors, chunking)


def _cut_plain(
    source: Source, document: DocumentRecord, chunking: Chunking, section_bytes: int
) -> Iterator[Part]:
    counters = Counters()
    for section in sections_of(source, document, section_bytes):
        blocks = source.range_blocks(section.span.byte_start, section.span.byte_end)
        yield from counters.placed(cut_section(section, blocks, chunking))
