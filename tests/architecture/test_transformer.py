"""The transformer: causal, windowed where asked, deterministic, and nearly uniform before training."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from fakesmrt_models.architecture.attention import attention_mask
from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import Transformer, initialised

SMALL = replace(PRESETS["56kx"], n_layers=2)


def trained_looking(**changes: object) -> Transformer:
    """A model none of whose matrices is zero, as after training."""
    model = initialised(replace(SMALL, **changes), seed=1)
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.1, generator=generator)
    return model.eval()


def tokens(seed: int = 0) -> torch.Tensor:
    return torch.randint(0, SMALL.vocab_size, (2, 24), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "changes", [{}, {"sliding_window": 5}, {"tied_embeddings": False, "norm_weights": True}]
)
def test_a_token_does_not_see_later_ones(changes: dict[str, object]) -> None:
    model = trained_looking(**changes)
    before, changed = tokens(), tokens()
    changed[:, 15] = (changed[:, 15] + 1) % SMALL.vocab_size
    difference = (model(before) - model(changed)).abs().amax(dim=(0, 2))
    assert difference[:15].max() < 1e-5
    assert difference[15] > 1e-3


def test_a_sliding_window_ends() -> None:
    model = trained_looking(sliding_window=3, n_layers=1)
    before, changed = tokens(), tokens()
    changed[:, 10] = (changed[:, 10] + 1) % SMALL.vocab_size
    difference = (model(before) - model(changed)).abs().amax(dim=(0, 2))
    assert difference[10:13].min() > 1e-4
    assert difference[13:].max() < 1e-5


def test_a_window_as_long_as_the_text_changes_nothing() -> None:
    full, windowed = trained_looking(), trained_looking(sliding_window=24)
    torch.testing.assert_close(full(tokens()), windowed(tokens()))


def test_the_mask_places_queries_at_the_end() -> None:
    assert attention_mask(2, 4, 2).tolist() == [[False, True, True, False], [False, False, True, True]]


def test_positions_matter() -> None:
    """Without RoPE, attention would not tell the order of earlier tokens."""
    model = trained_looking()
    straight, swapped = tokens(), tokens()
    swapped[:, [2, 3]] = swapped[:, [3, 2]]
    assert (model(straight)[:, -1] - model(swapped)[:, -1]).abs().max() > 1e-4


def test_a_new_model_is_near_uniform_and_follows_its_seed() -> None:
    model = initialised(PRESETS["1mx"], seed=3)
    loss = torch.nn.functional.cross_entropy(model(tokens()).flatten(0, 1), tokens(1).flatten())
    assert abs(float(loss.detach()) - math.log(2_048)) < 0.1
    again, other = initialised(PRESETS["1mx"], seed=3), initialised(PRESETS["1mx"], seed=4)
    assert torch.equal(model.embedding.weight, again.embedding.weight)
    assert not torch.equal(model.embedding.weight, other.embedding.weight)


def test_bfloat16_products_stay_near_float32() -> None:
    model = trained_looking()
    exact = model(tokens())
    model.compute_dtype = torch.bfloat16
    rounded = model(tokens())
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).abs().max() < 0.05 * exact.abs().max()
