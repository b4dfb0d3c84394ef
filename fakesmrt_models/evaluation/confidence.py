"""How sure a figure is: the bootstrap over documents.

What lives here: resampling of per-document sums. Documents are drawn, never tokens or chunks, because the
tokens of a document are not independent (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, ch. 6
and 13).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 2_000
"""Bootstrap draws: the 5 % quantile then has a standard error of about half a percent of the draws."""

DRAWS_IN_MEMORY = 1 << 22
"""Document numbers held at once, about 32 MiB."""


def bootstrap_ratios(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], seed: int, n_draws: int = N_DRAWS
) -> NDArray[np.float64]:
    """Bootstrap distribution of sum(numerator) / sum(denominator) over documents.

    Args:
        numerator: one value a document, shape [n_documents].
        denominator: one positive value a document, shape [n_documents].
        seed: equal seeds and numbers of documents draw the same documents, so results are paired.
        n_draws: number of resamples.

    Returns:
        The ratio in each resample of n_documents documents drawn with replacement, shape [n_draws].
    """
    n_documents = len(numerator)
    generator = np.random.default_rng(seed)
    ratios = np.empty(n_draws, dtype=np.float64)
    block = max(1, DRAWS_IN_MEMORY // max(1, n_documents))
    for start in range(0, n_draws, block):
        end = min(start + block, n_draws)
        drawn = generator.integers(0, n_documents, size=(end - start, n_documents))
        ratios[start:end] = numerator[drawn].sum(axis=1) / denominator[drawn].sum(axis=1)
    return ratios


def confidence_interval(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], seed: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Two-sided percentile interval of sum(numerator) / sum(denominator) over documents.

    With one document the interval is that document's ratio twice: it says nothing, and the number of
    documents beside it shows why.
    """
    ratios = bootstrap_ratios(numerator, denominator, seed)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(ratios, [tail, 1.0 - tail])
    return float(low), float(high)


def lower_bound(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], seed: int, confidence: float = 0.95
) -> float:
    """One-sided lower percentile bound of sum(numerator) / sum(denominator) over documents."""
    return float(np.quantile(bootstrap_ratios(numerator, denominator, seed), 1.0 - confidence))
