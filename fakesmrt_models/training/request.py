"""What a training is asked for and what it ends with, as values that a JSON file round-trips.

What lives here: `TrainingRequest`, its fingerprint, `TrainingResult`. What does not: how it is carried out.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from fakesmrt_models.architecture.config import ModelConfig, refuse_unknown_keys
from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.training.model_folder import canonical_json, model_folder, read_manifest
from fakesmrt_models.training.schedule import WHOLE, Schedule
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.identity import fingerprint
from warehouse.tokens.shards import open_split

RESULT_FILE = "result.json"

CODE_VERSION = 1
"""Raised when the same request would end in other weights."""


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Learning rates and their company; the defaults were chosen by short runs of 1mx.

    Attributes:
        matrix_learning_rate: Muon's stable rate.
        embedding_learning_rate: AdamW's stable rate.
        momentum: of Muon, with Nesterov's look-ahead.
        weight_decay: of Muon, decoupled, times the learning rate.
        betas: of AdamW.
    """

    matrix_learning_rate: float = 0.02
    embedding_learning_rate: float = 0.03
    momentum: float = 0.95
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """One training.

    Attributes:
        tokens: folder of shards with their tokenizer.json.
        preset: name of the model's shape.
        seed: of the initial weights and of the order of the data; a branch should have another than its
            trunk.
        bootstrap_seed: of the Poisson replicate; None for all documents.
        minutes: time budget, set-up included; or
        steps: number of optimiser steps. Exactly one of the two.
        initial_model: model folder to start from, in place of new weights; its optimiser state is taken
            where it has one.
        threads: of the processor; part of the result, because sums depend on it.
        batch_tokens: tokens of one step.
        sequence_length: tokens that the model sees at once.
        schedule: of the learning rates.
        optimizer: learning rates and their company.
        compiled: whether to compile the model; None decides by what it saves.
        checkpoint_seconds: longest time between two checkpoints.
    """

    tokens: Path
    preset: str = "1mx"
    seed: int = 0
    bootstrap_seed: int | None = None
    minutes: float | None = None
    steps: int | None = None
    initial_model: Path | None = None
    threads: int = 2
    batch_tokens: int = 8_192
    sequence_length: int = 256
    schedule: Schedule = WHOLE
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    compiled: bool | None = None
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for a training that cannot be."""
        config = preset(self.preset)
        if (self.minutes is None) == (self.steps is None):
            raise InvalidConfiguration("A training needs one budget", "Give either minutes or steps")
        if (self.minutes or self.steps or 0) <= 0:
            raise InvalidConfiguration(
                f"The budget of {self.minutes or self.steps or 0} is not positive",
                "Give more minutes or steps",
            )
        if not 1 <= self.sequence_length <= config.context_length:
            raise InvalidConfiguration(
                f"The preset {self.preset} takes sequences of 1 to {config.context_length} tokens, "
                f"not {self.sequence_length}",
                "Choose another sequence length",
            )
        if self.batch_tokens < self.sequence_length or self.batch_tokens % self.sequence_length:
            raise InvalidConfiguration(
                f"batch_tokens {self.batch_tokens} is no multiple of sequence_length {self.sequence_length}",
                "Choose a multiple",
            )
        if self.threads < 1 or self.seed < 0 or (self.bootstrap_seed or 0) < 0:
            raise InvalidConfiguration("Threads below 1 or a negative seed", "Give positive numbers")

    def to_json(self) -> bytes:
        """Canonical JSON."""
        values = asdict(self)
        paths = {
            name: value and str(value)
            for name, value in values.items()
            if name in {"tokens", "initial_model"}
        }
        return canonical_json(values | paths)

    @classmethod
    def from_json(cls, data: bytes) -> TrainingRequest:
        """Read what `to_json` wrote; raises `InvalidConfiguration` for anything else."""
        values = _object(data, "training request")
        refuse_unknown_keys(values, {known.name for known in fields(cls)}, "training request")
        try:
            optimizer = values["optimizer"] | {"betas": tuple(values["optimizer"]["betas"])}
            parts = {
                "tokens": Path(values["tokens"]),
                "initial_model": values["initial_model"] and Path(values["initial_model"]),
                "schedule": Schedule(**values["schedule"]),
                "optimizer": OptimizerConfig(**optimizer),
            }
            return cls(**(values | parts))
        except (KeyError, TypeError) as error:
            raise InvalidConfiguration(f"A training request is incomplete: {error!r}", "Ask again") from error


def request_config(request: TrainingRequest) -> ModelConfig:
    """The shape of the model that is asked for."""
    return preset(request.preset)


def request_fingerprint(request: TrainingRequest) -> str:
    """Hash of everything that a training's result follows from: contents, not paths, of data and parent.

    Raises:
        InputUnreadable: there are no training shards, or no model to start from.
        CorruptArtefact: they do not hold what their manifests say.
    """
    shards = open_split(request.tokens, "train")
    values = json.loads(request.to_json())
    for name in ("tokens", "initial_model", "checkpoint_seconds"):
        del values[name]
    parent = request.initial_model and read_manifest(model_folder(request.initial_model))["weights_sha256"]
    return fingerprint(
        CODE_VERSION,
        canonical_json(values),
        request_config(request).to_json(),
        str(parent),
        *(f"{shard.manifest.shard_id} {shard.manifest.sha256}" for shard in shards),
    )


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        model: folder of the model.
        preset: name of its shape.
        n_parameters: trainable ones.
        n_steps: optimiser steps taken.
        n_tokens: tokens trained on in these steps.
        seconds: wall time in the loop over all attempts, evaluation included, set-up not.
        tokens_per_second: n_tokens / seconds.
        train_bits_per_byte: of the last logged steps, on the training tokens, markers' nats included.
        validation_bits_per_byte: on a sample of the validation split; None where there is none.
        seed: of initial weights and order.
        bootstrap_seed: of the replicate, or None.
        parent: SHA-256 of the weights that it started from, or None.
        weights_sha256: of the model's safetensors file.
        dtype: of the matrix products, with the reason in `dtype_reason`.
        compiled: whether the model was compiled, with the reason in `compiled_reason`.
        n_steps_reason: how the number of steps came about.
        attempts: processes that worked on it.
        learning_rate: stable rate of the matrices.
        request: fingerprint of what was asked.
    """

    model: Path
    preset: str
    n_parameters: int
    n_steps: int
    n_tokens: int
    seconds: float
    tokens_per_second: float
    train_bits_per_byte: float
    validation_bits_per_byte: float | None
    seed: int
    bootstrap_seed: int | None
    parent: str | None
    weights_sha256: str
    dtype: str
    dtype_reason: str
    compiled: bool
    compiled_reason: str
    n_steps_reason: str
    attempts: int
    learning_rate: float
    request: str

    def to_json(self) -> bytes:
        """Canonical JSON; the model is named by its folder's name."""
        return canonical_json(asdict(self) | {"model": self.model.name})

    @classmethod
    def from_json(cls, data: bytes, folder: Path) -> TrainingResult:
        """Read what `to_json` wrote, for a model in `folder`; raises `CorruptArtefact` for anything else."""
        try:
            values = json.loads(data)
            return cls(**(values | {"model": folder / Path(values["model"]).name}))
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptArtefact(
                f"The result in {folder} cannot be read: {error!r}", "Train again"
            ) from error


def finished_result(request: TrainingRequest, run_dir: Path) -> TrainingResult | None:
    """The result of this very request, if it lies in `run_dir` already.

    Raises:
        InvalidConfiguration: the folder holds the result of another request.
    """
    path = run_dir / RESULT_FILE
    if not path.exists():
        return None
    result = TrainingResult.from_json(path.read_bytes(), run_dir)
    if result.request != request_fingerprint(request):
        raise another_training(run_dir)
    return result


def another_training(run_dir: Path) -> InvalidConfiguration:
    """The refusal to mix two trainings in one folder."""
    return InvalidConfiguration(
        f"{run_dir} holds another training (other data, preset, budget or seed)", "Name another folder"
    )


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError as error:
        raise InvalidConfiguration(f"A {what} is no JSON: {error}", "Ask again") from error
    if not isinstance(values, dict):
        raise InvalidConfiguration(f"A {what} is no JSON object", "Ask again")
    return values
