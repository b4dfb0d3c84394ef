"""Several models as one batched model: each computes and learns what it would alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.architecture.stacked import stacked_logits
from fakesmrt_models.architecture.transformer import Transformer, initialised
from warehouse.errors import InvalidConfiguration

CHANGES: dict[str, dict[str, object]] = {
    "as Qwen3": {},
    "beyond Qwen3": {"feed_forward": "relu_squared", "logit_softcap": 15.0, "residual_lambdas": True},
    "own output, norm weights, window": {"tied_embeddings": False, "norm_weights": True, "sliding_window": 7},
}


def population(n_models: int, **changes: object) -> list[Transformer]:
    models = [initialised(replace(preset("56kx"), **changes), seed) for seed in range(n_models)]  # type: ignore[arg-type]
    for model in models:
        for parameter in model.parameters():
            # The zeros of a new model would hide most gradients.
            nn.init.normal_(parameter, 0.0, 0.05, generator=torch.Generator().manual_seed(parameter.numel()))
            parameter.data.mul_(1 + models.index(model))
    return models


def gradients(models: list[Transformer], logits: Tensor, tokens: Tensor) -> list[Tensor]:
    for model in models:
        model.zero_grad()
    losses = [F.cross_entropy(own.flatten(0, 1), t.flatten()) for own, t in zip(logits, tokens, strict=True)]
    torch.autograd.backward(torch.stack(losses).sum())
    return [
        parameter.grad for model in models for parameter in model.parameters() if parameter.grad is not None
    ]


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("name", sorted(CHANGES))
def test_stacked_models_compute_and_learn_what_each_does_alone(name: str) -> None:
    models = population(3, **CHANGES[name])
    tokens = torch.randint(0, 512, (3, 2, 20), generator=torch.Generator().manual_seed(0))
    together = stacked_logits(models, tokens)
    alone = torch.stack([model(own) for model, own in zip(models, tokens, strict=True)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)
    expected = gradients(models, alone, tokens)
    for found, wanted in zip(gradients(models, together, tokens), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    assert sum(float(gradient.abs().sum()) > 0 for gradient in expected) == len(expected)


def test_models_of_unlike_shape_are_not_stacked() -> None:
    tokens = torch.zeros(2, 1, 4, dtype=torch.int64)
    unlike = [initialised(preset("56kx"), 0), initialised(replace(preset("56kx"), n_layers=2), 0)]
    with pytest.raises(InvalidConfiguration, match="cannot be stacked"):
        stacked_logits(unlike, tokens)
    with pytest.raises(InvalidConfiguration, match="3 models and 2 batches"):
        stacked_logits([unlike[0]] * 3, tokens)
