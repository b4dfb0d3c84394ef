"""Training of an n-gram model: from token sequences to the model's files, within a stated memory.

Text is counted block by block; the sorted n-grams of each block are a run on disk, and the merged runs give the
highest order. All lower orders follow from it in the same pass (``counts.py``). Then, order by order, the counts
are summed up by context, again in sorted runs, and give back-off weights and probabilities (``ngram.py`` has the
formulae). Every array is written by appending and read in parts, so the size of the corpus does not matter; and
the same tokens give the same files, byte for byte, in one block or in a thousand.

What lives here: these passes. What does not: the counting of one block (``counts.py``), sorting and merging
(``runs.py``), the finished model (``ngram.py``).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import InvalidConfiguration
from warehouse.files import written_whole
from warehouse.perplexity.array_files import ArrayFile, ArrayWriter
from warehouse.perplexity.counts import (
    MARKER,
    Counts,
    CountTable,
    Discounts,
    Ngrams,
    Positions,
    Tokens,
    bits_per_token,
    check_sequence,
    check_tokens,
    counted,
    counts_of_counts,
    estimated_discounts,
    lower_order,
    packed,
    run_starts,
    without_padded,
)
from warehouse.perplexity.ngram import NgramModel, file_name, load_levels, write_manifest
from warehouse.perplexity.runs import Columns, Rows, RowsFile, merged, rows_written, written_run

MEMORY_LIMIT = 1 << 30
MIN_MEMORY_LIMIT = 256 << 20

PROCESS_BYTES = 160 << 20
"""What the process takes besides: the interpreter and its libraries."""

BYTES_PER_ROW = 176
"""The most that any pass holds in memory for each of its rows (tokens or n-grams), temporaries included: 163 were
measured where the runs of contexts are merged."""

MAX_TOKENS = (1 << 32) - 1
"""Counts are uint32."""

TokenSource = Tokens | ArrayFile
"""Chunks one after the other, each begun by the marker: in memory, memory-mapped, or a .npy file."""


@dataclass(frozen=True)
class Training:
    """What all passes know.

    Attributes:
        folder: where they write: the files of the model, and others that only training needs.
        order: tokens in the longest n-gram.
        vocab_size: number of token ids, the marker included.
        block: rows held in memory at once.
    """

    folder: Path
    order: int
    vocab_size: int
    block: int

    @property
    def bits(self) -> int:
        """Bits of a token in a packed n-gram."""
        return bits_per_token(self.vocab_size, self.order)

    def file(self, k: int, name: str) -> Path:
        """An array of order `k`."""
        return self.folder / file_name(k, name)

    def level(self, k: int, *columns: str) -> RowsFile:
        """The n-grams of order `k` with some of their arrays."""
        return RowsFile.open(self.file(k, "ngrams"), *(self.file(k, name) for name in columns))


def train_ngram(
    tokens: Tokens, starts: Positions, order: int, vocab_size: int, *, memory_limit: int = MEMORY_LIMIT
) -> NgramModel:
    """Train a model on a token sequence and hold it in memory.

    A corpus too small for a discount gets a default in its place, and no tokens at all give the uniform
    distribution; `NgramModel.notes` says so.

    Args:
        tokens: chunks one after the other, each begun by the marker, shape (n,).
        starts: positions of the markers.
        order: tokens in the longest n-gram; 1 gives the unigram baseline.
        vocab_size: number of token ids, the marker included.
        memory_limit: bytes that counting may take; the tokens and the model come on top.

    Raises:
        InvalidConfiguration: if an n-gram does not fit into 64 bits, or the sequence is not as described.
    """
    bits_per_token(vocab_size, order)
    check_sequence(tokens, starts, vocab_size)
    with TemporaryDirectory() as folder:
        training = Training(Path(folder), order, vocab_size, rows_within(memory_limit))
        n_tokens, discounts = run_training(training, [tokens])
        levels = load_levels(training.folder, order, in_memory=True)
        return NgramModel(order, vocab_size, n_tokens, levels, discounts)


def train_ngram_files(
    folder: Path,
    sources: Sequence[TokenSource],
    order: int,
    vocab_size: int,
    *,
    temporary: Path,
    memory_limit: int = MEMORY_LIMIT,
) -> None:
    """Train a model larger than memory and write it as `NgramModel.save` would, byte for byte.

    Args:
        folder: where the model is written, made if it is not there.
        sources: the text; each holds whole chunks.
        order: tokens in the longest n-gram; 1 gives the unigram baseline.
        vocab_size: number of token ids, the marker included.
        temporary: an existing folder for sorted runs, which are gone at the end in any case. They take about
            50 bytes for each distinct n-gram; on the disk of `folder`, the finished files need no copying.
        memory_limit: bytes that the process may take; changes nothing in the result.

    Raises:
        InvalidConfiguration: if an n-gram does not fit into 64 bits, a source does not begin with a marker or
            holds a token outside the vocabulary, or the memory is less than `MIN_MEMORY_LIMIT`.
    """
    with TemporaryDirectory(dir=temporary) as working:
        training = Training(Path(working), order, vocab_size, rows_within(memory_limit))
        n_tokens, discounts = run_training(training, sources)
        for k in range(1, order + 1):
            for name in ("ngrams", "log_probability", "log_backoff"):
                with written_whole(folder / file_name(k, name)) as partial:
                    shutil.move(training.file(k, name), partial)
    write_manifest(folder, order, vocab_size, n_tokens, discounts)


def rows_within(memory_limit: int) -> int:
    """How many rows a pass may hold at once to keep to a memory limit in bytes."""
    if memory_limit < MIN_MEMORY_LIMIT:
        raise InvalidConfiguration(
            f"An n-gram model cannot be trained within {memory_limit >> 20} MiB",
            f"Allow {MIN_MEMORY_LIMIT >> 20} MiB or more",
        )
    return (memory_limit - PROCESS_BYTES) // BYTES_PER_ROW


def run_training(training: Training, sources: Sequence[TokenSource]) -> tuple[int, tuple[Discounts, ...]]:
    """Write the levels of a model into the training's folder.

    Returns:
        Tokens counted, without the markers; the discounts of each order.
    """
    bits_per_token(training.vocab_size, training.order)
    n_tokens, runs = _count_blocks(training, sources)
    unigrams, of_counts = _write_orders(training, merged(runs, training.block))
    shutil.rmtree(training.folder / "runs", ignore_errors=True)
    discounts = tuple(estimated_discounts(of_counts[k - 1].tolist(), k) for k in range(1, training.order + 1))
    _write_unigrams(training, unigrams, discounts[0])
    for k in range(2, training.order + 1):
        contexts = _write_contexts(training, k, discounts[k - 1])
        _write_backoffs(training, k - 1, contexts)
        _write_probabilities(training, k, contexts, discounts[k - 1])
        shutil.rmtree(training.folder / f"contexts-{k}")
    with ArrayWriter(training.file(training.order, "log_backoff"), np.float32):
        pass
    return n_tokens, discounts


def _count_blocks(training: Training, sources: Sequence[TokenSource]) -> tuple[int, list[RowsFile]]:
    """Count the n-grams of the highest order, padded ones included: a sorted run for each block of text."""
    runs: list[RowsFile] = []
    n_tokens = 0
    for ngrams in _blocks(training, sources):
        n_tokens += len(ngrams)
        table = counted(ngrams)
        runs.append(
            written_run(training.folder / "runs" / str(len(runs)), Rows(table.ngrams, (table.counts,)))
        )
    if n_tokens > MAX_TOKENS:
        raise InvalidConfiguration(
            f"{n_tokens} tokens are more than an n-gram model counts ({MAX_TOKENS})", "Take a smaller sample"
        )
    return n_tokens, runs


def _blocks(training: Training, sources: Sequence[TokenSource]) -> Iterator[Ngrams]:
    """The packed n-grams of the text, block by block."""
    for source in sources:
        if len(source) and source[:1][0] != MARKER:
            raise InvalidConfiguration(
                f"A token sequence does not begin with the marker (token {MARKER})",
                "Begin each chunk with the marker",
            )
        for begin in range(0, len(source), training.block):
            context = min(begin, training.order - 1)
            tokens = np.asarray(source[begin - context : begin + training.block])
            check_tokens(tokens, training.vocab_size)
            ngrams = packed(tokens, training.order, training.bits)[context:]
            yield ngrams[ngrams != 0]


def _write_orders(training: Training, highest: Iterator[Rows]) -> tuple[Counts, NDArray[np.int64]]:
    """Write the n-grams and counts of all orders above 1, in one pass over the highest.

    Returns:
        The adjusted count of each token id; the counts-of-counts, shape (order, 4).
    """
    of_counts = np.zeros((training.order, 4), np.int64)
    parts: Iterator[CountTable] = (CountTable(rows.keys, rows.columns[0]) for rows in highest)
    with ExitStack() as files:
        for k in range(training.order, 1, -1):
            columns = [(training.file(k, "counts"), np.uint32)]
            write = files.enter_context(rows_written(training.file(k, "ngrams"), columns))
            parts = lower_order(_recorded(parts, training.bits, write, of_counts[k - 1]), training.bits)
        unigrams = np.zeros(training.vocab_size, np.uint32)
        for table in parts:
            unigrams[table.ngrams.astype(np.int64)] = table.counts
    of_counts[0] = counts_of_counts(unigrams)
    return unigrams, of_counts


def _recorded(
    parts: Iterable[CountTable], bits: int, write: Callable[[Rows], None], of_counts: NDArray[np.int64]
) -> Iterator[CountTable]:
    """Pass the parts on; write what is not padded, and add it to the counts-of-counts."""
    for table in parts:
        real = without_padded(table, bits)
        write(Rows(real.ngrams, (real.counts,)))
        of_counts += counts_of_counts(real.counts)
        yield table


def _write_unigrams(training: Training, counts: Counts, discounts: Discounts) -> None:
    """One log probability a token id: discounted counts, the rest spread evenly over all but the marker."""
    taken = _discount_table(discounts)[np.minimum(counts, 3)]
    total = int(counts.sum(dtype=np.int64))
    backoff = taken.sum() / total if total else 1.0
    probability = (counts - taken) / max(total, 1) + backoff / (training.vocab_size - 1)
    probability[MARKER] = 0.0
    ids = np.arange(training.vocab_size, dtype=np.uint64)
    with (
        rows_written(
            training.file(1, "ngrams"), [(training.file(1, "log_probability"), np.float32)]
        ) as write,
        np.errstate(divide="ignore"),
    ):
        write(Rows(ids, (np.log(probability).astype(np.float32),)))


def _write_contexts(training: Training, k: int, discounts: Discounts) -> RowsFile:
    """The contexts of the n-grams of order k, each with two columns: the sum of the counts after it, and what
    the discounts take from them.
    """
    folder = training.folder / f"contexts-{k}"
    context_bits = np.uint64((1 << (training.bits * (k - 1))) - 1)
    runs: list[RowsFile] = []
    for rows in training.level(k, "counts").parts(training.block):
        contexts, counts = rows.keys & context_bits, rows.columns[0]
        by_context = np.argsort(contexts)
        contexts, counts = contexts[by_context], counts[by_context]
        first = run_starts(contexts)
        sums = [counts, counts == 1, counts == 2, counts >= 3]
        columns = tuple(np.add.reduceat(values, first, dtype=np.uint32) for values in sums)
        runs.append(written_run(folder / str(len(runs)), Rows(contexts[first], columns)))
    folder.mkdir(exist_ok=True)
    keys, total, taken = (folder / name for name in ("keys.npy", "total.npy", "taken.npy"))
    with rows_written(keys, [(total, np.uint32), (taken, np.float64)]) as write:
        for rows in merged(runs, training.block):
            totals, *n_discounted = rows.columns
            # Of integers in this order, whatever the runs: the same bits every time.
            one, two, three = (n * d for n, d in zip(n_discounted, discounts.values, strict=True))
            write(Rows(rows.keys, (totals, one + two + three)))
    return RowsFile.open(keys, total, taken)


def _write_backoffs(training: Training, k: int, contexts: RowsFile) -> None:
    """Log weight of the next lower order after each n-gram of order k; 0 after what nothing was seen after."""
    with ArrayWriter(training.file(k, "log_backoff"), np.float32) as writer:
        for rows in training.level(k).parts(training.block):
            total, taken = contexts.looked_up(rows.keys, training.block)
            is_context = total > 0
            log_backoff = np.zeros(len(rows), np.float32)
            log_backoff[is_context] = np.log(taken[is_context] / total[is_context])
            writer.append(log_backoff)


def _write_probabilities(training: Training, k: int, contexts: RowsFile, discounts: Discounts) -> None:
    """Log of the interpolated probability of each n-gram of order k."""
    context_bits = np.uint64((1 << (training.bits * (k - 1))) - 1)
    lower = training.level(k - 1, "log_probability")
    with ArrayWriter(training.file(k, "log_probability"), np.float32) as writer:
        for rows in training.level(k, "counts").parts(training.block):
            counts = rows.columns[0]
            by_context = np.argsort(rows.keys & context_bits)
            total, taken = np.empty(len(rows)), np.empty(len(rows))
            total[by_context], taken[by_context] = _at_each(
                contexts, (rows.keys & context_bits)[by_context], training.block
            )
            (below,) = _at_each(lower, rows.keys >> np.uint64(training.bits), training.block)
            kept = counts - _discount_table(discounts)[np.minimum(counts, 3)]
            probability = kept / total + taken / total * np.exp(below.astype(np.float64))
            writer.append(np.log(probability).astype(np.float32))


def _at_each(table: RowsFile, asked: Ngrams, size: int) -> Columns:
    """The table's columns at each of some keys that ascend with repetitions."""
    first = run_starts(asked)
    n_times = np.diff(first, append=len(asked))
    return tuple(np.repeat(values, n_times) for values in table.looked_up(asked[first], size))


def _discount_table(discounts: Discounts) -> NDArray[np.float64]:
    """Discounts by min(count, 3); nothing is taken from what was not seen."""
    return np.array([0.0, *discounts.values])
