"""Model folders: whole or absent, and refused when a file is not what the manifest says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import initialised
from fakesmrt_models.training.checkpoint import load_model, save_model
from warehouse.errors import CorruptArtefact, InputUnreadable

CONFIG = PRESETS["56kx"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer.json").write_text("{}")
    save_model(tmp_path / "model", initialised(CONFIG, 1), CONFIG, {"seed": 1}, tmp_path / "tokenizer.json")
    return tmp_path / "model"


def test_a_model_comes_back_with_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    loaded = load_model(folder)
    assert loaded.config == CONFIG
    assert loaded.manifest["seed"] == 1
    assert torch.equal(loaded.model.embedding.weight, initialised(CONFIG, 1).embedding.weight)
    save_model(tmp_path / "again", loaded.model, CONFIG, {"seed": 1}, loaded.tokenizer_file)
    for path in sorted(folder.iterdir()):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_training_folder_stands_for_its_model(folder: Path) -> None:
    assert load_model(folder.parent).config == CONFIG


def test_an_older_model_is_replaced(folder: Path, tmp_path: Path) -> None:
    save_model(folder, initialised(CONFIG, 2), CONFIG, {"seed": 2}, tmp_path / "tokenizer.json")
    assert load_model(folder).manifest["seed"] == 2
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputUnreadable, match=name):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_changed_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with pytest.raises(CorruptArtefact, match=name):
        load_model(folder)


def test_tensors_of_another_shape_are_named(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text()) | {"feed_forward_width": 65}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CorruptArtefact, match=r"layers.0.feed_forward.*_proj"):
        load_model(folder)


def test_a_failed_save_leaves_the_old_model(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_model(
            folder, initialised(CONFIG, 2), CONFIG, {"loss": float("nan")}, tmp_path / "tokenizer.json"
        )
    assert load_model(folder).manifest["seed"] == 1
    assert not list(tmp_path.glob(".*"))
