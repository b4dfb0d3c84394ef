"""Means of probabilities, written and read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fakesmrt_models.mixing.ensembles import load_ensemble, uniform_ensemble
from fakesmrt_models.training.checkpoint import load_model
from warehouse.errors import CorruptArtefact, InvalidConfiguration

Pool = Callable[[int], list[Path]]
TOKENS = torch.tensor([[0, 17, 260, 99, 4]])


def test_the_module_returns_the_log_of_the_mean_probabilities(independent_pool: Pool, tmp_path: Path) -> None:
    members = independent_pool(2)
    uniform_ensemble(members, tmp_path / "ensemble", weights=[1.0, 3.0])
    with torch.no_grad():
        probabilities = load_ensemble(tmp_path / "ensemble").module()(TOKENS).exp()
        first, second = (load_model(member).model(TOKENS).softmax(dim=-1) for member in members)
    assert torch.allclose(probabilities, 0.25 * first + 0.75 * second, atol=1e-6)
    assert torch.allclose(probabilities.sum(dim=-1), torch.ones(1, 5), atol=1e-5)


def test_members_are_kept_unchanged(independent_pool: Pool, tmp_path: Path) -> None:
    members = independent_pool(2)
    uniform_ensemble(members, tmp_path / "ensemble")
    for number, member in enumerate(members):
        for file in member.iterdir():
            assert (tmp_path / "ensemble" / str(number) / file.name).read_bytes() == file.read_bytes()
    stored = json.loads((tmp_path / "ensemble" / "ensemble.json").read_text())
    assert stored["members"] == ["0", "1"]
    assert stored["weights"] == [0.5, 0.5]


def test_a_plain_model_is_an_ensemble_of_one(independent_pool: Pool) -> None:
    (member,) = independent_pool(1)
    ensemble = load_ensemble(member)
    assert ensemble.weights == (1.0,)
    with torch.no_grad():
        expected = load_model(member).model(TOKENS).log_softmax(dim=-1)
        assert torch.allclose(ensemble.module()(TOKENS), expected, atol=1e-6)


def test_an_ensemble_is_no_member(independent_pool: Pool, tmp_path: Path) -> None:
    members = independent_pool(2)
    uniform_ensemble(members, tmp_path / "ensemble")
    with pytest.raises(InvalidConfiguration, match="ensemble"):
        uniform_ensemble([members[0], tmp_path / "ensemble"], tmp_path / "nested")


@pytest.mark.parametrize(
    "stored", ["{", "[]", '{"members": ["0", "1"], "weights": [0.5]}', '{"members": [], "weights": []}']
)
def test_a_damaged_ensemble_is_named(independent_pool: Pool, tmp_path: Path, stored: str) -> None:
    uniform_ensemble(independent_pool(2), tmp_path / "ensemble")
    (tmp_path / "ensemble" / "ensemble.json").write_text(stored)
    with pytest.raises(CorruptArtefact, match=r"ensemble\.json"):
        load_ensemble(tmp_path / "ensemble")


def test_a_changed_member_is_named(independent_pool: Pool, tmp_path: Path) -> None:
    uniform_ensemble(independent_pool(2), tmp_path / "ensemble")
    weights = tmp_path / "ensemble" / "1" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CorruptArtefact, match=r"1/model\.safetensors"):
        load_ensemble(tmp_path / "ensemble")
