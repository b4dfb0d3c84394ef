"""Near-duplicates of anybody's JSON Lines file: one object a line with ``id`` and ``text``.

The file is read more than once instead of being held: first for the band keys, then for the texts of the
candidate pairs alone. In memory stay each row's id, length and place, not its text.

Keeper of a cluster: its centre, the text that has the most verified links to others, then the longest, then
(also among identical texts) the one with the smallest id. So every member has a verified link to its keeper
or its very text, and no two kept rows resemble each other at or above the threshold by a verified link.

What lives here: reading and writing such files. What does not: how likeness is found (the rest of the room).
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.database import Warehouse
from warehouse.dedup.candidates import MEMBER_SCHEMA, CandidateSummary, find_candidates, write_band_file
from warehouse.dedup.clusters import ClusterParameters, cluster_chunks
from warehouse.dedup.minhash import SketchParameters
from warehouse.dedup.verification import VerificationParameters, write_verified_pairs
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.files import written_whole
from warehouse.home import Home
from warehouse.identity import content_id
from warehouse.progress import Progress, silent

RecordId = str | int

LEAST_THRESHOLD = 0.5
"""Below, 16 bands of 6 propose fewer than a quarter of the pairs: an answer would only look complete."""

BATCH_CHARACTERS = 1 << 22
"""Text held at a time while band keys are made."""

PROGRESS_ROWS = 1 << 10
MEMORY_LIMIT = "512MiB"
"""What the band join may take before it spills into the temporary folder."""


@dataclass(frozen=True)
class Record:
    """One row of the file. line: as it stands, its end included. line_number: from 1. offset: bytes before
    it."""

    id: RecordId
    text: str
    line: bytes
    line_number: int
    offset: int


@dataclass(frozen=True)
class DuplicateMember:
    """A row of a cluster of two or more.

    Attributes:
        id: the row's id.
        cluster_id: id of the cluster's centre.
        keeper_id: id of the row that is kept for the cluster.
        jaccard: true Jaccard similarity to the keeper, six digits.
        kept: whether this row is the keeper.
    """

    id: RecordId
    cluster_id: RecordId
    keeper_id: RecordId
    jaccard: float
    kept: bool


@dataclass(frozen=True)
class Deduplication:
    """What was found in a file.

    Attributes:
        source: the file.
        n_rows: its rows.
        members: each row of a cluster of two or more: clusters by keeper's id, the keeper first, then by id.
        dropped_lines: line numbers of the rows that are not kept.
        candidates: what the band join found.
        n_verified_pairs: candidate pairs of distinct texts at or above the threshold.
        stamp: size and modification time of the file, to notice a change.
    """

    source: Path
    n_rows: int
    members: tuple[DuplicateMember, ...]
    dropped_lines: frozenset[int]
    candidates: CandidateSummary
    n_verified_pairs: int
    stamp: tuple[int, int]

    @property
    def n_clusters(self) -> int:
        return sum(member.kept for member in self.members)


@dataclass
class _Rows:
    """What stays in memory of each row, in the order of the file."""

    ids: list[RecordId] = field(default_factory=list)
    line_numbers: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    line_lengths: array[int] = field(default_factory=lambda: array("q"))
    text_lengths: array[int] = field(default_factory=lambda: array("q"))
    keys: list[bytes] = field(default_factory=list)
    text_hashes: list[bytes] = field(default_factory=list)

    def append(self, record: Record) -> bytes:
        """Remember a row; returns its key: 8 bytes of its id's hash, then 8 bytes of its place in the file.

        Keys sort by the ids, so nothing depends on the order of the rows; the place finds the row again.
        """
        kind = type(record.id).__name__
        key = content_id(kind, record.id).bytes[:8] + len(self.ids).to_bytes(8, "big")
        self.ids.append(record.id)
        self.line_numbers.append(record.line_number)
        self.offsets.append(record.offset)
        self.line_lengths.append(len(record.line))
        self.text_lengths.append(len(record.text))
        self.keys.append(key)
        self.text_hashes.append(hashlib.sha256(record.text.encode("utf-8", "surrogatepass")).digest())
        return key


def row_of_key(key: bytes) -> int:
    """Place in the file, from 0, that a key of `_Rows.append` ends with."""
    return int.from_bytes(key[8:], "big")


def id_order(record_id: RecordId) -> tuple[bool, RecordId]:
    """Sorts ids: numbers before strings, each among their own."""
    return isinstance(record_id, str), record_id


def _parse(path: Path, line: bytes, line_number: int) -> tuple[RecordId, str]:
    remedy = 'Each line has to be a JSON object such as {"id": "a", "text": "..."}, in UTF-8'
    try:
        value = json.loads(line.decode("utf-8-sig" if line_number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputUnreadable(f"{path}, line {line_number}: no JSON ({error})", remedy) from error
    if not isinstance(value, dict):
        raise InputUnreadable(f"{path}, line {line_number}: no JSON object", remedy)
    for key, kinds, wanted in (("id", (str, int), "a string or an integer"), ("text", (str,), "a string")):
        if key not in value:
            raise InputUnreadable(f'{path}, line {line_number}: there is no "{key}"', remedy)
        if not isinstance(value[key], kinds) or isinstance(value[key], bool):
            raise InputUnreadable(f'{path}, line {line_number}: "{key}" is not {wanted}', remedy)
    return value["id"], value["text"]


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a JSON Lines file; blank lines are passed over.

    Raises:
        InputUnreadable: names the first line that is no JSON object with ``id`` and ``text``.
        OSError: if the file cannot be read.
    """
    with path.open("rb") as stream:
        offset = 0
        for line_number, line in enumerate(stream, start=1):
            if line.strip():
                record_id, text = _parse(path, line, line_number)
                yield Record(record_id, text, line, line_number, offset)
            offset += len(line)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _require_unchanged(path: Path, stamp: tuple[int, int]) -> None:
    if _stamp(path) != stamp:
        raise InputUnreadable(
            f"{path} changed while it was read", "Run the command again when it is complete"
        )


