"""Muon and AdamW: every parameter once, updates near orthogonal, a state that comes back."""

from __future__ import annotations

import pytest
import torch

from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.optimizer import Optimizer, orthogonalised, parameter_groups
from fakesmrt_models.training.request import OptimizerConfig
from fakesmrt_models.training.schedule import BRANCH, COSINE, TRUNK, WHOLE, Schedule, learning_rate_factor
from warehouse.errors import InvalidConfiguration


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_parameter_is_in_exactly_one_group(name: str) -> None:
    with torch.device("meta"):
        model = Transformer(PRESETS[name])
    matrices, rest = parameter_groups(model)
    groups = [*matrices.values(), *rest.values()]
    assert {id(parameter) for parameter in groups} == {id(parameter) for parameter in model.parameters()}
    assert len(groups) == len(list(model.parameters()))
    assert {key for key, parameter in rest.items() if parameter.ndim == 2} == {"embedding.weight"}


def test_one_step_moves_every_parameter() -> None:
    model = initialised(PRESETS["56kx"], 0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0, 0.1)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = Optimizer(model, OptimizerConfig(), torch.float32)
    model(torch.arange(64)[None]).square().mean().backward()
    optimizer.step(1.0)
    for name, parameter in model.named_parameters():
        assert not torch.equal(parameter, before[name]), name
        assert parameter.grad is None


@pytest.mark.parametrize("shape", [(3, 64, 64), (2, 64, 16), (2, 16, 64)])
def test_updates_are_nearly_orthogonal(shape: tuple[int, int, int]) -> None:
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(noise, full_matrices=False)
    spread = left @ torch.diag(torch.linspace(1.0, 0.1, values.shape[1])) @ right
    singular = torch.linalg.svdvals(orthogonalised(spread))
    assert singular.min() > 0.6
    assert singular.max() < 1.3


def test_stacking_changes_nothing() -> None:
    stack = torch.randn(3, 32, 48, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([orthogonalised(matrix[None]) for matrix in stack])
    torch.testing.assert_close(orthogonalised(stack), alone)


def test_the_state_comes_back() -> None:
    def steps(n_steps: int, state: dict[str, torch.Tensor] | None, model: Transformer) -> Optimizer:
        optimizer = Optimizer(model, OptimizerConfig(), torch.float32)
        optimizer.load_state(state or {})
        for _ in range(n_steps):
            model(torch.arange(64)[None]).logsumexp(-1).mean().backward()
            optimizer.step(1.0)
        return optimizer

    whole, halved = initialised(PRESETS["56kx"], 0), initialised(PRESETS["56kx"], 0)
    steps(4, None, whole)
    steps(2, steps(2, None, halved).state(), halved)
    for name, parameter in whole.named_parameters():
        assert torch.equal(parameter, halved.get_parameter(name)), name


def test_the_schedule_warms_up_stays_and_decays() -> None:
    factors = [learning_rate_factor(step, 1_000, WHOLE) for step in range(1_000)]
    assert factors[0] == pytest.approx(1 / 41)
    assert factors[40:400] == [1.0] * 360
    assert factors[-1] == pytest.approx(WHOLE.final_fraction)
    assert sorted(factors[:41]) == factors[:41]
    assert sorted(factors[400:], reverse=True) == factors[400:]


def test_a_cosine_falls_from_the_warm_up_on() -> None:
    factors = [learning_rate_factor(step, 1_000, COSINE) for step in range(1_000)]
    assert sorted(factors[:41]) == factors[:41]
    assert factors[40] == pytest.approx(1.0, abs=1e-4)
    assert sorted(factors[40:], reverse=True) == factors[40:]
    assert factors[40 + 480] == pytest.approx((1 + COSINE.final_fraction) / 2, abs=1e-2)
    assert factors[-1] == pytest.approx(COSINE.final_fraction)


def test_a_branch_begins_where_its_trunk_ends() -> None:
    assert learning_rate_factor(999, 1_000, TRUNK) == learning_rate_factor(0, 1_000, BRANCH) == 1.0


def test_every_length_has_positive_rates() -> None:
    for n_steps in (1, 2, 3, 10):
        assert all(0 < learning_rate_factor(step, n_steps, WHOLE) <= 1 for step in range(n_steps))
        assert all(0 < learning_rate_factor(step, n_steps, COSINE) <= 1 for step in range(n_steps))


def test_a_schedule_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        Schedule(decay_fraction=1.5)
    with pytest.raises(InvalidConfiguration, match="linear, cosine"):
        Schedule(decay="exponential")  # type: ignore[arg-type]  # as a file may say
