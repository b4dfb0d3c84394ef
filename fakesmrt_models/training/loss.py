"""The loss of a training step: mean cross-entropy of a model on a batch, eager or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor
from torch._inductor import config as inductor
from torch.nn import functional as F

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.transformer import Block, Transformer
from fakesmrt_models.kernels import attention as native_attention
from fakesmrt_models.kernels import cross_entropy as native_cross_entropy
from fakesmrt_models.kernels.build import compiler
from fakesmrt_models.kernels.cross_entropy import linear_cross_entropy
from warehouse.errors import TrainingFailed

LossFunction = Callable[[Tensor, Tensor], Tensor]


def choose_native(config: ModelConfig) -> tuple[bool, str]:
    """Whether the native code of ``kernels/`` can train a model of this shape, and why; it is built to know."""
    if compiler() is None:
        return False, "there is no C++ compiler"
    if config.logit_softcap is not None or config.value_from_embedding:
        return False, "native code has neither a logit softcap nor values from the embedding"
    if not native_attention.supported(config.head_width):
        return False, f"native code has no heads of width {config.head_width}"
    try:
        native_attention.prepare(config.head_width)
        native_cross_entropy.prepare()
    except TrainingFailed as error:
        return False, error.cause
    return True, "the C++ compiler has built it"


def loss_function(model: Transformer, *, compiled: bool, native: bool) -> LossFunction:
    """The loss of `model` as a function of inputs and targets, both int64 [B, T].

    Args:
        model: computes in its `compute_dtype`.
        compiled: whether torch compiles the function at its first call.
        native: whether attention and loss go through native code, which is built here if need be.

    Returns:
        A function whose value is the mean cross-entropy in nats a token, once differentiable.
    """
    for layer in model.layers:
        cast(Block, layer).attention.native = native

    def native_loss(inputs: Tensor, targets: Tensor) -> Tensor:
        return linear_cross_entropy(
            model.hidden(inputs).flatten(0, 1), model.output_weight(), targets.flatten()
        )

    def loss(inputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(model(inputs).float().flatten(0, 1), targets.flatten())

    chosen = native_loss if native else loss
    if not compiled:
        return chosen
    # One compiler, a child of this process: a pool of workers would outlive it when it is killed.
    inductor.compile_threads = 1
    return cast(LossFunction, torch.compile(chosen, dynamic=False))
