"""``fakesmrt eval`` and ``fakesmrt mix``: the model floor's measure and its mixer, on files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warehouse.errors import InputUnreadable

if TYPE_CHECKING:
    from fakesmrt_models.evaluation.text import TextEvaluation
    from fakesmrt_models.mixing.mix import MixResult
    from warehouse.progress import Progress

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder of a model or an ensemble.", metavar="MODEL")],
    text: Annotated[list[Path], typer.Option(help="Text file; more may follow.", metavar="FILE")],
    more: Annotated[list[Path] | None, typer.Argument(help="More text files.", metavar="FILE")] = None,
    json_lines: JsonOption = False,
) -> None:
    """Measure how well a model predicts text files: bits per byte, and perplexity a token.

    Each byte of the text (as UTF-8) counts once, so models with different tokenizers compare.
    A file that cannot be read is named, and the others are measured.

    Example: fakesmrt eval models/mixed --text essay.txt letters.txt --json
    """
    from fakesmrt_models.evaluation.text import evaluate_text
    from fakesmrt_models.mixing.ensembles import load_ensemble
    from warehouse.tokens.tokenizer import Tokenizer

    ensemble = load_ensemble(model)
    tokenizer = Tokenizer.from_file(ensemble.tokenizer_file)
    n_failed = 0
    for path in [*text, *(more or [])]:
        try:
            with _progress(str(path)) as progress:
                result = evaluate_text(ensemble, tokenizer, _clean_text(path), progress)
        except InputUnreadable as error:
            n_failed += 1
            sys.stderr.write(f"fakesmrt: {path}: {error}\n")
        else:
            typer.echo(_evaluation_line(path, result, json_lines))
    if n_failed:
        raise typer.Exit(1)


def mix(
    models: Annotated[list[Path], typer.Argument(help="Folders of the members.", metavar="MODEL")],
    tokens: Annotated[
        Path, typer.Option(help="Folder of shards with the splits select, confirm and report.")
    ],
    output: Annotated[Path, typer.Option(help="Folder to be made.")],
    method: Annotated[
        str,
        typer.Option(
            help="uniform (mean of weights, one trunk only), ensemble (mean of probabilities), or auto: "
            "the best of all that the members allow."
        ),
    ] = "auto",
    evaluation_tokens: Annotated[
        int, typer.Option(help="Tokens measured a split; 0 measures all of it.", min=0)
    ] = 200_000,
    seed: Annotated[int, typer.Option(help="Of the measured sample and of the bootstrap.")] = 0,
    json_lines: JsonOption = False,
) -> None:
    """Mix models into one, and keep the mix only if it is better than the best of them.

    The mix is chosen on the split select and accepted on confirm, by the one-sided 95 % lower bound of its
    gain over the best member; otherwise that member is returned unchanged.

    Example: fakesmrt mix models/0 models/1 --tokens tokens --method auto --output models/mixed
    """
    from fakesmrt_models.mixing.mix import mix as mix_models

    with _progress("mixing") as progress:
        result = mix_models(
            models,
            tokens,
            output,
            method=method,
            evaluation_tokens=evaluation_tokens or None,
            seed=seed,
            progress=progress,
        )
    for cause in result.refused.values():
        sys.stderr.write(f"fakesmrt: left out: {cause}.\n")
    typer.echo(json.dumps(_mix_values(result)) if json_lines else _mix_text(result))


def _clean_text(path: Path) -> str:
    """The text of a file: UTF-8 as it stands, so that every byte counts, and anything else as cleansed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputUnreadable(f"It cannot be read ({error.strerror})", "Check the path") from error
    try:
        if b"\0" not in data:
            return data.decode()
    except UnicodeDecodeError:
        pass  # Another encoding: the Data Cleanser decides which.
    from warehouse.cleanser.cleansing import cleanse

    clean = cleanse(path)
    if not clean.text:
        raise InputUnreadable(f"It holds no text ({clean.error})", "Name a text file")
    return clean.text


def _evaluation_line(path: Path, result: TextEvaluation, json_lines: bool) -> str:
    values: dict[str, Any] = {
        "path": str(path),
        "bits_per_byte": result.bits_per_byte,
        "perplexity": result.perplexity,
        "n_bytes": result.n_bytes,
        "n_tokens": result.n_tokens,
    }
    if json_lines:
        return json.dumps(values)
    return (
        f"{path}: {result.bits_per_byte:.4f} bits per byte, perplexity {result.perplexity:.2f} a token "
        f"({result.n_bytes:,} bytes, {result.n_tokens:,} tokens)"
    )


def _mix_values(result: MixResult) -> dict[str, Any]:
    return {
        "checkpoint": str(result.checkpoint),
        "method": result.method,
        "accepted": result.accepted,
        "weights": list(result.weights),
        "select_bits_per_byte": result.select_bits_per_byte,
        "confirm_gain_low": result.confirm_gain_low,
        "seconds": round(result.seconds, 3),
        "reason": result.decision.reason,
        "refused": {str(folder): cause for folder, cause in result.refused.items()},
    }


def _mix_text(result: MixResult) -> str:
    lines = [f"{'bits per byte':<24}{'select':>9}{'confirm':>9}{'report':>9}"]
    for name in result.report.models:
        columns = (split.bits_per_byte(name) for split in (result.select, result.confirm, result.report))
        lines.append(f"{name[-23:]:<24}" + "".join(f"{value:>9.4f}" for value in columns))
    verdict = "accepted" if result.accepted else "refused"
    lines.append(f"{result.method} {verdict}: {result.decision.reason}")
    lines.append(f"{result.decision.chosen} is in {result.checkpoint} ({result.seconds:.1f} s)")
    return "\n".join(lines)


@contextmanager
def _progress(description: str) -> Iterator[Progress]:
    """A bar with a time estimate on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=None)

        def advance(done: float, total: float, note: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{description} {note}")

        yield advance
