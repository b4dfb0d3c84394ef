"""``fakesmrt presets``: the shapes of models, what training them costs, and how fast this machine does it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warehouse.errors import InvalidConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakesmrt_models.architecture.config import ModelConfig
    from fakesmrt_models.training.estimates import Memory, StepShape

STEP_TOKENS = 8_192
"""Of a step of ``fakesmrt train`` that says nothing else."""

MEASURED_SECONDS = 10.0

UNITS = {"": 1, "b": 1}
UNITS |= {f"{letter}ib": 1 << 10 * power for power, letter in enumerate("kmgt", 1)}
UNITS |= {f"{letter}b": 1_000**power for power, letter in enumerate("kmgt", 1)}


def presets(
    name: Annotated[str | None, typer.Argument(help="One preset; all by default.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Sequences that pass at once; 8,192 tokens by default.", min=1)
    ] = None,
    seq_len: Annotated[
        int | None,
        typer.Option(help="Tokens of a sequence; the context by default, and of a list at most.", min=1),
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="Say which fit into this, for instance 4GiB or 800MB.")
    ] = None,
    measure: Annotated[
        bool, typer.Option(help="Train for ten seconds to know this machine's speed, or guess it.")
    ] = True,
    compiled: Annotated[
        bool, typer.Option(help="Memory of a compiled training (of minutes and more), or of a short one.")
    ] = True,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Memory when blocks are computed again.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List the shapes of models: parameters, memory by component, and speed on this machine.

    Example: fakesmrt presets 1mx --batch-size 32 --seq-len 256 --memory 1GiB
    """
    from fakesmrt_models.architecture.presets import PRESETS, preset
    from fakesmrt_models.training.estimates import estimate

    if name and seq_len and seq_len > (context_length := preset(name).context_length):
        raise InvalidConfiguration(
            f"The context of {name} is {context_length} tokens, not {seq_len}", "Choose a shorter --seq-len"
        )
    budget = None if memory is None else n_bytes(memory)
    shapes = {
        shown: step_shape(preset(shown), batch_size, seq_len, compiled, gradient_checkpointing)
        for shown in ([name] if name else PRESETS)
    }
    speed = speed_of_one if name and measure else speed_of_all(measure=measure)
    if not json_output and name is None:
        typer.echo(f"{'preset':<13} {'parameters':>12} {'memory':>11} {'tokens/s':>10}")
    for shown, shape in shapes.items():
        config = preset(shown)
        cost = estimate(config, shape)
        tokens_per_second, source = speed(config, shape)
        facts: dict[str, Any] = {
            "preset": shown,
            "n_parameters": cost.n_parameters,
            "parameters": cost.parameters,
            "batch_size": shape.batch_size,
            "sequence_length": shape.sequence_length,
            "memory_bytes": cost.memory_bytes,
            "memory": asdict(cost.memory),
            "fits": None if budget is None else cost.memory_bytes <= budget,
            "flops_per_token": cost.flops_per_token,
            "tokens_per_second": round(tokens_per_second, 1),
            "tokens_per_second_source": source,
        }
        if json_output:
            typer.echo(json.dumps(facts))
        elif name is None:
            typer.echo(row(facts))
        else:
            typer.echo(account(facts, cost.memory))


def n_bytes(text: str) -> int:
    """Bytes of "4GiB", "800 MB" or "1000000"; raises `InvalidConfiguration` for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found.group(2) not in UNITS or float(found.group(1)) == 0:
        raise InvalidConfiguration(f"{text!r} is no amount of memory", "Give one like 4GiB or 800MB")
    return int(float(found.group(1)) * UNITS[found.group(2)])


def step_shape(
    config: ModelConfig,
    batch_size: int | None,
    seq_len: int | None,
    compiled: bool,
    gradient_checkpointing: bool,
) -> StepShape:
    """The step that is asked for, with what this machine would choose for it."""
    from fakesmrt_models.training.budget import multiplies_bfloat16
    from fakesmrt_models.training.estimates import BFLOAT16_BYTES, FLOAT32_BYTES, StepShape
    from fakesmrt_models.training.loss import choose_native

    length = min(seq_len or config.context_length, config.context_length)
    return StepShape(
        batch_size=batch_size or max(1, STEP_TOKENS // length),
        sequence_length=length,
        compiled=compiled,
        native=choose_native(config)[0],
        product_bytes=BFLOAT16_BYTES if multiplies_bfloat16() else FLOAT32_BYTES,
        gradient_checkpointing=gradient_checkpointing,
        threads=n_threads(),
    )


def n_threads() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def speed_of_one(config: ModelConfig, shape: StepShape) -> tuple[float, str]:
    """Tokens a second of real steps of this very model, where its memory is free, and where the figure is from."""
    from fakesmrt_models.training.estimates import estimate
    from fakesmrt_models.training.measured_speed import available_bytes, tokens_per_second

    free = available_bytes()
    if estimate(config, shape).memory_bytes > free:
        figure, source = speed_of_all(measure=True)(config, shape)
        return figure, f"{source}: only {free / 2**30:.1f} GiB are free"
    speed = tokens_per_second(config, shape.batch_size, shape.sequence_length, MEASURED_SECONDS, n_threads())
    return speed, "measured uncompiled"


def speed_of_all(*, measure: bool) -> Callable[[ModelConfig, StepShape], tuple[float, str]]:
    """The speed of any preset: judged by a measurement of a narrow and a wide one, or guessed."""
    from fakesmrt_models.training.measured_speed import NARROW, WIDE, MachineSpeed
    from fakesmrt_models.training.plan import ORDINARY_FLOPS
    from fakesmrt_models.training.utilisation import flops_per_token

    if not measure:
        return lambda config, shape: (
            ORDINARY_FLOPS / flops_per_token(config, shape.sequence_length),
            "guessed for two ordinary cores",
        )
    machine = MachineSpeed(MEASURED_SECONDS, n_threads())
    return lambda config, shape: (
        machine.tokens_per_second(config, shape.sequence_length),
        f"judged by {NARROW} and {WIDE}, measured uncompiled",
    )


def row(facts: dict[str, Any]) -> str:
    """One preset as a line of the table."""
    return (
        f"{facts['preset']:<13} {facts['n_parameters']:>12,} {facts['memory_bytes'] / 2**20:>7,.0f} MiB "
        f"{facts['tokens_per_second']:>10,.0f}{verdict(facts['fits'])}"
    )


def account(facts: dict[str, Any], memory: Memory) -> str:
    """One preset with its components."""
    parts = {part: count for part, count in facts["parameters"].items() if count}
    components = {part: size for part, size in asdict(memory).items() if size}
    return "\n".join(
        [
            f"{facts['preset']}: {facts['n_parameters']:,} parameters "
            f"({', '.join(f'{part} {count:,}' for part, count in parts.items())})",
            f"memory of {facts['batch_size']} x {facts['sequence_length']} tokens at once: "
            f"{facts['memory_bytes'] / 2**20:,.0f} MiB at most{verdict(facts['fits'])}",
            *(f"  {part:<12} {size / 2**20:>9,.1f} MiB" for part, size in components.items()),
            f"speed: {facts['tokens_per_second']:,.0f} tokens/s ({facts['tokens_per_second_source']})",
        ]
    )


def verdict(fits: bool | None) -> str:
    """Whether it fits, if that was asked."""
    return "" if fits is None else "  fits" if fits else "  does not fit"
