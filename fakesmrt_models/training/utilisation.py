"""How much of the processor a training uses: its operations a second against those of one large matrix product."""

from __future__ import annotations

import time

import torch

from fakesmrt_models.architecture.config import ModelConfig, n_parameters, parameters_by_component

SIDE = 2_048
"""Rows and columns: large enough that the product is bound by arithmetic, small enough for a tenth of a second."""

MEASURED_SECONDS = 0.5
FEWEST_PRODUCTS = 3

SHORTEST_TRAINING_SECONDS = 10.0
"""In a shorter training the measurement would be a good part of it."""


def matmul_peak(dtype: torch.dtype, expected_seconds: float) -> float | None:
    """Operations a second of the fastest of some square matrix products in `dtype`, with the threads that are set.

    The random numbers that a training draws are not touched.

    Args:
        dtype: of the factors, as the training multiplies.
        expected_seconds: of the training; None is returned where it is too short for a measurement.
    """
    if expected_seconds < SHORTEST_TRAINING_SECONDS:
        return None
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(SIDE, SIDE, generator=generator).to(dtype) for _ in range(2))
    product = left @ right
    seconds: list[float] = []
    while len(seconds) < FEWEST_PRODUCTS or sum(seconds) < MEASURED_SECONDS:
        begin = time.perf_counter()
        torch.mm(left, right, out=product)
        seconds.append(time.perf_counter() - begin)
    return 2.0 * SIDE**3 / min(seconds)


def flops_per_token(config: ModelConfig, sequence_length: int) -> int:
    """Operations of the forward and backward pass for each token of sequences of `sequence_length`.

    Forward 2 and backward 4 for each weight that multiplies a token, and for each product of a query with a key and
    of a score with a value that causal attention needs; what is computed again or thrown away does not count.
    """
    parts = parameters_by_component(config)
    used = n_parameters(config) - (0 if config.tied_embeddings else parts["embedding"])
    window = min(config.sliding_window or sequence_length, sequence_length)
    attended = window - window * (window - 1) / (2 * sequence_length)
    return round(6 * (used + config.n_layers * 2 * config.n_heads * config.head_width * attended))


def utilisation(
    tokens_per_second: float, flops_per_token: float, peak: float | None, processes: int = 1
) -> float | None:
    """Share of the `processes` times `peak` operations a second that a training does; None without a peak."""
    return None if peak is None else tokens_per_second * flops_per_token / (peak * processes)
