"""Asking a perplexity reference of micromodels: the scoring function that stage corpus/perplexity is handed.

What lives here: the way from a pinned folder to the model floor. What does not: which model may score which chunk
(``warehouse/stages/perplexity.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from warehouse.perplexity.population import MAX_MODELS, verified_model_folder
from warehouse.perplexity.reference import Scores

if TYPE_CHECKING:
    from fakesmrt_models.evaluation.scoring import TextScorer


def score_texts(folder: str, texts: Sequence[str], folds: Sequence[int]) -> Scores:
    """Score each text by the model of its number. For a process pool: each worker reads a model once.

    Args:
        folder: of the reference.
        texts: any texts.
        folds: the model for each.

    Raises:
        CorruptArtefact: if a model is not the one that was pinned.
        InputUnreadable: a text holds lone surrogates.
    """
    asked = np.asarray(folds, np.int64)
    nats, n_tokens = np.zeros(len(texts)), np.zeros(len(texts), np.int64)
    for model in sorted(set(asked.tolist())):
        rows = np.flatnonzero(asked == model).tolist()
        nats[rows], n_tokens[rows] = _opened(folder, model).score([texts[row] for row in rows])
    return Scores(nats, n_tokens, utf8_lengths(texts))


def utf8_lengths(texts: Sequence[str]) -> NDArray[np.int64]:
    """UTF-8 bytes of each text."""
    return np.fromiter((len(text.encode()) for text in texts), np.int64, len(texts))


@lru_cache(maxsize=MAX_MODELS)
def _opened(folder: str, model: int) -> TextScorer:
    import torch

    from fakesmrt_models.evaluation.scoring import TextScorer

    # As many workers as cores: each works alone.
    torch.set_num_threads(1)
    return TextScorer(verified_model_folder(Path(folder), model))
