"""Signatures equal datasketch's, value by value; bands agree exactly where their rows do."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.dedup import minhash
from warehouse.dedup.minhash import NO_SHINGLE, SketchParameters, band_keys, permutations, signatures
from warehouse.dedup.shingles import ShingleParameters, shingle
from warehouse.errors import InvalidConfiguration

SKETCH = SketchParameters()

TEXTS = [
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of folly",
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of doubt",
    "Call me Ishmael.",
    "",
    "All happy families are alike; each unhappy family is unhappy in its own way. " * 50,
    "...",
]


def datasketch_signature(hashes: np.ndarray, sketch: SketchParameters = SKETCH) -> np.ndarray:
    oracle = MinHash(num_perm=sketch.n_hashes, seed=sketch.seed, hashfunc=int)
    oracle.update_batch((hashes & np.uint64(0xFFFFFFFF)).tolist())
    return oracle.hashvalues


def test_permutations_are_datasketchs() -> None:
    factors, summands = permutations(96, 1)
    expected = MinHash(num_perm=96, seed=1).permutations
    assert np.array_equal(factors, expected[0])
    assert np.array_equal(summands, expected[1])


def test_signatures_equal_datasketchs_value_by_value() -> None:
    shingles = shingle(TEXTS, SKETCH.shingles)
    found = signatures(shingles, SKETCH)
    assert found.shape == (len(TEXTS), 96)
    for text in range(len(TEXTS)):
        assert np.array_equal(found[text], datasketch_signature(shingles.distinct(text)))


@given(st.lists(st.text(alphabet="ab я漢กิ.\n", max_size=40), min_size=1, max_size=6), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_signatures_of_any_texts_equal_datasketchs(texts: list[str], seed: int) -> None:
    sketch = SketchParameters(ShingleParameters(n_words=2), n_bands=3, rows_per_band=4, seed=seed)
    shingles = shingle(texts, sketch.shingles)
    found = signatures(shingles, sketch)
    for text in range(len(texts)):
        expected = datasketch_signature(shingles.distinct(text), sketch)
        assert np.array_equal(found[text], expected)


def test_a_text_without_words_has_the_empty_signature() -> None:
    assert (signatures(shingle(["", "!"], SKETCH.shingles), SKETCH) == NO_SHINGLE).all()
    assert signatures(shingle([], SKETCH.shingles), SKETCH).shape == (0, 96)


def test_signatures_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    together = signatures(shingle(TEXTS, SKETCH.shingles), SKETCH)
    alone = np.concatenate([signatures(shingle([text], SKETCH.shingles), SKETCH) for text in TEXTS])
    assert np.array_equal(together, alone)
    monkeypatch.setattr(minhash, "BLOCK_SHINGLES", 3)
    assert np.array_equal(together, signatures(shingle(TEXTS, SKETCH.shingles), SKETCH))


def test_bands_agree_exactly_where_their_rows_do() -> None:
    signature = np.random.default_rng(5).integers(0, 3, (40, 96), dtype=np.uint32)
    keys = band_keys(signature, SKETCH)
    assert keys.shape == (40, 16)
    rows = signature.reshape(40, 16, 6)
    same_rows = (rows[:, None] == rows[None, :]).all(axis=3)
    assert np.array_equal(keys[:, None] == keys[None, :], same_rows)
    assert same_rows.sum() > 40 * 16


def test_band_keys_are_the_same_on_every_machine() -> None:
    keys = band_keys(np.arange(96, dtype=np.uint32).reshape(1, 96), SKETCH)
    assert [hex(value) for value in keys[0, :2]] == ["0x98d68bc43b15184f", "0x63fbd1b4ed2601ee"]


def test_the_sketch_is_named_by_everything_that_decides_a_key() -> None:
    others = [
        SketchParameters(seed=2),
        SketchParameters(n_bands=8),
        SketchParameters(rows_per_band=5),
        SketchParameters(version="next"),
        SketchParameters(shingles=ShingleParameters(n_words=4)),
        SketchParameters(shingles=ShingleParameters(version="next")),
    ]
    assert len({SKETCH.sketch_id(), *(other.sketch_id() for other in others)}) == 1 + len(others)
    assert SketchParameters().sketch_id() == SKETCH.sketch_id()


def test_a_sketch_without_bands_is_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        SketchParameters(n_bands=0)
