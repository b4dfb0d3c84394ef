"""``fakesmrt generate``: a model alone, on files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
SeedOption = Annotated[int, typer.Option(help="Seed of every random choice.", min=0)]


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


def _print_json(facts: dict[str, Any]) -> None:
    typer.echo(json.dumps(facts))
