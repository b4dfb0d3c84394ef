"""The state of a training that goes on: saved whole or not at all, found again after any death.

    checkpoints/step-00000120/weights.safetensors     the model as trained
    checkpoints/step-00000120/average.safetensors     the moving average of its weights, where one was asked for
    checkpoints/step-00000120/optimizer.safetensors   momenta
    checkpoints/step-00000120/generator.safetensors   torch's random number generator, which draws dropout
    checkpoints/step-00000120/state.json              `Plan` and `Position`: schedule, data cursor, metrics
    checkpoints/step-00000120/manifest.json           SHA-256 of each file

Kept are the last two, the one with the lowest validation figure, and those of every so many steps that were asked for.

What lives here: saving, finding and keeping them. What does not: finished models (``checkpoint.py``).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from fakesmrt_models.training.checkpoint import tensors_from
from fakesmrt_models.training.data import Cursor
from fakesmrt_models.training.model_folder import STATE_FILE, canonical_json
from fakesmrt_models.training.plan import Plan
from fakesmrt_models.training.request import another_training
from warehouse.errors import CorruptArtefact, TrainingFailed
from warehouse.files import file_sha256, sync_folder, write_bytes_whole, written_whole

CHECKPOINTS = "checkpoints"
MANIFEST_FILE = "manifest.json"
N_KEPT = 2

Tensors = Mapping[str, Tensor]


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
        best_bits_per_byte: lowest measured.
        best_step: steps after which that was.
        n_since_best: measurements since then.
        ended_early: whether the rule of early stopping has ended the training.
        seconds: wall time in the loop so far, all attempts.
        metrics_position: length of the metrics file in bytes.
    """

    step: int = 0
    cursor: Cursor = Cursor()  # noqa: RUF009  # frozen
    loss_sum: float = 0.0
    n_losses: int = 0
    train_bits_per_byte: float | None = None
    validation_bits_per_byte: float | None = None
    best_bits_per_byte: float | None = None
    best_step: int | None = None
    n_since_best: int = 0
    ended_early: bool = False
    seconds: float = 0.0
    metrics_position: int = 0


@dataclass(frozen=True)
class SavedState:
    """A checkpoint as read back; `average` is empty where none was asked for."""

    plan: Plan
    position: Position
    weights: Tensors
    average: Tensors
    optimizer: Tensors
    generator: Tensor


def save_state(run_dir: Path, state: SavedState, keep_every: int | None) -> None:
    """Save a checkpoint, then drop those that are not kept.

    Raises:
        TrainingFailed: the disk is full, or refuses to write; the checkpoints before stay.
    """
    folder = run_dir / CHECKPOINTS / folder_name(state.position.step)
    partial = folder.with_name(f".{os.getpid()}.{folder.name}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(partial, state)
        _discard(folder)
        partial.rename(folder)
        sync_folder(folder.parent)
        drop_others(run_dir, state.position.best_step, keep_every)
    except (OSError, SafetensorError) as error:
        raise TrainingFailed(
            f"The checkpoint of step {state.position.step} could not be saved in {run_dir}: {error}",
            "Free some space and run the same command again; the last checkpoint is kept",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def folder_name(step: int) -> str:
    """Name of the checkpoint after `step` steps."""
    return f"step-{step:08d}"


def saved_folders(run_dir: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted((run_dir / CHECKPOINTS).glob("step-*"))


def kept_steps(steps: Iterable[int], best_step: int | None, keep_every: int | None) -> set[int]:
    """Which of the checkpoints after `steps` are kept: the last two, the best, and the regular ones."""
    ordered = sorted(steps)
    regular = {step for step in ordered if keep_every and step and step % keep_every == 0}
    return set(ordered[-N_KEPT:]) | regular | {step for step in ordered if step == best_step}


def drop_others(run_dir: Path, best_step: int | None, keep_every: int | None) -> None:
    """Remove the checkpoints that are not kept, and what killed processes left of unfinished ones."""
    by_step = {int(folder.name.removeprefix("step-")): folder for folder in saved_folders(run_dir)}
    for step in by_step.keys() - kept_steps(by_step, best_step, keep_every):
        _discard(by_step[step])
    for unfinished in (run_dir / CHECKPOINTS).glob(".*.step-*"):
        shutil.rmtree(unfinished)


def latest_state(run_dir: Path, request: str) -> SavedState | None:
    """The newest sound checkpoint of the request with this fingerprint; None where there is none at all.

    Each that is not sound is named on the standard error.

    Raises:
        InvalidConfiguration: the checkpoints are of another request.
        CorruptArtefact: there are checkpoints, and none is sound.
    """
    problem: CorruptArtefact | None = None
    for folder in reversed(saved_folders(run_dir)):
        try:
            state = read_state(folder)
        except CorruptArtefact as error:
            sys.stderr.write(f"fakesmrt: {error.cause}; the one before is tried\n")
            problem = error
            continue
        if state.plan.request != request:
            raise another_training(run_dir)
        return state
    if problem is not None:
        raise problem
    return None


def read_state(folder: Path) -> SavedState:
    """The checkpoint in `folder`; raises `CorruptArtefact` where a file is not what the manifest says."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
        changed = [name for name in manifest if file_sha256(folder / name).hex() != manifest[name]]
        stored = json.loads((folder / STATE_FILE).read_bytes())
        plan = Plan(**stored["plan"])
        position = Position(**(stored["position"] | {"cursor": Cursor(**stored["position"]["cursor"])}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptArtefact(f"The checkpoint {folder} cannot be read: {error!r}", "Remove it") from error
    if changed:
        raise CorruptArtefact(
            f"{folder / changed[0]} does not have the hash that the checkpoint's manifest states", "Remove it"
        )
    return SavedState(
        plan=plan,
        position=position,
        weights=_tensors(folder, manifest, "weights"),
        average=_tensors(folder, manifest, "average"),
        optimizer=_tensors(folder, manifest, "optimizer"),
        generator=_tensors(folder, manifest, "generator")["generator"],
    )


def _write(folder: Path, state: SavedState) -> None:
    """Write the files of a checkpoint, the manifest last."""
    parts: dict[str, Tensors] = {
        "weights": state.weights,
        "average": state.average,
        "optimizer": state.optimizer,
        "generator": {"generator": state.generator},
    }
    for name, tensors in parts.items():
        if tensors:
            with written_whole(folder / f"{name}.safetensors") as path:
                # Straight to the file: a copy in memory would be the largest thing there.
                save_file({key: tensor.detach().contiguous() for key, tensor in tensors.items()}, path)
    stored = {"plan": asdict(state.plan), "position": asdict(state.position)}
    write_bytes_whole(folder / STATE_FILE, canonical_json(stored))
    hashes = {path.name: file_sha256(path).hex() for path in sorted(folder.iterdir())}
    write_bytes_whole(folder / MANIFEST_FILE, canonical_json(hashes))


def _tensors(folder: Path, manifest: Mapping[str, str], part: str) -> dict[str, Tensor]:
    path = folder / f"{part}.safetensors"
    return tensors_from(path.read_bytes(), path) if path.name in manifest else {}


def _discard(folder: Path) -> None:
    """Remove a checkpoint; a kill on the way leaves no half of it under its name."""
    if folder.exists():
        hidden = folder.with_name(f".{os.getpid()}.old.{folder.name}")
        folder.rename(hidden)
        shutil.rmtree(hidden)
