"""The Poisson bootstrap over documents: how often a replicate reads each document.

A replicate that draws n documents out of n with replacement reads each about Poisson(1) times; the Poisson
bootstrap draws that number for each document by itself (Chamandy et al. 2012, "Estimating Uncertainty for
Massive Data Streams"). Here the draw is a hash of document and seed, so nothing is stored, and
``views/bootstrap.sql`` computes the same in SQL.

What lives here: the numbers. What does not: reading the shards in a replicate's order.
"""

from __future__ import annotations

import uuid

import numpy as np
from numpy.typing import NDArray

from warehouse.identity import uniform_draw

POISSON_CUMULATIVE = (
    0.36787944117144233, 0.7357588823428847, 0.9196986029286058, 0.9810118431238462,
    0.9963401531726563, 0.9994058151824183, 0.999916758850712, 0.9999897508033253,
    0.999998874797402, 0.9999998885745217, 0.9999999899522336, 0.9999999991683892,
    0.9999999999364022, 0.9999999999954802, 0.9999999999997, 0.9999999999999813,
    0.9999999999999989,
)  # fmt: skip
"""P(X <= k) for X ~ Poisson(1), k = 0, …, 16: exp(-1) times the sum of 1 / i! for i <= k, rounded to doubles.
A draw of 52 bits never reaches P(X <= 17)."""


def poisson_times(u: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn uniform draws in [0, 1) into Poisson(1) numbers, by the inverse of the cumulative distribution."""
    return np.searchsorted(np.array(POISSON_CUMULATIVE), u, side="right")


def replicate_times(
    document_ids: NDArray[np.uint8], seed: int | str, weights: NDArray[np.float32] | None = None
) -> NDArray[np.int64]:
    """How often replicate `seed` reads each document.

    A weight multiplies the Poisson number; what is then left over a whole number is the chance of one more,
    decided by a second draw of the document. So a weight of 1 changes nothing, and the mean is the weight.

    Args:
        document_ids: 16 bytes each, shape (n, 16), repeats allowed (the chunks of a shard's index): a
            document is drawn once and all its chunks share the number.
        seed: of the replicate.
        weights: at least 0, shape (n,); None for 1 everywhere. Used as 32-bit floats, as shards store them.

    Returns:
        Shape (n,); about 36.8 % are 0 and the mean is 1 where no weights are given.
    """
    ids = np.ascontiguousarray(document_ids, np.uint8)
    distinct, inverse = np.unique(ids.view("V16").reshape(-1), return_inverse=True)
    subjects = [str(uuid.UUID(bytes=document_id.tobytes())) for document_id in distinct]
    times = poisson_times(_draws(subjects, f"replicate-{seed}"))[inverse]
    if weights is None:
        return times
    wanted = times * np.asarray(weights, np.float32).astype(np.float64)
    whole = np.floor(wanted)
    if np.array_equal(whole, wanted):
        return whole.astype(np.int64)
    second = _draws(subjects, f"replicate-{seed}-weight")[inverse]
    return (whole + (second < wanted - whole)).astype(np.int64)


def _draws(subjects: list[str], seed: str) -> NDArray[np.float64]:
    return np.fromiter((uniform_draw(subject, seed) for subject in subjects), np.float64, len(subjects))
