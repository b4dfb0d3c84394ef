"""The Data Cleanser from end to end: a file's bytes become clean chunks, and every byte is accounted for.

    file -> `walk_streams` -> `survey_stream` -> its ranges -> `describe_documents` -> `cut_documents` -> chunks

What lives here: the way from one to the next, for one stream, one file or one string of bytes. What does not: the
database and its processes (``stages/``); nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.chunks import (
    SECTION_BYTES,
    ChunkRecord,
    Part,
    cut_document,
    cut_documents,
    cut_record,
)
from warehouse.cleanser.decoding import EncodingDecision, decide_encoding
from warehouse.cleanser.documents import Described, DocumentRecord, describe_documents
from warehouse.cleanser.measuring import in_batches, measure
from warehouse.cleanser.privacy import PrivateRange
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Reader, stream_head
from warehouse.cleanser.readers.registry import reader_for
from warehouse.cleanser.records import GROUP_RANGES, has_records
from warehouse.cleanser.streams import Stream, stream_of_bytes, walk_streams

__all__ = [
    "ChunkRecord",
    "CleanChunk",
    "CleanFile",
    "CleanStream",
    "DocumentRecord",
    "StreamExamination",
    "StreamSurvey",
    "cleanse",
    "cleanse_bytes",
    "cleanse_stream",
    "cut_document",
    "cut_stream",
    "examine_stream",
    "iterate_chunks",
    "survey_stream",
]


RECORD_SEPARATOR = "\n\n"
"""Between the texts of records where they are joined to one text: what parted them were quotes, tags or commas."""


@dataclass(frozen=True)
class StreamSurvey:
    """What was decided on a whole stream.

    Attributes:
        decision: its encoding.
        reader: what reads it, bound to its head.
    """

    decision: EncodingDecision
    reader: Reader

    def ranges(self, stream: Stream) -> Iterator[DocumentRange | DroppedRange]:
        """The documents of the stream and what lies between them, undescribed; they tile it."""
        return self.reader.find_documents(stream, self.decision)


def survey_stream(stream: Stream) -> StreamSurvey:
    """Decide a stream's encoding and reader, with memory that does not grow with it.

    Raises:
        InputUnreadable: if it cannot be read or changed while it was read.
    """
    decision = decide_encoding(stream)
    head = stream_head(stream, decision.encoding)
    return StreamSurvey(decision, reader_for(stream.name, head, stream.container))


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


def examine_stream(stream: Stream) -> StreamExamination:
    """Decide a stream's encoding and find its documents.

    Raises:
        InputUnreadable: if it cannot be read or changed while it was read.
    """
    survey = survey_stream(stream)
    documents: list[DocumentRecord] = []
    dropped: list[DroppedRange] = []
    for found in describe_documents(stream, survey.decision, survey.reader, survey.ranges(stream)):
        if isinstance(found, DroppedRange):
            dropped.append(found)
        else:
            documents.append(found.record)
    reasons = (gap.reason for gap in dropped)
    error = None if documents else no_text_reason(stream, survey.decision, reasons)
    return StreamExamination(survey.decision, tuple(documents), tuple(dropped), error)


def no_text_reason(stream: Stream, decision: EncodingDecision, reasons: Iterable[str]) -> str:
    """Why a stream gave no document, in words: it is ..., it holds ..."""
    if not stream.n_bytes:
        return stream.error or "it is empty"
    if decision.encoding is None:
        return f"it is binary: {decision.evidence[0]}"
    different = sorted(set(reasons) - {"blank", "byte_order_mark"})
    return f"it holds no text ({', '.join(different)})" if different else "it holds only white space"


class ChunkSignals(Mapping[str, Any]):
    """The signals of one chunk, by name: a view, because few who look at a chunk look at all of its signals."""

    __slots__ = ("_columns", "_number")

    def __init__(self, columns: Mapping[str, NDArray[Any]], number: int) -> None:
        """The values with that number in columns that several chunks share."""
        self._columns = columns
        self._number = number

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self._number]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True)
class CleanChunk:
    """A chunk with all that is known of it.

    Attributes:
        stream: where it was found.
        document: the document that it is a piece of.
        chunk: its place, decision and text.
        signals: its measures by name, as columns of ``corpus.chunk``.
        private: private ranges of its text.
    """

    stream: Stream
    document: DocumentRecord
    chunk: ChunkRecord
    signals: Mapping[str, Any]
    private: tuple[PrivateRange, ...]

    @property
    def text(self) -> str:
        """The clean text."""
        return self.chunk.text


@dataclass(frozen=True)
class CleanStream:
    """A stream after cleansing, as a whole.

    Attributes:
        stream: what was read.
        examination: its encoding and documents.
        chunks: in order; ordinals count within each document.
        dropped: byte ranges (and slices of extracted text) that became no chunk, in order.
    """

    stream: Stream
    examination: StreamExamination
    chunks: tuple[ChunkRecord, ...]
    dropped: tuple[DroppedRange, ...]

    @property
    def text(self) -> str:
        """The clean text; records are set apart by a blank line, plain documents stand as in the stream."""
        documents = self.examination.documents
        between = RECORD_SEPARATOR if documents and has_records(documents[0].reader) else ""
        texts = [between * (chunk.ordinal == 0) + chunk.text for chunk in self.chunks]
        return "".join(texts).removeprefix(between)


@dataclass(frozen=True)
class CleanFile:
    """A file after cleansing, as a whole: for small files and the Python prompt.

    Attributes:
        streams: the file itself, or the members of an archive, in order.
    """

    streams: tuple[CleanStream, ...]

    @property
    def text(self) -> str:
        """The clean text of all streams."""
        return "".join(stream.text for stream in self.streams)

    @property
    def chunks(self) -> tuple[ChunkRecord, ...]:
        """The chunks of all streams."""
        return tuple(chunk for stream in self.streams for chunk in stream.chunks)

    @property
    def dropped(self) -> tuple[DroppedRange, ...]:
        """What became no chunk, of all streams."""
        return tuple(gap for stream in self.streams for gap in stream.dropped)

    @property
    def examination(self) -> StreamExamination:
        """The encoding and documents of the first stream, which is the only one of a file that is no archive."""
        return self.streams[0].examination

    @property
    def error(self) -> str | None:
        """Why there is no text, or not all of it; None where everything was read."""
        errors = [stream.stream.error or stream.examination.error for stream in self.streams]
        return next(filter(None, errors), None)

    def signals(self) -> dict[str, NDArray[Any]]:
        """A column for each signal, with a value for each of `chunks`."""
        return measure([chunk.text for chunk in self.chunks]).signals


def cut_stream(
    stream: Stream, survey: StreamSurvey, chunking: Chunking, section_bytes: int = SECTION_BYTES
) -> Iterator[tuple[DocumentRecord | None, Iterable[Part]]]:
    """Describe and cut a stream, with bounded memory and without extracting a record twice.

    Yields:
        A document with its parts, which are to be taken before the next is asked for; or None with ranges outside
        the documents.
    """
    waiting: list[DocumentRecord] = []
    for found in describe_documents(stream, survey.decision, survey.reader, survey.ranges(stream)):
        if isinstance(found, Described) and found.text is None:
            waiting.append(found.record)
            if len(waiting) < GROUP_RANGES:
                continue
        yield from cut_documents(stream, waiting, chunking, section_bytes)
        waiting = []
        if isinstance(found, DroppedRange):
            yield None, (found,)
        elif found.text is not None:
            yield found.record, cut_record(found.record, found.text, found.errors, chunking)
    yield from cut_documents(stream, waiting, chunking, section_bytes)


def cleanse_stream(stream: Stream, chunking: Chunking | None = None) -> CleanStream:
    """Cleanse one stream into memory.

    Raises:
        InputUnreadable: if it cannot be read or changed while it was read.
    """
    survey = survey_stream(stream)
    documents: list[DocumentRecord] = []
    chunks: list[ChunkRecord] = []
    outside: list[DroppedRange] = []
    inside: list[DroppedRange] = []
    for document, parts in cut_stream(stream, survey, chunking or Chunking()):
        if document is not None:
            documents.append(document)
        for part in parts:
            if isinstance(part, ChunkRecord):
                chunks.append(part)
            else:
                (outside if document is None else inside).append(part)
    reasons = (gap.reason for gap in outside)
    error = None if documents else no_text_reason(stream, survey.decision, reasons)
    return CleanStream(
        stream,
        StreamExamination(survey.decision, tuple(documents), tuple(outside), error),
        tuple(chunks),
        tuple(sorted((*outside, *inside), key=lambda gap: gap.byte_start)),
    )


def cleanse(path: Path | str, chunking: Chunking | None = None) -> CleanFile:
    """Cleanse one file into memory; an archive gives a stream for each member.

    Raises:
        InputUnreadable: if it cannot be read or changed while it was read.
    """
    return CleanFile(tuple(cleanse_stream(stream, chunking) for stream in walk_streams(Path(path))))


def cleanse_bytes(data: bytes, name: str = "text.txt", chunking: Chunking | None = None) -> CleanFile:
    """Cleanse bytes as if they were a file of that name; containers are not opened."""
    return CleanFile((cleanse_stream(stream_of_bytes(data, name), chunking),))


def iterate_chunks(path: Path | str, chunking: Chunking | None = None) -> Iterator[CleanChunk]:
    """The chunks of a file of any size, with their signals, in bounded memory.

    Raises:
        InputUnreadable: if it cannot be read or changed while it was read: keep nothing then.
    """
    for stream in walk_streams(Path(path)):
        survey = survey_stream(stream)
        pairs = (
            (document, part)
            for document, parts in cut_stream(stream, survey, chunking or Chunking())
            if document is not None
            for part in parts
            if isinstance(part, ChunkRecord)
        )
        for batch in in_batches(pairs, lambda pair: pair[1].text):
            measures = measure([chunk.text for _, chunk in batch])
            for number, (document, chunk) in enumerate(batch):
                signals = ChunkSignals(measures.signals, number)
                yield CleanChunk(stream, document, chunk, signals, tuple(measures.private[number]))
