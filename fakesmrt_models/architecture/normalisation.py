"""Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv 1910.07467)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RMSNorm(nn.Module):
    """Divide each vector of the last dimension by its root mean square; apply the learned gain, if any."""

    def __init__(self, width: int, epsilon: float, *, learned: bool) -> None:
        super().__init__()
        self.width = width
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width)) if learned else None

    def forward(self, x: Tensor) -> Tensor:
        """Same shape and type as `x` [..., width]."""
        return F.rms_norm(x, (self.width,), self.weight, self.epsilon)
