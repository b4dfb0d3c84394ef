"""Means of weights, and what is refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from fakesmrt_models.mixing.soups import uniform_soup
from fakesmrt_models.training.checkpoint import load_model
from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration

Pool = Callable[[int], list[Path]]


def spoil(folder: Path) -> None:
    """Forget the hash of the weights, so that only the content of the file can be at fault."""
    (folder / "manifest.json").write_text('{"parent": "the trunk"}')


def test_a_soup_is_the_mean_of_its_members(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(3)
    assert uniform_soup(members, tmp_path / "soup") == pytest.approx([1 / 3] * 3)
    soup = load_file(tmp_path / "soup" / "model.safetensors")
    tensors = [load_file(member / "model.safetensors") for member in members]
    for name, mean in soup.items():
        expected = np.mean([tensor[name].astype(np.float64) for tensor in tensors], axis=0)
        assert mean.dtype == np.float32
        assert np.allclose(mean, expected, rtol=1e-6, atol=1e-8)
    loaded = load_model(tmp_path / "soup")
    assert loaded.manifest["parent"] == "the trunk"
    assert [parent["weight"] for parent in loaded.manifest["members"]] == pytest.approx([1 / 3] * 3)


def test_weights_are_normalised(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(2)
    assert uniform_soup(members, tmp_path / "soup", weights=[3.0, 1.0]) == [0.75, 0.25]
    first, second = (load_file(member / "model.safetensors") for member in members)
    for name, mean in load_file(tmp_path / "soup" / "model.safetensors").items():
        assert np.allclose(mean, 0.75 * first[name] + 0.25 * second[name], atol=1e-6)


def test_the_order_of_bytes_does_not_depend_on_the_run(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(2)
    for name in ("first", "second"):
        uniform_soup(members, tmp_path / name)
    for file in ("model.safetensors", "manifest.json"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0], [-1.0, 2.0], [float("nan"), 1.0]])
def test_weights_without_meaning_are_refused(
    branch_pool: Pool, tmp_path: Path, weights: Sequence[float]
) -> None:
    with pytest.raises(InvalidConfiguration, match="weights"):
        uniform_soup(branch_pool(2), tmp_path / "soup", weights=weights)


def test_a_pool_of_one_is_refused(branch_pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="two members"):
        uniform_soup(branch_pool(1), tmp_path / "soup")


def test_independent_models_are_refused_with_the_way_out(independent_pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="one trunk") as refused:
        uniform_soup(independent_pool(2), tmp_path / "soup")
    assert "ensemble" in refused.value.remedy


def test_values_that_are_not_finite_are_refused_by_name(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(2)
    tensors = load_file(members[1] / "model.safetensors")
    tensors["embedding.weight"][7, 3] = np.nan
    save_file(tensors, members[1] / "model.safetensors")
    spoil(members[1])
    with pytest.raises(CorruptArtefact, match=r"branch-1.*embedding\.weight"):
        uniform_soup(members, tmp_path / "soup")
    assert not (tmp_path / "soup").exists()


def test_a_truncated_file_is_refused_by_name(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(2)
    path = members[1] / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorruptArtefact, match="branch-1"):
        uniform_soup(members, tmp_path / "soup")
    spoil(members[1])
    with pytest.raises(CorruptArtefact, match="branch-1"):
        uniform_soup(members, tmp_path / "soup")


def test_other_shapes_and_tensors_are_refused_by_name(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(2)
    tensors = load_file(members[1] / "model.safetensors")
    tensors["embedding.weight"] = tensors["embedding.weight"][:, :-1].copy()
    save_file(tensors, members[1] / "model.safetensors")
    spoil(members[1])
    with pytest.raises(InvalidConfiguration, match=r"branch-1.*embedding\.weight"):
        uniform_soup(members, tmp_path / "soup")


def test_another_tokenizer_is_refused_by_name(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(2)
    (members[1] / "tokenizer.json").write_text("{}")
    with pytest.raises(InvalidConfiguration, match=r"branch-1.*tokenizer"):
        uniform_soup(members, tmp_path / "soup")


def test_the_same_member_twice_is_refused(branch_pool: Pool, tmp_path: Path) -> None:
    members = branch_pool(1)
    shutil.copytree(members[0], tmp_path / "twin")
    with pytest.raises(InvalidConfiguration, match="same weights"):
        uniform_soup([*members, tmp_path / "twin"], tmp_path / "soup")


def test_a_folder_without_a_model_is_refused_by_name(branch_pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="nowhere"):
        uniform_soup([*branch_pool(1), tmp_path / "nowhere"], tmp_path / "soup")
