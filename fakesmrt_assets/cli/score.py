"""``fakesmrt score``: how likely any texts are under a perplexity reference or a model."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warehouse.errors import InputUnreadable

if TYPE_CHECKING:
    from warehouse.perplexity.reference import Scores

BATCH_LINES = 2048
ID = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f-]{3,35}")
COLUMNS = ("bits_per_byte", "perplexity", "n_tokens", "n_bytes")


@dataclass(frozen=True)
class _Row:
    id: str | int
    text: str
    end: int


def score(
    file: Annotated[Path, typer.Argument(help="JSONL file: one object a line with the keys id and text.")],
    reference: Annotated[
        str | None,
        typer.Option(
            help="Folder or id of a perplexity reference, a model or an ensemble; the newest reference of the home "
            "where it is not given.",
            metavar="FOLDER|ID",
        ),
    ] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print the bits per byte and the perplexity of each text: low is likely, high is odd.

    Texts are scored by the reference's first model. For texts that it was trained on the figure is too low; a
    build scores its own chunks with models that did not see them, in corpus.perplexity. Ids may be shortened as long
    as they name one thing.

    Example: fakesmrt score texts.jsonl --json
    """
    from rich.console import Console
    from rich.progress import Progress

    scored = _scorer(_named_folder(reference) if reference else _newest_reference())
    if not file.is_file():
        raise InputUnreadable(f"There is no file {file}", "Name a JSONL file with the keys id and text")
    if not json_lines:
        typer.echo("\t".join(("id", *COLUMNS)))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("scoring", total=file.stat().st_size)
        for rows in _batches(file):
            scores = scored([row.text for row in rows])
            for row, values in zip(rows, _values(scores), strict=True):
                typer.echo(_line(row.id, values, json_lines))
            progress.update(task, completed=rows[-1].end)


def _scorer(folder: Path) -> Callable[[Sequence[str]], Scores]:
    """What scores texts by the first model of a reference, or by the model or ensemble in a folder."""
    from warehouse.perplexity.population import is_population, verified_model_folder
    from warehouse.perplexity.reference import Reference

    if is_population(folder):
        folder = verified_model_folder(folder, 0)
    if any((folder / name).is_file() for name in ("config.json", "ensemble.json", "model/config.json")):
        from fakesmrt_assets.stages.micromodel_scoring import utf8_lengths
        from fakesmrt_models.evaluation.scoring import TextScorer
        from warehouse.perplexity.reference import Scores

        scorer = TextScorer(folder)
        return lambda texts: Scores(*scorer.score(texts), utf8_lengths(texts))
    opened = Reference.load(folder)
    return lambda texts: opened.score(texts, [0] * len(texts))


def _named_folder(name: str) -> Path:
    """The folder that a path or an id names.

    Raises:
        InputUnreadable: if there is none, or an id names several.
    """
    from warehouse.database import Warehouse, query
    from warehouse.home import Home, default_home

    home = Home(default_home())
    if Path(name).is_dir():
        return Path(name)
    if not ID.fullmatch(name) or not home.database.is_file():
        raise InputUnreadable(f"There is no folder {name}", "Name the folder of a reference or a model")
    with Warehouse(home).read() as connection:
        found = connection.execute(query("scoring_folder"), {"id": name.lower()}).fetchall()
    if len(found) != 1:
        raise InputUnreadable(
            f"The id {name} names {len(found)} references and models",
            'Look them up with: fakesmrt sql "FROM corpus.reference"',
        )
    ((room, path),) = found
    return {"references": home.references, "models": home.models}[room] / str(path)


def _newest_reference() -> Path:
    from warehouse.home import Home, default_home
    from warehouse.perplexity.reference import MANIFEST

    references = Home(default_home()).references
    manifests = sorted(references.glob(f"*/{MANIFEST}"), key=lambda path: (path.stat().st_mtime_ns, path))
    if not manifests:
        raise InputUnreadable(
            f"There is no perplexity reference in {references}",
            "Name one with --reference, or make one with: fakesmrt build corpus",
        )
    return manifests[-1].parent


def _batches(file: Path) -> Iterator[list[_Row]]:
    rows: list[_Row] = []
    end = 0
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            end += len(line)
            if not line.strip():
                continue
            rows.append(_row(file, number, line, end))
            if len(rows) == BATCH_LINES:
                yield rows
                rows = []
    if rows:
        yield rows


def _row(file: Path, number: int, line: bytes, end: int) -> _Row:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InputUnreadable(f"Line {number} of {file} is no JSON ({error})", "Mend or remove it") from error
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("text"), str)
        or not isinstance(value.get("id"), str | int)
    ):
        raise InputUnreadable(
            f"Line {number} of {file} is no object with an id and a text",
            "Give each line the keys id and text",
        )
    return _Row(value["id"], value["text"], end)


def _values(scores: Scores) -> Iterator[dict[str, float | int | None]]:
    """Each text's figures; None where an empty text has none."""
    for bits_per_byte, perplexity, n_tokens, n_bytes in zip(
        scores.bits_per_byte, scores.perplexity, scores.n_tokens, scores.n_bytes, strict=True
    ):
        yield {
            "bits_per_byte": None if math.isnan(bits_per_byte) else round(float(bits_per_byte), 6),
            "perplexity": None if math.isnan(perplexity) else round(float(perplexity), 4),
            "n_tokens": int(n_tokens),
            "n_bytes": int(n_bytes),
        }


def _line(identity: str | int, values: dict[str, Any], json_lines: bool) -> str:
    if json_lines:
        return json.dumps({"id": identity, **values}, ensure_ascii=False)
    return "\t".join([str(identity), *("" if value is None else str(value) for value in values.values())])
