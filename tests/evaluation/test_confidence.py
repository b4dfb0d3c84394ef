"""Intervals over documents."""

from __future__ import annotations

import numpy as np
import pytest

from fakesmrt_models.evaluation.confidence import bootstrap_ratios, confidence_interval, lower_bound


def test_the_interval_of_a_mean_matches_its_standard_error() -> None:
    values = np.random.default_rng(5).normal(2.0, 1.0, size=400)
    low, high = confidence_interval(values, np.ones(400), seed=1)
    standard_error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * standard_error, abs=0.02)
    assert high == pytest.approx(values.mean() + 1.96 * standard_error, abs=0.02)
    assert lower_bound(values, np.ones(400), seed=1) == pytest.approx(
        values.mean() - 1.645 * standard_error, abs=0.02
    )


def test_long_documents_count_by_their_bytes() -> None:
    ratios = bootstrap_ratios(np.array([10.0, 2_000.0]), np.array([10.0, 1_000.0]), seed=0)
    assert set(np.unique(ratios).tolist()) == {1.0, 2_010.0 / 1_010.0, 2.0}


def test_draws_repeat_with_the_seed_and_do_not_depend_on_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values, ones = np.arange(50.0), np.ones(50)
    first = bootstrap_ratios(values, ones, seed=7)
    monkeypatch.setattr("fakesmrt_models.evaluation.confidence.DRAWS_IN_MEMORY", 333)
    assert np.array_equal(first, bootstrap_ratios(values, ones, seed=7))
    assert not np.array_equal(first, bootstrap_ratios(values, ones, seed=8))
