"""The gradient of a step: the same in one batch or in several, measured, clipped, refused if not finite."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.distributed import Processes
from fakesmrt_models.training.gradient import Gradient, clip, step_gradient
from fakesmrt_models.training.loss import loss_function


@pytest.fixture
def model() -> Transformer:
    return initialised(PRESETS["56kx"], 0)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    stream = torch.randint(0, 512, (8 * 64 + 1,), generator=torch.Generator().manual_seed(0))
    return stream[:-1].view(8, 64), stream[1:].view(8, 64)


def gradient_of(
    model: Transformer, batch: tuple[Tensor, Tensor], accumulation: int
) -> tuple[Gradient, list[Tensor]]:
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.grad = None
    loss = loss_function(model, compiled=False, native=False)
    gradient = step_gradient(loss, parameters, *batch, accumulation, Processes())
    return gradient, [parameter.grad.clone() for parameter in parameters if parameter.grad is not None]


@pytest.mark.parametrize("accumulation", [2, 4, 8])
def test_micro_batches_add_up_to_the_gradient_of_the_batch(
    model: Transformer, batch: tuple[Tensor, Tensor], accumulation: int
) -> None:
    whole, tensors = gradient_of(model, batch, 1)
    parts, others = gradient_of(model, batch, accumulation)
    torch.testing.assert_close(others, tensors)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    assert parts.norm == pytest.approx(whole.norm, rel=1e-5)


def test_the_norm_is_that_of_all_gradients_together(model: Transformer, batch: tuple[Tensor, Tensor]) -> None:
    gradient, tensors = gradient_of(model, batch, 1)
    assert gradient.norm == pytest.approx(math.sqrt(sum(float(t.square().sum()) for t in tensors)), rel=1e-5)


def test_a_larger_gradient_is_scaled_down_and_a_smaller_left(
    model: Transformer, batch: tuple[Tensor, Tensor]
) -> None:
    gradient, tensors = gradient_of(model, batch, 1)
    parameters = list(model.parameters())
    clip(parameters, gradient, 2 * gradient.norm)
    torch.testing.assert_close([p.grad for p in parameters], tensors)
    clip(parameters, gradient, gradient.norm / 10)
    torch.testing.assert_close([p.grad for p in parameters], [t / 10 for t in tensors])


def test_what_is_not_finite_is_named() -> None:
    assert Gradient(1.0, 1.0).fault is None
    assert Gradient(math.nan, 1.0).fault == "The loss is nan"
    assert Gradient(1.0, math.inf).fault == "The norm of the gradient is inf"
