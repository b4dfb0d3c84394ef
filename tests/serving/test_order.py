"""Orders: every item once a turn, as often as its weight says, and otherwise for each seed."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from warehouse.serving.order import MAX_TURNS, Order, bucket_range

WORDS = st.integers(0, 2**64 - 1)


def words(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64)


@given(st.integers(0, 2**63 - 1), st.integers(0, 9), st.integers(0, 8))
def test_each_bucket_comes_once(seed: int, epoch: int, bits: int) -> None:
    buckets = Order(seed, epoch, 0, bits, 1).buckets()
    assert sorted(buckets.tolist()) == list(range(2**bits))


@given(st.integers(0, 2**128 - 1), st.integers(0, 8))
def test_each_id_lies_in_one_bucket(number: int, bits: int) -> None:
    ranges = [bucket_range(bucket, bits) for bucket in range(2**bits)]
    assert sum(first <= UUID(int=number) <= last for first, last in ranges) == 1


@given(st.lists(st.tuples(WORDS, st.integers(0, MAX_TURNS)), min_size=1), st.integers(1, MAX_TURNS))
def test_an_item_takes_part_in_as_many_turns_as_it_counts(items: list[tuple[int, int]], turns: int) -> None:
    ids = words([word for word, _ in items])
    times = np.array([min(number, turns) for _, number in items])
    taken = [Order(1, 2, turn, 0, turns).takes_part(ids, ids[::-1], times) for turn in range(turns)]
    assert np.array_equal(np.sum(taken, axis=0), times)


def test_a_weight_is_met_in_the_mean_and_shared_within_a_document() -> None:
    documents = words(list(range(4000)))
    times = Order(3, 0, 0, 0, 4).times(np.full(4000, 2.25), documents)
    assert set(times.tolist()) == {2, 3}
    assert abs(times.mean() - 2.25) < 0.03
    assert len(set(Order(3, 0, 0, 0, 4).times(np.full(50, 0.5), words([7] * 50)).tolist())) == 1


def test_seeds_epochs_and_turns_give_orders_that_have_nothing_in_common() -> None:
    ids = words(list(range(3000)))
    orders = [Order(*of, bits=0, turns=2) for of in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    ranks = [np.argsort(np.argsort(order.keys(ids, ids))) for order in orders]
    correlations = np.abs(np.corrcoef(ranks) - np.eye(4))
    assert correlations.max() < 0.08
    assert np.array_equal(orders[0].keys(ids, ids), Order(0, 0, 0, 0, 2).keys(ids, ids))
