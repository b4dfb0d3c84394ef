"""Utilisation: what share of a matrix product's speed a training reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.training import utilisation as room
from fakesmrt_models.training.utilisation import flops_per_token, matmul_peak, utilisation


def test_half_the_operations_of_the_peak_are_a_utilisation_of_a_half() -> None:
    assert utilisation(20_000, 7_000_000, 2.8e11) == pytest.approx(0.5)
    assert utilisation(20_000, 7_000_000, 1.4e11, processes=2) == pytest.approx(0.5)


def test_a_short_training_is_not_kept_waiting() -> None:
    assert matmul_peak(torch.float32, expected_seconds=1.0) is None
    assert utilisation(20_000, 7_000_000, None) is None


def test_the_peak_counts_two_operations_for_each_product_of_a_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that says that every product takes two seconds."""
    monkeypatch.setattr(room, "SIDE", 64)
    clock = iter(range(0, 1_000, 2))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    assert matmul_peak(torch.bfloat16, expected_seconds=60.0) == pytest.approx(2 * 64**3 / 2)


def test_measuring_draws_no_random_number_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SIDE", 64)
    monkeypatch.setattr(room, "MEASURED_SECONDS", 0.0)
    before = torch.get_rng_state()
    assert matmul_peak(torch.float32, expected_seconds=60.0)
    assert torch.equal(torch.get_rng_state(), before)


def test_operations_of_1mx_are_six_for_each_weight_and_for_half_a_square_of_attention() -> None:
    """7.08 million a token at 256 tokens; a window or an untied head does what it must."""
    config = preset("1mx")
    attended = config.n_layers * 2 * config.n_heads * config.head_width * (256 + 1) / 2
    assert flops_per_token(config, 256) == 6 * (1_048_576 + attended)
    assert flops_per_token(replace(config, sliding_window=1), 256) == 6 * (1_048_576 + 4 * 2 * 128)
    assert flops_per_token(replace(config, tied_embeddings=False), 256) == flops_per_token(config, 256)
