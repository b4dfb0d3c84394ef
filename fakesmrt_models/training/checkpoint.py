"""A model as a folder: ``config.json``, ``model.safetensors``, ``tokenizer.json``, ``manifest.json``.

What lives here: writing and reading finished models, whole or absent. What does not: the state of a training
that goes on (``resume.py``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.training.model_folder import canonical_json, model_folder, read_file, read_manifest
from warehouse.errors import CorruptArtefact
from warehouse.files import sync_folder, write_bytes_whole

OPTIMIZER_FILE = "optimizer.safetensors"
"""Only in the folder of a trunk."""

RAW_FILE = "raw.safetensors"
"""Only in the folder of a model that is a moving average: the weights that were averaged."""


@dataclass(frozen=True)
class LoadedModel:
    """A model read from its folder, in evaluation mode and float32."""

    config: ModelConfig
    model: Transformer
    manifest: dict[str, Any]
    tokenizer_file: Path


def save_model(
    folder: Path,
    model: Transformer,
    config: ModelConfig,
    manifest: dict[str, Any],
    tokenizer_file: Path,
    optimizer_state: dict[str, Tensor] | None = None,
    raw_weights: dict[str, Tensor] | None = None,
) -> dict[str, Any]:
    """Write a model folder that is whole or absent; an older one at `folder` is replaced.

    Args:
        folder: where the model shall lie.
        model: its parameters are written in float32.
        config: the shape of `model`.
        manifest: JSON values that say where the model comes from.
        tokenizer_file: copied into the folder.
        optimizer_state: written beside, for the branches of a trunk.
        raw_weights: written beside where `model` is their moving average.

    Returns:
        The manifest as written: with ``weights_sha256`` and ``tokenizer_sha256`` added.
    """
    weights = save_tensors(
        {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
    )
    tokenizer = tokenizer_file.read_bytes()
    complete = manifest | {"weights_sha256": _sha256(weights), "tokenizer_sha256": _sha256(tokenizer)}
    partial = folder.with_name(f".{os.getpid()}.{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        write_bytes_whole(partial / "config.json", config.to_json().encode())
        write_bytes_whole(partial / "model.safetensors", weights)
        write_bytes_whole(partial / "tokenizer.json", tokenizer)
        for name, tensors in ((OPTIMIZER_FILE, optimizer_state), (RAW_FILE, raw_weights)):
            if tensors is not None:
                write_bytes_whole(partial / name, save_tensors(tensors))
        write_bytes_whole(partial / "manifest.json", canonical_json(complete))
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return complete


def load_model(folder: Path) -> LoadedModel:
    """Read a model folder, or the model in the folder of a training.

    Raises:
        InputUnreadable: there is no model at `folder`.
        CorruptArtefact: a file does not hold what the manifest or the configuration says.
    """
    folder = model_folder(folder)
    config = ModelConfig.from_json(read_file(folder, "config.json"), folder / "config.json")
    manifest = read_manifest(folder)
    weights = read_file(folder, "model.safetensors")
    for name, data, key in (
        ("model.safetensors", weights, "weights_sha256"),
        ("tokenizer.json", read_file(folder, "tokenizer.json"), "tokenizer_sha256"),
    ):
        if manifest.get(key, _sha256(data)) != _sha256(data):
            raise CorruptArtefact(
                f"{folder / name} is not the file of its manifest", "Train or copy the model again"
            )
    model = Transformer(config)
    model.load_state_dict(_tensors(weights, model, folder))
    return LoadedModel(config, model.eval(), manifest, folder / "tokenizer.json")


def read_optimizer_state(folder: Path) -> dict[str, Tensor] | None:
    """The optimiser state of a trunk's folder; None where there is none. Raises `CorruptArtefact`."""
    if not (folder / OPTIMIZER_FILE).exists():
        return None
    return tensors_from(read_file(folder, OPTIMIZER_FILE), folder / OPTIMIZER_FILE)


def tensors_from(data: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors in the bytes of the safetensors file `path`; raises `CorruptArtefact` where it is none."""
    try:
        return load_tensors(data)
    except SafetensorError as error:
        raise CorruptArtefact(f"{path} cannot be read: {error}", "Train or copy the model again") from error


def _tensors(weights: bytes, model: Transformer, folder: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, after comparing names and shapes with the model's."""
    tensors = tensors_from(weights, folder / "model.safetensors")
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != expected:
        differing = sorted(set(expected.items()) ^ set(found.items()))
        raise CorruptArtefact(
            f"{folder / 'model.safetensors'} has not the tensors of config.json: {differing[0][0]}",
            "Copy both files from the same model",
        )
    return tensors


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
