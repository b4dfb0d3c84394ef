"""The order of the data: nothing skipped, nothing repeated, and accounted for to the token."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakesmrt_models.training.data import Cursor, TokenStream, validation_sample
from warehouse.errors import InputUnreadable
from warehouse.tokens.bootstrap import replicate_times
from warehouse.tokens.shards import Shard, open_split
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID

Chunk = tuple[int, ...]


@pytest.fixture(scope="module")
def shards(tokens: Path) -> list[Shard]:
    return open_split(tokens, "train")


def chunks_in(stream: np.ndarray) -> Counter[Chunk]:
    """The chunks of a token sequence, which begin at document markers."""
    starts = [*np.flatnonzero(stream == DOCUMENT_MARKER_ID), len(stream)]
    return Counter(tuple(stream[a:b].tolist()) for a, b in pairwise(starts))


def chunks_of(shards: list[Shard], times: np.ndarray | None = None) -> Counter[Chunk]:
    expected: Counter[Chunk] = Counter()
    number = 0
    for shard in shards:
        for record in shard.index:
            chunk = tuple(shard.tokens[record["token_start"] : record["token_end"]].tolist())
            expected[chunk] += 1 if times is None else int(times[number])
            number += 1
    return +expected


def test_an_epoch_reads_every_chunk_once(shards: list[Shard]) -> None:
    stream = TokenStream(shards, seed=1)
    epoch, cursor = stream.read(Cursor(), stream.n_tokens)
    assert chunks_in(epoch) == chunks_of(shards)
    assert cursor == Cursor(epoch=1, position=0)


def test_epochs_and_seeds_differ_and_repeat(shards: list[Shard]) -> None:
    stream, twin, other = (TokenStream(shards, seed) for seed in (1, 1, 2))
    both, _ = stream.read(Cursor(), 2 * stream.n_tokens)
    first, second = both[: stream.n_tokens], both[stream.n_tokens :]
    assert chunks_in(first) == chunks_in(second)
    assert not np.array_equal(first, second)
    assert np.array_equal(both, twin.read(Cursor(), len(both))[0])
    assert not np.array_equal(first, other.read(Cursor(), len(first))[0])


def test_a_replicate_reads_documents_as_often_as_its_draw(shards: list[Shard]) -> None:
    stream = TokenStream(shards, seed=1, bootstrap_seed=7)
    index = np.concatenate([shard.index for shard in shards])
    times = replicate_times(index["document_id"], 7, index["weight"])
    epoch, _ = stream.read(Cursor(), stream.n_tokens)
    assert chunks_in(epoch) == chunks_of(shards, times)
    assert set(times) - {0, 1}, "a draw of zeros and ones would show nothing"


def test_batches_follow_each_other(shards: list[Shard]) -> None:
    """Past the end of an epoch, the cursor through JSON and a new stream each time, as after a resume."""
    whole, _ = TokenStream(shards, seed=3).read(Cursor(), 30_001)
    cursor, inputs_read, targets_read = Cursor(), [], []
    for _ in range(30):
        stream = TokenStream(shards, seed=3)
        inputs, targets, cursor = stream.batch(cursor, n_sequences=10, sequence_length=100)
        inputs_read.append(inputs.flatten().numpy())
        targets_read.append(targets.flatten().numpy())
        cursor = Cursor(**json.loads(json.dumps(asdict(cursor))))
    assert cursor.epoch >= 1
    assert np.array_equal(np.concatenate(inputs_read), whole[:-1])
    assert np.array_equal(np.concatenate(targets_read), whole[1:])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n_tokens=st.integers(1, 60_000), bootstrap_seed=st.none() | st.integers(0, 5))
def test_consumed_ranges_are_exact(shards: list[Shard], n_tokens: int, bootstrap_seed: int | None) -> None:
    """Counting each token of the stream gives the same account as the ranges do."""
    stream = TokenStream(shards, 3, bootstrap_seed)
    read, _ = stream.read(Cursor(), n_tokens)
    counted: Counter[int] = Counter(read.tolist())
    account: Counter[int] = Counter()
    by_id = {shard.manifest.shard_id: shard for shard in shards}
    ranges = stream.consumed_ranges(n_tokens)
    for row in ranges:
        for token in by_id[row.shard_id].tokens[row.token_start : row.token_end].tolist():
            account[token] += row.times
    assert account == counted
    assert sum((row.token_end - row.token_start) * row.times for row in ranges) == n_tokens
    places = [(row.shard_id, position) for row in ranges for position in (row.token_start, row.token_end - 1)]
    assert len(set(places)) == len({*places}), "no token stands in two ranges"


def test_an_empty_replicate_is_refused(shards: list[Shard]) -> None:
    nothing = [Shard(s.path, s.manifest, s.tokens, _weighted(s.index, 0.0)) for s in shards]
    with pytest.raises(InputUnreadable, match="no training text"):
        TokenStream(nothing, seed=0)


def test_weights_multiply(shards: list[Shard]) -> None:
    half = [Shard(s.path, s.manifest, s.tokens, _weighted(s.index, 2.5)) for s in shards]
    times = TokenStream(half, seed=0).times
    assert set(times) == {2, 3}


def test_the_validation_sample_is_bounded_and_whole(tokens: Path) -> None:
    everything, n_bytes = validation_sample(tokens, 10**9)
    assert chunks_of(open_split(tokens, "validation")) == Counter(
        tuple(chunk.tolist()) for chunk in everything
    )
    assert n_bytes == sum(shard.manifest.n_bytes for shard in open_split(tokens, "validation"))
    few, _ = validation_sample(tokens, 500)
    assert 500 <= sum(map(len, few)) < 1_500


def _weighted(index: np.ndarray, weight: float) -> np.ndarray:
    copied = index.copy()
    copied["weight"] = weight
    return copied
