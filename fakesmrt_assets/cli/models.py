"""``fakesmrt train``, ``generate`` and ``presets``: the model floor alone, on files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fakesmrt_assets.cli.progress_line import ProgressLine

if TYPE_CHECKING:
    from fakesmrt_models.training.request import TrainingResult

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
SeedOption = Annotated[int, typer.Option(help="Seed of every random choice.", min=0)]


def train(
    tokens: Annotated[Path, typer.Option(help="Folder of shards with their tokenizer.json.")],
    output: Annotated[Path, typer.Option(help="Folder of this training; the model ends in its model/.")],
    preset: Annotated[str, typer.Option(help="Shape of the model; see: fakesmrt presets")] = "1mx",
    minutes: Annotated[float | None, typer.Option(help="Time budget, set-up included.")] = None,
    steps: Annotated[int | None, typer.Option(help="Budget in steps of the optimiser instead.")] = None,
    seed: SeedOption = 0,
    bootstrap_seed: Annotated[
        int | None, typer.Option(help="Train on this Poisson replicate of the documents.", min=0)
    ] = None,
    initial_model: Annotated[
        Path | None, typer.Option(help="Go on from this model as a branch, with a falling learning rate.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads; all cores by default. Part of the result.", min=1)
    ] = None,
    batch_tokens: Annotated[int, typer.Option(help="Tokens of one step.", min=1)] = 8_192,
    sequence_length: Annotated[
        int | None, typer.Option(help="Tokens seen at once; the preset's context by default.", min=1)
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Train a model on shards; the same command again goes on where it was stopped, or finds it done.

    Example: fakesmrt train --tokens data/tokens/abc --preset 1mx --minutes 10 --output my-model
    """
    from fakesmrt_models.architecture.presets import preset as preset_config
    from fakesmrt_models.training.request import TrainingRequest
    from fakesmrt_models.training.schedule import BRANCH, WHOLE
    from fakesmrt_models.training.supervisor import run_training

    request = TrainingRequest(
        tokens=tokens,
        preset=preset,
        seed=seed,
        bootstrap_seed=bootstrap_seed,
        minutes=minutes,
        steps=steps,
        initial_model=initial_model,
        threads=threads or len(os.sched_getaffinity(0)),
        batch_tokens=batch_tokens,
        sequence_length=sequence_length or preset_config(preset).context_length,
        schedule=WHOLE if initial_model is None else BRANCH,
    )
    line = ProgressLine()
    try:
        result = run_training(request, output, line.show)
    except KeyboardInterrupt:
        line.end()
        typer.echo(
            f"fakesmrt: interrupted. A checkpoint lies in {output}: run the same command again to go on.",
            err=True,
        )
        raise
    finally:
        line.end()
    _print_result(result, json_output)


def generate(
    model: Annotated[Path, typer.Argument(help="Folder of a model, of an ensemble or of a training.")],
    prompt: Annotated[str, typer.Option(help="Text to be continued; may be empty.")] = "",
    max_tokens: Annotated[int, typer.Option(help="Tokens to generate.", min=0)] = 200,
    temperature: Annotated[float, typer.Option(help="0 always takes the most probable token.", min=0)] = 0.8,
    top_k: Annotated[
        int | None, typer.Option(help="Choose among so many most probable tokens only.", min=1)
    ] = None,
    seed: SeedOption = 0,
    json_output: JsonOption = False,
) -> None:
    """Continue a prompt; the same seed gives the same text.

    Example: fakesmrt generate my-model --prompt "Once upon a time" --max-tokens 100 --seed 1
    """
    from fakesmrt_models.generation.sampling import Sampling
    from fakesmrt_models.generation.sampling import generate as generate_text
    from fakesmrt_models.mixing.ensembles import load_ensemble
    from warehouse.tokens.tokenizer import Tokenizer

    ensemble = load_ensemble(model)
    generation = generate_text(
        [member.model for member in ensemble.members],
        Tokenizer.from_file(ensemble.tokenizer_file),
        prompt,
        max_tokens,
        Sampling(temperature=temperature, top_k=top_k, seed=seed),
        ensemble.weights,
    )
    if json_output:
        _print_json(
            {
                "text": generation.text,
                "n_tokens": generation.n_tokens,
                "tokens_per_second": generation.tokens_per_second,
            }
        )
    else:
        typer.echo(prompt + generation.text)


def presets(
    name: Annotated[str | None, typer.Argument(help="One preset; all by default.")] = None,
    batch_size: Annotated[int, typer.Option(help="Sequences of one step.", min=1)] = 32,
    seq_len: Annotated[
        int | None, typer.Option(help="Tokens of a sequence; the context by default.", min=1)
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """List the shapes of models: parameters, and the memory and work of a training step.

    Example: fakesmrt presets 1mx --batch-size 32 --seq-len 256
    """
    from fakesmrt_models.architecture.presets import PRESETS, preset
    from fakesmrt_models.training.budget import EAGER_FLOPS
    from fakesmrt_models.training.estimates import estimate

    for shown in [name] if name else list(PRESETS):
        config = preset(shown)
        cost = estimate(config, batch_size, seq_len or config.context_length)
        facts = {
            "preset": shown,
            "n_parameters": cost.n_parameters,
            "parameters": cost.parameters,
            "memory_bytes": cost.memory_bytes,
            "weight_bytes": cost.weight_bytes,
            "optimizer_bytes": cost.optimizer_bytes,
            "activation_bytes": cost.activation_bytes,
            "flops_per_token": cost.flops_per_token,
            "estimated_tokens_per_second": EAGER_FLOPS / cost.flops_per_token,
        }
        if json_output:
            _print_json(facts)
        else:
            typer.echo(
                f"{shown:6} {cost.n_parameters:>10,} parameters, "
                f"{cost.memory_bytes / 2**20:,.0f} MiB to train, "
                f"about {EAGER_FLOPS / cost.flops_per_token:,.0f} tokens/s uncompiled on two cores"
            )


def _print_result(result: TrainingResult, json_output: bool) -> None:
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
        _print_json(facts)
        return
    validation = result.validation_bits_per_byte
    typer.echo(
        f"{result.model}: {result.n_parameters:,} parameters, {result.n_steps:,} steps, "
        f"{result.n_tokens:,} tokens in {result.seconds:.0f} s, "
        f"{result.train_bits_per_byte:.3f} bits a byte in training, "
        + (f"{validation:.3f} on text kept unseen" if validation is not None else "no text to validate on")
    )


def _print_json(facts: dict[str, Any]) -> None:
    typer.echo(json.dumps(facts))
