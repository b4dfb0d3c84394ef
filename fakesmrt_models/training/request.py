"""What a training is asked for and what it ends with, as values that a JSON file round-trips.

What lives here: `TrainingRequest`, its fingerprint, `TrainingResult`. What does not: how it is carried out.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from fakesmrt_models.architecture.config import ModelConfig, refuse_unknown_keys
from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.training.model_folder import canonical_json, model_folder, read_manifest
from fakesmrt_models.training.schedule import WHOLE, Schedule
from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.identity import fingerprint
from warehouse.tokens.shards import Shard, open_split

REQUEST_FILE = "request.json"
RESULT_FILE = "result.json"

CODE_VERSION = 2
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

    def __post_init__(self) -> None:
        rates = (self.matrix_learning_rate, self.embedding_learning_rate)
        _require(
            all(0 < rate < math.inf for rate in rates),
            f"The learning rates {rates} are not all positive numbers",
            "Give rates above 0, such as 0.02",
        )
        _require(
            self.weight_decay >= 0 and all(0 <= share < 1 for share in (self.momentum, *self.betas)),
            f"{self} has a negative weight decay, or a momentum or beta outside of 0 to 1",
            "Give a decay from 0 up, and momenta from 0 up, below 1",
        )


@dataclass(frozen=True, kw_only=True)
class EarlyStop:
    """When a training ends before its budget: the validation figure no longer falls.

    Attributes:
        patience: evaluations in a row that may pass without a new lowest figure.
        least_gain: bits per byte by which a new lowest figure must lie below the old one to count.
    """

    patience: int = 3
    least_gain: float = 0.0

    def __post_init__(self) -> None:
        if self.patience < 1 or not 0 <= self.least_gain < math.inf:
            raise InvalidConfiguration(
                f"{self} is no rule to stop by", "Give a patience from 1 up and a gain from 0 up"
            )


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """One training.

    Attributes:
        tokens: folder of shards with their tokenizer.json.
        preset: name of the model's shape.
        config: the shape itself, in place of the preset's; then `preset` is only a name that is shown.
        seed: of the initial weights and of the order of the data; a branch should have another than its
            trunk.
        bootstrap_seed: of the Poisson replicate; None for all documents.
        minutes: time budget, set-up included; or
        steps: number of optimiser steps; or
        tokens_budget: number of tokens, rounded up to whole steps. Exactly one of the three.
        initial_model: model folder to start from, in place of new weights; its optimiser state is taken
            where it has one.
        threads: of the processor; part of the result, because sums depend on it.
        processes: that share every step, each its part of the sequences; part of the result like threads.
        batch_tokens: tokens of one step, of all processes and micro-batches together.
        accumulation: micro-batches of one step, whose gradients are added up: less memory, the same step.
        sequence_length: tokens that the model sees at once.
        schedule: of the learning rates.
        optimizer: learning rates and their company.
        clip_norm: largest norm of a step's gradient, which is scaled down to it (Pascanu et al. 2013,
            arXiv 1211.5063); None leaves it. The norm before is logged in either case.
        ema_decay: of the exponential moving average of the weights that becomes the finished model, its raw
            weights beside it; None averages nothing.
        early_stop: when to end before the budget; the finished model is then the one of the lowest
            validation figure. None uses the whole budget.
        gradient_checkpointing: whether each block is computed again in the backward pass, not kept: less
            memory, a third more work, the same gradients.
        compiled: whether to compile the model; None decides by what it saves.
        evaluation_seconds: time between two measurements on the validation sample, made a number of steps at
            the start: by the measured speed in a time budget, else by the speed of an ordinary processor, so
            that the same request is measured at the same steps.
        checkpoint_seconds: longest time between two checkpoints.
        keep_every: the checkpoint of every so many steps is made and kept, beside the last two and the best;
            None keeps only these.
        sample_prompts: texts that the model continues at each evaluation.
        sinks: names of the places beside the run's folder that metrics and samples go to.
    """

    tokens: Path
    preset: str = "1mx"
    config: ModelConfig | None = None
    seed: int = 0
    bootstrap_seed: int | None = None
    minutes: float | None = None
    steps: int | None = None
    tokens_budget: int | None = None
    initial_model: Path | None = None
    threads: int = 2
    processes: int = 1
    batch_tokens: int = 8_192
    accumulation: int = 1
    sequence_length: int = 256
    schedule: Schedule = WHOLE
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    clip_norm: float | None = None
    ema_decay: float | None = None
    early_stop: EarlyStop | None = None
    gradient_checkpointing: bool = False
    compiled: bool | None = None
    evaluation_seconds: float = 120.0
    checkpoint_seconds: float = 30.0
    keep_every: int | None = None
    sample_prompts: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for a training that cannot be."""
        self._require_one_budget()
        self._require_whole_batches()
        _require(self.threads >= 1, "Threads are below 1", "Give a positive number")
        _require(
            self.seed >= 0 and (self.bootstrap_seed or 0) >= 0, "A seed is negative", "Give seeds from 0 up"
        )
        _require(
            self.clip_norm is None or self.clip_norm > 0,
            f"clip_norm is {self.clip_norm}",
            "Give a positive norm, or none",
        )
        _require(
            self.ema_decay is None or 0 < self.ema_decay < 1,
            f"ema_decay is {self.ema_decay}",
            "Give a decay between 0 and 1, such as 0.998, or none",
        )
        _require(
            self.ema_decay is None or self.schedule.decay_fraction > 0,
            "A trunk hands its raw weights to its branches: it has no average",
            "Ask its branches for averages",
        )
        _require(
            self.evaluation_seconds > 0 and self.checkpoint_seconds >= 0 and (self.keep_every or 1) >= 1,
            "The time between evaluations, or between checkpoints, is not positive",
            "Give more seconds, or steps",
        )

    def _require_one_budget(self) -> None:
        given = [value for value in (self.minutes, self.steps, self.tokens_budget) if value is not None]
        _require(
            len(given) == 1,
            "A training needs one budget",
            "Give one of --minutes, --steps or --tokens-budget",
        )
        _require(
            0 < given[0] < math.inf,
            f"The budget of {given[0]} is not positive or has no end",
            "Give more minutes, steps or tokens",
        )

    def _require_whole_batches(self) -> None:
        context_length = request_config(self).context_length
        _require(
            1 <= self.sequence_length <= context_length,
            f"The preset {self.preset} takes sequences of 1 to {context_length} tokens, "
            f"not {self.sequence_length}",
            "Choose another sequence length",
        )
        _require(
            self.accumulation >= 1 and self.processes >= 1,
            f"A step cannot have {self.accumulation} micro-batches of {self.processes} processes",
            "Give positive numbers",
        )
        _require(
            self.batch_tokens >= self.sequence_length and self.batch_tokens % self.sequence_length == 0,
            f"batch_tokens {self.batch_tokens} is no multiple of sequence_length {self.sequence_length}",
            "Choose a multiple",
        )
        n_parts = self.accumulation * self.processes
        _require(
            self.batch_tokens // self.sequence_length % n_parts == 0,
            f"A step of {self.batch_tokens // self.sequence_length} sequences cannot be shared out among "
            f"{self.accumulation} micro-batches of {self.processes} processes",
            f"Choose batch_tokens so that their number is a multiple of {n_parts}",
        )

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
            config, early_stop = values["config"], values["early_stop"]
            parts = {
                "tokens": Path(values["tokens"]),
                "config": config and ModelConfig(**config),
                "early_stop": early_stop and EarlyStop(**early_stop),
                "sample_prompts": tuple(values["sample_prompts"]),
                "sinks": tuple(values["sinks"]),
                "initial_model": values["initial_model"] and Path(values["initial_model"]),
                "schedule": Schedule(**values["schedule"]),
                "optimizer": OptimizerConfig(**optimizer),
            }
            return cls(**(values | parts))
        except (KeyError, TypeError) as error:
            raise InvalidConfiguration(f"A training request is incomplete: {error!r}", "Ask again") from error


