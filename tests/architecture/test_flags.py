"""What a configuration can ask for beyond the default: each is off by default, does what it says, and is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from fakesmrt_models.architecture.config import ModelConfig, beyond_qwen3
from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.generation.cache import CachedModel
from warehouse.errors import InvalidConfiguration

SMALL = replace(PRESETS["56kx"], n_layers=3, n_kv_heads=2)

FLAGS: dict[str, dict[str, Any]] = {
    "feed_forward": {"feed_forward": "relu_squared"},
    "logit_softcap": {"logit_softcap": 0.5},
    "query_key_gain": {"query_key_gain": None},
    "residual_lambdas": {"residual_lambdas": True},
    "value_from_embedding": {"value_from_embedding": True},
}


def noisy(config: ModelConfig) -> Transformer:
    """A model none of whose parameters has its first value, as after training."""
    model = initialised(config, seed=1)
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.1, generator=generator)
    return model


def tokens(length: int = 24, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, SMALL.vocab_size, (2, length), generator=torch.Generator().manual_seed(seed))


def gradients(model: Transformer) -> dict[str, torch.Tensor]:
    F.cross_entropy(model(tokens()).flatten(0, 1), tokens(seed=1).flatten()).backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert all(gradient is not None for gradient in found.values())
    return {name: gradient for name, gradient in found.items() if gradient is not None}


@pytest.mark.parametrize("name", sorted(FLAGS))
def test_a_flag_is_named(name: str) -> None:
    assert beyond_qwen3(SMALL) == []
    (said,) = beyond_qwen3(replace(SMALL, **FLAGS[name]))
    assert said == f"{name} {json.dumps(FLAGS[name][name])}"


def test_all_flags_are_named_at_once() -> None:
    together = {key: value for flag in FLAGS.values() for key, value in flag.items()}
    assert [said.split()[0] for said in beyond_qwen3(replace(SMALL, **together))] == sorted(FLAGS)


@pytest.mark.parametrize(
    "change", [{"sliding_window": 4}, {"tied_embeddings": False}, {"norm_weights": True}]
)
def test_what_qwen3_has_is_not_beyond_it(change: dict[str, Any]) -> None:
    assert beyond_qwen3(replace(SMALL, **change)) == []


@pytest.mark.parametrize("name", sorted(FLAGS))
def test_a_flag_changes_the_logits_and_trains_every_parameter(name: str) -> None:
    plain, flagged = noisy(SMALL), noisy(replace(SMALL, **FLAGS[name]))
    assert (plain(tokens()) - flagged(tokens())).abs().max() > 1e-3
    assert min(float(gradient.abs().max()) for gradient in gradients(flagged).values()) > 0


@pytest.mark.parametrize("name", ["residual_lambdas", "value_from_embedding"])
def test_learned_scalars_begin_as_the_plain_model(name: str) -> None:
    plain, flagged = noisy(SMALL), Transformer(replace(SMALL, **FLAGS[name]))
    scalars = {key: value for key, value in flagged.state_dict().items() if key not in plain.state_dict()}
    flagged.load_state_dict(plain.state_dict() | scalars)
    torch.testing.assert_close(flagged(tokens()), plain(tokens()))


def test_a_softcap_bounds_the_logits() -> None:
    model = noisy(replace(SMALL, logit_softcap=2.0))
    capped, raw = model(tokens()), F.linear(model.hidden(tokens()), model.output_weight())
    assert raw.abs().max() > 2.0 > capped.abs().max()
    torch.testing.assert_close(capped, 2.0 * torch.tanh(raw / 2.0))


def test_the_first_layers_values_are_the_embeddings() -> None:
    model = noisy(replace(SMALL, value_from_embedding=True))
    with torch.no_grad():
        for layer in model.layers:
            layer.get_parameter("attention.first_value_scale").fill_(0.5)
        first = model.layers[0].get_submodule("attention")
        embedded = model.embedding(tokens())
        expected = F.linear(
            F.rms_norm(embedded, (SMALL.width,), None, 1e-6), first.get_parameter("v_proj.weight")
        )
        torch.testing.assert_close(model._first_values(embedded).flatten(2), expected)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(FLAGS))
def test_reading_token_by_token_gives_the_same_logits(name: str) -> None:
    model = noisy(replace(SMALL, **FLAGS[name])).eval()
    sequence = tokens(10)[0]
    with torch.inference_mode():
        cached = CachedModel(model)
        stepwise = torch.stack([cached.next_logits(token[None]) for token in sequence])
        torch.testing.assert_close(stepwise, model(sequence[None])[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("window", [None, 1, 5, 24])
@pytest.mark.parametrize("n_kv_heads", [1, 2])
def test_attention_is_softmax_over_the_window(window: int | None, n_kv_heads: int) -> None:
    """Grouped queries and the window, against attention written out with a mask."""
    config = replace(SMALL, sliding_window=window, n_kv_heads=n_kv_heads)
    attention = noisy(config).layers[0].get_submodule("attention")
    generator = torch.Generator().manual_seed(3)
    heads, length, head_width = config.n_heads, 24, config.head_width
    queries = torch.randn(2, heads, length, head_width, generator=generator)
    keys, values = torch.randn(2, 2, n_kv_heads, length, head_width, generator=generator)
    every_key = keys.repeat_interleave(heads // n_kv_heads, dim=1)
    scores = queries @ every_key.mT / head_width**0.5
    age = torch.arange(length)[:, None] - torch.arange(length)[None, :]
    seen = (age >= 0) & (age < (window or length))
    weights = scores.masked_fill(~seen, -torch.inf).softmax(dim=-1)
    expected = weights @ values.repeat_interleave(heads // n_kv_heads, dim=1)
    torch.testing.assert_close(attention._attend(queries, keys, values), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.2}, {"value_from_embedding": True}])
def test_gradient_checkpointing_gives_the_same_gradients(changes: dict[str, Any]) -> None:
    model = noisy(replace(SMALL, **changes))
    torch.manual_seed(4)
    kept = gradients(model)
    model.zero_grad()
    model.gradient_checkpointing = True
    torch.manual_seed(4)
    computed_again = gradients(model)
    for name, gradient in kept.items():
        assert torch.equal(gradient, computed_again[name]), name


def test_dropout_is_for_training_alone_and_follows_the_generator() -> None:
    plain, dropping = noisy(SMALL), noisy(replace(SMALL, dropout=0.3))
    torch.testing.assert_close(dropping.eval()(tokens()), plain.eval()(tokens()))
    dropping.train()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second = dropping(tokens()), dropping(tokens())
    assert not torch.equal(first, second)
    torch.set_rng_state(state)
    assert torch.equal(dropping(tokens()), first)


def test_an_untied_head_is_a_matrix_of_its_own() -> None:
    tied, untied = noisy(SMALL), noisy(replace(SMALL, tied_embeddings=False))
    assert tied.output_weight() is tied.embedding.weight
    assert untied.output_weight() is not untied.embedding.weight
    with torch.no_grad():
        untied.output_weight().zero_()
    assert not untied(tokens()).any()


def test_a_configuration_of_before_the_flags_still_opens() -> None:
    """Stored models have the keys of their time."""
    older = json.loads(PRESETS["1mx"].to_json())
    for name in ("dropout", "feed_forward", "logit_softcap", "residual_lambdas", "value_from_embedding"):
        del older[name]
    assert ModelConfig.from_json(json.dumps(older)) == PRESETS["1mx"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"dropout": 1.0}, r"dropout is 1\.0"),
        ({"feed_forward": "swigloo"}, "'swigloo': the nearest is swiglu"),
        ({"logit_softcap": 0.0}, r"logit_softcap is 0\.0"),
        ({"query_key_gain": 0.0}, r"query_key_gain is 0\.0"),
        ({"norm_epsilon": float("nan")}, "norm_epsilon is nan"),
        ({"rope_theta": float("inf")}, "rope_theta is inf"),
    ],
)
def test_a_setting_out_of_range_is_refused(change: dict[str, Any], cause: str) -> None:
    with pytest.raises(InvalidConfiguration, match=cause):
        replace(SMALL, **change)
