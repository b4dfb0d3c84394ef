"""The n-gram model against a hand computation, a slow oracle, and the laws of probability."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.perplexity import ngram
from warehouse.perplexity.counts import (
    CountTable,
    counted,
    estimated_discounts,
    lower_order,
    packed,
    without_padded,
)
from warehouse.perplexity.ngram import NgramModel
from warehouse.perplexity.training import train_ngram
from warehouse.tokens.tokenizer import joined_chunks


def sequence(*chunks: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return joined_chunks([np.array(chunk, np.uint16) for chunk in chunks])


def letters(text: str) -> list[int]:
    """Token ids 1 to 27: a to z, and everything else."""
    return [ord(c) - 96 if "a" <= c <= "z" else 27 for c in text.lower()]


def joined(parts: Iterable[CountTable]) -> CountTable:
    tables = list(parts)
    return CountTable(np.concatenate([t.ngrams for t in tables]), np.concatenate([t.counts for t in tables]))


def by_text(table: CountTable, order: int) -> dict[tuple[int, ...], int]:
    """The counts of n-grams of two bits a token, as they stand in the text: the newest token last."""
    texts = [tuple(int(n) >> 2 * place & 3 for place in range(order)) for n in table.ngrams]
    return dict(zip(texts, table.counts.tolist(), strict=True))


RHYME = """Jack and Jill went up the hill to fetch a pail of water. Jack fell down and broke his crown, and
Jill came tumbling after. Up Jack got and home did trot, as fast as he could caper; he went to bed to mend his
head with vinegar and brown paper. Then Jill came in, and she did grin, to see his paper plaster. Her mother,
vexed, did whip her next, for laughing at disaster. The third of nine was coming down, the others went to
town."""
CHUNKS = [letters(line) for line in RHYME.split(".")] + [letters("a"), letters("an")]


def test_probabilities_computed_by_hand() -> None:
    # One chunk "1 2 1" of tokens {1, 2}, order 2. The bigrams (0 1), (1 2), (2 1) occur once each, so all
    # discounts are the defaults; the unigram 1 has the predecessors 0 and 2, the unigram 2 has 1.
    #   p(1) = (2 - 1) / 3 + (1 + 0.5) / 3 · 1/2 = 7/12      p(2) = (1 - 0.5) / 3 + 1.5 / 3 · 1/2 = 5/12
    #   p(1 | marker) = (1 - 0.5) / 1 + 0.5 · 7/12           p(2 | 1) = 0.5 + 0.5 · 5/12
    tokens, starts = sequence([1, 2, 1])
    model = train_ngram(tokens, starts, order=2, vocab_size=3)
    probabilities = np.exp(model.token_log_probabilities(tokens, starts))
    assert probabilities == pytest.approx([0.5 + 7 / 24, 0.5 + 5 / 24, 0.5 + 7 / 24], rel=1e-6)
    assert len(model.notes) == 2


def test_no_ngram_reaches_into_another_chunk_and_the_marker_is_never_predicted() -> None:
    tokens, _ = sequence([1, 2], [], [3], [1, 2, 3])
    ngrams = packed(tokens, order=3, bits=2)
    trigrams = counted(ngrams[ngrams > 0])
    bigrams = joined(lower_order([trigrams], bits=2))
    unigrams = joined(lower_order([bigrams], bits=2))
    assert by_text(without_padded(trigrams, 2), 3) == {(0, 1, 2): 2, (1, 2, 3): 1}
    # (0 1) occurs twice and can have no predecessor; (1 2) has one, the marker.
    assert by_text(without_padded(bigrams, 2), 2) == {(0, 1): 2, (0, 3): 1, (1, 2): 1, (2, 3): 1}
    assert by_text(unigrams, 1) == {(1,): 1, (2,): 1, (3,): 2}


def test_estimated_discounts_are_used_where_the_counts_give_them() -> None:
    model = train_ngram(*sequence(*CHUNKS), order=2, vocab_size=30)
    assert model.discounts[1].note is None
    assert model.discounts[1].values != (0.5, 1.0, 1.5)
    one, _, three = model.discounts[1].values
    assert 0 < one < 1 < three


def test_discounts_follow_the_formula() -> None:
    # Y = 8 / 16 = 0.5
    found = estimated_discounts([8, 4, 2, 1], order=2)
    assert found.values == pytest.approx((1 - 0.5, 2 - 3 * 0.5 * 2 / 4, 3 - 4 * 0.5 * 1 / 2))
    assert found.note is None


@settings(max_examples=40, deadline=None)
@given(
    chunks=st.lists(st.lists(st.integers(1, 6), max_size=12), max_size=6),
    context=st.lists(st.integers(1, 6), max_size=5),
    order=st.integers(1, 4),
)
def test_probabilities_sum_to_one_after_any_context(
    chunks: list[list[int]], context: list[int], order: int
) -> None:
    model = train_ngram(*sequence(*chunks), order, vocab_size=7)
    asked = [[*context, token] for token in range(1, 7)]
    scores = model.token_log_probabilities(*sequence(*asked)).reshape(6, -1)[:, -1]
    assert np.all(np.isfinite(scores))
    assert float(np.exp(scores.astype(np.float64)).sum()) == pytest.approx(1.0, abs=1e-5)


def test_any_block_size_gives_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, starts = sequence(*CHUNKS)
    whole = train_ngram(tokens, starts, 4, 30)
    expected = whole.token_log_probabilities(tokens, starts)
    monkeypatch.setattr(ngram, "BLOCK", 7)
    monkeypatch.setattr(ngram, "STRETCH", 3)
    pieces = train_ngram(tokens, starts, 4, 30)
    assert np.array_equal(pieces.token_log_probabilities(tokens, starts), expected)


def test_the_order_of_chunks_changes_nothing() -> None:
    forwards = train_ngram(*sequence(*CHUNKS), 3, 30)
    backwards = train_ngram(*sequence(*CHUNKS[::-1]), 3, 30)
    for a, b in zip(forwards.levels, backwards.levels, strict=True):
        assert a.ngrams.tobytes() == b.ngrams.tobytes()
        assert a.log_probability.tobytes() == b.log_probability.tobytes()
        assert a.log_backoff.tobytes() == b.log_backoff.tobytes()


def test_nothing_to_train_on_gives_the_uniform_distribution_and_a_note() -> None:
    model = train_ngram(*sequence(), order=3, vocab_size=11)
    assert np.exp(model.token_log_probabilities(*sequence([4, 5]))) == pytest.approx([0.1, 0.1])
    assert model.notes


def test_a_longer_context_predicts_better(tmp_path: Path) -> None:
    held_out = sequence(letters("Jack went up the hill to fetch his brown paper"))
    nats = [
        -train_ngram(*sequence(*CHUNKS), order, 30).token_log_probabilities(*held_out).sum()
        for order in (1, 2, 4)
    ]
    assert nats[0] > nats[1] > nats[2]


@pytest.mark.parametrize(("order", "vocab_size"), [(6, 2048), (5, 8192), (0, 100), (2, 1 << 17)])
def test_ngrams_that_do_not_fit_are_refused(order: int, vocab_size: int) -> None:
    with pytest.raises(InvalidConfiguration, match="Choose"):
        train_ngram(*sequence([1, 2]), order, vocab_size)


def test_the_largest_ngram_that_fits_uses_all_64_bits() -> None:
    top = (1 << 16) - 1
    tokens, starts = sequence([top] * 6, [top, 1, top])
    model = train_ngram(tokens, starts, order=4, vocab_size=1 << 16)
    assert model.token_log_probabilities(tokens, starts)[4] > math.log(0.5)


def test_a_sequence_without_markers_at_its_starts_is_refused() -> None:
    with pytest.raises(InvalidConfiguration, match="marker"):
        train_ngram(np.array([1, 2], np.uint16), np.array([0]), 2, 10)
    with pytest.raises(InvalidConfiguration, match="outside a vocabulary"):
        train_ngram(*sequence([1, 10]), 2, 10)


def test_a_saved_model_gives_the_same_scores_and_the_same_bytes(tmp_path: Path) -> None:
    tokens, starts = sequence(*CHUNKS)
    model = train_ngram(tokens, starts, 3, 30)
    model.save(tmp_path / "a")
    train_ngram(tokens, starts, 3, 30).save(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    loaded = NgramModel.load(tmp_path / "a")
    assert np.array_equal(
        loaded.token_log_probabilities(tokens, starts), model.token_log_probabilities(tokens, starts)
    )
    assert loaded.discounts == model.discounts


def test_a_model_of_one_short_chunk_is_saved_though_its_highest_order_is_empty(tmp_path: Path) -> None:
    tokens, starts = sequence([1])
    train_ngram(tokens, starts, 5, 30).save(tmp_path)
    assert np.isfinite(NgramModel.load(tmp_path).token_log_probabilities(tokens, starts)).all()


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    train_ngram(*sequence(*CHUNKS), 2, 30).save(tmp_path)
    array = tmp_path / "order-2.log_probability.npy"
    data = bytearray(array.read_bytes())
    data[-1] ^= 1
    array.write_bytes(data)
    with pytest.raises(CorruptArtefact, match=r"order-2\.log_probability\.npy"):
        NgramModel.load(tmp_path)
    array.unlink()
    with pytest.raises(CorruptArtefact, match="cannot be read"):
        NgramModel.load(tmp_path)


def test_a_truncated_or_foreign_array_is_named_even_where_hashes_are_not_checked(tmp_path: Path) -> None:
    train_ngram(*sequence(*CHUNKS), 2, 30).save(tmp_path)
    array = tmp_path / "order-2.log_probability.npy"
    whole = np.load(array)
    array.write_bytes(array.read_bytes()[:-4])
    with pytest.raises(CorruptArtefact, match="cannot be read"):
        NgramModel.load(tmp_path, verify=False)
    for foreign in (whole[:-1], whole.astype(np.float64), whole.reshape(1, -1)):
        np.save(array, foreign)
        with pytest.raises(CorruptArtefact, match=r"order-2\.log_probability\.npy holds"):
            NgramModel.load(tmp_path, verify=False)
    np.save(array, np.array([{"never": "unpickled"}]), allow_pickle=True)
    with pytest.raises(CorruptArtefact, match="cannot be read"):
        NgramModel.load(tmp_path, verify=False)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "7",
        '{"format_version": 2}',
        '{"format_version": 2, "order": "x", "vocab_size": 9, "discounts": []}',
    ],
)
def test_a_manifest_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "ngram.json").write_text(content)
    with pytest.raises(CorruptArtefact, match=r"ngram\.json"):
        NgramModel.load(tmp_path)


def test_a_manifest_of_more_orders_than_there_are_files_is_refused(tmp_path: Path) -> None:
    train_ngram(*sequence(*CHUNKS), 2, 30).save(tmp_path)
    manifest = tmp_path / "ngram.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"order": 3}))
    with pytest.raises(CorruptArtefact, match="files and discounts of 3 orders"):
        NgramModel.load(tmp_path)


def test_a_model_of_another_format_is_refused(tmp_path: Path) -> None:
    train_ngram(*sequence(*CHUNKS), 2, 30).save(tmp_path)
    manifest = tmp_path / "ngram.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format_version": 99}))
    with pytest.raises(CorruptArtefact, match="format version 99"):
        NgramModel.load(tmp_path)
