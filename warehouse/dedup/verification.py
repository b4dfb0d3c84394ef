"""Verdicts: the true Jaccard similarity of candidate pairs, on the same shingles that the sketch was made of.

J(A, B) = |A and B| / |A or B| over the sets of shingles. MinHash only proposes; a pair counts after this.

Each text is read and cut into shingles once, in whatever order the caller finds cheapest; the sets wait in a file
that has no name, so memory holds 32 bytes for each text that has a candidate, and the sets of one batch of pairs.

What lives here: pairs of texts to similarities. What does not: proposing pairs (``candidates.py``), reading
texts (passed in), groups (``clusters.py``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from warehouse.dedup.candidates import CHUNK_ID
from warehouse.dedup.shingles import Int64Array, ShingleParameters, UInt64Array, shingle
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.files import written_whole
from warehouse.progress import Progress, silent

PAIR_SCHEMA = pa.schema(
    [("chunk_a", CHUNK_ID), ("chunk_b", CHUNK_ID), ("jaccard", pa.float32()), ("rule_version", pa.string())]
)
"""Verified pairs: the columns of ``corpus.duplicate_pair``."""

Texts = Callable[[Sequence[bytes]], Mapping[bytes, str]]
"""Gives the texts of chunk ids (16 bytes each, distinct)."""

TextBatches = Iterable[tuple[Sequence[bytes], Sequence[str]]]
"""Chunk ids (16 bytes each) and as many texts, batch after batch, no chunk twice."""

ChunkIds = NDArray[np.bytes_]
"""Chunk ids of 16 bytes, dtype S16; sorting and searching compare all 16, a zero at the end included."""

TEXTS_PER_BATCH = 4096
PAIRS_PER_BATCH = 4096


@dataclass(frozen=True)
class VerificationParameters:
    """Which verified pairs are stored.

    Attributes:
        shingles: what similarity is measured on; the same as in the sketch.
        floor: least similarity stored. A later threshold down to it needs no new verification, though the
            sketch proposes fewer of the pairs below 0.8 (22 % at 0.5, 53 % at 0.6, 86 % at 0.7 for 16 bands
            of 6).
        version: name of the rule.
    """

    shingles: ShingleParameters = field(default_factory=ShingleParameters)
    floor: float = 0.5
    version: str = "jaccard-1"

    def __post_init__(self) -> None:
        if not 0 < self.floor <= 1:
            raise InvalidConfiguration(
                f"{self.floor} is no Jaccard similarity to store pairs from", "Choose above 0, up to 1"
            )

    @property
    def rule_version(self) -> str:
        """Stored with each pair."""
        return f"{self.version}/{self.shingles.version}/{self.shingles.n_words}"


@dataclass(frozen=True)
class VerificationSummary:
    """What verification found.

    Attributes:
        n_candidates: pairs looked at.
        n_pairs: pairs at or above the floor.
    """

    n_candidates: int
    n_pairs: int


def jaccard(a: UInt64Array, b: UInt64Array) -> float:
    """The Jaccard similarity of two sets of shingles, each distinct; 0 where one is empty."""
    if not len(a) or not len(b):
        return 0.0
    both = np.concatenate([a, b])
    both.sort()
    n_shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return n_shared / (len(both) - n_shared)


@dataclass(frozen=True)
class ShingleSets:
    """The distinct shingles of texts, in a file.

    Attributes:
        file: 64-bit hashes, ascending in each text.
        chunk_ids: (n_texts,) ascending.
        starts: (n_texts,) where each one's hashes begin, in hashes.
        sizes: (n_texts,) how many there are.
    """

    file: IO[bytes]
    chunk_ids: ChunkIds
    starts: Int64Array
    sizes: Int64Array

    def places(self, chunk_ids: pa.Array) -> Int64Array:
        """Where chunks stand in `chunk_ids`.

        Raises:
            CorruptArtefact: if one does not.
        """
        wanted = as_chunk_ids(chunk_ids)
        places = np.searchsorted(self.chunk_ids, wanted)
        known = places < len(self.chunk_ids)
        known[known] = self.chunk_ids[places[known]] == wanted[known]
        if not known.all():
            missing = chunk_ids.filter(pa.array(~known)).unique().to_pylist()
            raise CorruptArtefact(
                f"The text of {len(missing)} chunks is gone, {missing[0].hex()} for one",
                "Run: fakesmrt doctor",
            )
        return places

    def read(self, place: int) -> UInt64Array:
        """One text's distinct shingles."""
        size, start = 8 * int(self.sizes[place]), 8 * int(self.starts[place])
        return np.frombuffer(os.pread(self.file.fileno(), size, start), np.uint64)


def as_chunk_ids(chunk_ids: pa.Array) -> ChunkIds:
    """The values of a binary column of 16 bytes, without a Python object for each."""
    fixed = chunk_ids.cast(CHUNK_ID)
    return np.frombuffer(fixed.buffers()[1], "S16", len(fixed), 16 * fixed.offset)


def compared_chunks(candidates: Path) -> ChunkIds:
    """The chunks that a file of candidates names, ascending: 16 bytes of memory for each."""
    found: ChunkIds = np.empty(0, "S16")
    with pq.ParquetFile(candidates) as file:
        for batch in file.iter_batches(1 << 20):
            found = np.union1d(
                found, np.concatenate([as_chunk_ids(batch.column(side)) for side in ("chunk_a", "chunk_b")])
            )
    return found


