"""Near-duplicates of anybody's JSON Lines file: one object a line with ``id`` and ``text``.

The file is read more than once instead of being held: first for the band keys, then for the texts of the
candidate pairs alone. What is known of its rows lies in a temporary folder, so memory depends little on their
number.

Keeper of a cluster: its centre, the text that comes first by the `Keeper` rule; of several rows with that very text
the one that the rule prefers, else the smallest id. So every member has a verified link to its keeper or its very
text, and no two kept rows resemble each other at or above the threshold by a verified link.

Older files: rows that resemble one of theirs are dropped, whatever else they resemble; the keeper is the most
similar older row (of equals the one with the older file's very text, then of the file named first, then the one
with the smallest id). Rows of older files are not compared with each other and never dropped.

What lives here: the way from such files to clusters and kept rows. What does not: rows as they are stored
(``records.py``), how likeness is found (the rest of the room).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.database import Connection, Warehouse, query, read_rows, run_script
from warehouse.dedup.candidates import CandidateSummary, find_candidates
from warehouse.dedup.clusters import ClusterParameters, write_clusters
from warehouse.dedup.minhash import SketchParameters
from warehouse.dedup.records import (
    COMPRESSIONS,
    RecordId,
    Source,
    decode_id,
    open_source,
    text_batches,
    write_rows,
)
from warehouse.dedup.verification import VerificationParameters, compared_chunks, verify_candidates
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.files import written_whole
from warehouse.home import Home
from warehouse.progress import Progress, silent

LEAST_THRESHOLD = 0.5
"""Below, 16 bands of 6 propose fewer than a quarter of the pairs: an answer would only look complete."""

MEMORY_LIMIT = "512MiB"
"""What the joins may take before they spill into the temporary folder."""

N_LARGEST_CLUSTERS = 10


class Keeper(StrEnum):
    """Which rows are kept. Rows are visited in this order, and one that resembles a kept row is dropped.

    linked: the most verified links to other texts, then the longest, then the smallest id.
    longest: the longest, then the smallest id.
    first, last: as they stand in the file, from its beginning or from its end.
    """

    linked = "linked"
    longest = "longest"
    first = "first"
    last = "last"


@dataclass(frozen=True)
class DuplicateMember:
    """A row of a cluster of two or more.

    Attributes:
        id: the row's id.
        keeper_id: id of the row that is kept for the cluster; it names the cluster.
        keeper_path: the file where the keeper stands.
        jaccard: true Jaccard similarity to the keeper, six digits.
        kept: whether this row is the keeper.
    """

    id: RecordId
    keeper_id: RecordId
    keeper_path: Path
    jaccard: float
    kept: bool


@dataclass(frozen=True)
class Counts:
    """How many rows and clusters there are.

    Attributes:
        n_rows: rows of the file.
        n_older_rows: rows of the older files.
        n_clusters: clusters of two or more rows, older ones included.
        n_dropped: rows of the file that are not kept.
        n_dropped_for_older: those of them that resemble a row of an older file.
    """

    n_rows: int
    n_older_rows: int
    n_clusters: int
    n_dropped: int
    n_dropped_for_older: int


@dataclass(frozen=True)
class LargeCluster:
    """A cluster by its keeper. least_jaccard: of a member to the keeper."""

    keeper_id: RecordId
    n_members: int
    least_jaccard: float


@dataclass(frozen=True)
class Deduplication:
    """What was found in a file, as long as the temporary folder of `deduplicate` is there.

    Attributes:
        sources: the file, then the older files.
        counts: rows and clusters.
        largest: the largest clusters, the largest first.
        candidates: what the band join found.
        n_verified_pairs: candidate pairs of distinct texts at or above the threshold.
        members_file: Parquet, see `members`.
        dropped_file: Parquet, where the lines begin that are not kept, ascending.
    """

    sources: tuple[Source, ...]
    counts: Counts
    largest: tuple[LargeCluster, ...]
    candidates: CandidateSummary
    n_verified_pairs: int
    members_file: Path
    dropped_file: Path

    def members(self) -> Iterator[DuplicateMember]:
        """Each row of a cluster of two or more: clusters by keeper's id, the keeper first, then by id."""
        with pq.ParquetFile(self.members_file) as file:
            for batch in file.iter_batches():
                columns = (batch.column(name).to_pylist() for name in batch.schema.names)
                for encoded, keeper, number, jaccard, kept in zip(*columns, strict=True):
                    keeper_path = self.sources[number].path
                    yield DuplicateMember(
                        decode_id(encoded), decode_id(keeper), keeper_path, round(jaccard, 6), kept
                    )

    def kept_lines(self) -> Iterator[bytes]:
        """The lines that are kept, byte for byte and in their order; blank lines are left out.

        Raises:
            InputUnreadable: at the end, if the file changed since it was searched.
        """
        dropped = self._dropped()
        next_dropped = next(dropped, -1)
        with self.sources[0].rows.open("rb") as stream:
            start_byte = 0
            for line in stream:
                if start_byte == next_dropped:
                    next_dropped = next(dropped, -1)
                elif line.strip():
                    yield line
                start_byte += len(line)
        self.sources[0].require_unchanged()

    def _dropped(self) -> Iterator[int]:
        with pq.ParquetFile(self.dropped_file) as file:
            for batch in file.iter_batches():
                yield from batch.column("start_byte").to_pylist()


