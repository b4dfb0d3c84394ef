"""What worker processes do for the stage ``chunk``: cut documents, store their text, and return rows.

What lives here: tasks and their results; a file that fails is a result, never an exception. What does not: which
tasks there are, and the database (``chunk.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as compute

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.chunks import ChunkRecord, Counters, Section, cut_documents, cut_section
from warehouse.cleanser.chunks import Part as CutPart
from warehouse.cleanser.documents import DocumentRecord
from warehouse.cleanser.measuring import BATCH_CHARACTERS, BATCH_CHUNKS, measure
from warehouse.cleanser.readers.reader import DroppedRange
from warehouse.cleanser.records import has_records
from warehouse.cleanser.streams import Stream
from warehouse.errors import FakesmrtError, InputUnreadable
from warehouse.files import written_whole
from warehouse.identity import content_id, fingerprint
from warehouse.splits import sampling_unit, split_of
from warehouse.stages.arrow import CHUNK, DROPPED, PRIVATE_RANGE, TEXT, arrow_table
from warehouse.stages.examining import dropped_row
from warehouse.stages.feeding import explained_reading, filesystem_path, in_memory, streams_in
from warehouse.textstore import TextWriter

_DOCUMENT_FIELDS = tuple(DocumentRecord.__dataclass_fields__)


@dataclass(frozen=True)
class CutOrder:
    """What every task needs beside its documents."""

    chunking: Chunking
    chunking_id: UUID
    salt: str
    text_folder: Path
    temporary_folder: Path


@dataclass(frozen=True)
class Part:
    """Consecutive documents of one stream, or a section of one of them.

    Attributes:
        source_id: the file.
        path: its path, printable.
        sha256: its hash.
        member: name of the stream in it.
        split_unit: of the corpus.
        documents: rows of ``documents_to_cut.sql``.
        n_bytes: of the documents.
        stream: where their bytes are; None leaves it to the worker to find the stream in the file.
        sections: those of the only document that are to be cut; None cuts the documents whole.
    """

    source_id: UUID
    path: str
    sha256: bytes
    member: str | None
    split_unit: str
    documents: pa.Table
    n_bytes: int
    stream: Stream | None = None
    sections: tuple[Section, ...] | None = None


@dataclass(frozen=True)
class Cut:
    """Rows that cutting some documents gave, in the layout of ``stages/arrow.py``; the text is stored already.

    Attributes:
        sources: the files whose documents were cut.
        failures: files that could not be read, with the cause.
        n_bytes: bytes of the documents.
    """

    chunks: pa.Table
    dropped: pa.Table
    private: pa.Table
    sources: tuple[UUID, ...]
    failures: dict[UUID, str]
    n_bytes: int

    def placed(self, n_chunks: int, n_characters: int, split_unit: str, salt: str) -> Cut:
        """The same for a section that so many chunks and characters of its document precede."""
        if not n_chunks:
            return self
        table = _shifted(self.chunks, "ordinal", n_chunks)
        table = _shifted(_shifted(table, "char_start", n_characters), "char_end", n_characters)
        if split_unit != "document" and table.num_rows:
            document_id = table.column("document_id")[0].as_py()
            ordinals = table.column("ordinal").to_pylist()
            splits = [_split(document_id, ordinal, split_unit, salt) for ordinal in ordinals]
            table = _with_column(table, "split", pa.array(splits, pa.string()))
        return replace(self, chunks=table)


def failed_cut(source_id: UUID, cause: str, n_bytes: int) -> Cut:
    """What is left of documents whose file cannot be read."""
    empty = CHUNK.empty_table(), DROPPED.empty_table(), PRIVATE_RANGE.empty_table()
    return Cut(*empty, (source_id,), {source_id: cause}, n_bytes)


def _shifted(table: pa.Table, name: str, amount: int) -> pa.Table:
    column = table.column(name)
    return _with_column(table, name, compute.add(column, pa.scalar(amount, column.type)))


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    number = table.schema.get_field_index(name)
    return table.set_column(number, table.schema.field(number), values)


@lru_cache(maxsize=64)
def _split_of_unit(unit: UUID, salt: str) -> str:
    return split_of(unit, salt)


def _split(document_id: UUID, ordinal: int, split_unit: str, salt: str) -> str:
    return _split_of_unit(sampling_unit(document_id, ordinal, split_unit), salt)


class _Batch:
    """Rows of a task while it is at work, as columns of a few hundred chunks."""

    def __init__(self, order: CutOrder, writer: TextWriter, text_file: str) -> None:
        self._order = order
        self._writer = writer
        self._text_file = text_file
        self._waiting: list[tuple[_Place, ChunkRecord]] = []
        self._n_waiting = 0
        self._chunks: list[pa.Table] = []
        self._private: list[pa.Table] = []
        self._dropped: list[tuple[UUID, dict[str, object]]] = []
        self._failed: set[UUID] = set()
        self.failures: dict[UUID, str] = {}

    @contextmanager
    def all_or_failure(self, parts: Sequence[Part]) -> Iterator[None]:
        """Rows that the block adds stay if it succeeds; else there is a failure and none of them.

        The text of chunks that do not stay lies unreferenced in the text file.
        """
        try:
            with explained_reading():
                yield
        except FakesmrtError as failure:
            self._fail(parts, failure.cause)
        except Exception as failure:  # noqa: BLE001  # a fault of ours, met in one file, must not stop the others
            self._fail(parts, f"the cleanser failed on it: {type(failure).__name__}: {failure}")

    def _fail(self, parts: Sequence[Part], cause: str) -> None:
        for part in parts:
            self.failures[part.source_id] = cause
            self._failed.update(
                UUID(identity) for identity in part.documents.column("document_id").to_pylist()
            )

    def add(self, place: _Place, parts: Iterable[CutPart]) -> None:
        """Add the pieces of a document as they come."""
        for part in parts:
            if isinstance(part, DroppedRange):
                row = dropped_row(place.stream_id, part, self._order.chunking_id)
                self._dropped.append((place.document_id, row))
                continue
            self._waiting.append((place, part))
            self._n_waiting += part.n_characters
            if len(self._waiting) == BATCH_CHUNKS or self._n_waiting >= BATCH_CHARACTERS:
                self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        places = [place for place, _ in self._waiting]
        chunks = [chunk for _, chunk in self._waiting]
        self._waiting, self._n_waiting = [], 0
        ids = [place.chunk_id(chunk) for place, chunk in zip(places, chunks, strict=True)]
        texts = [chunk.text for chunk in chunks]
        rows = [
            self._writer.add({"chunk_id": chunk_id, "document_id": place.document_id, "text": text})
            for chunk_id, place, text in zip(ids, places, texts, strict=True)
        ]
        measures = measure(texts)
        columns: dict[str, Any] = {
            "chunk_id": [chunk_id.bytes for chunk_id in ids],
            "document_id": [place.document_id.bytes for place in places],
            "chunking_id": [self._order.chunking_id.bytes] * len(chunks),
            "text_file": [self._text_file] * len(chunks),
            "text_row": rows,
            "split": [
                _split(place.document_id, chunk.ordinal, place.split_unit, self._order.salt)
                for place, chunk in zip(places, chunks, strict=True)
            ],
            **measures.signals,
        }
        arrays = [
            pa.array(
                columns[field.name]
                if field.name in columns
                else [getattr(chunk, field.name) for chunk in chunks],
                field.type,
            )
            for field in CHUNK
        ]
        self._chunks.append(pa.Table.from_arrays(arrays, schema=CHUNK))
        private = [
            {"chunk_id": chunk_id, **asdict(found)}
            for chunk_id, ranges in zip(ids, measures.private, strict=True)
            for found in ranges
        ]
        if private:
            self._private.append(arrow_table(PRIVATE_RANGE, private))

    def cut(self, sources: Iterable[UUID], n_bytes: int) -> Cut:
        """What the task gave."""
        self._flush()
        chunks = pa.concat_tables([CHUNK.empty_table(), *self._chunks])
        private = pa.concat_tables([PRIVATE_RANGE.empty_table(), *self._private])
        if self._failed:
            chunks = _without(chunks, "document_id", self._failed)
            private = _only(private, "chunk_id", set(chunks.column("chunk_id").to_pylist()))
        dropped = [row for document_id, row in self._dropped if document_id not in self._failed]
        return Cut(
            chunks,
            arrow_table(DROPPED, dropped),
            private,
            tuple(dict.fromkeys(sources)),
            self.failures,
            n_bytes,
        )


def _only(table: pa.Table, column: str, values: set[UUID]) -> pa.Table:
    return table.filter(pa.array([value in values for value in table.column(column).to_pylist()], pa.bool_()))


def _without(table: pa.Table, column: str, values: set[UUID]) -> pa.Table:
    return _only(table, column, set(table.column(column).to_pylist()) - values)


@dataclass(frozen=True)
class _Place:
    """Where a document belongs, and how chunks of it are named."""

    document_id: UUID
    stream_id: UUID
    chunking_id: UUID
    split_unit: str
    has_records: bool

    def chunk_id(self, chunk: ChunkRecord) -> UUID:
        """Hash of what the chunk is made of: bytes, and where they are those of a whole record, characters."""
        characters = (chunk.char_start, chunk.char_end) if self.has_records else ()
        return content_id(
            self.stream_id.bytes, self.chunking_id.bytes, chunk.byte_start, chunk.byte_end, *characters
        )


def cut_batch(parts: Sequence[Part], order: CutOrder) -> Cut:
    """Cut some documents and store their text. Runs in a worker process.

    A file that has changed by now, or cannot be read, gives no chunk and a failure.
    """
    name = f"{_name(parts, order)}.parquet"
    with written_whole(order.text_folder / name) as unfinished:
        writer = TextWriter(unfinished, TEXT)
        batch = _Batch(order, writer, name)
        for part, stream in _with_streams(parts, order, batch):
            with batch.all_or_failure([part]):
                _cut_part(part, stream, order, batch)
        cut = batch.cut((part.source_id for part in parts), sum(part.n_bytes for part in parts))
        writer.close()
    return cut


def _name(parts: Sequence[Part], order: CutOrder) -> str:
    """Name of the text file: a hash of what goes into it, so that a rerun writes the same file."""
    identities: list[str | bytes | int] = []
    for part in parts:
        identities += part.documents.column("document_id").to_pylist()
        identities += [section.span.byte_start for section in part.sections or ()]
    return fingerprint(order.chunking_id.bytes, order.salt, *identities)


def _with_streams(parts: Sequence[Part], order: CutOrder, batch: _Batch) -> Iterator[tuple[Part, Stream]]:
    """Each part with its stream; the parts of one file in the order of the file, in one walk over it."""
    by_source: dict[UUID, list[Part]] = {}
    for part in parts:
        if part.stream is not None:
            yield part, part.stream
        else:
            by_source.setdefault(part.source_id, []).append(part)
    for waiting in by_source.values():
        first, members = waiting[0], {part.member for part in waiting}
        with batch.all_or_failure(waiting):
            for stream in streams_in(
                filesystem_path(first.path), first.sha256, members, order.temporary_folder
            ):
                members.discard(stream.member)
                held = in_memory(stream)
                for part in waiting:
                    if part.member == stream.member:
                        yield part, held
            if members:
                raise InputUnreadable(f"{first.path} has lost members", "Run: fakesmrt build corpus")


def _cut_part(part: Part, stream: Stream, order: CutOrder, batch: _Batch) -> None:
    rows = part.documents.to_pylist()
    records = [DocumentRecord(**{name: row[name] for name in _DOCUMENT_FIELDS}) for row in rows]
    places = {
        record.byte_start: _Place(
            UUID(row["document_id"]),
            UUID(row["stream_id"]),
            order.chunking_id,
            part.split_unit,
            has_records(record.reader),
        )
        for record, row in zip(records, rows, strict=True)
    }
    if part.sections is not None:
        counters = Counters()
        for section in part.sections:
            blocks = stream.range_blocks(section.span.byte_start, section.span.byte_end)
            pieces = cut_section(section, blocks, order.chunking)
            batch.add(places[records[0].byte_start], counters.placed(pieces))
        return
    for document, pieces in cut_documents(stream, records, order.chunking):
        batch.add(places[document.byte_start], pieces)
