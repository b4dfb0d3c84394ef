"""Training in sorted runs: the same files for any block size, nothing left behind."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import InvalidConfiguration
from warehouse.perplexity.array_files import ArrayFile, ArrayWriter
from warehouse.perplexity.counts import max_order
from warehouse.perplexity.ngram import ARRAYS
from warehouse.perplexity.runs import Rows, merged, written_run
from warehouse.perplexity.training import Training, run_training, train_ngram, train_ngram_files
from warehouse.tokens.tokenizer import joined_chunks

Chunks = list[list[int]]

RHYME = """The grand old Duke of York, he had ten thousand men. He marched them up to the top of the hill, and he
marched them down again. And when they were up, they were up, and when they were down, they were down, and when
they were only half-way up, they were neither up nor down."""
CHUNKS = [[1 + ord(c) % 29 for c in sentence] for sentence in RHYME.split(".")]


def sequence(chunks: Chunks) -> np.ndarray:
    return joined_chunks([np.array(chunk, np.uint16) for chunk in chunks])[0]


def trained_files(sources: list[np.ndarray], order: int, block: int) -> list[bytes]:
    """The model's files, and the discounts, of a training with so many rows in memory."""
    with tempfile.TemporaryDirectory() as folder:
        training = Training(Path(folder), order, 30, block)
        n_tokens, discounts = run_training(training, sources)
        files = [training.file(k, name).read_bytes() for k in range(1, order + 1) for name in ARRAYS]
    return [*files, repr((n_tokens, discounts)).encode()]


@settings(max_examples=25, deadline=None)
@given(
    chunks=st.lists(st.lists(st.integers(1, 5), max_size=9), max_size=6),
    order=st.integers(1, 4),
    block=st.integers(1, 20),
    cut=st.integers(0, 6),
)
def test_any_block_size_and_any_cut_into_sources_give_the_same_files(
    chunks: Chunks, order: int, block: int, cut: int
) -> None:
    in_parts = trained_files([sequence(chunks[:cut]), sequence(chunks[cut:])], order, block)
    assert in_parts == trained_files([sequence(chunks)], order, 1 << 20)


def test_files_written_in_runs_are_those_of_the_model_in_memory(tmp_path: Path) -> None:
    tokens, starts = joined_chunks([np.array(chunk, np.uint16) for chunk in CHUNKS])
    train_ngram(tokens, starts, 4, 30).save(tmp_path / "memory")
    with ArrayWriter(tmp_path / "tokens.npy", np.uint16) as writer:
        writer.append(tokens)
    (tmp_path / "working").mkdir()
    train_ngram_files(
        tmp_path / "files", [ArrayFile(tmp_path / "tokens.npy")], 4, 30, temporary=tmp_path / "working"
    )
    written = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert written == {path.name: path.read_bytes() for path in (tmp_path / "memory").iterdir()}
    assert len(written) == 4 * len(ARRAYS) + 1
    assert not any((tmp_path / "working").iterdir())


def test_a_training_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "working").mkdir()
    for source, cause in [
        (np.array([1, 2], np.uint16), "does not begin with the marker"),
        (np.array([0, 2, 40], np.uint16), "outside a vocabulary of 30"),
    ]:
        with pytest.raises(InvalidConfiguration, match=cause):
            train_ngram_files(
                tmp_path / "model", [sequence(CHUNKS), source], 3, 30, temporary=tmp_path / "working"
            )
    assert not any((tmp_path / "working").iterdir())
    assert not (tmp_path / "model").exists()


def test_less_memory_than_training_needs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="within 100 MiB"):
        train_ngram_files(
            tmp_path / "model", [sequence(CHUNKS)], 3, 30, temporary=tmp_path, memory_limit=100 << 20
        )


def test_one_repeated_token_has_a_model_with_notes() -> None:
    tokens, starts = joined_chunks([np.full(1000, 7, np.uint16)])
    model = train_ngram(tokens, starts, 5, 30)
    probabilities = np.exp(model.token_log_probabilities(tokens, starts))
    assert probabilities[10:].min() > 0.99
    assert model.notes == [
        f"order {k}: not each of the counts 1 to 4 occurs; default discounts" for k in range(1, 6)
    ]


@settings(max_examples=50, deadline=None)
@given(
    runs=st.lists(st.dictionaries(st.integers(0, 30), st.integers(1, 9)), max_size=5),
    size=st.integers(1, 12),
)
def test_merged_runs_are_one_ascending_table_of_sums(runs: list[dict[int, int]], size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for i, run in enumerate(runs):
            keys = np.array(sorted(run), np.uint64)
            values = np.array([run[key] for key in sorted(run)], np.uint32)
            files.append(written_run(Path(folder) / str(i), Rows(keys, (values,))))
        parts = list(merged(files, size))
    merged_keys = [int(key) for part in parts for key in part.keys]
    sums = [int(value) for part in parts for value in part.columns[0]]
    expected = sum((Counter(run) for run in runs), Counter[int]())
    assert merged_keys == sorted(expected)
    assert dict(zip(merged_keys, sums, strict=True)) == expected
    assert all(len(part) <= max(size, len(runs)) for part in parts)


def test_an_appended_array_has_the_bytes_of_a_saved_one(tmp_path: Path) -> None:
    values = np.arange(100_000, dtype=np.float32)
    with ArrayWriter(tmp_path / "appended.npy", np.float32) as writer:
        for part in np.array_split(values, 7):
            writer.append(part)
    np.save(tmp_path / "saved.npy", values)
    assert (tmp_path / "appended.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes()
    assert np.array_equal(ArrayFile(tmp_path / "appended.npy")[99_000:200_000], values[99_000:])


@pytest.mark.parametrize(("vocab_size", "order"), [(300, 7), (1024, 6), (2048, 5), (4096, 5), (65_536, 4)])
def test_the_longest_order_of_a_vocabulary(vocab_size: int, order: int) -> None:
    assert max_order(vocab_size) == order
