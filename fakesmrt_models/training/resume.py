"""The state of a training that goes on: saved whole or not at all, found again after any death.

    checkpoints/step-00000120/state.safetensors     weights, optimiser state, random number generator
    checkpoints/step-00000120/state.json            `Position`, `Plan`, hash of the tensors; written last

What lives here: saving, finding and keeping the last two. What does not: finished models (``checkpoint.py``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save as save_tensors
from torch import Tensor

from fakesmrt_models.training.checkpoint import tensors_from
from fakesmrt_models.training.data import Cursor
from fakesmrt_models.training.model_folder import canonical_json
from fakesmrt_models.training.request import another_training
from warehouse.errors import CorruptArtefact
from warehouse.files import sync_folder, write_bytes_whole

CHECKPOINTS = "checkpoints"
N_KEPT = 2


@dataclass(frozen=True)
class Plan:
    """What was decided at the start and binds every later attempt; each choice with its reason."""

    request: str
    n_steps: int
    n_steps_reason: str
    dtype: str
    dtype_reason: str
    compiled: bool
    compiled_reason: str


@dataclass(frozen=True)
class Position:
    """How far a training is.

    Attributes:
        step: steps taken.
        cursor: where the next batch begins.
        loss_sum: of the steps since the last logged one, nats a token.
        n_losses: how many these are.
        train_bits_per_byte: as last logged.
        validation_bits_per_byte: as last measured.
        seconds: wall time in the loop so far, all attempts.
        metrics_position: length of the metrics file in bytes.
    """

    step: int = 0
    cursor: Cursor = Cursor()  # noqa: RUF009  # frozen
    loss_sum: float = 0.0
    n_losses: int = 0
    train_bits_per_byte: float | None = None
    validation_bits_per_byte: float | None = None
    seconds: float = 0.0
    metrics_position: int = 0


@dataclass(frozen=True)
class SavedState:
    """A checkpoint as read back."""

    plan: Plan
    position: Position
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    generator: Tensor


def save_state(
    run_dir: Path, plan: Plan, position: Position, model: dict[str, Tensor], optimizer: dict[str, Tensor]
) -> None:
    """Save a checkpoint, then drop all but the last two."""
    tensors = {f"model/{name}": tensor.detach().contiguous() for name, tensor in model.items()}
    tensors |= {f"optimizer/{name}": tensor.detach().contiguous() for name, tensor in optimizer.items()}
    data = save_tensors(tensors | {"generator": torch.get_rng_state()})
    folder = run_dir / CHECKPOINTS / f"step-{position.step:08d}"
    partial = folder.with_name(f".{os.getpid()}.{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        write_bytes_whole(partial / "state.safetensors", data)
        stored = {
            "plan": asdict(plan),
            "position": asdict(position),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        write_bytes_whole(partial / "state.json", canonical_json(stored))
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for old in saved_folders(run_dir)[:-N_KEPT]:
        shutil.rmtree(old)


def saved_folders(run_dir: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted((run_dir / CHECKPOINTS).glob("step-*"))


def latest_state(run_dir: Path, request: str) -> SavedState | None:
    """The newest sound checkpoint of the request with this fingerprint; None where there is none at all.

    Raises:
        InvalidConfiguration: the checkpoints are of another request.
        CorruptArtefact: there are checkpoints, and none is sound.
    """
    folders = saved_folders(run_dir)
    problem: CorruptArtefact | None = None
    for folder in reversed(folders):
        try:
            state = _read_state(folder)
        except CorruptArtefact as error:
            problem = error
            continue
        if state.plan.request != request:
            raise another_training(run_dir)
        return state
    if problem is not None:
        raise problem
    return None


def _read_state(folder: Path) -> SavedState:
    try:
        data = (folder / "state.safetensors").read_bytes()
        stored = json.loads((folder / "state.json").read_bytes())
        plan = Plan(**stored["plan"])
        position = Position(**(stored["position"] | {"cursor": Cursor(**stored["position"]["cursor"])}))
        sound = stored["sha256"] == hashlib.sha256(data).hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptArtefact(f"The checkpoint {folder} cannot be read: {error!r}", "Remove it") from error
    if not sound:
        raise CorruptArtefact(f"The checkpoint {folder} does not have the hash that it states", "Remove it")
    tensors = tensors_from(data, folder / "state.safetensors")
    return SavedState(
        plan, position, _below(tensors, "model/"), _below(tensors, "optimizer/"), tensors["generator"]
    )


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
