"""The files of a model folder that are read without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from warehouse.errors import CorruptArtefact, InputUnreadable
from warehouse.files import fetched_folder

STATE_FILE = "state.json"
"""Only in a checkpoint of a training that goes on."""


def model_folder(path: Path) -> Path:
    """The model folder that `path` means: itself, or the model with which the training in `path` ended."""
    inner = fetched_folder(path) / "model"
    return inner if (inner / "config.json").is_file() and not (path / "config.json").is_file() else path


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a model folder, without its weights; raises `InputUnreadable` or `CorruptArtefact`."""
    try:
        manifest = json.loads(read_file(folder, "manifest.json"))
    except json.JSONDecodeError as error:
        raise CorruptArtefact(
            f"{folder / 'manifest.json'} is no JSON", "Train or copy the model again"
        ) from error
    if not isinstance(manifest, dict):
        raise CorruptArtefact(
            f"{folder / 'manifest.json'} is no JSON object", "Train or copy the model again"
        )
    return manifest


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys: equal values have equal bytes; ValueError for a number that is not finite."""
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def read_file(folder: Path, name: str) -> bytes:
    """The bytes of a file of a model folder; raises `InputUnreadable`."""
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise InputUnreadable(
            f"There is no model at {folder}: {name} cannot be read ({error.strerror})",
            "Give the folder of a model",
        ) from error
