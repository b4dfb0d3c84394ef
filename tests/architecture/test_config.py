"""Configurations: exact counts, a JSON round trip, and refusals that name the remedy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakesmrt_models.architecture.config import ModelConfig, n_parameters
from fakesmrt_models.architecture.presets import PRESETS, preset
from fakesmrt_models.architecture.transformer import Transformer
from warehouse.errors import InvalidConfiguration

shapes = st.builds(
    ModelConfig,
    vocab_size=st.integers(2, 40),
    width=st.integers(1, 24),
    n_layers=st.integers(1, 3),
    n_heads=st.sampled_from([2, 4]),
    n_kv_heads=st.sampled_from([1, 2]),
    head_width=st.sampled_from([2, 8]),
    feed_forward_width=st.integers(1, 24),
    norm_weights=st.booleans(),
    tied_embeddings=st.booleans(),
    sliding_window=st.none() | st.integers(1, 8),
    dropout=st.sampled_from([0.0, 0.1]),
    feed_forward=st.sampled_from(["swiglu", "relu_squared"]),
    logit_softcap=st.sampled_from([None, 15.0]),
    residual_lambdas=st.booleans(),
    value_from_embedding=st.booleans(),
)


def module_parameters(config: ModelConfig) -> int:
    return sum(parameter.numel() for parameter in Transformer(config).parameters())


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_the_count_from_the_configuration_is_the_modules(config: ModelConfig) -> None:
    assert n_parameters(config) == module_parameters(config)


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_json_round_trip(config: ModelConfig) -> None:
    assert ModelConfig.from_json(config.to_json()) == config


def test_an_unknown_key_names_the_nearest() -> None:
    values = json.loads(PRESETS["1mx"].to_json()) | {"n_layer": 3}
    with pytest.raises(InvalidConfiguration, match=r"'n_layer'.*the nearest is n_layers"):
        ModelConfig.from_json(json.dumps(values))


def test_a_missing_key_is_named() -> None:
    values = json.loads(PRESETS["1mx"].to_json())
    del values["width"]
    with pytest.raises(InvalidConfiguration, match="width"):
        ModelConfig.from_json(json.dumps(values))


@pytest.mark.parametrize("text", [b"", b"[1]", b"{", b'{"width": "\xe9"}', b"[" * 100_000])
def test_other_json_is_refused_and_its_file_named(text: bytes) -> None:
    with pytest.raises(InvalidConfiguration, match=r"my/config\.json: A model configuration"):
        ModelConfig.from_json(text, Path("my/config.json"))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("width", "64", "a whole number"), ("width", 64.5, "a whole number"), ("n_heads", True, "a whole number"),
        ("n_layers", None, "a whole number"), ("dropout", "0", "a number"), ("rope_theta", None, "a number"),
        ("sliding_window", 4.0, "a whole number or null"), ("tied_embeddings", 1, "true or false"),
        ("feed_forward", ["swiglu"], "a name"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(name: str, value: object, wanted: str) -> None:
    values = json.loads(PRESETS["1mx"].to_json()) | {name: value}
    with pytest.raises(InvalidConfiguration) as refused:
        ModelConfig.from_json(json.dumps(values))
    assert str(refused.value) == f"{name} is {json.dumps(value)}. Give {wanted}."


def test_an_unknown_preset_offers_the_nearest() -> None:
    with pytest.raises(InvalidConfiguration, match="the nearest is 1mx"):
        preset("1xm")


@pytest.mark.parametrize(
    ("change", "named"),
    [({"n_kv_heads": 3}, "n_kv_heads"), ({"head_width": 5}, "head_width"), ({"n_layers": 0}, "n_layers")],
)
def test_shapes_that_cannot_be_built_are_refused(change: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidConfiguration, match=named):
        replace(PRESETS["1mx"], **change)
