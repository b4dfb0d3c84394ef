"""What ``fakesmrt decode`` does with each file, in this process or in a worker.

What lives here: from a file to rows of ``--json`` and to clean texts. What does not: arguments, processes and tables
(``cleanser.py``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.chunks import ChunkRecord, DroppedSlice
from warehouse.cleanser.cleansing import RECORD_SEPARATOR, StreamSurvey, cut_stream, survey_stream
from warehouse.cleanser.documents import DocumentRecord
from warehouse.cleanser.privacy import find_private, mask
from warehouse.cleanser.repair import RepairPlan
from warehouse.cleanser.streams import Stream, display_name, walk_streams
from warehouse.errors import FakesmrtError, explained
from warehouse.files import sync_folder
from warehouse.processes import start_worker

PARENT_FOLDER = "_parent"
"""What ``..`` in a path becomes below the output folder."""

DAMAGED = "damaged"
"""Flag of a stream that could not be read to its end."""


@dataclass(frozen=True)
class DecodeOrder:
    """What every file is decoded by.

    Attributes:
        chunking: how to cut and repair.
        output: folder for clean texts; None writes none.
        masked: kinds of private data that are masked in them.
        workplace: folder for what is not finished yet, on the file system of `output`.
    """

    chunking: Chunking
    output: Path | None
    masked: tuple[str, ...]
    workplace: Path


@dataclass(frozen=True)
class DecodedFile:
    """What became of a file.

    Attributes:
        rows: a file of JSON lines, one a stream, as ``--json`` prints them.
        problems: a file of lines, one for each thing that could not be read or written.
        n_problems: how many there are.
        dropped: bytes that became no text, by reason.
    """

    rows: Path
    problems: Path
    n_problems: int
    dropped: Counter[str]


def start_decoder(parent: int, workplace: Path) -> None:
    """Initialise a worker, and leave its process id where the parent finds it when it is interrupted."""
    start_worker(parent)
    (workplace / f"{os.getpid()}.pid").touch()


def target_below(file: Path, output: Path) -> Path:
    """Where the clean text of a file or member goes: always below `output`, whatever its path holds."""
    parts = [
        PARENT_FOLDER if part == ".." else part.replace("\0", "_")
        for part in file.parts
        if part != file.anchor
    ]
    return output.joinpath(*parts[:-1], f"{parts[-1]}.txt") if parts else output / f"{PARENT_FOLDER}.txt"


def decode_file(file: Path, number: int, order: DecodeOrder) -> DecodedFile:
    """Cleanse one file with bounded memory, an archive member by member.

    What cannot be read or written is a problem, not an exception.
    """
    rows, problems = (order.workplace / f"{number}.{kind}" for kind in ("rows", "problems"))
    dropped: Counter[str] = Counter()
    n_problems = 0
    with rows.open("w", encoding="utf-8") as row_file, problems.open("w", encoding="utf-8") as problem_file:
        try:
            for stream in walk_streams(file, spool_folder=order.workplace):
                row, reasons, stream_problems = _decoded(file, stream, order)
                row_file.write(json.dumps(row, ensure_ascii=False) + "\n")
                dropped.update(reasons)
                n_problems += len(stream_problems)
                problem_file.writelines(f"{problem}\n" for problem in stream_problems)
        except FakesmrtError as failure:
            n_problems += 1
            problem_file.write(f"{failure}\n")
        except OSError as failure:
            n_problems += 1
            problem_file.write(f"{display_name(file)}: {explained(failure)}\n")
    return DecodedFile(rows, problems, n_problems, dropped)


def _decoded(
    file: Path, stream: Stream, order: DecodeOrder
) -> tuple[dict[str, Any], Counter[str], list[str]]:
    """The row of a stream, its dropped bytes by reason, and what was wrong with it."""
    name = display_name(file) if stream.member is None else f"{display_name(file)}/{stream.member}"
    survey = survey_stream(stream)
    totals = _Totals(order.masked)
    problems = [f"{name}: {stream.error}."] if stream.error else []
    texts = totals.texts(stream, survey, order.chunking)
    if order.output is not None and survey.decision.encoding is not None:
        inside = file if stream.member is None else file / _plain_name(stream.member)
        target = target_below(inside, order.output)
        try:
            with _written_whole(target, order.workplace) as clean:
                for text in texts:
                    clean.write(text)
        except (OSError, ValueError) as failure:
            problems.append(f"{display_name(target)} cannot be written: {failure}.")
    for _ in texts:
        pass
    return totals.row(name, stream, survey), totals.dropped, problems


def _plain_name(member: str) -> Path:
    """A member's name as a relative path that any file system takes."""
    return Path(
        *[part for part in member.encode("utf-8", "backslashreplace").decode().split("/") if part] or ["_"]
    )


@contextmanager
def _written_whole(target: Path, workplace: Path) -> Iterator[TextIO]:
    """A text file that appears at `target` when the block ends; a block that fails leaves nothing."""
    partial = workplace / f"{os.getpid()}.text"
    try:
        with partial.open("w", encoding="utf-8", newline="") as clean:
            yield clean
            clean.flush()
            os.fsync(clean.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(target)
        sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)


@dataclass
class _Totals:
    """Sums over a stream's chunks as they pass by."""

    masked: tuple[str, ...]
    digest: Any = field(default_factory=hashlib.sha256)
    first: DocumentRecord | None = None
    n_characters: int = 0
    n_replaced: int = 0
    n_chunks_with: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def texts(self, stream: Stream, survey: StreamSurvey, chunking: Chunking) -> Iterator[str]:
        """The clean texts of a stream, counted."""
        for document, parts in cut_stream(stream, survey, chunking):
            self.first = self.first or document
            for part in parts:
                if isinstance(part, ChunkRecord):
                    if survey.reader.extract is not None and part.ordinal == 0 and self.n_characters:
                        yield self._added(RECORD_SEPARATOR)
                    yield self._counted(part)
                elif not isinstance(part, DroppedSlice):
                    self.dropped[part.reason] += part.byte_end - part.byte_start

    def _counted(self, chunk: ChunkRecord) -> str:
        text = chunk.text
        if self.masked:
            text = mask(text, find_private(text), self.masked)
        self.n_replaced += chunk.n_replaced
        self.n_chunks_with.update({step[0] for step in RepairPlan.from_json(chunk.repair).steps})
        return self._added(text)

    def _added(self, text: str) -> str:
        self.digest.update(text.encode())
        self.n_characters += len(text)
        return text

    def row(self, name: str, stream: Stream, survey: StreamSurvey) -> dict[str, Any]:
        """The row that ``--json`` prints; `encoding` and `text_sha256` are None where the stream is no text."""
        decision = survey.decision
        repair = {**dict(sorted(self.n_chunks_with.items())), "n_replaced": self.n_replaced}
        return {
            "path": name,
            "encoding": decision.encoding,
            "confidence": round(decision.confidence, 4),
            "evidence": list(decision.evidence),
            "runners_up": list(decision.runners_up),
            "language": self.first.language if self.first is not None else "und",
            "repair": repair,
            "n_bytes": stream.n_bytes,
            "n_characters": self.n_characters,
            "n_dropped_bytes": self.dropped.total(),
            "text_sha256": self.digest.hexdigest() if decision.encoding is not None else None,
            "flags": [*decision.flags, *([DAMAGED] if stream.error else [])],
        }
