"""The gradient of one step: of all its micro-batches and processes, finite, measured, and clipped if asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fakesmrt_models.training.distributed import Processes
from fakesmrt_models.training.loss import LossFunction


@dataclass(frozen=True)
class Gradient:
    """What is known of a step's gradient, which itself lies in the parameters.

    Attributes:
        loss: mean cross-entropy of the step's batch before the update, nats a token.
        norm: Euclidean, over all parameters, before clipping.
    """

    loss: float
    norm: float

    @property
    def fault(self) -> str | None:
        """Why the model may not be updated; None where it may."""
        if not math.isfinite(self.loss):
            return f"The loss is {self.loss}"
        return None if math.isfinite(self.norm) else f"The norm of the gradient is {self.norm}"


def step_gradient(
    loss_function: LossFunction,
    parameters: Sequence[nn.Parameter],
    inputs: Tensor,
    targets: Tensor,
    accumulation: int,
    processes: Processes,
) -> Gradient:
    """Put the mean gradient of a batch into `parameters`, which had none.

    Args:
        loss_function: mean cross-entropy of inputs and targets.
        parameters: of the model.
        inputs: int64 [n_sequences, sequence_length], those of all processes.
        targets: the token after each input.
        accumulation: micro-batches that this process cuts its part into, one after another.
        processes: that take a part of the sequences each.
    """
    micro_batches = zip(
        processes.part(inputs).chunk(accumulation),
        processes.part(targets).chunk(accumulation),
        strict=True,
    )
    share = torch.tensor(1.0 / accumulation)
    loss = torch.zeros(())
    for micro_inputs, micro_targets in micro_batches:
        micro_loss = loss_function(micro_inputs, micro_targets)
        torch.autograd.backward(micro_loss, share)
        loss += share * micro_loss.detach()
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    processes.average([loss, *gradients])
    return Gradient(float(loss), float(torch.nn.utils.get_total_norm(gradients)))


def clip(parameters: Sequence[nn.Parameter], gradient: Gradient, largest_norm: float) -> None:
    """Scale the gradients in `parameters` down to `largest_norm`, if theirs is larger."""
    torch.nn.utils.clip_grads_with_norm_(parameters, largest_norm, torch.tensor(gradient.norm))
