"""The one transformer that all presets share.

    tokens -> embedding -> n_layers x (x + attention(norm(x)), x + feed_forward(norm(x))) -> norm -> logits

What lives here: the module and its initialisation. What does not: the loss (``training/``) and the key-value
cache (``generation/``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fakesmrt_models.architecture.attention import Attention, KeyValueStore
from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.feedforward import FeedForward
from fakesmrt_models.architecture.normalisation import RMSNorm
from fakesmrt_models.architecture.rotary import rotary_table

EMBEDDING_STD = 0.02
"""Small, so that with tied embeddings the first logits are near uniform (GPT-2's value)."""


class Block(nn.Module):
    """Attention, then feed-forward, each on a normalised copy of the residual stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width, config.norm_epsilon, learned=config.norm_weights)
        self.attention = Attention(config)
        self.feed_forward_norm = RMSNorm(config.width, config.norm_epsilon, learned=config.norm_weights)
        self.feed_forward = FeedForward(config)

    def forward(self, x: Tensor, table: Tensor, dtype: torch.dtype, store: KeyValueStore | None) -> Tensor:
        """Residual stream [B, T, width] in, residual stream out, both in the parameters' type."""
        attended: Tensor = x + self.attention(self.attention_norm(x).to(dtype), table, store)
        fed: Tensor = attended + self.feed_forward(self.feed_forward_norm(attended).to(dtype))
        return fed


class Transformer(nn.Module):
    """A causal language model.

    Parameters and the residual stream stay in float32. Matrix products run in `compute_dtype`: a cast of the
    weights at their use is faster on processors than autocast and leaves the master weights exact.
    """

    rotary: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.compute_dtype = torch.float32
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.final_norm = RMSNorm(config.width, config.norm_epsilon, learned=config.norm_weights)
        self.output = (
            None if config.tied_embeddings else nn.Linear(config.width, config.vocab_size, bias=False)
        )
        table = rotary_table(config.context_length, config.head_width, config.rope_theta)
        self.register_buffer("rotary", table, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of each next token.

        Args:
            tokens: int64 [B, T], T at most the context length.

        Returns:
            [B, T, vocab_size] in `compute_dtype`.
        """
        return self.logits(self.hidden(tokens))

    def hidden(self, tokens: Tensor, start: int = 0, stores: Sequence[KeyValueStore] | None = None) -> Tensor:
        """The normalised last residual stream [B, T, width]; the first token stands at position `start`."""
        table = self.rotary[:, start : start + tokens.shape[1]]
        x = self.embedding(tokens)
        for index, layer in enumerate(self.layers):
            x = layer(x, table, self.compute_dtype, None if stores is None else stores[index])
        normalised: Tensor = self.final_norm(x)
        return normalised.to(self.compute_dtype)

    def logits(self, hidden: Tensor) -> Tensor:
        """Project `hidden` [..., width] to [..., vocab_size]."""
        weight = self.embedding.weight if self.output is None else self.output.weight
        return F.linear(hidden, weight.to(hidden.dtype))


def initialised(config: ModelConfig, seed: int) -> Transformer:
    """A new model whose weights depend on `config` and `seed` alone.

    Inner matrices are uniform with standard deviation 1 / sqrt(fan-in); projections into the residual stream
    are zero, so that every block begins as the identity (as in nanochat).
    """
    model = Transformer(config)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            continue
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            nn.init.zeros_(parameter)
        elif "proj" in name:
            bound = (3.0 / parameter.shape[1]) ** 0.5
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        else:
            nn.init.normal_(parameter, 0.0, EMBEDDING_STD, generator=generator)
    return model
