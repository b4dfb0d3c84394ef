"""Stage corpus/document: which encoding each new file has, and where its documents begin and end.

Only files that are new, or that another version of the cleanser examined, are read. Text is not stored here: it is
cut and repaired by the stage ``chunk``.

    small files and archives -----------------------------------> `examine_sources` --> rows
    large archives, unpacked here -> their small members -------> `examine_members` --> rows
    large files and members -> `survey_large` -> their sections > `describe_section` -> rows
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from warehouse.cleanser.streams import walk_streams
from warehouse.code_versions import code_version
from warehouse.database import Connection, query, read_rows, scalar
from warehouse.errors import FakesmrtError
from warehouse.stages.arrow import SOURCE, SOURCE_STATUS, arrow_table
from warehouse.stages.examining import (
    Examined,
    Member,
    Outcome,
    SourceToRead,
    Surveyed,
    describe_section,
    examine_members,
    examine_sources,
    large_outcome,
    large_stream,
    survey_large,
    survey_source,
)
from warehouse.stages.feeding import (
    LARGE_ARCHIVE_BYTES,
    LARGE_BYTES,
    MEMBERS_BYTES,
    Lane,
    batches,
    explained_reading,
    filesystem_path,
    is_archive,
)
from warehouse.stages.source_file import FILES
from warehouse.stages.stage import StageContext, StageReport, StageRun, recorded_inputs

ASSET = "corpus/document"
CODE = (
    "warehouse.cleanser",
    "warehouse.stages.document",
    "warehouse.stages.examining",
    "warehouse.stages.feeding",
)

MIN_DOCUMENTS = 100
"""A corpus with fewer documents is split by section: a fortieth of so few documents would often be none."""

MIN_CHARACTERS = 1_600_000
"""A corpus of fewer documents and characters has fewer than a hundred sections, and is split by chunk."""

LISTED = 3
"""Streams of a file of which its error tells; ``corpus.stream`` tells of all."""


@dataclass
class Tally:
    """What is known so far of a source file that is being examined.

    Attributes:
        source: the file.
        n_streams: examined so far.
        n_documents: found in them.
        n_damaged: streams that could not be read whole.
        errors: what was wrong with the first of those.
        reasons: why streams gave no document, with how many.
        failure: why the file could not be read.
        n_open: tasks whose results are awaited, the walk over the file being one.
        n_bytes: bytes that were worked on.
        is_begun: rows of an earlier examination are gone.
    """

    source: SourceToRead
    n_streams: int = 0
    n_documents: int = 0
    n_damaged: int = 0
    errors: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    failure: str | None = None
    n_open: int = 1
    n_bytes: int = 0
    is_begun: bool = False

    def add(self, outcome: Outcome) -> None:
        """Take in what became of a stream."""
        self.n_streams += 1
        self.n_documents += outcome.n_documents
        self.n_damaged += outcome.error is not None
        if outcome.error is not None and len(self.errors) < LISTED:
            self.errors.append(f"{outcome.member}: {outcome.error}" if outcome.member else outcome.error)
        if outcome.no_text is not None:
            self.reasons[outcome.no_text] += 1

    def status(self) -> tuple[str, str | None]:
        """Columns ``status`` and ``error`` of the file."""
        if self.failure is not None:
            return "failed", self.failure
        more = f" and {self.n_damaged - len(self.errors)} more" if self.n_damaged > len(self.errors) else ""
        damage = "; ".join(self.errors) + more
        if self.n_documents:
            return ("partial", damage) if self.n_damaged else ("read", None)
        if self.n_damaged:
            return "failed", damage
        if not self.n_streams:
            return "failed", "it is an archive without members"
        if self.n_streams == 1:
            return "failed", next(iter(self.reasons))
        reasons = ", ".join(f"{reason} ({n})" for reason, n in self.reasons.most_common(LISTED))
        return "failed", f"none of its {self.n_streams} members holds text: {reasons}"


class _Examination:
    """Hands out what waits, and commits what comes back."""

    def __init__(
        self, context: StageContext, lane: Lane, version: str, waiting: Sequence[SourceToRead]
    ) -> None:
        self._context = context
        self._lane = lane
        self._version = version
        self._temporary = context.warehouse.home.temporary
        self._tallies = {source.source_id: Tally(source) for source in waiting}
        self._total = sum(source.n_bytes for source in waiting)
        self._done = 0
        self._postponed: list[SourceToRead] = []
        self.unread: list[str] = []

    def run(self) -> None:
        """Examine the files, the small ones first."""
        small: list[SourceToRead] = []
        large: list[SourceToRead] = []
        for tally in self._tallies.values():
            (small if _is_small(tally.source) else large).append(tally.source)
        for batch in batches(small):
            self._lane.submit(examine_sources, batch, self._version, self._temporary, then=self._take)
        for source in large:
            if is_archive(filesystem_path(source.path)):
                self._take(self._walked(source))
            else:
                self._lane.submit(survey_source, source, self._temporary, LARGE_BYTES, then=self._describe)
        self._lane.drain()
        for source in self._postponed:
            self._take(self._walked(source))
        self._lane.drain()

    def _walked(self, source: SourceToRead) -> Examined:
        """Hand out the streams of a large archive."""
        members: list[Member] = []
        try:
            with explained_reading():
                walk = walk_streams(filesystem_path(source.path), source.sha256, self._temporary)
                for ordinal, stream in enumerate(walk):
                    members.append(Member(source.source_id, ordinal, stream))
                    is_in_file = isinstance(stream.data, Path)
                    if is_in_file or sum(member.stream.n_bytes for member in members) >= MEMBERS_BYTES:
                        self._hand_out(members)
                        members = []
                    if is_in_file:
                        self._lane.drain()  # Its bytes are gone when the next stream is asked for.
                self._hand_out(members)
        except FakesmrtError as failure:
            return Examined((source.source_id,), failures={source.source_id: failure.cause})
        return Examined((source.source_id,))

    def _hand_out(self, members: list[Member]) -> None:
        small = [member for member in members if member.stream.n_bytes <= LARGE_BYTES]
        if small:
            self._tallies[small[0].source_id].n_open += 1
            self._lane.submit(examine_members, small, self._version, then=self._take)
        for member in members:
            if member.stream.n_bytes > LARGE_BYTES:
                self._tallies[member.source_id].n_open += 1
                self._lane.submit(survey_large, member, self._temporary, LARGE_BYTES, then=self._describe)

    def _describe(self, surveyed: Surveyed | Examined) -> None:
        """Hand out the sections of a large stream."""
        if isinstance(surveyed, Examined):
            self._take(surveyed)
            return
        stream = _LargeStream(surveyed, surveyed.n_sections)
        # The row of the stream, its sections, and what became of it.
        self._tallies[surveyed.member.source_id].n_open += surveyed.n_sections + 1
        self._take(large_stream(surveyed, self._version))
        for number in range(surveyed.n_sections):
            self._lane.submit(describe_section, surveyed, number, then=partial(self._take_section, stream))

    def _take_section(self, stream: _LargeStream, examined: Examined) -> None:
        """Take the documents of a section, numbered in their stream; with the last the stream is done."""
        self._take(stream.placed(examined))
        if not stream.n_waiting:
            stream.surveyed.ranges.unlink(missing_ok=True)
            self._take(large_outcome(stream.surveyed, stream.n_documents, stream.reasons))

    def _take(self, examined: Examined) -> None:
        """Commit rows, and the status of each file that is done with them."""
        tallies = [self._tallies[source_id] for source_id in examined.sources]
        for outcome in examined.outcomes:
            self._tallies[outcome.source_id].add(outcome)
        for source_id, cause in examined.failures.items():
            self._tallies[source_id].failure = cause
        for source_id in examined.postponed:
            self._tallies[source_id].n_open += 1  # Its walk is still to come.
            self._postponed.append(self._tallies[source_id].source)
        begun = [tally for tally in tallies if not tally.is_begun]
        for tally in tallies:
            tally.n_open -= 1
            tally.is_begun = True
        ended = [tally for tally in tallies if not tally.n_open]
        _commit(self._context, begun, examined, ended)
        for tally in ended:
            del self._tallies[tally.source.source_id]
            self._done += tally.source.n_bytes
            if tally.failure is not None:
                self.unread.append(tally.source.path)
        self._context.progress(self._done, self._total, "examining files")


@dataclass
class _LargeStream:
    """A large stream while its sections come back in order."""

    surveyed: Surveyed
    n_waiting: int
    n_documents: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def placed(self, examined: Examined) -> Examined:
        """A section's documents, numbered in the stream."""
        placed = examined.numbered_from(self.n_documents)
        self.n_waiting -= 1
        self.n_documents += examined.documents.num_rows
        self.reasons.update(examined.dropped.column("reason").to_pylist())
        return placed


