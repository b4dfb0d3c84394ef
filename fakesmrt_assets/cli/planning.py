"""How ``fakesmrt plan`` shows a plan: a table of stages with their files below, or JSON.

What lives here: the form. What does not: the plan (``warehouse/plan.py``).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from warehouse.plan import PlannedStage
    from warehouse.prospect import PlannedFile

LISTED_FILES = 10
WIDTH_ELSEWHERE = 200


def show_plan(stages: Iterable[PlannedStage], *, all_files: bool, as_json: bool) -> None:
    """Print a plan.

    Args:
        stages: the plan.
        all_files: list every file, else the first `LISTED_FILES` of each kind and stage.
        as_json: one JSON object a stage, with its files.
    """
    most = sys.maxsize if all_files else LISTED_FILES
    if as_json:
        for stage in stages:
            typer.echo(json.dumps(_json_row(stage, most), ensure_ascii=False))
        return
    _print(list(stages), most)


def _json_row(stage: PlannedStage, most: int) -> dict[str, object]:
    return {
        "asset": stage.asset,
        "runs": stage.runs,
        "reason": stage.reason,
        "waits_for": stage.waits_for,
        "n_files": dict(Counter(file.change for file in stage.files)),
        "files": [
            {"change": file.change, "corpus": file.corpus, "path": file.path}
            for _, listed in _listed(stage.files, most)
            for file in listed
        ],
    }


def _listed(files: Iterable[PlannedFile], most: int) -> Iterator[tuple[str, list[PlannedFile]]]:
    """The first files of each kind, in the order of corpus and path."""
    ordered = sorted(files, key=lambda file: (file.change, file.corpus, file.path))
    for change, same in groupby(ordered, key=lambda file: file.change):
        yield change, list(same)[:most]


def _print(stages: list[PlannedStage], most: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE)
    table = Table("stage", "would run", "because", box=None, pad_edge=False)
    for stage in stages:
        verdict = {True: "yes", False: "no", None: "perhaps"}[stage.runs]
        table.add_row(stage.asset, verdict, Text(stage.reason))
    console.print(table)
    for stage in stages:
        counts = Counter(file.change for file in stage.files)
        for change, files in _listed(stage.files, most):
            console.print(f"\n{stage.asset}: {counts[change]} {change}", highlight=False)
            for file in files:
                console.print(Text(f"  {file.corpus}  {_printable(file.path)}"), soft_wrap=True)
            if counts[change] > len(files):
                console.print(
                    f"  and {counts[change] - len(files)} more; all: fakesmrt plan --files", highlight=False
                )


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
