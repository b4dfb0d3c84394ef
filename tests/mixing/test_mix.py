"""The mixer as a whole: from members and shards to a folder that is no worse than the best member."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.mixing.ensembles import load_ensemble
from fakesmrt_models.mixing.mix import mix
from fakesmrt_models.training.checkpoint import save_model
from warehouse.errors import InputUnreadable, InvalidConfiguration

Pool = Callable[[int], list[Path]]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_better_mix_is_written_with_its_evidence(
    branch_pool: Pool, tokens_folder: Path, tmp_path: Path
) -> None:
    members = branch_pool(3)
    result = mix(members, tokens_folder, tmp_path / "mixed", evaluation_tokens=None)
    assert result.accepted
    assert result.method in ("uniform", "ensemble")
    assert result.confirm_gain_low > 0
    assert result.weights == pytest.approx([1 / 3] * 3)
    chosen = result.decision.chosen
    assert result.select_bits_per_byte == min(result.decision.select_bits_per_byte.values())
    assert result.report.bits_per_byte(chosen) < min(
        result.report.bits_per_byte(member) for member in result.members
    )
    load_ensemble(result.checkpoint)
    record = json.loads((result.checkpoint / "mix.json").read_text())
    assert record["decision"]["accepted"]
    assert set(record["report_bits_per_byte"]) == {*result.members, "uniform", "ensemble"}
    with np.load(result.checkpoint / "documents.npz", allow_pickle=False) as documents:
        assert np.array_equal(documents["confirm.nats"], result.confirm.nats)


def test_each_method_can_be_asked_for(branch_pool: Pool, tokens_folder: Path, tmp_path: Path) -> None:
    members = branch_pool(3)
    soup = mix(members, tokens_folder, tmp_path / "soup", method="uniform", evaluation_tokens=None)
    ensemble = mix(members, tokens_folder, tmp_path / "ensemble", method="ensemble", evaluation_tokens=None)
    assert (soup.checkpoint / "model.safetensors").exists()
    assert (ensemble.checkpoint / "ensemble.json").exists()
    # Jensen's inequality: no probability ensemble is worse than the mean of its members.
    scores = ensemble.decision.confirm_bits_per_byte
    assert scores["ensemble"] <= np.mean([scores[name] for name in ensemble.members])


def test_a_refused_mix_leaves_the_best_member_unchanged(
    trunk: Transformer, independent_pool: Pool, tokenizer_file: Path, tokens_folder: Path, tmp_path: Path
) -> None:
    """One trained model and two of random weights: their mean cannot win."""
    strangers = independent_pool(2)
    save_model(tmp_path / "good", trunk, trunk.config, {"parent": None}, tokenizer_file)
    members = [strangers[0], tmp_path / "good", strangers[1]]
    result = mix(members, tokens_folder, tmp_path / "mixed", evaluation_tokens=None)
    assert not result.accepted
    assert result.method == "ensemble"
    assert result.decision.chosen == "good"
    assert result.weights == (0.0, 1.0, 0.0)
    for file in (tmp_path / "good").iterdir():
        assert (result.checkpoint / file.name).read_bytes() == file.read_bytes()
    assert "good" in json.loads((result.checkpoint / "mix.json").read_text())["decision"]["reason"]


def test_bad_members_are_named_and_the_rest_goes_on(
    branch_pool: Pool, tokens_folder: Path, tmp_path: Path
) -> None:
    members = branch_pool(6)
    truncated = members[1] / "model.safetensors"
    truncated.write_bytes(truncated.read_bytes()[:1_000])
    tensors = load_file(members[2] / "model.safetensors")
    tensors["embedding.weight"][0, 0] = np.inf
    save_file(tensors, members[2] / "model.safetensors")
    (members[2] / "manifest.json").write_text('{"parent": "the trunk"}')
    (members[3] / "tokenizer.json").write_text("{}")
    shutil.copytree(members[0], tmp_path / "twin")
    (tmp_path / "empty").mkdir()
    given = [*members, tmp_path / "twin", tmp_path / "empty"]
    result = mix(given, tokens_folder, tmp_path / "mixed", evaluation_tokens=None)
    assert list(result.members) == ["branch-0", "branch-4", "branch-5"]
    assert {folder.name for folder in result.refused} == {"branch-1", "branch-2", "branch-3", "twin", "empty"}
    assert all(folder.name in cause for folder, cause in result.refused.items())
    assert result.weights == pytest.approx([1 / 3, 0, 0, 0, 1 / 3, 1 / 3, 0, 0])


def test_a_pool_without_two_sound_members_is_refused_with_all_causes(
    branch_pool: Pool, tokens_folder: Path, tmp_path: Path
) -> None:
    members = branch_pool(1)
    with pytest.raises(InvalidConfiguration, match="nowhere"):
        mix([*members, tmp_path / "nowhere"], tokens_folder, tmp_path / "mixed")
    assert not (tmp_path / "mixed").exists()


def test_weights_of_independent_models_are_never_averaged(
    independent_pool: Pool, tokens_folder: Path, tmp_path: Path
) -> None:
    members = independent_pool(2)
    with pytest.raises(InvalidConfiguration, match="one trunk"):
        mix(members, tokens_folder, tmp_path / "mixed", method="uniform")
    result = mix(members, tokens_folder, tmp_path / "mixed", method="auto", evaluation_tokens=500)
    assert "uniform" not in result.report.models


def test_an_interrupted_mix_leaves_nothing(branch_pool: Pool, tokens_folder: Path, tmp_path: Path) -> None:
    members = branch_pool(2)
    (tmp_path / "models").mkdir()

    def interrupt(done: float, total: float, note: str) -> None:
        if note.startswith("report"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mix(members, tokens_folder, tmp_path / "models" / "mixed", progress=interrupt)
    assert names(tmp_path / "models") == set()


def test_the_same_mix_has_the_same_bytes(branch_pool: Pool, tokens_folder: Path, tmp_path: Path) -> None:
    members = branch_pool(2)
    first = mix(members, tokens_folder, tmp_path / "first", method="uniform", evaluation_tokens=2_000)
    second = mix(members, tokens_folder, tmp_path / "second", method="uniform", evaluation_tokens=2_000)
    for file in sorted(names(first.checkpoint)):
        assert (first.checkpoint / file).read_bytes() == (second.checkpoint / file).read_bytes()


def test_the_folder_of_a_training_stands_for_its_model(
    branch_pool: Pool, tokens_folder: Path, tmp_path: Path
) -> None:
    members = branch_pool(2)
    for number, member in enumerate(members):
        (tmp_path / f"replicate-{number}").mkdir()
        member.rename(tmp_path / f"replicate-{number}" / "model")
    given = [tmp_path / "replicate-0", tmp_path / "replicate-1" / "model"]
    result = mix(given, tokens_folder, tmp_path / "mixed", evaluation_tokens=1_000)
    assert list(result.members) == ["replicate-0", "replicate-1"]
    load_ensemble(result.checkpoint)


@pytest.mark.parametrize("method", ["slerp", ""])
def test_an_unknown_method_is_refused_with_the_known_ones(
    branch_pool: Pool, tokens_folder: Path, tmp_path: Path, method: str
) -> None:
    with pytest.raises(InvalidConfiguration, match="ensemble"):
        mix(branch_pool(2), tokens_folder, tmp_path / "mixed", method=method)


def test_nothing_is_overwritten(branch_pool: Pool, tokens_folder: Path, tmp_path: Path) -> None:
    members = branch_pool(2)
    with pytest.raises(InvalidConfiguration, match="exists already"):
        mix(members, tokens_folder, members[0])


def test_a_missing_split_is_named(branch_pool: Pool, tokens_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tokens_folder, tmp_path / "tokens", ignore=shutil.ignore_patterns("confirm*"))
    with pytest.raises(InputUnreadable, match="confirm"):
        mix(branch_pool(2), tmp_path / "tokens", tmp_path / "mixed")
