"""Keys and values of the tokens so far: a new token then costs one position, not the whole sequence."""

from __future__ import annotations

import torch
from torch import Tensor

from fakesmrt_models.architecture.transformer import Transformer


class LayerCache:
    """The keys and values of one attention layer, in memory taken once."""

    def __init__(self, n_positions: int, n_kv_heads: int, head_width: int) -> None:
        self._tensors = torch.empty(2, 1, n_positions, n_kv_heads, head_width)
        self._length = 0

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add those of new positions [1, T, KV heads, head_width]; returns all."""
        end = self._length + keys.shape[1]
        self._tensors[0, :, self._length : end] = keys
        self._tensors[1, :, self._length : end] = values
        self._length = end
        return self._tensors[0, :, :end], self._tensors[1, :, :end]


class CachedModel:
    """A model that reads one sequence, piece by piece."""

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self._length = 0
        self._layers: list[LayerCache] = []
        self.forget()

    def forget(self) -> None:
        """Begin a new sequence."""
        config = self.model.config
        self._length = 0
        self._layers = [
            LayerCache(config.context_length, config.n_kv_heads, config.head_width)
            for _ in range(config.n_layers)
        ]

    def next_logits(self, tokens: Tensor) -> Tensor:
        """Read int64 `tokens` [T] after the earlier ones; returns the logits [vocab_size] of the next one.

        All tokens since `forget` must fit the context length.
        """
        hidden = self.model.hidden(tokens[None], self._length, self._layers)
        self._length += len(tokens)
        return self.model.logits(hidden[0, -1])
