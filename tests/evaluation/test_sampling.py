"""The measured sample is bounded, fair to corpora and the same every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakesmrt_models.evaluation.sampling import fair_shares, sample_chunks
from warehouse.tokens.shards import Shard, open_split

Write = Callable[[Path, str, Mapping[str, Sequence[str]]], None]


@pytest.fixture
def shards(write_split: Write, tmp_path: Path, texts: list[str]) -> list[Shard]:
    """A corpus of many documents, one of two, and one of a single long document."""
    documents = {"many": texts[:40], "few": texts[40:42], "long": ["".join(texts[42:60])]}
    write_split(tmp_path / "tokens", "select", documents)
    return open_split(tmp_path / "tokens", "select")


def test_without_a_budget_everything_is_measured(shards: list[Shard]) -> None:
    sample = sample_chunks(shards, None, seed=0)
    assert int(sample.n_bytes.sum()) == sum(shard.manifest.n_bytes for shard in shards)
    assert len(sample.tokens) == sum(shard.manifest.n_chunks for shard in shards)


def test_the_budget_holds_and_every_corpus_gets_its_share(shards: list[Shard]) -> None:
    budget = 6_000
    sample = sample_chunks(shards, budget, seed=0)
    assert 0.8 * budget < int(sample.n_tokens.sum()) <= budget
    tokens_by_corpus = dict.fromkeys(sample.corpora, 0)
    for document, n_tokens in zip(sample.document, sample.n_tokens, strict=True):
        tokens_by_corpus[sample.corpora[sample.corpus[document]]] += int(n_tokens)
    assert min(tokens_by_corpus.values()) > 0
    assert tokens_by_corpus["many"] == pytest.approx(tokens_by_corpus["long"], rel=0.2)


def test_a_tiny_budget_still_measures_every_corpus(shards: list[Shard]) -> None:
    sample = sample_chunks(shards, 10, seed=0)
    assert {sample.corpora[number] for number in sample.corpus} == {"many", "few", "long"}


def test_a_long_document_leaves_room_for_the_others(
    write_split: Write, tmp_path: Path, texts: list[str]
) -> None:
    write_split(tmp_path / "tokens", "select", {"mixed": ["".join(texts[:40]), *texts[40:60]]})
    shards = open_split(tmp_path / "tokens", "select")
    for seed in range(5):
        sample = sample_chunks(shards, 8_000, seed)
        assert len(sample.document_ids) >= 10


def test_the_sample_depends_on_the_seed_alone(shards: list[Shard]) -> None:
    def chosen(seed: int) -> list[bytes]:
        return [tokens.tobytes() for tokens in sample_chunks(shards, 3_000, seed).tokens]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


@given(totals=st.lists(st.integers(0, 1_000), min_size=1, max_size=8), budget=st.integers(0, 5_000))
def test_fair_shares_exceed_neither_budget_nor_totals(totals: list[int], budget: int) -> None:
    shares = fair_shares(totals, budget)
    assert sum(shares) <= budget
    assert all(share <= total for share, total in zip(shares, totals, strict=True))
    # Who gets less than his total gets as much as anybody, up to rounding.
    for share, total in zip(shares, totals, strict=True):
        if share < total:
            assert share >= max(shares) - len(totals)
