"""Stage corpus/chunk: documents cut into chunks, repaired, measured, and their text stored.

Only documents without chunks of the recipe's chunking are cut. Workers write the text; the rows about it are
committed batch by batch, so that a run that was killed goes on where it stopped. A document of many sections is
committed section by section, and is done with its last.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as compute

from warehouse.cleanser import chunking as cleanser_chunking
from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.chunks import Section, sections_of
from warehouse.cleanser.documents import DocumentRecord
from warehouse.cleanser.records import has_records
from warehouse.cleanser.streams import Stream, walk_streams
from warehouse.code_versions import code_version
from warehouse.database import query, run_script, scalar
from warehouse.errors import FakesmrtError
from warehouse.identity import content_id
from warehouse.stages.arrow import CUT_PART, SOURCE, SOURCE_STATUS, arrow_table
from warehouse.stages.cutting import Cut, CutOrder, Part, cut_batch, failed_cut
from warehouse.stages.feeding import (
    BATCH_BYTES,
    BATCH_ITEMS,
    LARGE_ARCHIVE_BYTES,
    LARGE_BYTES,
    MEMBERS_BYTES,
    Lane,
    explained_reading,
    filesystem_path,
    whole_file,
)
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions

ASSET = "corpus/chunk"
CODE = (
    "warehouse.cleanser",
    "warehouse.splits",
    "warehouse.textstore",
    "warehouse.stages.chunk",
    "warehouse.stages.cutting",
    "warehouse.stages.feeding",
)

WAITING_ROWS = 8192
"""Documents that wait are read this many at a time; no task gets more."""

_DOCUMENT_FIELDS = tuple(DocumentRecord.__dataclass_fields__)


def recipe_chunking(context: StageContext) -> tuple[Chunking, UUID]:
    """How the build's recipe cuts, and the identity of that: its parameters and the version of the code that does
    it."""
    chunking = cleanser_chunking.recipe_chunking(context.recipe.chunking, context.warehouse.home.recipes)
    return chunking, content_id(
        chunking.chunking_id().bytes, code_version("warehouse.cleanser", "warehouse.splits")
    )


@dataclass(frozen=True)
class _Waiting:
    """Consecutive documents of one stream that wait to be cut.

    Attributes:
        rows: of ``documents_to_cut.sql``.
        first: the first of them, by column.
        n_bytes: of them all.
    """

    rows: pa.Table
    first: dict[str, Any]
    n_bytes: int

    @property
    def source_id(self) -> UUID:
        return UUID(self.first["source_id"])

    @property
    def path(self) -> Path:
        return filesystem_path(self.first["path"])

    @property
    def is_walked(self) -> bool:
        """Whether the file is unpacked here."""
        if self.first["container"] == "file":
            return False
        is_large = self.first["source_bytes"] > LARGE_ARCHIVE_BYTES
        return bool(is_large or self.first["unfolded_bytes"] > LARGE_BYTES)

    @property
    def is_large_file(self) -> bool:
        return bool(self.first["container"] == "file" and self.first["stream_bytes"] > LARGE_BYTES)

    def part(self, stream: Stream | None) -> Part:
        """The task that cuts them."""
        first = self.first
        return Part(
            self.source_id,
            first["path"],
            first["sha256"],
            first["member"],
            first["split_unit"],
            self.rows,
            self.n_bytes,
            stream,
        )


def _waiting_documents(spill: Path) -> Iterator[_Waiting]:
    """Documents in the order of the spill: of one stream each, and no more than a task should get."""
    with pa.OSFile(str(spill), "rb") as file:
        reader = pa.ipc.open_file(file)
        for number in range(reader.num_record_batches):
            table = pa.Table.from_batches([reader.get_batch(number)])
            yield from _split_by_stream(table)


def _split_by_stream(table: pa.Table) -> Iterator[_Waiting]:
    streams = table.column("stream_id").to_pylist()
    lengths = compute.subtract(table.column("byte_end"), table.column("byte_start")).to_pylist()
    start = n_bytes = 0
    for row, length in enumerate(lengths):
        if row > start and (streams[row] != streams[start] or n_bytes + length > BATCH_BYTES):
            yield _waiting(table, range(start, row), n_bytes)
            start, n_bytes = row, 0
        n_bytes += length
    if start < len(lengths):
        yield _waiting(table, range(start, len(lengths)), n_bytes)


def _waiting(table: pa.Table, rows: range, n_bytes: int) -> _Waiting:
    # A slice would take the whole table along to the worker.
    taken = table.take(list(rows))
    return _Waiting(taken, taken.slice(0, 1).to_pylist()[0], n_bytes)


class _Walk:
    """A large archive while its streams are handed out in their order."""

    def __init__(self, waiting: _Waiting, temporary: Path) -> None:
        self.source_id = waiting.source_id
        self._streams = walk_streams(waiting.path, waiting.first["sha256"], temporary)
        self.stream: Stream | None = None

    def advance(self) -> Stream | None:
        """The next stream; None after the last."""
        self.stream = next(self._streams, None)
        return self.stream


@dataclass
class _Sectioned:
    """A large document while its sections come back in order."""

    waiting: _Waiting
    n_chunks: int = 0
    n_characters: int = 0
    failure: str | None = None


class _Cutting:
    """Hands out what waits, and commits what comes back."""

    def __init__(self, context: StageContext, lane: Lane, order: CutOrder, total_bytes: int) -> None:
        self._context = context
        self._lane = lane
        self._order = order
        self._total = total_bytes
        self._done = 0
        self._batch: list[Part] = []
        self._walk: _Walk | None = None
        self._files: dict[UUID, Stream] = {}
        self._paths: dict[UUID, str] = {}
        self._failures: dict[UUID, str] = {}

    def run(self, spill: Path) -> list[str]:
        """Cut all documents of the spill; returns a line for each file that failed."""
        for waiting in _waiting_documents(spill):
            if waiting.source_id in self._failures:
                continue
            try:
                with explained_reading():
                    self._hand_out(waiting)
            except FakesmrtError as failure:
                self._take_failure(waiting, failure.cause)
        self._flush()
        self._lane.drain()
        return [f"{self._paths[source_id]}: {cause}" for source_id, cause in self._failures.items()]

    def _hand_out(self, waiting: _Waiting) -> None:
        if waiting.is_walked:
            stream: Stream | None = self._walked_to(waiting)
        else:
            stream = self._large_file(waiting) if waiting.is_large_file else None
        if stream is not None and waiting.n_bytes > LARGE_BYTES and not has_records(waiting.first["reader"]):
            self._hand_out_sections(waiting, stream)
            return
        part = waiting.part(stream)
        self._paths[part.source_id] = part.path
        limit = BATCH_BYTES if stream is None else MEMBERS_BYTES
        n_rows = sum(held.documents.num_rows for held in self._batch)
        n_bytes = sum(held.n_bytes for held in self._batch)
        if self._batch and (
            n_bytes + part.n_bytes > limit
            or n_rows + part.documents.num_rows > WAITING_ROWS
            or len(self._batch) >= BATCH_ITEMS
        ):
            self._flush()
        self._batch.append(part)

    def _flush(self) -> None:
        if self._batch:
            self._lane.submit(cut_batch, self._batch, self._order, then=self._take)
            self._batch = []

    def _walked_to(self, waiting: _Waiting) -> Stream:
        """The stream of an archive in which documents wait."""
        if self._walk is None or self._walk.source_id != waiting.source_id:
            self._leave_stream()
            self._walk = _Walk(waiting, self._order.temporary_folder)
        walk = self._walk
        while walk.stream is None or walk.stream.member != waiting.first["member"]:
            self._leave_stream()
            if walk.advance() is None:
                raise FakesmrtError(f"it holds no {waiting.first['member']} any more", "Build again")
        return walk.stream

    def _leave_stream(self) -> None:
        """Have everything cut that lies in a temporary file, which is gone when the next stream is asked for."""
        if (
            self._walk is not None
            and self._walk.stream is not None
            and isinstance(self._walk.stream.data, Path)
        ):
            self._flush()
            self._lane.drain()

    def _large_file(self, waiting: _Waiting) -> Stream:
        """A large file as a stream, hashed once."""
        if waiting.source_id not in self._files:
            self._files = {waiting.source_id: whole_file(waiting.path, waiting.first["sha256"])}
        return self._files[waiting.source_id]

    def _hand_out_sections(self, waiting: _Waiting, stream: Stream) -> None:
        """Hand out a large plain document in sections."""
        self._paths[waiting.source_id] = waiting.first["path"]
        record = DocumentRecord(**{name: waiting.first[name] for name in _DOCUMENT_FIELDS})
        document = _Sectioned(waiting)
        for sections in _tasks(sections_of(stream, record, LARGE_BYTES)):
            n_bytes = sections[-1].span.byte_end - sections[0].span.byte_start
            part = replace(waiting.part(stream), sections=tuple(sections), n_bytes=n_bytes)
            then = partial(self._take_section, document)
            self._lane.submit(cut_batch, [part], self._order, then=then)

    def _take_section(self, document: _Sectioned, cut: Cut) -> None:
        """Take a section; where one fails, nothing of its document stays."""
        if document.failure is not None:
            return
        first = document.waiting.first
        cut = cut.placed(document.n_chunks, document.n_characters, first["split_unit"], self._order.salt)
        document.n_chunks += cut.chunks.num_rows
        if cut.chunks.num_rows:
            document.n_characters = cut.chunks.column("char_end")[-1].as_py()
        if cut.failures:
            document.failure = next(iter(cut.failures.values()))
            self._take(cut, lost=[UUID(first["document_id"])])
        else:
            self._take(cut)

    def _take_failure(self, waiting: _Waiting, cause: str) -> None:
        self._paths[waiting.source_id] = waiting.first["path"]
        self._take(failed_cut(waiting.source_id, cause, waiting.n_bytes))

    def _take(self, cut: Cut, lost: list[UUID] | None = None) -> None:
        """Commit rows."""
        self._failures.update(cut.failures)
        failures = [
            {"source_id": source_id, "status": "failed", "error": cause}
            for source_id, cause in cut.failures.items()
        ]
        sources = [{"source_id": source_id} for source_id in cut.sources if source_id not in cut.failures]
        parts = [
            {"document_id": document_id, "chunking_id": self._order.chunking_id} for document_id in lost or ()
        ]
        with self._context.warehouse.write("recording chunks") as connection:
            connection.register("cut_chunk", cut.chunks)
            connection.register("cut_dropped", cut.dropped)
            connection.register("cut_private", cut.private)
            connection.register("cut_source", arrow_table(SOURCE, sources))
            connection.register("cut_failure", arrow_table(SOURCE_STATUS, failures))
            connection.register("cut_part", arrow_table(CUT_PART, parts))
            connection.execute(query("record_chunks"))
        self._done += cut.n_bytes
        self._context.progress(self._done, self._total, "cutting and repairing")


def _tasks(sections: list[Section]) -> Iterator[list[Section]]:
    """Consecutive sections that one task cuts: about as many bytes as one large section has."""
    task: list[Section] = []
    for section in sections:
        if task and section.span.byte_end - task[0].span.byte_start > LARGE_BYTES:
            yield task
            task = []
        task.append(section)
    if task:
        yield task


def _spill_waiting(context: StageContext, chunking_id: UUID, spill: Path) -> tuple[int, int]:
    """Write the documents that wait to a file: they may be millions. Returns their number and bytes."""
    n_rows = n_bytes = 0
    with context.warehouse.read() as connection, pa.OSFile(str(spill), "wb") as file:
        found = connection.sql(query("documents_to_cut"), params={"chunking_id": chunking_id})
        reader = found.to_arrow_reader(WAITING_ROWS)
        with pa.ipc.new_file(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
                n_rows += batch.num_rows
                lengths = compute.subtract(batch.column("byte_end"), batch.column("byte_start"))
                n_bytes += compute.sum(lengths).as_py() or 0
    return n_rows, n_bytes


def _cut_all(context: StageContext, order: CutOrder) -> tuple[int, list[str]]:
    """Cut what waits; returns the number of documents, and a line for each file that failed."""
    with context.warehouse.write("taking out pieces of documents") as connection:
        run_script(connection, "take_out_cut_parts", {"chunking_id": order.chunking_id})
        run_script(connection, "drop_forgotten_ranges", {"chunking_id": order.chunking_id})
    spill = context.warehouse.home.temporary / f"documents-{os.getpid()}.arrow"
    try:
        n_documents, n_bytes = _spill_waiting(context, order.chunking_id, spill)
        if not n_documents:
            return 0, []
        with context.executor() as executor:
            lane = Lane(executor)
            return n_documents, _Cutting(context, lane, order, n_bytes).run(spill)
    finally:
        spill.unlink(missing_ok=True)


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    inputs = {
        **input_versions(context, {"corpus/document": ""}),
        "chunking": str(recipe_chunking(context)[1]),
    }
    return StageRun(context, ASSET, context.settings.recipe, inputs, CODE)


def run(context: StageContext) -> StageReport:
    """Cut the documents that the recipe's chunking has not cut yet."""
    home = context.warehouse.home
    chunking, identity = recipe_chunking(context)
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    stage.begin()
    with context.warehouse.read() as connection:
        salt = scalar(connection, "SELECT split_salt FROM meta.home")
    n_documents, problems = _cut_all(context, CutOrder(chunking, identity, salt, home.text, home.temporary))
    with context.warehouse.write("recording chunks") as connection:
        n_rows, n_bytes, n_repaired, n_replaced = connection.execute(
            query("count_chunks"), {"chunking_id": identity}
        ).fetchall()[0]
        content = scalar(connection, query("current_chunks_version"), {"chunking_id": identity})
        stage.record(connection, n_rows, retry=problems, content=content)
    facts = {
        "n_documents_cut": n_documents,
        "clean_text_bytes": n_bytes,
        "n_chunks_repaired": n_repaired,
        "n_replaced_characters": n_replaced,
    }
    return stage.report(n_rows, facts, problems=problems)
