"""The Data Cleanser: a file's bytes become clean chunks, and every byte is accounted for.

    Stream -> `examine_stream` -> documents, dropped ranges -> `cut_document` -> chunks, dropped ranges

What lives here: the way from one to the next, and the records that the Training Database stores. What does
not: the database itself; nothing here writes.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.code_units import STATEFUL, RunningDecoder
from warehouse.cleanser.decoding import EncodingDecision, decide_encoding
from warehouse.cleanser.language import identify_language
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange
from warehouse.cleanser.readers.registry import reader_for
from warehouse.cleanser.repair import repair_chunk
from warehouse.cleanser.segmenting import Piece, measured_pieces, pack
from warehouse.cleanser.streams import Stream, open_streams

TITLE_CHARACTERS = 120
LANGUAGE_SAMPLE_BYTES = 1 << 11
"""A document's language is decided on 2 KiB from its middle and 2 KiB from its start: bounded, and past the
preface."""


@dataclass(frozen=True)
class DocumentRecord:
    """A document as `corpus.document` describes it; its bytes are [byte_start, byte_end) of the stream."""

    ordinal: int
    byte_start: int
    byte_end: int
    reader: str
    reader_version: str
    encoding: str
    encoding_confidence: float
    encoding_evidence: str
    language: str
    language_score: float
    n_characters: int
    title: str | None


@dataclass(frozen=True)
class StreamExamination:
    """What one look at a stream found; documents and dropped ranges tile it.

    Attributes:
        decision: its encoding.
        documents: in order.
        dropped: ranges outside the documents, in order.
        error: why there is no document; None where there is one.
    """

    decision: EncodingDecision
    documents: tuple[DocumentRecord, ...]
    dropped: tuple[DroppedRange, ...]
    error: str | None


@dataclass(frozen=True)
class ChunkRecord:
    """A chunk as `corpus.chunk` describes it, with its text; bytes are counted in the stream, characters in
    the document's clean text (the texts of its chunks in order)."""

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
class CleanFile:
    """A file after cleansing, as a whole: for small files and the Python prompt."""

    stream: Stream
    examination: StreamExamination
    chunks: tuple[ChunkRecord, ...]
    dropped: tuple[DroppedRange, ...]

    @property
    def text(self) -> str:
        """The clean text."""
        return "".join(chunk.text for chunk in self.chunks)


def examine_stream(stream: Stream) -> StreamExamination:
    """Decide a stream's encoding and find its documents, with memory that does not grow with it.

    Raises:
        InputUnreadable: if it cannot be read or changed while it was read.
    """
    decision = decide_encoding(stream)
    reader = reader_for(stream.path.name, "")
    documents: list[DocumentRecord] = []
    dropped: list[DroppedRange] = []
    for found in reader.find_documents(stream, decision):
        if isinstance(found, DroppedRange):
            dropped.append(found)
        elif decision.encoding is not None:
            documents.append(
                _described(
                    stream, decision, decision.encoding, found, len(documents), reader.name, reader.version
                )
            )
    return StreamExamination(
        decision, tuple(documents), tuple(dropped), None if documents else _reason(stream, decision)
    )


def _reason(stream: Stream, decision: EncodingDecision) -> str:
    if not stream.n_bytes:
        return "it is empty"
    if decision.encoding is None:
        return f"it is binary: {decision.evidence[0]}"
    return "it holds only white space"


def _described(
    stream: Stream,
    decision: EncodingDecision,
    encoding: str,
    found: DocumentRange,
    ordinal: int,
    reader: str,
    reader_version: str,
) -> DocumentRecord:
    head, sample = _samples(stream, encoding, found)
    language, language_score = identify_language(sample)
    return DocumentRecord(
        ordinal=ordinal,
        byte_start=found.byte_start,
        byte_end=found.byte_end,
        reader=reader,
        reader_version=reader_version,
        encoding=encoding,
        encoding_confidence=decision.confidence,
        encoding_evidence=decision.evidence_json(),
        language=language,
        language_score=language_score,
        n_characters=_count_characters(stream, encoding, found),
        title=title_of(head),
    )


