"""Many short texts under one model or ensemble, for figures such as a perplexity reference gives.

What lives here: from texts to nats and tokens. What does not: which text is scored by which model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fakesmrt_models.evaluation.bits_per_byte import CONTEXT, chunk_nats
from fakesmrt_models.evaluation.text import marked
from fakesmrt_models.mixing.ensembles import load_ensemble
from warehouse.tokens.tokenizer import Tokenizer


class TextScorer:
    """A model or an ensemble with its tokenizer, ready to score texts."""

    def __init__(self, folder: Path) -> None:
        """Read a model's or an ensemble's folder.

        Raises:
            InputUnreadable: there is neither at `folder`.
            CorruptArtefact: a file does not hold what its manifest says.
        """
        self._ensemble = load_ensemble(folder)
        self._tokenizer = Tokenizer.from_file(self._ensemble.tokenizer_file)

    def score(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Score each text, begun by the document marker; a long text is read in overlapping windows.

        Returns:
            Total nats and number of predicted tokens of each text.

        Raises:
            InputUnreadable: a text holds lone surrogates.
        """
        encoded = self._tokenizer.encode_batch(texts)
        context = min(CONTEXT, self._ensemble.context_length)
        nats = chunk_nats(
            [member.model for member in self._ensemble.members],
            [marked(tokens) for tokens in encoded],
            np.array([self._ensemble.weights]),
            context=context,
            stride=max(1, context // 2),
        )[-1]
        return nats, np.array([len(tokens) for tokens in encoded], np.int64)
