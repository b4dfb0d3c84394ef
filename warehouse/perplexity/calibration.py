"""Which text a reference is trained on, and what its scores mean.

Cross-fitting: the sampled chunks are dealt into folds by duplicate cluster, and model f is trained on the
sampled chunks outside fold f. So a sampled chunk and all its likeness are scored by the model of their fold,
which saw none of them. ``queries/reference_sample.sql`` draws the same in SQL.

What lives here: pure functions on ids and scores. What does not: the models (``ngram.py``), the files
(``reference.py``).
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import InvalidConfiguration
from warehouse.identity import uniform_draw


def choose_sample(
    chunk_ids: Sequence[uuid.UUID], sizes: Sequence[int], max_size: int, seed: str
) -> list[int]:
    """Choose chunks for a reference: at random, until the next would exceed a total size.

    Args:
        chunk_ids: one id a chunk.
        sizes: of each chunk, in tokens or bytes.
        max_size: of the sample, in the same unit.
        seed: of the draw, stored with the sample.

    Returns:
        Positions in `chunk_ids`, in ascending order of their id. The same chunks in another order give the
        same sample. Never empty where there are chunks: the first drawn is taken whatever its size.
    """
    by_draw = sorted(
        range(len(chunk_ids)), key=lambda i: (uniform_draw(str(chunk_ids[i]), seed), chunk_ids[i].int)
    )
    chosen: list[int] = []
    total = 0
    for i in by_draw:
        total += sizes[i]
        if total > max_size and chosen:
            break
        chosen.append(i)
    return sorted(chosen, key=lambda i: chunk_ids[i].int)


def assign_folds(cluster_keys: Sequence[uuid.UUID], n_folds: int, seed: str) -> list[int]:
    """Deal chunks into folds, a duplicate cluster as a whole.

    Args:
        cluster_keys: each chunk's cluster_id, or its own chunk_id where it is in no cluster.
        n_folds: number of folds, at least 2.
        seed: of the draw, stored with the reference.

    Returns:
        The fold of each chunk, 0 to n_folds - 1.

    Raises:
        InvalidConfiguration: if there are fewer than 2 folds.
    """
    if n_folds < 2:
        raise InvalidConfiguration(
            f"{n_folds} folds leave no text to train a model on that did not see its own fold", "Use 2 folds"
        )
    return [int(uniform_draw(str(key), f"{seed}-fold") * n_folds) for key in cluster_keys]


def bits_per_byte(nats: NDArray[np.float64], n_bytes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Total nats of each text / ln 2 / its UTF-8 bytes; NaN for an empty text."""
    return _ratio(nats / math.log(2), n_bytes)


def perplexity(nats: NDArray[np.float64], n_tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """exp(nats a token) of each text; NaN for an empty text. Comparable under one tokenizer only."""
    return np.exp(_ratio(nats, n_tokens))


def _ratio(values: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """`values` / `sizes`, NaN where a size is 0."""
    ratio = np.full(len(values), np.nan)
    np.divide(values, sizes, out=ratio, where=sizes > 0)
    return ratio