def _samples(stream: Stream, encoding: str, found: DocumentRange) -> tuple[str, str]:
    """The start of a document, and text from its middle and start by which to tell its language."""
    n_bytes = found.byte_end - found.byte_start
    head = _peeked(stream, encoding, found.byte_start, min(n_bytes, LANGUAGE_SAMPLE_BYTES))
    if n_bytes < 4 * LANGUAGE_SAMPLE_BYTES or encoding in STATEFUL:
        return head, head
    middle = found.byte_start + n_bytes // 8 * 4
    return head, _peeked(stream, encoding, middle, LANGUAGE_SAMPLE_BYTES) + "\n" + head


def _peeked(stream: Stream, encoding: str, start: int, n_bytes: int) -> str:
    return codecs.getincrementaldecoder(encoding)("ignore").decode(stream.peek(start, n_bytes))


def _count_characters(stream: Stream, encoding: str, found: DocumentRange) -> int:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    count = sum(len(decoder.decode(block)) for block in stream.range_blocks(found.byte_start, found.byte_end))
    return count + len(decoder.decode(b"", final=True))


def title_of(head: str) -> str | None:
    """The first line that is short or a Markdown heading, at most 120 characters; None where there is
    none."""
    for line in head.splitlines():
        title = " ".join(line.lstrip("#").split())
        if (
            title
            and any(map(str.isalnum, title))
            and (len(title) <= TITLE_CHARACTERS or line.startswith("#"))
        ):
            return title[:TITLE_CHARACTERS]
    return None


def cut_document(
    stream: Stream, document: DocumentRecord, chunking: Chunking
) -> Iterator[ChunkRecord | DroppedRange]:
    """Cut a document into chunks; they and the dropped ranges tile it, in order.

    Raises:
        InputUnreadable: after the last chunk, if the stream is not the one that was hashed: keep nothing
            then.
    """
    blocks = stream.range_blocks(document.byte_start, document.byte_end)
    state = RunningDecoder(document.encoding).state
    pieces = measured_pieces(blocks, document.encoding, chunking.max_characters, state)
    pending: DroppedRange | None = None
    ordinal, position, character = 0, document.byte_start, 0
    for group in pack(pieces, chunking.max_characters):
        chunk = _cleaned(document, group, ordinal, position, character, chunking)
        if isinstance(chunk, DroppedRange):
            pending = _joined(pending, chunk)
        else:
            if pending is not None:
                yield pending
                pending = None
            yield chunk
            ordinal, character = ordinal + 1, chunk.char_end
        position = chunk.byte_end
    if pending is not None:
        yield pending


def _joined(earlier: DroppedRange | None, later: DroppedRange) -> DroppedRange:
    return later if earlier is None else replace(earlier, byte_end=later.byte_end)


def _cleaned(
    document: DocumentRecord,
    group: list[Piece],
    ordinal: int,
    byte_start: int,
    char_start: int,
    chunking: Chunking,
) -> ChunkRecord | DroppedRange:
    raw = b"".join(piece.raw for piece in group)
    state = group[0].decoder_state
    repaired = repair_chunk(raw, document.encoding, state, chunking.repair_mojibake)
    text = repaired.text
    if not text or text.isspace():
        return DroppedRange(byte_start, byte_start + len(raw), "blank")
    encoded = text.encode()
    return ChunkRecord(
        ordinal=ordinal,
        byte_start=byte_start,
        byte_end=byte_start + len(raw),
        char_start=char_start,
        char_end=char_start + len(text),
        encoding=document.encoding,
        encoding_confidence=document.encoding_confidence,
        encoding_evidence=document.encoding_evidence,
        decoder_state=state,
        repair=repaired.plan.to_json(),
        n_replaced=repaired.n_replaced,
        text=text,
        n_characters=len(text),
        n_bytes=len(encoded),
        text_sha256=hashlib.sha256(encoded).digest(),
    )


def cleanse(path: Path, chunking: Chunking | None = None) -> CleanFile:
    """Cleanse one file into memory.

    Raises:
        InputUnreadable: if it cannot be read or changed while it was read.
    """
    stream = open_streams(path)[0]
    examination = examine_stream(stream)
    chunks: list[ChunkRecord] = []
    dropped = list(examination.dropped)
    for document in examination.documents:
        for part in cut_document(stream, document, chunking or Chunking()):
            if isinstance(part, ChunkRecord):
                chunks.append(part)
            else:
                dropped.append(part)
    return CleanFile(
        stream, examination, tuple(chunks), tuple(sorted(dropped, key=lambda gap: gap.byte_start))
    )
