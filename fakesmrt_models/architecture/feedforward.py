"""The feed-forward half of a block: SwiGLU (Shazeer 2020, arXiv 2002.05202), or squared ReLU without a gate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fakesmrt_models.architecture.config import ModelConfig


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)), without biases."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.feed_forward_width, bias=False)
        self.up_proj = nn.Linear(config.width, config.feed_forward_width, bias=False)
        self.down_proj = nn.Linear(config.feed_forward_width, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, width] to [B, T, width]; gate and up are one matrix product."""
        weight = torch.cat([self.gate_proj.weight, self.up_proj.weight]).to(x.dtype)
        gate, up = F.linear(x, weight).chunk(2, dim=-1)
        return F.linear(F.silu(gate) * up, self.down_proj.weight.to(x.dtype))


class ReluSquared(nn.Module):
    """down(relu(up(x))²), without biases (So et al. 2021, arXiv 2109.08668)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.up_proj = nn.Linear(config.width, config.feed_forward_width, bias=False)
        self.down_proj = nn.Linear(config.feed_forward_width, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, width] to [B, T, width]."""
        hidden = F.relu(F.linear(x, self.up_proj.weight.to(x.dtype)))
        return F.linear(hidden * hidden, self.down_proj.weight.to(x.dtype))


def feed_forward(config: ModelConfig) -> nn.Module:
    """The module that `config.feed_forward` names."""
    return SwiGLU(config) if config.feed_forward == "swiglu" else ReluSquared(config)
