"""``fakesmrt export``: a trained model for other programs.

What lives here: arguments, and what the Training Database knows of the model's licences. What does not: the files
(``fakesmrt_models.export``).
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.home import Home, default_home
from warehouse.licences import canonical_licence

if TYPE_CHECKING:
    from fakesmrt_models.export.card import TrainingLicence


class Format(StrEnum):
    """For which programs a model is written."""

    HF = "hf"


def export(
    model: Annotated[Path, typer.Argument(help="Folder of a model or of a training.", metavar="MODEL")],
    output: Annotated[Path, typer.Option(help="Folder to be made.")],
    format_: Annotated[
        Format,
        typer.Option("--format", help="hf: Hugging Face transformers (Qwen3), tokenizer and card included."),
    ] = Format.HF,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the model itself (SPDX), for its card.", metavar="SPDX")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a model as a folder that another program opens.

    With --format hf, AutoModelForCausalLM.from_pretrained and AutoTokenizer.from_pretrained open the folder without a
    network. Its README.md names where the model comes from, and the licences of its training text where the Training
    Database of this home knows them.

    Example: fakesmrt export my-model --format hf --output my-model-hf --licence MIT
    """
    from fakesmrt_models.export.huggingface import ARCHITECTURE, export_huggingface

    stated = None if licence is None else canonical_licence(licence)
    written = export_huggingface(model, output, known_licences=known_licences, licence=stated)
    if json_output:
        facts = {
            "output": str(written.folder),
            "format": format_.value,
            "architecture": ARCHITECTURE,
            "n_parameters": written.n_parameters,
            "n_stored": written.n_stored,
        }
        typer.echo(json.dumps(facts))
    else:
        typer.echo(
            f"{written.folder}: {ARCHITECTURE}, {written.n_parameters:,} trained parameters and "
            f"{written.n_stored - written.n_parameters:,} constant gains, with tokenizer and model card"
        )


def known_licences(weights_sha256: str) -> tuple[TrainingLicence, ...]:
    """Licences of the text behind these weights, where this home's published Training Database knows them."""
    if not Home(default_home()).published.exists():
        return ()
    from fakesmrt_assets.cli.query import published
    from fakesmrt_models.export.card import TrainingLicence
    from warehouse.database import query, read_rows

    with published() as connection:
        weights = {"weights_sha256": bytes.fromhex(weights_sha256)}
        return tuple(read_rows(connection, query("licences_of_weights"), weights, TrainingLicence))
