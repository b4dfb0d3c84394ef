"""How much of a held-out chunk stands in a training chunk: the share of its runs of 13 words.

Near-duplicates compare whole chunks, so they miss a held-out paragraph inside a longer training chunk. Here the
held-out chunk's distinct runs are counted that the training chunk holds too. Workers hash the runs, and a filter
over the held-out ones leaves few of the training text's; DuckDB joins those, so nothing but the filter must fit in
memory.

What lives here: runs to shares. What does not: which chunks are compared (``warehouse/stages/contamination.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.database import Connection, query
from warehouse.decontamination.items import LONG_WORDS
from warehouse.decontamination.words import UInt64Array, pattern_hashes, split_words
from warehouse.files import written_whole

HELD_OUT = "held_out"
"""The name of all held-out text among the evaluation sets."""

HELD_OUT_VERSION = "runs-2"
MIN_SHARE = 0.2
"""Least share that is recorded."""

MOST_HELD_OUT = 16
"""Held-out chunks that are recorded of a training chunk: a recipe may drop some of them, hardly all."""

MIN_FILTER_BITS, MAX_FILTER_BITS = 1 << 16, 1 << 31
BITS_PER_RUN = 16
"""Of the filter, as long as it is smaller than `MAX_FILTER_BITS` (256 MB): one run in 16 passes by chance."""

RUNS = pa.schema({"chunk_id": pa.binary(16), "run": pa.uint64()})
SHARES = pa.schema({"chunk_id": pa.uuid(), "held_out_id": pa.uuid(), "share": pa.float32()})


def write_runs(
    path: Path, chunk_ids: Sequence[bytes], texts: Sequence[str], passed: Path | None = None
) -> int:
    """Write the distinct runs of some chunks to a Parquet file; those only that pass a filter, if one is given.

    Returns:
        How many runs were written.
    """
    words = split_words(texts)
    hashes = pattern_hashes(words.hashes, range(LONG_WORDS))
    of_word = words.text_of_word
    chunks = of_word[: len(hashes)]
    wanted = chunks == of_word[len(of_word) - len(hashes) :]
    if passed is not None:
        wanted &= _passes(np.load(passed, mmap_mode="r"), hashes)
    chunks, hashes = chunks[wanted], hashes[wanted]
    order = np.lexsort((hashes, chunks))
    chunks, hashes = chunks[order], hashes[order]
    first = np.ones(len(chunks), np.bool_)
    first[1:] = (chunks[1:] != chunks[:-1]) | (hashes[1:] != hashes[:-1])
    ids = pa.array(list(chunk_ids), RUNS.field("chunk_id").type).take(pa.array(chunks[first]))
    with written_whole(path) as partial:
        parquet.write_table(pa.Table.from_arrays([ids, pa.array(hashes[first])], schema=RUNS), partial)
    return int(first.sum())


def _slots(bits: np.ndarray[tuple[int], np.dtype[np.uint8]], hashes: UInt64Array) -> UInt64Array:
    return hashes >> np.uint64(64 - (len(bits) * 8 - 1).bit_length())


def _passes(
    bits: np.ndarray[tuple[int], np.dtype[np.uint8]], hashes: UInt64Array
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) whether each hash may be in the filter (Bloom 1970, with one hash function)."""
    slots = _slots(bits, hashes)
    passes: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        bits[slots >> np.uint64(3)] >> (slots & np.uint64(7)).astype(np.uint8) & np.uint8(1)
    ).astype(np.bool_)
    return passes


def write_filter(path: Path, run_files: Sequence[Path], n_runs: int) -> None:
    """Write the filter that every run of the files passes."""
    n_bits = min(MAX_FILTER_BITS, max(MIN_FILTER_BITS, 1 << (n_runs * BITS_PER_RUN).bit_length()))
    bits = np.zeros(n_bits // 8, np.uint8)
    for file in run_files:
        hashes = parquet.read_table(file, columns=["run"]).column("run").to_numpy()
        slots = _slots(bits, hashes)
        np.bitwise_or.at(bits, slots >> np.uint64(3), np.uint8(1) << (slots & np.uint64(7)).astype(np.uint8))
    with written_whole(path) as partial, partial.open("wb") as stream:
        np.save(stream, bits)


def shared_runs(scratch: Connection, held_out: Sequence[Path], training: Sequence[Path]) -> pa.Table:
    """The training chunks that share `MIN_SHARE` and more of a held-out chunk's runs.

    Returns:
        Columns as in `SHARES`: of each training chunk up to `MOST_HELD_OUT` held-out chunks of which it holds most,
        those of the smallest ids where several are as much.
    """
    parameters = {
        "held_out": [str(path) for path in held_out],
        "training": [str(path) for path in training],
        "min_share": MIN_SHARE,
        "most_held_out": MOST_HELD_OUT,
    }
    return scratch.sql(query("contamination_shared_runs"), params=parameters).to_arrow_table().cast(SHARES)
