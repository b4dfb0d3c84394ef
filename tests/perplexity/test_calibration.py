"""Cross-fitting: who is sampled, who is scored by what, and what a score means in its corpus."""

from __future__ import annotations

import math
import random
import uuid

import numpy as np
import pytest

from warehouse.errors import InvalidConfiguration
from warehouse.identity import content_id
from warehouse.perplexity.calibration import (
    assign_folds,
    bits_per_byte,
    choose_sample,
    perplexity,
)

IDS = [content_id("chunk", number) for number in range(500)]
CLUSTER_OF = {chunk: IDS[number // 3 * 3] for number, chunk in enumerate(IDS)}


def test_the_sample_is_bounded_and_the_same_for_any_order_of_the_chunks() -> None:
    sizes = {chunk: 100 + number % 7 for number, chunk in enumerate(IDS)}
    shuffled = random.Random(1).sample(IDS, len(IDS))
    first = [IDS[i] for i in choose_sample(IDS, [sizes[c] for c in IDS], 5000, "seed")]
    second = [shuffled[i] for i in choose_sample(shuffled, [sizes[c] for c in shuffled], 5000, "seed")]
    assert first == second == sorted(first, key=lambda chunk: chunk.int)
    assert 4800 < sum(sizes[chunk] for chunk in first) <= 5000
    other = [IDS[i] for i in choose_sample(IDS, [sizes[c] for c in IDS], 5000, "another seed")]
    assert set(other) != set(first)


def test_a_sample_of_one_large_chunk_is_not_empty() -> None:
    assert choose_sample(IDS[:1], [10_000], 10, "seed") == [0]
    assert choose_sample([], [], 10, "seed") == []


def test_folds_are_dealt_by_cluster_and_about_equal() -> None:
    folds = dict(zip(IDS, assign_folds([CLUSTER_OF[chunk] for chunk in IDS], 2, "seed"), strict=True))
    assert all(folds[chunk] == folds[CLUSTER_OF[chunk]] for chunk in IDS)
    assert 200 < sum(folds.values()) < 300


def test_one_fold_is_refused() -> None:
    with pytest.raises(InvalidConfiguration, match="Use 2 folds"):
        assign_folds([uuid.uuid4()], 1, "seed")


def test_scores_of_a_text_and_of_an_empty_text() -> None:
    nats, n_bytes, n_tokens = np.array([8 * math.log(2), 0.0]), np.array([4, 0]), np.array([2, 0])
    assert bits_per_byte(nats, n_bytes)[0] == pytest.approx(2.0)
    assert perplexity(nats, n_tokens)[0] == pytest.approx(16.0)
    assert np.isnan([bits_per_byte(nats, n_bytes)[1], perplexity(nats, n_tokens)[1]]).all()
