"""Stage corpus/document: which encoding each new file has, and where its documents begin and end.

Only files that are new, or that another version of the cleanser examined, are read. Text is not stored here: it is
cut and repaired by the stage ``chunk``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

import pyarrow as pa

from warehouse.cleanser.cleanse import StreamExamination, examine_stream
from warehouse.cleanser.streams import Stream, open_streams
from warehouse.database import Connection, query, read_rows, scalar
from warehouse.errors import FakesmrtError
from warehouse.identity import content_id
from warehouse.stages.arrow import DOCUMENT, DROPPED, SOURCE_STATUS, STREAM, arrow_table
from warehouse.stages.source_file import filesystem_path
from warehouse.stages.stage import (
    StageContext,
    StageReport,
    StageRun,
    code_version,
    input_versions,
    map_bounded,
)

ASSET = "corpus/document"
CODE = ("warehouse.cleanser", "warehouse.stages.document")

BATCH_BYTES = 16_000_000
BATCH_FILES = 500

MIN_DOCUMENTS = 100
"""A corpus with fewer documents is split by section: a fortieth of so few documents would often be none."""

MIN_CHARACTERS = 1_600_000
"""A corpus of fewer documents and characters has fewer than a hundred sections, and is split by chunk."""


@dataclass(frozen=True)
class SourceToRead:
    """A source file that waits to be examined."""

    source_id: UUID
    corpus: str
    path: str
    sha256: bytes
    n_bytes: int


class Sized(Protocol):
    @property
    def n_bytes(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


def batches(
    items: Sequence[Item], max_bytes: int = BATCH_BYTES, max_items: int = BATCH_FILES
) -> Iterator[list[Item]]:
    """Consecutive groups of items of at most so many bytes and items; one item may exceed the bytes alone."""
    batch: list[Item] = []
    n_bytes = 0
    for item in items:
        if batch and (n_bytes + item.n_bytes > max_bytes or len(batch) == max_items):
            yield batch
            batch, n_bytes = [], 0
        batch.append(item)
        n_bytes += item.n_bytes
    if batch:
        yield batch


@dataclass(frozen=True)
class Examined:
    """Rows that examining a batch of files gave, in the layout of ``stages/arrow.py``; and the files that could not
    be read, which may be readable next time."""

    streams: pa.Table
    documents: pa.Table
    dropped: pa.Table
    statuses: pa.Table
    unread: list[str]
    n_bytes: int


def _stream_rows(
    source: SourceToRead, stream: Stream, found: StreamExamination, version: str
) -> tuple[dict[str, object], list[dict[str, object]], list[dict[str, object]]]:
    stream_id = content_id(source.source_id.bytes, stream.member or "")
    row: dict[str, object] = {
        "stream_id": stream_id,
        "source_id": source.source_id,
        "container": stream.container,
        "member": stream.member,
        "n_bytes": stream.n_bytes,
        "sha256": stream.sha256,
        "code_version": version,
    }
    documents = [
        {
            **asdict(document),
            "document_id": content_id(stream_id.bytes, document.byte_start, document.byte_end),
            "stream_id": stream_id,
        }
        for document in found.documents
    ]
    dropped = [{**asdict(gap), "stream_id": stream_id, "chunking_id": None} for gap in found.dropped]
    return row, documents, dropped


def examine_batch(batch: Sequence[SourceToRead], version: str) -> Examined:
    """Examine some files; a file that fails is a status, not an exception. Runs in a worker process."""
    streams: list[dict[str, object]] = []
    documents: list[dict[str, object]] = []
    dropped: list[dict[str, object]] = []
    statuses: list[dict[str, object]] = []
    unread: list[str] = []
    for source in batch:
        status, error = "read", None
        try:
            rows = []
            for stream in open_streams(filesystem_path(source.path), source.sha256):
                found = examine_stream(stream)
                rows.append(_stream_rows(source, stream, found, version))
                if not found.documents:
                    status, error = "failed", found.error or "it holds no text"
        except FakesmrtError as failure:
            rows, status, error = [], "failed", failure.cause
            unread.append(source.path)
        except OSError as failure:
            rows, status, error = [], "failed", f"cannot be read: {failure.strerror or failure}"
            unread.append(source.path)
        for row, found_documents, found_dropped in rows:
            streams.append(row)
            documents += found_documents
            dropped += found_dropped
        statuses.append({"source_id": source.source_id, "status": status, "error": error})
    return Examined(
        arrow_table(STREAM, streams),
        arrow_table(DOCUMENT, documents),
        arrow_table(DROPPED, dropped),
        arrow_table(SOURCE_STATUS, statuses),
        unread,
        sum(source.n_bytes for source in batch),
    )


def _commit_batch(context: StageContext, examined: Examined) -> None:
    with context.warehouse.write("recording documents") as connection:
        connection.register("examined_stream", examined.streams)
        connection.register("examined_document", examined.documents)
        connection.register("examined_dropped", examined.dropped)
        connection.register("examined_status", examined.statuses)
        connection.execute(query("record_documents"))


def _examine_all(
    context: StageContext, waiting: Sequence[SourceToRead], version: str, executor: Executor
) -> list[str]:
    """Examine and commit batch by batch; returns the files that could not be read."""
    total = sum(source.n_bytes for source in waiting)
    done = 0
    unread: list[str] = []
    for examined in map_bounded(executor, partial(examine_batch, version=version), batches(waiting)):
        _commit_batch(context, examined)
        unread += examined.unread
        done += examined.n_bytes
        context.progress(done, total, "examining files")
    return unread


def _choose_split_units(connection: Connection) -> None:
    """Decide once per corpus what is assigned to a split; the choice stays when the corpus grows."""
    connection.execute(
        query("choose_split_units"), {"min_documents": MIN_DOCUMENTS, "min_characters": MIN_CHARACTERS}
    )


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    return StageRun(context, ASSET, "", input_versions(context, {"corpus/source_file": ""}), CODE)


def run(context: StageContext) -> StageReport:
    """Examine what is new and record its documents."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    cleanser_version = code_version("warehouse.cleanser")
    with context.warehouse.read() as connection:
        waiting = read_rows(
            connection, query("sources_to_read"), {"code_version": cleanser_version}, SourceToRead
        )
    unread: list[str] = []
    if waiting:
        with context.executor() as executor:
            unread = _examine_all(context, waiting, cleanser_version, executor)
    with context.warehouse.write("recording documents") as connection:
        _choose_split_units(connection)
        n_rows = scalar(connection, query("count_documents"))
        failed = connection.execute(query("failed_files")).fetchall()
        encodings = connection.execute(query("count_encodings")).fetchall()
        stage.record(connection, n_rows, retry=unread)
    facts: dict[str, int | float | str] = {
        "n_files_examined": len(waiting),
        "examined_bytes": sum(source.n_bytes for source in waiting),
        "encodings": json.dumps(dict(encodings)),
    }
    return stage.report(n_rows, facts, problems=[f"{path}: {error}" for path, error in failed])


def stream_of(path: Path, sha256: bytes, member: str | None) -> Stream:
    """The stream of a file that a document was found in.

    Raises:
        InputUnreadable: if the file has other bytes by now.
    """
    return next(stream for stream in open_streams(path, sha256) if stream.member == member)