def _is_small(source: SourceToRead) -> bool:
    """Whether one process examines the file as a whole."""
    if source.n_bytes <= LARGE_ARCHIVE_BYTES:
        return True
    try:
        return source.n_bytes <= LARGE_BYTES and not is_archive(filesystem_path(source.path))
    except OSError:
        return True  # Whoever examines it says what is wrong with it.


def _commit(context: StageContext, begun: list[Tally], examined: Examined, ended: list[Tally]) -> None:
    """Commit rows in one transaction.

    Args:
        context: the build.
        begun: files whose rows of an earlier examination give way.
        examined: rows to add.
        ended: files that are done; of those that failed no row stays.
    """
    statuses = [
        {"source_id": tally.source.source_id, "status": status, "error": error}
        for tally in ended
        for status, error in [tally.status()]
    ]
    failed = [{"source_id": tally.source.source_id} for tally in ended if tally.failure is not None]
    with context.warehouse.write("recording documents") as connection:
        sources = [{"source_id": tally.source.source_id} for tally in begun]
        connection.register("examined_again", arrow_table(SOURCE, sources))
        connection.register("examined_stream", examined.streams)
        connection.register("examined_document", examined.documents)
        connection.register("examined_dropped", examined.dropped)
        connection.register("examined_failed", arrow_table(SOURCE, failed))
        connection.register("examined_status", arrow_table(SOURCE_STATUS, statuses))
        connection.execute(query("record_documents"))