def deduplicate(path: Path, threshold: float = 0.8, progress: Progress = silent) -> Deduplication:
    """Find the near-duplicates of a JSON Lines file.

    The result is the same for any order of the rows.

    Args:
        path: the file.
        threshold: least Jaccard similarity over word 5-grams, at least `LEAST_THRESHOLD`.
        progress: told of bytes read, bands joined, pairs verified.

    Raises:
        InputUnreadable: no such file; or names the line that is broken or repeats an id; or the file changed.
        InvalidConfiguration: if the threshold is out of range.
    """
    if not LEAST_THRESHOLD <= threshold <= 1:
        raise InvalidConfiguration(
            f"A threshold of {threshold} is out of range", f"Choose {LEAST_THRESHOLD} to 1"
        )
    if not path.is_file():
        raise InputUnreadable(f"There is no file {path}", "Name a JSON Lines file with the keys id and text")
    stamp = _stamp(path)
    parameters = SketchParameters()
    with TemporaryDirectory(prefix="fakesmrt-dedup-") as folder:
        rows = _Rows()
        band_files = _write_bands(path, Path(folder), rows, parameters, progress)
        pairs_file = Path(folder) / "candidates.parquet"
        members = _members(rows)
        with Warehouse(Home(Path(folder)), memory_limit=MEMORY_LIMIT).scratch() as connection:
            summary = find_candidates(
                connection, members, band_files, pairs_file, parameters, progress=progress
            )
        verified_file = Path(folder) / "verified.parquet"
        rule = VerificationParameters(shingles=parameters.shingles, floor=threshold)
        with path.open("rb") as stream:
            texts = partial(_read_texts, path, stamp, stream, rows)
            verified = write_verified_pairs(pairs_file, texts, verified_file, rule, progress)
        clusters = cluster_chunks(members, pq.read_table(verified_file), ClusterParameters(threshold))
    members_found, dropped = _keepers(rows, clusters)
    return Deduplication(path, len(rows.ids), members_found, dropped, summary, verified.n_pairs, stamp)


def _read_texts(
    path: Path, stamp: tuple[int, int], stream: BinaryIO, rows: _Rows, keys: Sequence[bytes]
) -> Mapping[bytes, str]:
    """The texts of some rows, read where they stand, in the order of the file."""
    _require_unchanged(path, stamp)
    texts = {}
    for key in sorted(keys, key=row_of_key):
        row = row_of_key(key)
        stream.seek(rows.offsets[row])
        texts[key] = _parse(path, stream.read(rows.line_lengths[row]), rows.line_numbers[row])[1]
    return texts