def request_config(request: TrainingRequest) -> ModelConfig:
    """The shape of the model that is asked for."""
    return request.config or preset(request.preset)


def budgeted_steps(request: TrainingRequest) -> int | None:
    """The number of steps that the budget means; None where time decides."""
    if request.tokens_budget is not None:
        return math.ceil(request.tokens_budget / request.batch_tokens)
    return request.steps


WITHOUT_EFFECT = ("checkpoint_seconds", "keep_every", "sample_prompts", "sinks")
"""Parts of a request on which neither weights nor metrics depend: a resumed training may change them."""


def request_fingerprint(request: TrainingRequest) -> str:
    """Hash of everything that a training's result follows from: contents, not paths, of data and parent.

    Raises:
        InvalidConfiguration: there is no validation split to stop early by.
        InputUnreadable: there are no training shards, or no model to start from.
        CorruptArtefact: they do not hold what their manifests say.
    """
    shards = open_split(request.tokens, "train")
    values = json.loads(request.to_json())
    # The shape counts below, under whatever name it came.
    for name in ("tokens", "initial_model", "preset", "config", *WITHOUT_EFFECT):
        del values[name]
    parent = request.initial_model and read_manifest(model_folder(request.initial_model))["weights_sha256"]
    return fingerprint(
        CODE_VERSION,
        canonical_json(values),
        request_config(request).to_json(),
        str(parent),
        *(f"{shard.manifest.shard_id} {shard.manifest.sha256}" for shard in shards),
        *(f"judged by {shard.manifest.sha256}" for shard in _judges(request)),
    )