@contextmanager
def deduplicate(
    path: Path,
    threshold: float = 0.8,
    against: Sequence[Path] = (),
    keeper: Keeper = Keeper.linked,
    progress: Progress = silent,
) -> Iterator[Deduplication]:
    """Find the near-duplicates of a JSON Lines file; what was found can be read inside the ``with`` block.

    The result is the same for any order of the rows, unless `keeper` goes by that order. Files that end in .gz, .zst
    or .bz2 are unpacked into the temporary folder first, pipes copied.

    Args:
        path: the file.
        threshold: least Jaccard similarity over word 5-grams, at least `LEAST_THRESHOLD`.
        against: older files of the same form, whose rows are all kept as they are.
        keeper: which rows are kept.
        progress: told of bytes read, bands joined, pairs verified.

    Raises:
        InputUnreadable: no such file; or names the line that is broken or repeats an id; or the file changed.
        InvalidConfiguration: if the threshold is out of range, or an older file is the file itself.
    """
    if not LEAST_THRESHOLD <= threshold <= 1:
        raise InvalidConfiguration(
            f"A threshold of {threshold} is out of range", f"Choose {LEAST_THRESHOLD} to 1"
        )
    with TemporaryDirectory(prefix="fakesmrt-dedup-") as name:
        folder = Path(name)
        sources = tuple(open_source(each, number, folder) for number, each in enumerate([path, *against]))
        for older in against:
            if older.samefile(path):
                raise InvalidConfiguration(
                    f"{older} is the input, and would leave nothing of it", "Name older files after --against"
                )
        with Warehouse(Home(folder), memory_limit=MEMORY_LIMIT).scratch() as connection:
            result = _search(connection, sources, folder, threshold, keeper, progress)
        yield result


def _search(
    connection: Connection,
    sources: tuple[Source, ...],
    folder: Path,
    threshold: float,
    keeper: Keeper,
    progress: Progress,
) -> Deduplication:
    parameters = SketchParameters()
    written = write_rows(sources, folder, parameters, progress)
    _load_rows(connection, written.rows, keeper, sources)
    members, candidates, pairs = (
        folder / f"{name}.parquet" for name in ("members", "candidates", "verified")
    )
    connection.execute(query("jsonl_write_members"), {"path": str(members)})
    found = find_candidates(connection, members, written.bands, candidates, parameters, progress=progress)
    texts = text_batches(sources, compared_chunks(candidates))
    rule = VerificationParameters(parameters.shingles, threshold)
    verified = verify_candidates(candidates, texts, pairs, rule, progress)
    progress(0, 1, "clusters")
    _group(connection, pairs, folder, ClusterParameters(threshold, by_links=keeper is Keeper.linked))
    outputs = {"members": folder / "found.parquet", "dropped": folder / "dropped.parquet"}
    run_script(connection, "jsonl_write_found", {name: str(path) for name, path in outputs.items()})
    return Deduplication(
        sources,
        read_rows(connection, query("jsonl_counts"), {}, Counts)[0],
        _largest(connection),
        found,
        verified.n_pairs,
        outputs["members"],
        outputs["dropped"],
    )


def _load_rows(
    connection: Connection, row_files: Sequence[Path], keeper: Keeper, sources: Sequence[Source]
) -> None:
    """Make the table of all rows; raises InputUnreadable for an id that a file has twice."""
    settings = {"row_files": [str(path) for path in row_files], "keeper": keeper.value}
    connection.execute(query("jsonl_rows"), settings)
    for number, encoded, line, first in connection.execute(query("jsonl_repeated_id")).fetchall():
        raise InputUnreadable(
            f"{sources[number].path}, line {line}: the id {decode_id(encoded)!r} stands in line {first} already",
            "Give each row an id of its own",
        )


def _group(connection: Connection, pairs: Path, folder: Path, parameters: ClusterParameters) -> None:
    """Make the table of members: rows like an older one, and the clusters of the others."""
    connection.execute(query("jsonl_matches"), {"pairs": str(pairs)})
    unmatched, clusters = folder / "unmatched.parquet", folder / "clusters.parquet"
    connection.execute(query("jsonl_write_unmatched"), {"path": str(unmatched)})
    write_clusters(connection, unmatched, pairs, clusters, parameters)
    connection.execute(query("jsonl_members"), {"clusters": str(clusters)})


def _largest(connection: Connection) -> tuple[LargeCluster, ...]:
    rows = connection.execute(query("jsonl_largest_clusters"), {"n": N_LARGEST_CLUSTERS}).fetchall()
    return tuple(LargeCluster(decode_id(keeper), n_members, least) for keeper, n_members, least in rows)


def require_output(output: Path, sources: Sequence[Path]) -> None:
    """Raises InvalidConfiguration if `output` is one of the files that are read, or cannot be a file."""
    if output.exists() and not output.is_file():
        raise InvalidConfiguration(f"{output} is a folder or a device", "Name a file after --output")
    folder = next(folder for folder in output.absolute().parents if folder.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InvalidConfiguration(
            f"{output} cannot be written: {folder} is no folder to write to", "Name another file"
        )
    for source in sources:
        if output.exists() and source.exists() and output.samefile(source):
            raise InvalidConfiguration(f"{output} is an input", "Name another file after --output")


def write_kept(result: Deduplication, output: Path) -> int:
    """Copy the rows that are kept, byte for byte and in their order; packed if the name ends in .gz or the like.

    Returns:
        Rows written.

    Raises:
        InvalidConfiguration: if `output` is a file that was read, or cannot be a file.
        InputUnreadable: if the file changed since it was searched.
    """
    require_output(output, [source.path for source in result.sources])
    n_written = 0
    with (
        written_whole(output) as unfinished,
        pa.output_stream(str(unfinished), compression=COMPRESSIONS.get(output.suffix)) as target,
    ):
        for line in result.kept_lines():
            target.write(line)
            n_written += 1
    return n_written
