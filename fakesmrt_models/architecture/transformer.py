"""The one transformer that all presets share.

    tokens -> embedding -> n_layers x (x + attention(norm(x)), x + feed_forward(norm(x))) -> norm -> logits

What lives here: the module and its initialisation. What does not: the loss (``training/``) and the key-value
cache (``generation/``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from fakesmrt_models.architecture.attention import Attention, KeyValueStore
from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.feedforward import feed_forward
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
        self.feed_forward = feed_forward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        table: Tensor,
        dtype: torch.dtype,
        store: KeyValueStore | None,
        first_values: Tensor | None,
    ) -> Tensor:
        """Residual stream [B, T, width] in, residual stream out, both in the parameters' type."""
        attention = self.attention(self.attention_norm(x).to(dtype), table, store, first_values)
        attended: Tensor = x + self.dropout(attention)
        fed: Tensor = attended + self.dropout(self.feed_forward(self.feed_forward_norm(attended).to(dtype)))
        return fed


class Transformer(nn.Module):
    """A causal language model.

    Parameters and the residual stream stay in float32. Matrix products run in `compute_dtype`: a cast of the
    weights at their use is faster on processors than autocast and leaves the master weights exact. With
    `gradient_checkpointing` the backward pass computes each block again in place of keeping its activations
    (Chen et al. 2016, arXiv 1604.06174): a third more work, and the same gradients.
    """

    rotary: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.compute_dtype = torch.float32
        self.gradient_checkpointing = False
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.dropout = nn.Dropout(config.dropout)
        self.residual_scales = nn.Parameter(torch.ones(config.n_layers)) if config.residual_lambdas else None
        self.embedding_scales = (
            nn.Parameter(torch.zeros(config.n_layers)) if config.residual_lambdas else None
        )
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
        x = embedded = self.dropout(self.embedding(tokens))
        first_values = self._first_values(embedded)
        for index, layer in enumerate(self.layers):
            x = self._block_input(index, x, embedded)
            store = None if stores is None else stores[index]
            x = self._through(layer, x, table, self.compute_dtype, store, first_values)
        normalised: Tensor = self.final_norm(x)
        return normalised.to(self.compute_dtype)

    def logits(self, hidden: Tensor) -> Tensor:
        """Project `hidden` [..., width] to [..., vocab_size]."""
        logits = F.linear(hidden, self.output_weight().to(hidden.dtype))
        softcap = self.config.logit_softcap
        return logits if softcap is None else softcap * torch.tanh(logits / softcap)

    def output_weight(self) -> Tensor:
        """The matrix [vocab_size, width] of the output projection, in the parameters' type."""
        return self.embedding.weight if self.output is None else self.output.weight

    def _block_input(self, index: int, x: Tensor, embedded: Tensor) -> Tensor:
        """What block `index` reads of the residual stream and the embedding."""
        if self.residual_scales is None or self.embedding_scales is None:
            return x
        return self.residual_scales[index] * x + self.embedding_scales[index] * embedded

    def _first_values(self, embedded: Tensor) -> Tensor | None:
        """The first layer's values of the embedding [B, T, width], where the other layers use them."""
        if not self.config.value_from_embedding:
            return None
        first = cast(Block, self.layers[0])
        return first.attention.values(first.attention_norm(embedded).to(self.compute_dtype))

    def _through(self, layer: nn.Module, *inputs: object) -> Tensor:
        """The output of a block, whose activations are kept for the backward pass or not."""
        if self.gradient_checkpointing and self.training and torch.is_grad_enabled():
            return cast(Tensor, checkpoint(layer, *inputs, use_reentrant=False))
        return cast(Tensor, layer(*inputs))


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
