"""The named shapes: exactly as many parameters as the name says, counted twice."""

from __future__ import annotations

import pytest
import torch

from fakesmrt_models.architecture.config import beyond_qwen3, n_parameters, parameters_by_component
from fakesmrt_models.architecture.presets import DENSE, GPT_STYLE, LADDER, PRESETS, VARIANTS, preset
from fakesmrt_models.architecture.transformer import Transformer

MX = 1_048_576


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_module_has_the_parameters_that_are_counted(name: str) -> None:
    with torch.device("meta"):
        model = Transformer(PRESETS[name])
    assert n_parameters(PRESETS[name]) == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("name", "count"),
    [("56kx", 57_344), ("1mx", MX), ("2mx", 2 * MX), ("4mx", 4 * MX), ("8mx", 8 * MX), ("16mx", 16 * MX)],
)
def test_names_in_mx_are_exact(name: str, count: int) -> None:
    assert n_parameters(preset(name)) == count


@pytest.mark.parametrize("name", sorted(LADDER | VARIANTS))
def test_shapes_around_1mx_have_its_number_of_parameters(name: str) -> None:
    assert n_parameters(preset(name)) == MX


@pytest.mark.parametrize("name", sorted(LADDER))
def test_a_rung_of_the_ladder_bears_its_vocabulary(name: str) -> None:
    assert name == f"1mx-v{preset(name).vocab_size}"
    assert preset(name).n_layers == preset("1mx").n_layers


def test_1mx_is_the_shape_of_the_design() -> None:
    assert parameters_by_component(preset("1mx")) == {
        "embedding": 262_144, "attention": 196_608, "feed_forward": 589_824, "norm": 0, "scalars": 0, "output": 0,
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(DENSE))
def test_dense_presets_have_about_the_millions_of_their_name(name: str) -> None:
    assert n_parameters(preset(name)) == pytest.approx(1e6 * float(name.removesuffix("m")), rel=0.01)


@pytest.mark.parametrize(("name", "millions"), [("tiny", 50), ("small", 100), ("medium", 300)])
def test_gpt_style_presets_have_full_heads(name: str, millions: int) -> None:
    config = GPT_STYLE[name]
    assert n_parameters(config) == pytest.approx(1e6 * millions, rel=0.01)
    assert config.n_heads == config.n_kv_heads
    assert config.n_heads * config.head_width == config.width


def test_112m_is_exact() -> None:
    config = preset("112m")
    assert (config.n_layers, config.n_heads, config.n_kv_heads, config.width) == (12, 12, 3, 768)
    assert (config.context_length, config.vocab_size) == (2_048, 49_152)
    assert n_parameters(config) == 112_085_760


def test_only_presets_that_say_so_go_beyond_qwen3() -> None:
    beyond = {name for name, config in PRESETS.items() if beyond_qwen3(config)}
    assert beyond == {"1mx-relu2", "1mx-h2-relu2"}
