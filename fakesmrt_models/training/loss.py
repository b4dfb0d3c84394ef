"""The loss of a training step: mean cross-entropy of a model on a batch, eager or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor
from torch._inductor import config as inductor
from torch.nn import functional as F

from fakesmrt_models.architecture.transformer import Transformer

LossFunction = Callable[[Tensor, Tensor], Tensor]


def loss_function(model: Transformer, *, compiled: bool) -> LossFunction:
    """The loss of `model` as a function of inputs and targets, both int64 [B, T].

    Args:
        model: computes in its `compute_dtype`.
        compiled: whether torch compiles the function at its first call.

    Returns:
        A function whose value is the mean cross-entropy in nats a token, once differentiable.
    """

    def loss(inputs: Tensor, targets: Tensor) -> Tensor:
        logits = model(inputs).float()
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    if not compiled:
        return loss
    # One compiler, a child of this process: a pool of workers would outlive it when it is killed.
    inductor.compile_threads = 1
    return cast(LossFunction, torch.compile(loss, dynamic=False))
