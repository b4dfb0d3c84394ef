"""What worker processes do for the stage ``document``: look at streams, and return rows.

What lives here: tasks and their results; a file that fails is a result, never an exception. What does not: which
tasks there are, and the database (``document.py``).
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as compute

from warehouse.cleanser.cleansing import StreamSurvey, no_text_reason, survey_stream
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.documents import DocumentRecord, describe_documents
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange
from warehouse.cleanser.records import BoundReaders, grouped
from warehouse.cleanser.streams import Stream, walk_streams
from warehouse.errors import FakesmrtError
from warehouse.identity import content_id
from warehouse.stages.arrow import DOCUMENT, DROPPED, STREAM, arrow_table
from warehouse.stages.feeding import LARGE_BYTES, explained_reading, filesystem_path, in_memory, whole_file

SECTION_RANGES = 1 << 14
"""Ranges of a large stream that are described by one task, at most: so many rows are committed at once."""

UNREADABLE = frozenset({"invalid_json", "invalid_xml", "nested_too_deeply", "record_too_large"})
"""Reasons of dropped ranges that mean damage rather than nothing to read: their file is ``partial``."""

RANGES = pa.schema({"byte_start": pa.int64(), "byte_end": pa.int64(), "reason": pa.string()})


@dataclass(frozen=True)
class SourceToRead:
    """A source file that waits to be examined."""

    source_id: UUID
    corpus: str
    path: str
    sha256: bytes
    n_bytes: int


@dataclass(frozen=True)
class Member:
    """A stream that waits to be examined."""

    source_id: UUID
    ordinal: int
    stream: Stream

    @property
    def stream_id(self) -> UUID:
        """Identity of the stream, which it keeps wherever it lies in an archive."""
        return content_id(self.source_id.bytes, self.stream.member or "")


@dataclass(frozen=True)
class Outcome:
    """What became of a stream.

    Attributes:
        source_id: its file.
        member: its name in the file; None for the file itself.
        n_documents: found in it.
        error: why not all of it could be read; None where it could.
        no_text: why there is no document; None where there is one.
    """

    source_id: UUID
    member: str | None
    n_documents: int
    error: str | None
    no_text: str | None


@dataclass(frozen=True)
class Examined:
    """What a task gave, in the layout of ``stages/arrow.py``.

    Attributes:
        sources: the files that it was about.
        outcomes: of the streams that are done.
        failures: files that could not be read, which may be readable next time, with the cause.
        postponed: archives that unfold into more than one task should hold; there are no rows of them.
        n_bytes: bytes that were worked on.
    """

    sources: tuple[UUID, ...]
    streams: pa.Table = field(default_factory=lambda: arrow_table(STREAM, []))
    documents: pa.Table = field(default_factory=lambda: arrow_table(DOCUMENT, []))
    dropped: pa.Table = field(default_factory=lambda: arrow_table(DROPPED, []))
    outcomes: tuple[Outcome, ...] = ()
    failures: Mapping[UUID, str] = field(default_factory=dict)
    postponed: tuple[UUID, ...] = ()
    n_bytes: int = 0

    def numbered_from(self, first: int) -> Examined:
        """The same with the documents of one stream numbered from `first` on."""
        column = self.documents.schema.get_field_index("ordinal")
        ordinals = compute.add(self.documents.column(column), pa.scalar(first, pa.int32()))
        return replace(self, documents=self.documents.set_column(column, DOCUMENT.field(column), ordinals))


class _TooLargeError(Exception):
    """An archive unfolds into more than one task should hold."""


class _Rows:
    """Rows of a task while it is at work."""

    def __init__(self) -> None:
        self.streams: list[dict[str, object]] = []
        self.documents: list[dict[str, object]] = []
        self.dropped: list[dict[str, object]] = []
        self.outcomes: list[Outcome] = []
        self.failures: dict[UUID, str] = {}
        self.postponed: list[UUID] = []

    @contextmanager
    def all_or_failure(self, source_id: UUID) -> Iterator[None]:
        """Rows that the block adds stay if it succeeds; else there is a failure and none of them."""
        lists: tuple[list[object], ...] = (self.streams, self.documents, self.dropped, self.outcomes)  # type: ignore[assignment]  # only their lengths matter
        lengths = [len(rows) for rows in lists]
        try:
            with explained_reading():
                yield
        except _TooLargeError:
            self.postponed.append(source_id)
        except FakesmrtError as failure:
            self.failures[source_id] = failure.cause
        except Exception as failure:  # noqa: BLE001  # a fault of ours, met in one file, must not stop the others
            self.failures[source_id] = f"the cleanser failed on it: {type(failure).__name__}: {failure}"
        else:
            return
        for rows, length in zip(lists, lengths, strict=True):
            del rows[length:]

    def add_documents(
        self, member: Member, survey: StreamSurvey, found: Iterable[DocumentRange | DroppedRange]
    ) -> None:
        """Describe ranges of a stream."""
        records: list[DocumentRecord] = []
        for part in describe_documents(member.stream, survey.decision, survey.reader, found):
            if isinstance(part, DroppedRange):
                self.dropped.append(dropped_row(member.stream_id, part))
            else:
                records.append(part.record)
        self.documents += [
            _document_row(member.stream_id, record, sha256)
            for record, sha256 in zip(records, _hashes(member.stream, records), strict=True)
        ]

    def add_stream(self, member: Member, version: str) -> None:
        """Examine a stream as a whole."""
        member = replace(member, stream=in_memory(member.stream))
        n_documents, n_dropped = len(self.documents), len(self.dropped)
        survey = survey_stream(member.stream)
        self.add_documents(member, survey, survey.ranges(member.stream))
        reasons = Counter(str(row["reason"]) for row in self.dropped[n_dropped:])
        self.streams.append(_stream_row(member, version))
        self.outcomes.append(outcome_of(member, survey.decision, len(self.documents) - n_documents, reasons))

    def examined(self, sources: Iterable[UUID], n_bytes: int) -> Examined:
        """What the task gave."""
        return Examined(
            tuple(dict.fromkeys(sources)),
            arrow_table(STREAM, self.streams),
            arrow_table(DOCUMENT, self.documents),
            arrow_table(DROPPED, self.dropped),
            tuple(self.outcomes),
            self.failures,
            tuple(self.postponed),
            n_bytes,
        )


def _stream_row(member: Member, version: str) -> dict[str, object]:
    stream = member.stream
    return {
        "stream_id": member.stream_id,
        "source_id": member.source_id,
        "ordinal": member.ordinal,
        "container": stream.container,
        "member": stream.member,
        "n_bytes": stream.n_bytes,
        "sha256": stream.sha256,
        "error": stream.error,
        "code_version": version,
    }


def _hashes(stream: Stream, records: Iterable[DocumentRecord]) -> Iterator[bytes]:
    """Hash of the raw bytes of each record, by which it is known wherever it turns up again.

    White space around them does not count: the last line of a file may lack its end.
    """
    for group in grouped(records):
        if len(group) == 1:
            yield _hash(stream.range_blocks(group[0].byte_start, group[0].byte_end))
            continue
        start = group[0].byte_start
        raw = b"".join(stream.range_blocks(start, group[-1].byte_end))
        for record in group:
            yield _hash([raw[record.byte_start - start : record.byte_end - start]])


def _hash(blocks: Iterable[bytes]) -> bytes:
    """SHA-256 of some blocks, less white space (ASCII) at both ends."""
    digest, pending, is_begun = hashlib.sha256(), b"", False
    for block in blocks:
        data = pending + (block if is_begun else block.lstrip())
        inner = data.rstrip()
        digest.update(inner)
        pending, is_begun = data[len(inner) :], is_begun or bool(inner)
    return digest.digest()


def _document_row(stream_id: UUID, record: DocumentRecord, sha256: bytes) -> dict[str, object]:
    return {
        **vars(record),
        "raw_sha256": sha256,
        "document_id": content_id(stream_id.bytes, record.byte_start, record.byte_end),
        "stream_id": stream_id,
    }


def dropped_row(stream_id: UUID, gap: DroppedRange, chunking_id: UUID | None = None) -> dict[str, object]:
    """A row of ``corpus.dropped``."""
    return {
        "char_start": None,
        "char_end": None,
        **vars(gap),
        "stream_id": stream_id,
        "chunking_id": chunking_id,
    }


def outcome_of(
    member: Member, decision: EncodingDecision, n_documents: int, reasons: Counter[str]
) -> Outcome:
    """What became of a stream, from the number of its documents and of its dropped ranges by reason."""
    stream = member.stream
    damage = [stream.error] if stream.error else []
    for reason in sorted(UNREADABLE & reasons.keys()):
        n_ranges = reasons[reason]
        damage.append(f"{n_ranges:,} {'range' if n_ranges == 1 else 'ranges'} dropped as {reason}")
    no_text = None if n_documents else no_text_reason(stream, decision, reasons)
    return Outcome(member.source_id, stream.member, n_documents, "; ".join(damage) or None, no_text)


def examine_sources(batch: Sequence[SourceToRead], version: str, spool_folder: Path) -> Examined:
    """Examine small files and archives as a whole. Runs in a worker process."""
    rows = _Rows()
    for source in batch:
        with rows.all_or_failure(source.source_id):
            walk = walk_streams(filesystem_path(source.path), source.sha256, spool_folder)
            n_unfolded = 0
            for ordinal, stream in enumerate(walk):
                n_unfolded += stream.n_bytes
                if n_unfolded > LARGE_BYTES and stream.container != "file":
                    raise _TooLargeError
                rows.add_stream(Member(source.source_id, ordinal, stream), version)
    return rows.examined((source.source_id for source in batch), sum(source.n_bytes for source in batch))


def examine_members(batch: Sequence[Member], version: str) -> Examined:
    """Examine small members of an archive that was unpacked elsewhere. Runs in a worker process."""
    rows = _Rows()
    for member in batch:
        with rows.all_or_failure(member.source_id):
            rows.add_stream(member, version)
    return rows.examined(
        (member.source_id for member in batch), sum(member.stream.n_bytes for member in batch)
    )


@dataclass(frozen=True)
class Surveyed:
    """What a look at the whole of a large stream gave.

    Attributes:
        member: the stream.
        decision: its encoding.
        reader: name of its reader.
        ranges: a file of its documents and the ranges between, a batch for each section.
        n_sections: how many there are.
    """

    member: Member
    decision: EncodingDecision
    reader: str
    ranges: Path
    n_sections: int


def survey_large(member: Member, folder: Path, section_bytes: int) -> Surveyed | Examined:
    """Decide the encoding of a large stream and find its documents, which are left in a file: they may be millions.

    Runs in a worker process.

    Args:
        member: the stream.
        folder: for the file.
        section_bytes: about how many bytes of documents one task is to describe.
    """
    rows = _Rows()
    surveyed: Surveyed | None = None
    with rows.all_or_failure(member.source_id):
        survey = survey_stream(member.stream)
        ranges = folder / f"ranges-{os.getpid()}-{member.stream_id}.arrow"
        n_sections = write_ranges(ranges, survey.ranges(member.stream), section_bytes)
        surveyed = Surveyed(member, survey.decision, survey.reader.name, ranges, n_sections)
    return surveyed or rows.examined([member.source_id], 0)


def survey_source(source: SourceToRead, folder: Path, section_bytes: int) -> Surveyed | Examined:
    """The same for a large file that is no archive. Runs in a worker process."""
    rows = _Rows()
    surveyed: Surveyed | Examined | None = None
    with rows.all_or_failure(source.source_id):
        stream = whole_file(filesystem_path(source.path), source.sha256)
        surveyed = survey_large(Member(source.source_id, 0, stream), folder, section_bytes)
    return surveyed or rows.examined([source.source_id], 0)


def write_ranges(path: Path, found: Iterable[DocumentRange | DroppedRange], section_bytes: int) -> int:
    """Write ranges in sections that are each described by one task; returns the number of sections."""
    n_sections = 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, RANGES) as writer:
        for section in _sections(found, section_bytes):
            rows = [
                {
                    "byte_start": part.byte_start,
                    "byte_end": part.byte_end,
                    "reason": part.reason if isinstance(part, DroppedRange) else None,
                }
                for part in section
            ]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=RANGES))
            n_sections += 1
    return n_sections


def _sections(
    found: Iterable[DocumentRange | DroppedRange], section_bytes: int
) -> Iterator[list[DocumentRange | DroppedRange]]:
    section: list[DocumentRange | DroppedRange] = []
    for part in found:
        section.append(part)
        if len(section) == SECTION_RANGES or part.byte_end - section[0].byte_start >= section_bytes:
            yield section
            section = []
    if section:
        yield section


def read_ranges(path: Path, number: int) -> list[DocumentRange | DroppedRange]:
    """The ranges of a section."""
    with pa.OSFile(str(path), "rb") as file:
        columns = pa.ipc.open_file(file).get_batch(number).to_pydict()
    return [
        DocumentRange(start, end) if reason is None else DroppedRange(start, end, reason)
        for start, end, reason in zip(*columns.values(), strict=True)
    ]


def describe_section(surveyed: Surveyed, number: int) -> Examined:
    """Describe the documents of one section of a large stream. Runs in a worker process."""
    rows = _Rows()
    member = surveyed.member
    n_bytes = 0
    with rows.all_or_failure(member.source_id):
        found = read_ranges(surveyed.ranges, number)
        n_bytes = found[-1].byte_end - found[0].byte_start
        reader = BoundReaders(member.stream).named(surveyed.reader, surveyed.decision.encoding)
        rows.add_documents(member, StreamSurvey(surveyed.decision, reader), found)
    return rows.examined([member.source_id], n_bytes)


def large_stream(surveyed: Surveyed, version: str) -> Examined:
    """The row of a large stream, which is there before its documents are."""
    rows = _Rows()
    rows.streams.append(_stream_row(surveyed.member, version))
    return rows.examined([surveyed.member.source_id], 0)


def large_outcome(surveyed: Surveyed, n_documents: int, reasons: Counter[str]) -> Examined:
    """What became of a large stream, when all its sections are described."""
    rows = _Rows()
    rows.outcomes.append(outcome_of(surveyed.member, surveyed.decision, n_documents, reasons))
    return rows.examined([surveyed.member.source_id], 0)
