"""``fakesmrt train``: one training, on files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fakesmrt_assets.cli.progress_line import ProgressLine
from warehouse.errors import InvalidConfiguration

if TYPE_CHECKING:
    from fakesmrt_models.architecture.config import ModelConfig
    from fakesmrt_models.training.request import OptimizerConfig, TrainingRequest, TrainingResult
    from fakesmrt_models.training.schedule import Schedule

DEFAULT_PRESET = "1mx"


class ScheduleName(StrEnum):
    """The learning rate schedules that can be chosen by name."""

    STABLE = "stable"
    COSINE = "cosine"
    TRUNK = "trunk"


def _named(path: str) -> Path:
    """A path that is not empty: an empty one would be the current folder."""
    if not path:
        raise typer.BadParameter("it is empty; name a folder")
    return Path(path)


def train(
    tokens: Annotated[Path, typer.Option(help="Folder of shards with their tokenizer.json.")],
    output: Annotated[
        Path,
        typer.Option(
            help="Folder of this training; the model ends in its model/.", parser=_named, metavar="<path>"
        ),
    ],
    preset: Annotated[
        str | None, typer.Option(help="Shape of the model, 1mx by default; see: fakesmrt presets")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="JSON file with another shape, as a model's config.json.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Time budget, set-up included. One budget is needed.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Budget in steps of the optimiser instead.", min=1)
    ] = None,
    tokens_budget: Annotated[int | None, typer.Option(help="Budget in tokens instead.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.", min=0)] = 0,
    bootstrap_seed: Annotated[
        int | None, typer.Option(help="Train on this Poisson replicate of the documents.", min=0)
    ] = None,
    initial_model: Annotated[
        Path | None, typer.Option(help="Go on from this model as a branch, with a falling learning rate.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Threads; by default all cores, or as this training was begun. Part of the result.", min=1
        ),
    ] = None,
    batch_tokens: Annotated[int, typer.Option(help="Tokens of one step.", min=1)] = 8_192,
    accumulation: Annotated[
        int, typer.Option(help="Micro-batches of one step: less memory, the same step.", min=1)
    ] = 1,
    sequence_length: Annotated[
        int | None, typer.Option(help="Tokens seen at once; the preset's context by default.", min=1)
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Stable rate of the matrices (Muon), 0.02 by default.")
    ] = None,
    embedding_learning_rate: Annotated[
        float | None, typer.Option(help="Stable rate of all other weights (AdamW), 0.03 by default.")
    ] = None,
    schedule: Annotated[
        ScheduleName | None,
        typer.Option(
            help="Learning rate: stable then falling (the default; soon falling with --initial-model), "
            "a cosine, or a trunk that never falls."
        ),
    ] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of units dropped, for many epochs.")] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Scale larger gradients down to this norm.")] = None,
    ema_decay: Annotated[
        float | None, typer.Option(help="Finish with this moving average of the weights, such as 0.998.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Stop after so many evaluations without a gain, and finish with the best; "
            "needs a validation split.",
            min=1,
        ),
    ] = None,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory for a third more work.")
    ] = False,
    compiled: Annotated[
        bool | None, typer.Option("--compile/--no-compile", help="By what it saves, by default.")
    ] = None,
    evaluation_seconds: Annotated[
        float, typer.Option(help="About so long from one evaluation to the next.")
    ] = 120.0,
    keep_every: Annotated[
        int | None, typer.Option(help="Keep the checkpoint of every so many steps too.", min=1)
    ] = None,
    sample_prompt: Annotated[
        list[str] | None, typer.Option(help="Text to be continued at each evaluation; repeatable.")
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(help="Where metrics go beside the folder: tensorboard, wandb, mlflow; repeatable."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Train a model on shards; the same command again goes on where it was stopped, or finds it done.

    Example: fakesmrt train --tokens data/tokens/abc --preset 1mx --minutes 10 --output my-model

    Seen while it goes on: fakesmrt train … --sample-prompt "Once upon a time" --sink tensorboard
    """
    from fakesmrt_assets.reports.training import write_training_report
    from fakesmrt_models.training.launch import launch
    from fakesmrt_models.training.request import EarlyStop, TrainingRequest, stored_request
    from fakesmrt_models.training.sinks import require_sinks
    from fakesmrt_models.training.supervisor import join_training

    place = launch()
    shape = _shape(preset, config, dropout)
    begun = stored_request(output)
    request = TrainingRequest(
        tokens=tokens,
        preset=preset or (DEFAULT_PRESET if config is None else config.stem),
        config=shape if config is not None or dropout is not None else None,
        seed=seed,
        bootstrap_seed=bootstrap_seed,
        minutes=minutes,
        steps=steps,
        tokens_budget=tokens_budget,
        initial_model=initial_model,
        threads=threads or (begun.threads if begun else place.default_threads()),
        processes=place.world_size,
        batch_tokens=batch_tokens,
        accumulation=accumulation,
        sequence_length=sequence_length or shape.context_length,
        schedule=_schedule(schedule, initial_model),
        optimizer=_optimizer(learning_rate, embedding_learning_rate),
        clip_norm=clip_norm,
        ema_decay=ema_decay,
        early_stop=None if patience is None else EarlyStop(patience=patience),
        gradient_checkpointing=gradient_checkpointing,
        compiled=compiled,
        evaluation_seconds=evaluation_seconds,
        keep_every=keep_every,
        sample_prompts=tuple(sample_prompt or ()),
        sinks=tuple(sink or ()),
    )
    if not place.owns_folder:
        raise typer.Exit(join_training(request))
    require_sinks(request.sinks)
    result = _trained(request, output)
    _tell_missing_sinks(request.sinks, output)
    report = write_training_report(output, result)
    _print_result(result, report, json_output)


