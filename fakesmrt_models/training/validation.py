"""Bits per byte of a model on the validation sample, the same text for every training on the same shards."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.evaluation.bits_per_byte import chunk_nats
from fakesmrt_models.training.data import validation_sample

VALIDATION_TOKENS = 32_768
"""About 100 kB of text: half a percent of noise between trainings on the same shards."""


class Validation:
    """The sample of a folder of tokens."""

    def __init__(self, tokens: Path) -> None:
        """Read the sample; it is empty where there is no validation split."""
        self._chunks, self._n_bytes = validation_sample(tokens, VALIDATION_TOKENS)

    @property
    def tokens_per_byte(self) -> float:
        """Predicted tokens, so without the markers, of a byte of the sample; 0 where there is none."""
        return sum(len(chunk) - 1 for chunk in self._chunks) / max(1, self._n_bytes)

    def bits_per_byte(self, model: Transformer) -> float | None:
        """Bits per byte in float32; None where there is no sample. The model comes back as it was given."""
        if not self._chunks:
            return None
        dtype, training = model.compute_dtype, model.training
        model.compute_dtype = torch.float32
        context = model.config.context_length
        nats = chunk_nats([model], self._chunks, context=context, stride=max(1, context // 2))
        model.compute_dtype = dtype
        model.train(training)
        return float(nats.sum()) / math.log(2) / self._n_bytes
