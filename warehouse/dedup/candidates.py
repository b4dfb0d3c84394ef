"""Candidate pairs: band keys in Parquet, joined band by band in DuckDB.

::

    texts -> write_band_file -> index/*.parquet  (any number of workers, one file a batch)
    band files + members -> find_candidates -> candidates.parquet  (one scratch database)
    stored verified pairs -> write_obsolete_pairs -> obsolete.parquet  (the same database)

A candidate is no verdict: ``verification.py`` gives that.

Large buckets. Up to `bucket_limit` distinct texts that share a key are paired each with each. In a larger
bucket (boilerplate with a few words changed) the first `n_centres` texts, by chunk_id, are paired with all
and the pairs among the rest are left out: likenesses still meet at a centre or in another band. How many were
left out is counted in the summary; nothing vanishes unsaid.

Increments. Which pairs a set of texts proposes depends on that set alone. A join knows the set of the last one
and so what that proposed, bucket by bucket: it writes what is proposed today and was not before, for new
texts, for texts that became centres and for buckets that are no longer large; and it names the stored pairs
that are proposed no more. So what is stored after it is what all at once would have stored, whatever came and
went before.

What lives here: band files and their join. What does not: opening DuckDB, knowing which chunks are current.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.database import Connection, query, read_rows, run_script, scalar
from warehouse.dedup.minhash import SketchParameters, band_keys, signatures
from warehouse.dedup.shingles import shingle
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.files import written_whole
from warehouse.progress import Progress, silent

CHUNK_ID = pa.binary(16)
MEMBER_SCHEMA = pa.schema(
    [
        ("chunk_id", CHUNK_ID),
        ("text_sha256", pa.binary(32)),
        ("is_current", pa.bool_()),
        ("is_known", pa.bool_()),
    ]
)
"""What `find_candidates` is told of each chunk. is_current: it is in the corpus now. is_known: it took part
in an earlier join whose verified pairs are stored, whether or not it is still current."""

Members: TypeAlias = pa.Table | Path
"""Rows of `MEMBER_SCHEMA` in memory, or a Parquet file of them; more columns do no harm."""

SKETCH_KEY = b"fakesmrt.sketch_id"


@dataclass(frozen=True)
class CandidateParameters:
    """How far a bucket is searched.

    Stored comparisons rest on it: with other values the sketch needs another version.

    Attributes:
        bucket_limit: most distinct texts of one bucket that are all paired with each other (half a million
            pairs).
        n_centres: texts of a larger bucket that are paired with all others of it.
    """

    bucket_limit: int = 1000
    n_centres: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.n_centres <= self.bucket_limit:
            raise InvalidConfiguration(
                f"{self.n_centres} centres in buckets above {self.bucket_limit} texts make no sense",
                "Choose at least one centre, and no more than the limit",
            )


@dataclass(frozen=True)
class CandidateSummary:
    """What a join found.

    Attributes:
        n_texts: distinct texts compared.
        n_pairs: candidate pairs, each counted once.
        n_large_buckets: buckets above the limit, in all bands.
        n_texts_of_largest_bucket: distinct texts of the largest of these; 0 where there is none.
        n_pairs_left_out: pairs that the large buckets did not propose (other buckets may have), bands added
            up.
    """

    n_texts: int
    n_pairs: int
    n_large_buckets: int
    n_texts_of_largest_bucket: int
    n_pairs_left_out: int


def band_names(parameters: SketchParameters) -> list[str]:
    """Columns of a band file besides chunk_id: band_00, band_01 and so on."""
    return [f"band_{band:02d}" for band in range(parameters.n_bands)]


def band_table(chunk_ids: Sequence[bytes], texts: Sequence[str], parameters: SketchParameters) -> pa.Table:
    """The band keys of a batch of chunks.

    Args:
        chunk_ids: 16 bytes each.
        texts: as many.
        parameters: the sketch.

    Returns:
        chunk_id binary(16) and a uint64 column a band; NULL keys, which equal nothing, for a text without
        words. The schema's metadata names the sketch.
    """
    shingles = shingle(texts, parameters.shingles)
    keys = band_keys(signatures(shingles, parameters), parameters)
    wordless = np.diff(shingles.offsets) == 0
    columns = [pa.array(keys[:, band], pa.uint64(), mask=wordless) for band in range(parameters.n_bands)]
    schema = pa.schema(
        [("chunk_id", CHUNK_ID), *((name, pa.uint64()) for name in band_names(parameters))],
        metadata={SKETCH_KEY: parameters.sketch_id().hex.encode()},
    )
    return pa.table([pa.array(chunk_ids, CHUNK_ID), *columns], schema=schema)


def write_band_file(
    path: Path, chunk_ids: Sequence[bytes], texts: Sequence[str], parameters: SketchParameters
) -> int:
    """Write the band keys of a batch of chunks to one Parquet file, whole or not at all.

    A worker's unit of work; the bytes depend on the arguments alone.

    Returns:
        Rows written.
    """
    table = band_table(chunk_ids, texts, parameters)
    with written_whole(path) as partial:
        # Keys are random bits: neither a dictionary nor compression makes them smaller.
        pq.write_table(table, partial, compression="none", use_dictionary=False)
    return int(table.num_rows)


def _require_sketch(band_files: Sequence[Path], parameters: SketchParameters) -> None:
    expected = parameters.sketch_id().hex.encode()
    for path in band_files:
        metadata = pq.read_schema(path).metadata or {}
        if metadata.get(SKETCH_KEY) != expected:
            raise CorruptArtefact(
                f"{path} holds the keys of another sketch", "Remove the file and build the corpus again"
            )


@contextmanager
def named_rows(connection: Connection, name: str, rows: Members) -> Iterator[None]:
    """Let queries read `rows` as the view `name`."""
    if isinstance(rows, Path):
        connection.read_parquet(str(rows)).create_view(name)
    else:
        connection.register(name, rows)
    try:
        yield
    finally:
        connection.unregister(name)


def find_candidates(
    connection: Connection,
    members: Members,
    band_files: Sequence[Path],
    output: Path,
    parameters: SketchParameters,
    limits: CandidateParameters | None = None,
    progress: Progress = silent,
) -> CandidateSummary:
    """Pair the texts that agree in a band, and write the pairs that the last join did not propose.

    Of chunks with the same text the smallest chunk_id stands for all. Memory is bounded by the connection's
    limit.

    Args:
        connection: a scratch database with memory_limit and temp_directory set; temporary tables are left in
            it.
        members: every current chunk among them, and every one that took part in the last join.
        band_files: files of `write_band_file` that hold every current chunk, and those of the last join; other
            chunks in them are ignored.
        output: written whole: chunk_a < chunk_b (binary, 16 bytes each), sorted, no pair twice.
        parameters: the sketch of the band files.
        limits: how far large buckets are searched; the same as in the last join.
        progress: told of each band.

    Raises:
        CorruptArtefact: if a band file is of another sketch, or a current chunk is in no band file.
    """
    limits = limits or CandidateParameters()
    _require_sketch(band_files, parameters)
    with named_rows(connection, "member", members):
        connection.execute(query("dedup_representatives"))
    run_script(connection, "dedup_empty_candidates", {})
    if band_files:
        _join_bands(connection, band_files, parameters, limits, progress)
    elif n_texts := scalar(connection, "SELECT count(*) FROM representative WHERE is_current"):
        raise CorruptArtefact(f"There are no band files for {n_texts} texts", "Build the corpus again")
    with written_whole(output) as partial:
        connection.execute(query("dedup_write_candidates"), {"path": str(partial)})
    return read_rows(connection, query("dedup_candidate_summary"), {}, CandidateSummary)[0]


def _join_bands(
    connection: Connection,
    band_files: Sequence[Path],
    parameters: SketchParameters,
    limits: CandidateParameters,
    progress: Progress,
) -> None:
    connection.execute(
        query("dedup_representative_bands"), {"band_files": [str(path) for path in band_files]}
    )
    n_missing, example = connection.execute(query("dedup_without_bands")).fetchall()[0]
    if n_missing:
        raise CorruptArtefact(
            f"{n_missing} chunks have no band keys, {example} for one",
            "Remove the index folder and build again",
        )
    names = band_names(parameters)
    for done, band in enumerate(names):
        progress(done, len(names), f"{band}: candidates")
        search = {"band": band, "bucket_limit": limits.bucket_limit, "n_centres": limits.n_centres}
        run_script(connection, "dedup_band", search)
        run_script(connection, "dedup_band_pairs", search)
        run_script(connection, "dedup_large_buckets", search)
    progress(len(names), len(names), "candidates")


def write_obsolete_pairs(
    connection: Connection, members: Members, stored: Path, output: Path, parameters: SketchParameters
) -> None:
    """Name the stored pairs that today's texts do not propose.

    These are, of pairs whose texts are both current: those of chunks that do not stand for their texts today or
    did not at the last join (today's join proposes them under today's names), and those whose every common
    bucket has become large, neither of them a centre. Pairs with a text that is away stay as they are.

    Args:
        connection: the database in which `find_candidates` ran last.
        members: as given to it.
        stored: Parquet with chunk_a and chunk_b.
        output: the same columns, written whole.
        parameters: the sketch.
    """
    with named_rows(connection, "member", members):
        run_script(connection, "dedup_stored_pairs", {"stored": str(stored)})
        if scalar(connection, "SELECT count(*) FROM doubtful_pair"):
            for band in band_names(parameters):
                connection.execute(query("dedup_confirm_pairs"), {"band": band})
        with written_whole(output) as partial:
            connection.execute(query("dedup_obsolete_pairs"), {"path": str(partial)})
