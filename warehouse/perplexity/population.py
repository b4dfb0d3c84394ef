"""A population of trained micromodels as a perplexity reference: their files, pinned in one folder.

    model-0/ model-1/ …  the model folders, unchanged: config.json, model.safetensors, tokenizer.json, manifest.json
    reference.json       written last: which models these are, with the hashes of their weights and tokenizers

What lives here: the files. What does not: asking the models, which is the model floor's work, and which of them may
score a chunk (``warehouse/stages/perplexity.py``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from warehouse.errors import CorruptArtefact, InputUnreadable
from warehouse.files import file_sha256, write_bytes_whole

FORMAT_VERSION = 1
KIND = "micromodel"
MANIFEST = "reference.json"
REMEDY = "Pin the micromodels anew with: fakesmrt build --new-references"

MAX_MODELS = 60
"""Models of a reference are bits of a 64-bit mask."""

MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "manifest.json")


@dataclass(frozen=True)
class PopulationMember:
    """A micromodel: its checkpoint, and its folder."""

    checkpoint_id: UUID
    folder: Path


def population_manifest(members: Sequence[PopulationMember], definition: dict[str, Any]) -> bytes:
    """The content of ``reference.json``.

    Args:
        members: the models, model 0 first.
        definition: what the reference is pinned for.

    Raises:
        InputUnreadable: if a model's files are not there.
    """
    models = [
        {
            "checkpoint_id": str(member.checkpoint_id),
            **{f"{Path(name).stem}_sha256": _sha256(member.folder / name) for name in MODEL_FILES},
        }
        for member in members
    ]
    manifest = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "models": models,
        "notes": [],
        "definition": definition,
    }
    return json.dumps(manifest, sort_keys=True, indent=1).encode()


def save_population(folder: Path, members: Sequence[PopulationMember], manifest: bytes) -> None:
    """Copy the models, then write their manifest."""
    for number, member in enumerate(members):
        for name in MODEL_FILES:
            write_bytes_whole(model_folder(folder, number) / name, (member.folder / name).read_bytes())
    write_bytes_whole(folder / MANIFEST, manifest)


def is_population(folder: Path) -> bool:
    """Whether `folder` holds such a reference; any other kind, or none, does not."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def model_folder(folder: Path, number: int) -> Path:
    """Where model `number` of a reference lies."""
    return folder / f"model-{number}"


def verified_model_folder(folder: Path, number: int) -> Path:
    """The same, after comparing its files with the manifest.

    Raises:
        CorruptArtefact: if the reference has no such model, or a file is not the one that was pinned.
    """
    path = model_folder(folder, number)
    try:
        stated = json.loads((folder / MANIFEST).read_bytes())["models"][number]
        found = {f"{Path(name).stem}_sha256": file_sha256(path / name).hex() for name in MODEL_FILES}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CorruptArtefact(f"{folder} has no model {number} ({error!r})", REMEDY) from error
    if any(stated.get(key) != sha256 for key, sha256 in found.items()):
        raise CorruptArtefact(f"{path} is not the model of its reference", REMEDY)
    return path


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path).hex()
    except OSError as error:
        raise InputUnreadable(
            f"The micromodel's file {path} cannot be read ({error.strerror})", "Run: fakesmrt build models"
        ) from error