def _examine_all(context: StageContext, waiting: Sequence[SourceToRead], version: str) -> list[str]:
    """Examine and commit; returns the files that could not be read."""
    with context.executor() as executor:
        lane = Lane(executor)
        examination = _Examination(context, lane, version, waiting)
        examination.run()
    return examination.unread


def _choose_split_units(connection: Connection) -> None:
    """Decide once per corpus what is assigned to a split; the choice stays when the corpus grows."""
    connection.execute(
        query("choose_split_units"), {"min_documents": MIN_DOCUMENTS, "min_characters": MIN_CHARACTERS}
    )


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    return StageRun(context, ASSET, "", recorded_inputs(context, "corpus/source_file", [FILES]), CODE)


def run(context: StageContext) -> StageReport:
    """Examine what is new and record its documents."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    cleanser_version = code_version("warehouse.cleanser")
    stage.begin()
    with context.warehouse.read() as connection:
        waiting = read_rows(
            connection, query("sources_to_read"), {"code_version": cleanser_version}, SourceToRead
        )
    unread = _examine_all(context, waiting, cleanser_version) if waiting else []
    with context.warehouse.write("recording documents") as connection:
        _choose_split_units(connection)
        n_rows = scalar(connection, query("count_documents"))
        failed = connection.execute(query("failed_files")).fetchall()
        encodings = connection.execute(query("count_encodings")).fetchall()
        dropped = connection.execute(query("count_dropped"), {"chunking_id": None}).fetchall()
        content = scalar(connection, query("current_documents_version"))
        stage.record(connection, n_rows, retry=unread, content=content)
    facts: dict[str, int | float | str] = {
        "n_files_examined": len(waiting),
        "examined_bytes": sum(source.n_bytes for source in waiting),
        "encodings": json.dumps(dict(encodings)),
        "dropped": json.dumps(dict(dropped)),
    }
    return stage.report(n_rows, facts, problems=[f"{path}: {error}" for path, error in failed])