def write_shingle_sets(batches: TextBatches, parameters: ShingleParameters, file: IO[bytes]) -> ShingleSets:
    """Cut texts into shingles and put the set of each into `file`, one after the other."""
    ids: list[ChunkIds] = [np.empty(0, "S16")]
    sizes: list[Int64Array] = [np.empty(0, np.int64)]
    for chunk_ids, texts in batches:
        shingles = shingle(texts, parameters)
        sets = [shingles.distinct(text) for text in range(shingles.n_texts)]
        file.writelines(one.tobytes() for one in sets)
        ids.append(as_chunk_ids(pa.array(chunk_ids, CHUNK_ID)))
        sizes.append(np.fromiter(map(len, sets), np.int64, len(sets)))
    file.flush()
    all_ids, all_sizes = np.concatenate(ids), np.concatenate(sizes)
    order = np.argsort(all_ids)
    starts = np.cumsum(all_sizes) - all_sizes
    return ShingleSets(file, all_ids[order], starts[order], all_sizes[order])


def verified_pairs(
    candidates: Path, sets: ShingleSets, parameters: VerificationParameters, progress: Progress = silent
) -> Iterator[pa.Table]:
    """Measure the pairs of a file of candidates.

    Args:
        candidates: Parquet with chunk_a and chunk_b, as `candidates.find_candidates` writes it.
        sets: the shingles of its chunks.
        parameters: the floor.
        progress: told of each batch, in pairs.

    Yields:
        Tables of `PAIR_SCHEMA` with the pairs at or above the floor, in the order of the file.

    Raises:
        CorruptArtefact: if `sets` lacks a chunk.
    """
    with pq.ParquetFile(candidates) as file:
        n_done, n_pairs = 0, file.metadata.num_rows
        for batch in file.iter_batches(PAIRS_PER_BATCH):
            yield _verify(batch.column("chunk_a"), batch.column("chunk_b"), sets, parameters)
            n_done += batch.num_rows
            progress(n_done, n_pairs, "pairs verified")


def _verify(
    chunk_a: pa.Array, chunk_b: pa.Array, sets: ShingleSets, parameters: VerificationParameters
) -> pa.Table:
    left, right = sets.places(chunk_a), sets.places(chunk_b)
    texts, pairs = np.unique(np.concatenate([left, right]), return_inverse=True)
    read = [sets.read(text) for text in texts]
    similarities = [jaccard(read[a], read[b]) for a, b in zip(*np.split(pairs, 2), strict=True)]
    # Compared as it is stored, in single precision: a pair in the table always satisfies its own floor.
    stored = np.array(similarities, np.float32)
    keep = pa.array(stored >= np.float32(parameters.floor))
    columns = [column.cast(CHUNK_ID).filter(keep) for column in (chunk_a, chunk_b)]
    n_kept = len(columns[0])
    rule = pa.array([parameters.rule_version] * n_kept, pa.string())
    return pa.table([*columns, pa.array(stored).filter(keep), rule], schema=PAIR_SCHEMA)


def verify_candidates(
    candidates: Path,
    batches: TextBatches,
    output: Path,
    parameters: VerificationParameters,
    progress: Progress = silent,
) -> VerificationSummary:
    """Write the verified pairs of a file of candidates to one Parquet file of `PAIR_SCHEMA`, whole or not at all.

    Args:
        candidates: Parquet with chunk_a and chunk_b.
        batches: the texts of its chunks, in any order.
        output: the file; another of the size of the texts stands beside it meanwhile.
        parameters: shingles and floor.
        progress: told of each batch, in pairs.

    Raises:
        CorruptArtefact: if a text is missing.
    """
    n_pairs = 0
    with (
        TemporaryFile(dir=output.parent) as file,
        written_whole(output) as partial,
        pq.ParquetWriter(partial, PAIR_SCHEMA, compression="zstd") as writer,
    ):
        sets = write_shingle_sets(batches, parameters.shingles, file)
        for table in verified_pairs(candidates, sets, parameters, progress):
            writer.write_table(table)
            n_pairs += table.num_rows
    return VerificationSummary(pq.read_metadata(candidates).num_rows, n_pairs)


def write_verified_pairs(
    candidates: Path,
    texts: Texts,
    output: Path,
    parameters: VerificationParameters,
    progress: Progress = silent,
) -> VerificationSummary:
    """`verify_candidates` where texts are found by their chunk's id: asked for `TEXTS_PER_BATCH` at a time."""
    wanted = compared_chunks(candidates)

    def batches() -> Iterator[tuple[Sequence[bytes], Sequence[str]]]:
        for start in range(0, len(wanted), TEXTS_PER_BATCH):
            chunk_ids = [
                chunk_id.ljust(16, b"\0") for chunk_id in wanted[start : start + TEXTS_PER_BATCH].tolist()
            ]
            found = texts(chunk_ids)
            known = [chunk_id for chunk_id in chunk_ids if chunk_id in found]
            yield known, [found[chunk_id] for chunk_id in known]

    return verify_candidates(candidates, batches(), output, parameters, progress)