def _shape(preset: str | None, config: Path | None, dropout: float | None) -> ModelConfig:
    """The shape that the options mean."""
    from fakesmrt_models.architecture.config import ModelConfig
    from fakesmrt_models.architecture.presets import preset as preset_config

    if preset is not None and config is not None:
        raise InvalidConfiguration("--preset and --config both name a shape", "Give one of them")
    shape = (
        preset_config(preset or DEFAULT_PRESET)
        if config is None
        else ModelConfig.from_json(config.read_bytes(), config)
    )
    return shape if dropout is None else replace(shape, dropout=dropout)


def _schedule(name: ScheduleName | None, initial_model: Path | None) -> Schedule:
    from fakesmrt_models.training.schedule import BRANCH, COSINE, TRUNK, WHOLE

    if name is None:
        return WHOLE if initial_model is None else BRANCH
    return {ScheduleName.STABLE: WHOLE, ScheduleName.COSINE: COSINE, ScheduleName.TRUNK: TRUNK}[name]


def _optimizer(learning_rate: float | None, embedding_learning_rate: float | None) -> OptimizerConfig:
    """The default with other learning rates, where they are given."""
    from fakesmrt_models.training.request import OptimizerConfig

    given = OptimizerConfig()
    if learning_rate is not None:
        given = replace(given, matrix_learning_rate=learning_rate)
    if embedding_learning_rate is not None:
        given = replace(given, embedding_learning_rate=embedding_learning_rate)
    return given


def _trained(request: TrainingRequest, output: Path) -> TrainingResult:
    from fakesmrt_models.training.supervisor import run_training

    line = ProgressLine()
    try:
        return run_training(request, output, line.show)
    except KeyboardInterrupt:
        line.end()
        # Their name stands in resume.py, which loads torch.
        saved = any((output / "checkpoints").glob("step-*"))
        what = f"A checkpoint lies in {output}" if saved else "There is no checkpoint yet"
        again = "to go on" if saved else "to begin anew"
        typer.echo(f"fakesmrt: interrupted. {what}: run the same command again {again}.", err=True)
        raise
    finally:
        line.end()


def _tell_missing_sinks(names: Sequence[str], output: Path) -> None:
    """Say where a training that was finished before has written none of the sinks that are asked for now."""
    from fakesmrt_models.training.sinks import SINKS_FOLDER

    missing = [name for name in names if not (output / SINKS_FOLDER / name).exists()]
    if missing:
        typer.echo(
            f"fakesmrt: this training was finished before, and a sink is written only while it goes on: "
            f"there is no {' or '.join(missing)} in {output}.",
            err=True,
        )


def _print_result(result: TrainingResult, report: Path, json_output: bool) -> None:
    facts = {
        "checkpoint": str(result.model),
        "preset": result.preset,
        "n_parameters": result.n_parameters,
        "n_steps": result.n_steps,
        "n_tokens": result.n_tokens,
        "seconds": result.seconds,
        "tokens_per_second": result.tokens_per_second,
        "train_bits_per_byte": result.train_bits_per_byte,
        "validation_bits_per_byte": result.validation_bits_per_byte,
    }
    if json_output:
        typer.echo(json.dumps(facts))
        return
    validation = result.validation_bits_per_byte
    typer.echo(
        f"{result.model}: {result.n_parameters:,} parameters, {result.n_steps:,} step{'s' * (result.n_steps != 1)}, "
        f"{result.n_tokens:,} tokens in {result.seconds:.0f} s, "
        f"{result.train_bits_per_byte:.3f} bits a byte in training, "
        + (f"{validation:.3f} on text kept unseen" if validation is not None else "no text to validate on")
    )
    typer.echo(f"Curves, samples and choices: {report}")
