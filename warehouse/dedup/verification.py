"""Verdicts: the true Jaccard similarity of candidate pairs, on the same shingles that the sketch was made of.

J(A, B) = |A and B| / |A or B| over the sets of shingles. MinHash only proposes; a pair counts after this.

What lives here: pairs of texts to similarities. What does not: proposing pairs (``candidates.py``), reading
texts (a function passed in), groups (``clusters.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
    n_shared = len(np.intersect1d(a, b, assume_unique=True))
    return n_shared / (len(a) + len(b) - n_shared)


def pair_similarities(
    texts: Sequence[str], left: Int64Array, right: Int64Array, parameters: ShingleParameters
) -> NDArray[np.float64]:
    """The Jaccard similarity of texts[left[i]] and texts[right[i]], for each i.

    A pure unit of work for any executor.
    """
    shingles = shingle(texts, parameters)
    sets = [shingles.distinct(text) for text in range(shingles.n_texts)]
    return np.array([jaccard(sets[a], sets[b]) for a, b in zip(left, right, strict=True)], np.float64)


def verified_pairs(
    candidates: Path,
    texts: Texts,
    parameters: VerificationParameters,
    pairs_per_batch: int = 4096,
    progress: Progress = silent,
) -> Iterator[pa.Table]:
    """Measure the pairs of a file of candidates.

    Args:
        candidates: Parquet with chunk_a and chunk_b, as `candidates.find_candidates` writes it.
        texts: asked once a batch for the chunks of its pairs.
        parameters: shingles and floor.
        pairs_per_batch: bounds the texts held at a time to twice as many.
        progress: told of each batch, in pairs.

    Yields:
        Tables of `PAIR_SCHEMA` with the pairs at or above the floor, in the order of the file.

    Raises:
        CorruptArtefact: if `texts` does not know a chunk.
    """
    with pq.ParquetFile(candidates) as file:
        n_done, n_pairs = 0, file.metadata.num_rows
        for batch in file.iter_batches(pairs_per_batch):
            yield _verify(batch.column("chunk_a"), batch.column("chunk_b"), texts, parameters)
            n_done += batch.num_rows
            progress(n_done, n_pairs, "pairs verified")


def _verify(
    chunk_a: pa.Array, chunk_b: pa.Array, texts: Texts, parameters: VerificationParameters
) -> pa.Table:
    both = pa.concat_arrays([chunk_a.cast(CHUNK_ID), chunk_b.cast(CHUNK_ID)]).dictionary_encode()
    chunk_ids = both.dictionary.to_pylist()
    found = texts(chunk_ids)
    missing = [chunk_id for chunk_id in chunk_ids if chunk_id not in found]
    if missing:
        raise CorruptArtefact(
            f"The text of {len(missing)} chunks is gone, {missing[0].hex()} for one", "Run: fakesmrt doctor"
        )
    left, right = np.split(both.indices.to_numpy().astype(np.int64), 2)
    similarities = pair_similarities(
        [found[chunk_id] for chunk_id in chunk_ids], left, right, parameters.shingles
    )
    # Compared as it is stored, in single precision: a pair in the table always satisfies its own floor.
    stored = similarities.astype(np.float32)
    keep = stored >= np.float32(parameters.floor)
    ids = both.dictionary
    return pa.table(
        [
            ids.take(pa.array(left[keep])),
            ids.take(pa.array(right[keep])),
            pa.array(stored[keep]),
            pa.array([parameters.rule_version] * int(keep.sum()), pa.string()),
        ],
        schema=PAIR_SCHEMA,
    )


def write_verified_pairs(
    candidates: Path,
    texts: Texts,
    output: Path,
    parameters: VerificationParameters,
    progress: Progress = silent,
) -> VerificationSummary:
    """Write `verified_pairs` to one Parquet file of `PAIR_SCHEMA`, whole or not at all."""
    n_pairs = 0
    with (
        written_whole(output) as partial,
        pq.ParquetWriter(partial, PAIR_SCHEMA, compression="zstd") as writer,
    ):
        for table in verified_pairs(candidates, texts, parameters, progress=progress):
            writer.write_table(table)
            n_pairs += table.num_rows
    return VerificationSummary(pq.read_metadata(candidates).num_rows, n_pairs)
