"""Estimates against what torch really keeps for the backward pass; whole processes are measured by a benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.estimates import Memory, StepShape, block_bytes_per_token, estimate
from fakesmrt_models.training.loss import loss_function
from fakesmrt_models.training.measured_speed import MEASURED_FLOPS, MachineSpeed, measured_batch
from fakesmrt_models.training.optimizer import Optimizer
from fakesmrt_models.training.request import OptimizerConfig
from fakesmrt_models.training.utilisation import flops_per_token

SHAPE = StepShape(batch_size=4, sequence_length=64, compiled=False)


def kept_bytes(model: Transformer, loss: Callable[[Tensor, Tensor], Tensor], shape: StepShape) -> int:
    """Bytes of all storages that the backward pass will want, parameters aside."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    tokens = torch.zeros(shape.batch_size, shape.sequence_length, dtype=torch.int64)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss(tokens, tokens)
    return sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in own)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("name", ["1mx", "1mx-h2", "1mx-relu2"])
def test_a_block_keeps_what_is_counted(name: str, native: bool) -> None:
    """The difference between two depths is that of blocks alone; weights cast for the products are left out."""
    shape = replace(SHAPE, native=native, batch_size=64)
    kept = []
    for n_layers in (1, 3):
        config = replace(PRESETS[name], n_layers=n_layers)
        model = initialised(config, 0).train()
        model.compute_dtype = torch.bfloat16
        kept.append(kept_bytes(model, loss_function(model, compiled=False, native=native), shape))
    measured = (kept[1] - kept[0]) / 2 / shape.n_tokens
    assert block_bytes_per_token(PRESETS[name], shape) == pytest.approx(measured, rel=0.1)


@pytest.mark.parametrize("name", ["56kx", "1mx", "1mx-relu2"])
def test_the_optimizer_holds_what_is_counted(name: str) -> None:
    model = initialised(PRESETS[name], 0)
    optimizer = Optimizer(model, OptimizerConfig(), torch.float32)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step(1.0)
    held = sum(tensor.nbytes for tensor in optimizer.state().values() if tensor.ndim)
    assert estimate(PRESETS[name], SHAPE).memory.optimizer == held


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_more_costs_more(name: str) -> None:
    config = PRESETS[name]
    shape = replace(SHAPE, sequence_length=config.context_length)
    least = estimate(config, shape).memory_bytes
    assert estimate(config, replace(shape, averaged=True)).memory_bytes > least
    assert (
        estimate(config, replace(shape, compiled=True)).memory.process
        > estimate(config, shape).memory.process
    )
    # Checkpointing a single block only keeps its input twice.
    again = estimate(config, replace(shape, gradient_checkpointing=True)).memory
    assert again.activations < estimate(config, shape).memory.activations or config.n_layers == 1


def test_the_peak_is_the_largest_moment() -> None:
    memory = Memory(
        process=1_000, weights=100, gradients=100, optimizer=100, update=50, average=0, activations=40, logits=5,
        evaluation=10,
    )  # fmt: skip
    assert memory.peak() == 1_000 + 200 + 150 + 4, "the update"
    assert replace(memory, activations=400).peak() == 1_000 + 200 + 405 + 4, "the backward pass"
    assert replace(memory, evaluation=1_000).peak() == 1_000 + 200 + 1_000 + 60, "the evaluation"


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_measured_step_takes_about_a_second(name: str) -> None:
    config: ModelConfig = PRESETS[name]
    batch_size, length = measured_batch(config, 8_192 // config.context_length, config.context_length)
    assert batch_size >= 1
    assert length <= config.context_length
    flops = batch_size * length * flops_per_token(config, config.context_length)
    assert flops <= max(MEASURED_FLOPS, 64 * flops_per_token(config, config.context_length))


def test_speed_follows_width(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(config: ModelConfig, seconds: float, threads: int) -> float:
        assert (seconds, threads) == (0.5, 2)
        return {128: 1e11, 512: 4e11}[config.width]

    monkeypatch.setattr("fakesmrt_models.training.measured_speed._operations_per_second", measured)
    machine = MachineSpeed(1.0, 2)

    def rate(name: str) -> float:
        return machine.tokens_per_second(PRESETS[name], 256) * flops_per_token(PRESETS[name], 256)

    assert rate("1mx") == pytest.approx(1e11)
    assert rate("4mx") == pytest.approx(2e11)
    assert rate("112m") == pytest.approx(4e11), "beyond the widest it stays"