def _write_bands(
    path: Path, folder: Path, rows: _Rows, parameters: SketchParameters, progress: Progress
) -> list[Path]:
    """Read the file once: fill `rows` and write the band keys, a file a batch."""
    band_files: list[Path] = []
    keys: list[bytes] = []
    texts: list[str] = []
    n_characters, n_bytes = 0, path.stat().st_size
    line_of_id: dict[RecordId, int] = {}

    def write_batch() -> None:
        band_files.append(folder / f"bands-{len(band_files)}.parquet")
        write_band_file(band_files[-1], keys, texts, parameters)
        keys.clear()
        texts.clear()

    for record in read_records(path):
        first = line_of_id.setdefault(record.id, record.line_number)
        if first != record.line_number:
            raise InputUnreadable(
                f"{path}, line {record.line_number}: the id {record.id!r} stands in line {first} already",
                "Give each row an id of its own",
            )
        keys.append(rows.append(record))
        texts.append(record.text)
        n_characters += len(record.text)
        if n_characters > BATCH_CHARACTERS:
            write_batch()
            n_characters = 0
        if len(rows.ids) % PROGRESS_ROWS == 0:
            progress(record.offset, n_bytes, "bytes read")
    if keys:
        write_batch()
    return band_files


def _members(rows: _Rows) -> pa.Table:
    """What the join and the clustering want to know of each row; priority: longest first, then smallest
    id."""
    n_rows = len(rows.ids)
    order = sorted(range(n_rows), key=lambda row: (-rows.text_lengths[row], id_order(rows.ids[row])))
    priority = np.empty(n_rows, np.int64)
    priority[order] = np.arange(n_rows, 0, -1)
    members = pa.table(
        [rows.keys, rows.text_hashes, np.ones(n_rows, np.bool_), np.zeros(n_rows, np.bool_)],
        schema=MEMBER_SCHEMA,
    )
    return members.append_column("priority", pa.array(priority))


def _keepers(rows: _Rows, clusters: pa.Table) -> tuple[tuple[DuplicateMember, ...], frozenset[int]]:
    """Choose the keeper of each cluster: of the rows with the centre's text the one with the smallest id."""
    members: dict[bytes, list[tuple[int, float]]] = {}
    columns = (clusters.column(name).to_pylist() for name in ("chunk_id", "cluster_id", "jaccard"))
    for key, centre, jaccard in zip(*columns, strict=True):
        members.setdefault(centre, []).append((row_of_key(key), round(jaccard, 6)))
    found: list[DuplicateMember] = []
    dropped: set[int] = set()
    by_keeper = []
    for centre, cluster in members.items():
        text = rows.text_hashes[row_of_key(centre)]
        same_text = [row for row, _ in cluster if rows.text_hashes[row] == text]
        by_keeper.append((min(same_text, key=lambda row: id_order(rows.ids[row])), cluster))
    for keeper, cluster in sorted(by_keeper, key=lambda item: id_order(rows.ids[item[0]])):
        keeper_id = rows.ids[keeper]
        for row, jaccard in sorted(
            cluster, key=lambda item: (item[0] != keeper, id_order(rows.ids[item[0]]))
        ):
            found.append(DuplicateMember(rows.ids[row], keeper_id, keeper_id, jaccard, row == keeper))
            if row != keeper:
                dropped.add(rows.line_numbers[row])
    return tuple(found), frozenset(dropped)


def write_kept(result: Deduplication, output: Path) -> int:
    """Copy the rows that are kept, byte for byte and in their order.

    Returns:
        Rows written.

    Raises:
        InvalidConfiguration: if `output` is the file itself.
        InputUnreadable: if the file changed since it was searched.
    """
    if output.exists() and output.samefile(result.source):
        raise InvalidConfiguration(f"{output} is the input", "Name another file after --output")
    n_written = 0
    with written_whole(output) as unfinished:
        with result.source.open("rb") as source, unfinished.open("wb") as target:
            for line_number, line in enumerate(source, start=1):
                if line.strip() and line_number not in result.dropped_lines:
                    target.write(line)
                    n_written += 1
        _require_unchanged(result.source, result.stamp)
    return n_written