def _judges(request: TrainingRequest) -> list[Shard]:
    """The validation shards where the weights follow from them: those that early stopping chooses by."""
    if request.early_stop is None:
        return []
    try:
        return open_split(request.tokens, "validation")
    except InputUnreadable as error:
        raise InvalidConfiguration(
            f"There is no validation split in {request.tokens} to stop early by", "Train without early stop"
        ) from error


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        model: folder of the model.
        preset: name of its shape.
        n_parameters: trainable ones.
        n_steps: optimiser steps behind the finished weights.
        n_tokens: tokens trained on in these steps.
        steps_taken: steps of the training; more where early stopping chose the weights of an earlier step.
        seconds: wall time in the loop over all attempts, evaluation included, set-up not.
        tokens_per_second: tokens of all steps taken, divided by `seconds`.
        train_bits_per_byte: of the last logged steps, on the training tokens, markers' nats included.
        validation_bits_per_byte: of the finished weights on a sample of the validation split; None where
            there is none.
        seed: of initial weights and order.
        bootstrap_seed: of the replicate, or None.
        parent: SHA-256 of the weights that it started from, or None.
        weights_sha256: of the model's safetensors file.
        dtype: of the matrix products, with the reason in `dtype_reason`.
        compiled: whether the model was compiled, with the reason in `compiled_reason`.
        native: whether attention and loss went through native code, with the reason in `native_reason`.
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
    steps_taken: int
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
    native: bool
    native_reason: str
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
        raise another_training(run_dir, request)
    return result


def stored_request(run_dir: Path) -> TrainingRequest | None:
    """The last request of the folder of a training; None where there is none that this version can read."""
    try:
        return TrainingRequest.from_json((run_dir / REQUEST_FILE).read_bytes())
    except (FileNotFoundError, InvalidConfiguration):
        return None


def another_training(run_dir: Path, request: TrainingRequest | None = None) -> InvalidConfiguration:
    """The refusal to mix two trainings in one folder; it names where `request` differs from what is stored there."""
    stored = stored_request(run_dir)
    differing = [] if request is None or stored is None else _differences(stored, request)
    return InvalidConfiguration(
        f"{run_dir} holds another training ({'; '.join(differing) or 'other data or another version'})",
        "Name another folder, or ask for the same again",
    )


def _differences(stored: TrainingRequest, asked: TrainingRequest) -> list[str]:
    """Such as "seed 0, not 1"; only the name of what has parts."""
    values, others = json.loads(stored.to_json()), json.loads(asked.to_json())
    return [
        f"other {name}" if isinstance(value or others[name], dict) else f"{name} {value}, not {others[name]}"
        for name, value in values.items()
        if value != others[name] and name not in {"tokens", "initial_model", *WITHOUT_EFFECT}
    ]


def _require(holds: bool, cause: str, remedy: str) -> None:
    if not holds:
        raise InvalidConfiguration(cause, remedy)


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError as error:
        raise InvalidConfiguration(f"A {what} is no JSON: {error}", "Ask again") from error
    if not isinstance(values, dict):
        raise InvalidConfiguration(f"A {what} is no JSON object", "Ask again")
    return values
