"""Stage corpus/chunk: documents cut into chunks, repaired, measured, and their text stored.

Only documents without chunks of the recipe's chunking are cut. Workers write the text; the rows about it are
committed batch by batch, so that a run that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.cleanse import ChunkRecord, DocumentRecord, cut_document
from warehouse.cleanser.signals import measure_signals
from warehouse.database import query, read_rows, scalar
from warehouse.errors import InputUnreadable
from warehouse.files import written_whole
from warehouse.identity import content_id, fingerprint
from warehouse.recipes import Recipe
from warehouse.splits import sampling_unit, split_of
from warehouse.stages.arrow import CHUNK, DROPPED, SOURCE_STATUS, TEXT, arrow_table
from warehouse.stages.document import batches, stream_of
from warehouse.stages.source_file import filesystem_path
from warehouse.stages.stage import (
    StageContext,
    StageReport,
    StageRun,
    code_version,
    input_versions,
    map_bounded,
)
from warehouse.textstore import TextWriter

ASSET = "corpus/chunk"
CODE = ("warehouse.cleanser", "warehouse.splits", "warehouse.textstore", "warehouse.stages.chunk")

MEASURED_TOGETHER = 128
"""Chunks: so many share the fixed cost of a call, and their text fits into memory."""


@dataclass(frozen=True)
class DocumentToCut:
    """A document without chunks, with what is needed to find its bytes again."""

    source_id: UUID
    path: str
    sha256: bytes
    member: str | None
    split_unit: str
    n_bytes: int
    document_id: UUID
    stream_id: UUID
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

    @property
    def record(self) -> DocumentRecord:
        """The document as the cleanser knows it."""
        names = DocumentRecord.__dataclass_fields__
        return DocumentRecord(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class CutOrder:
    """What a worker needs beside the documents."""

    chunking: Chunking
    chunking_id: UUID
    salt: str
    text_folder: Path


@dataclass(frozen=True)
class Cut:
    """Rows that cutting a batch gave, in the layout of ``stages/arrow.py``; the text is stored already."""

    chunks: pa.Table
    dropped: pa.Table
    failures: pa.Table
    n_bytes: int


def recipe_chunking(recipe: Recipe) -> tuple[Chunking, UUID]:
    """How a recipe cuts, and the identity of that: its parameters and the version of the code that does it."""
    chunking = Chunking(max_characters=recipe.chunking.max_characters)
    return chunking, content_id(
        chunking.chunking_id().bytes, code_version("warehouse.cleanser", "warehouse.splits")
    )


def _chunk_row(document: DocumentToCut, order: CutOrder, chunk: ChunkRecord) -> dict[str, object]:
    unit = sampling_unit(document.document_id, chunk.ordinal, document.split_unit)
    return {
        **asdict(chunk),
        "chunk_id": content_id(
            document.stream_id.bytes, order.chunking_id.bytes, chunk.byte_start, chunk.byte_end
        ),
        "document_id": document.document_id,
        "chunking_id": order.chunking_id,
        "split": split_of(unit, order.salt),
    }


def _pieces(document: DocumentToCut, order: CutOrder) -> Iterator[tuple[str, dict[str, object]]]:
    """Rows of one document, each with the table that it belongs to."""
    try:
        stream = stream_of(filesystem_path(document.path), document.sha256, document.member)
        for piece in cut_document(stream, document.record, order.chunking):
            if isinstance(piece, ChunkRecord):
                yield "chunk", _chunk_row(document, order, piece)
            else:
                place = {"stream_id": document.stream_id, "chunking_id": order.chunking_id}
                yield "dropped", {**asdict(piece), **place}
    except OSError as failure:
        raise InputUnreadable(
            f"cannot be read: {failure.strerror or failure}", "Check the file and build again"
        ) from failure


class _Batch:
    """Rows of a batch while it is cut. The text of a document that fails half-way stays unreferenced in its file."""

    def __init__(self, writer: TextWriter, text_file: str) -> None:
        self._writer = writer
        self._text_file = text_file
        self.chunks: list[dict[str, object]] = []
        self.dropped: list[dict[str, object]] = []
        self.failures: list[dict[str, object]] = []
        self._unmeasured: list[tuple[dict[str, object], str]] = []

    def cut(self, document: DocumentToCut, order: CutOrder) -> None:
        """Add the pieces of a document as they come, or a failure and none of them."""
        n_chunks, n_dropped = len(self.chunks), len(self.dropped)
        try:
            for kind, row in _pieces(document, order):
                if kind == "dropped":
                    self.dropped.append(row)
                else:
                    self._add_chunk(row)
        except InputUnreadable as failure:
            del self.chunks[n_chunks:], self.dropped[n_dropped:]
            self.failures.append(
                {"source_id": document.source_id, "status": "failed", "error": failure.cause}
            )

    def _add_chunk(self, row: dict[str, object]) -> None:
        stored = {name: row[name] for name in TEXT.names}
        text = str(row.pop("text"))
        row |= {"text_file": self._text_file, "text_row": self._writer.add(stored)}
        self.chunks.append(row)
        self._unmeasured.append((row, text))
        if len(self._unmeasured) >= MEASURED_TOGETHER:
            self.measure()

    def measure(self) -> None:
        """Give the rows that lack them their signals."""
        columns = measure_signals([text for _, text in self._unmeasured])
        for name, values in columns.items():
            for (row, _), value in zip(self._unmeasured, values.tolist(), strict=True):
                row[name] = value
        self._unmeasured = []


def cut_batch(batch: Sequence[DocumentToCut], order: CutOrder) -> Cut:
    """Cut some documents and store their text. Runs in a worker process.

    A file that has changed by now, or cannot be read, gives no chunk and a failure.
    """
    identities = (document.document_id.bytes for document in batch)
    name = fingerprint(order.chunking_id.bytes, order.salt, *identities) + ".parquet"
    with written_whole(order.text_folder / name) as unfinished:
        writer = TextWriter(unfinished, TEXT)
        rows = _Batch(writer, name)
        for document in batch:
            rows.cut(document, order)
        rows.measure()
        writer.close()
    return Cut(
        arrow_table(CHUNK, rows.chunks),
        arrow_table(DROPPED, rows.dropped),
        arrow_table(SOURCE_STATUS, rows.failures),
        sum(document.n_bytes for document in batch),
    )


def _commit_batch(context: StageContext, cut: Cut) -> None:
    with context.warehouse.write("recording chunks") as connection:
        connection.register("cut_chunk", cut.chunks)
        connection.register("cut_dropped", cut.dropped)
        connection.register("cut_failure", cut.failures)
        connection.execute(query("record_chunks"))


def _cut_all(context: StageContext, waiting: Sequence[DocumentToCut], order: CutOrder) -> list[str]:
    total, done = sum(document.n_bytes for document in waiting), 0
    problems: list[str] = []
    paths = {document.source_id: document.path for document in waiting}
    with context.executor() as executor:
        for cut in map_bounded(executor, partial(cut_batch, order=order), batches(waiting)):
            _commit_batch(context, cut)
            problems += [
                f"{paths[UUID(str(row['source_id']))]}: {row['error']}" for row in cut.failures.to_pylist()
            ]
            done += cut.n_bytes
            context.progress(done, total, "cutting and repairing")
    return problems


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    inputs = {
        **input_versions(context, {"corpus/document": ""}),
        "chunking": str(recipe_chunking(context.recipe)[1]),
    }
    return StageRun(context, ASSET, context.settings.recipe, inputs, CODE)


def run(context: StageContext) -> StageReport:
    """Cut the documents that the recipe's chunking has not cut yet."""
    chunking, identity = recipe_chunking(context.recipe)
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    with context.warehouse.read() as connection:
        salt = scalar(connection, "SELECT split_salt FROM meta.home")
        waiting = read_rows(connection, query("documents_to_cut"), {"chunking_id": identity}, DocumentToCut)
    order = CutOrder(chunking, identity, salt, context.warehouse.home.text)
    problems = _cut_all(context, waiting, order) if waiting else []
    with context.warehouse.write("recording chunks") as connection:
        n_rows, n_bytes, n_repaired, n_replaced = connection.execute(
            query("count_chunks"), {"chunking_id": identity}
        ).fetchall()[0]
        stage.record(connection, n_rows, retry=problems)
    facts = {
        "n_documents_cut": len(waiting),
        "clean_text_bytes": n_bytes,
        "n_chunks_repaired": n_repaired,
        "n_replaced_characters": n_replaced,
    }
    return stage.report(n_rows, facts, problems=problems)
