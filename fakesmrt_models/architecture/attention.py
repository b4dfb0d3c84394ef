"""Causal grouped-query attention with normalised queries and keys."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.rotary import rotate
from fakesmrt_models.kernels import attention as native_attention


class KeyValueStore(Protocol):
    """What one attention layer needs of a generation cache."""

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add `keys` and `values` [B, T, KV heads, head_width] to the earlier ones; return all of them."""
        ...


def attention_mask(n_queries: int, n_keys: int, window: int | None) -> Tensor:
    """Which keys each query may see: bool [n_queries, n_keys]; the last query stands at the last key."""
    query = torch.arange(n_keys - n_queries, n_keys)[:, None]
    key = torch.arange(n_keys)[None, :]
    seen = key <= query
    return seen if window is None else seen & (key > query - window)


class Attention(nn.Module):
    """Softmax attention over the sequence so far, with QK-norm (Henry et al. 2020, arXiv 2010.04245).

    With `native` whole sequences go through the native code of ``kernels/``, which must have been built.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.native = False
        query_width = config.n_heads * config.head_width
        key_width = config.n_kv_heads * config.head_width
        self.q_proj = nn.Linear(config.width, query_width, bias=False)
        self.k_proj = nn.Linear(config.width, key_width, bias=False)
        self.v_proj = nn.Linear(config.width, key_width, bias=False)
        self.o_proj = nn.Linear(query_width, config.width, bias=False)
        self.first_value_scale = nn.Parameter(torch.zeros(())) if config.value_from_embedding else None

    def forward(
        self,
        x: Tensor,
        table: Tensor,
        store: KeyValueStore | None = None,
        first_values: Tensor | None = None,
    ) -> Tensor:
        """Attend.

        Args:
            x: [B, T, width].
            table: rotary table of these T positions.
            store: earlier keys and values of this layer, to which these are added.
            first_values: the first layer's `values` at these positions, where the configuration wants them.

        Returns:
            [B, T, width], to be added to the residual stream.
        """
        projected = self._project(x)
        if self.native and store is None and first_values is None:
            attended = native_attention.attend(projected, table, self._native_shape())
            return F.linear(attended.flatten(2), self.o_proj.weight.to(x.dtype))
        heads = [self.config.n_heads, self.config.n_kv_heads, self.config.n_kv_heads]
        queries, keys, values = torch.split(projected, heads, dim=2)
        queries, keys = self._normalise(queries, table), self._normalise(keys, table)
        if self.first_value_scale is not None and first_values is not None:
            values = values + self.first_value_scale.to(x.dtype) * first_values
        if store is not None:
            keys, values = store.append(keys, values)
        attended = self._attend(queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2))
        return F.linear(attended.transpose(1, 2).flatten(2), self.o_proj.weight.to(x.dtype))

    def values(self, x: Tensor) -> Tensor:
        """The values [B, T, KV heads, head_width] of `x` [B, T, width], for the later layers."""
        projected = F.linear(x, self.v_proj.weight.to(x.dtype))
        return projected.view(*x.shape[:2], self.config.n_kv_heads, self.config.head_width)

    def _project(self, x: Tensor) -> Tensor:
        """Queries, keys and values [B, T, all heads, head_width] by one matrix product, not three small ones."""
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight]).to(x.dtype)
        n_heads = self.config.n_heads + 2 * self.config.n_kv_heads
        return F.linear(x, weight).view(*x.shape[:2], n_heads, self.config.head_width)

    def _native_shape(self) -> native_attention.AttentionShape:
        return native_attention.AttentionShape(
            n_heads=self.config.n_heads,
            n_kv_heads=self.config.n_kv_heads,
            window=self.config.sliding_window,
            query_key_gain=self.config.query_key_gain,
            epsilon=self.config.norm_epsilon,
        )

    def _normalise(self, x: Tensor, table: Tensor) -> Tensor:
        """QK-norm and rotation of [B, T, heads, head_width]; a constant gain commutes with the rotation."""
        gain = self.config.query_key_gain
        if gain is not None:
            x = F.rms_norm(x, (self.config.head_width,), None, self.config.norm_epsilon) * gain
        return rotate(x, table.to(x.dtype))

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """[B, heads, T, head_width] of queries against the last T … all keys."""
        n_queries, n_keys, window = queries.shape[2], keys.shape[2], self.config.sliding_window
        grouped = self.config.n_heads != self.config.n_kv_heads
        if n_queries == n_keys and (window is None or window >= n_keys):
            return F.scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=grouped)
        mask = attention_mask(n_queries, n_keys, window)
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, enable_gqa=grouped)
