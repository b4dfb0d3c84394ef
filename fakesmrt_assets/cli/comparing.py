"""How ``fakesmrt plan --recipe`` shows what changes between two recipes: tables without colours, or JSON.

What lives here: the form. What does not: the comparison (``warehouse/recipe_comparison.py``).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import typer

from warehouse.errors import InputUnreadable

if TYPE_CHECKING:
    from rich.table import Table

    from warehouse.borderline import Example
    from warehouse.home import Home
    from warehouse.recipe_comparison import Comparison, DecisionCount
    from warehouse.stages.stage import BuildSettings

WIDTH_ELSEWHERE = 200

MEASURES = ("n_chunks", "n_bytes", "n_tokens")


def show_comparison(
    home: Home, settings: BuildSettings, against: str | None, n_examples: int, *, as_json: bool
) -> None:
    """Compare the settings' recipe with another over the published copy, and print what changes."""
    from warehouse.database import Warehouse
    from warehouse.recipe_comparison import compare_recipes
    from warehouse.stages.stage import StageContext

    try:
        comparison = compare_recipes(StageContext(Warehouse(home), settings), against, n_examples)
        problem = "Nothing is published yet"
    except InputUnreadable as error:
        comparison, problem = None, str(error)
    if comparison is None:
        _say(f"What the recipe keeps is known after a build only. {problem}", as_json)
        return
    if as_json:
        for row in _json_rows(comparison):
            typer.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    _print(comparison)


def _say(note: str, as_json: bool) -> None:
    typer.echo(json.dumps({"kind": "note", "note": note}) if as_json else note)


def _json_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    names = {"before": comparison.before, "after": comparison.after}
    for before, after in comparison.counts:
        sides = {
            side: {measure: getattr(row, measure) for measure in MEASURES}
            for side, row in (("before", before), ("after", after))
        }
        yield {"kind": "count", "corpus": after.corpus, "reason": after.reason, **sides}
    for change in comparison.changes:
        yield {"kind": "key", **dataclasses.asdict(change)}
    for example in comparison.examples:
        yield {"kind": "example", **dataclasses.asdict(example)}
    for note in comparison.notes:
        yield {"kind": "note", "note": note}
    yield {"kind": "recipes", **names}


def _change(before: int, after: int) -> str:
    return f"{before:,} -> {after:,} ({after - before:+,})" if before != after else f"{after:,}"


def _decision(reason: str | None) -> str:
    return "kept" if reason is None else f"dropped: {reason}"


def _totals(counts: Iterable[tuple[DecisionCount, DecisionCount]]) -> Iterator[tuple[str, list[str]]]:
    rows = list(counts)
    for name, wanted in (("kept", True), ("dropped", False)):
        chosen = [pair for pair in rows if (pair[1].reason is None) == wanted]
        yield (
            name,
            [
                _change(
                    sum(getattr(before, measure) for before, _ in chosen),
                    sum(getattr(after, measure) for _, after in chosen),
                )
                for measure in MEASURES
            ],
        )


def _count_table(comparison: Comparison) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("corpus", "decision"):
        table.add_column(column, overflow="fold")
    for column in ("chunks", "bytes", "tokens"):
        table.add_column(column, justify="right", overflow="fold")
    for corpus, pairs in groupby(comparison.counts, key=lambda pair: pair[1].corpus):
        for before, after in pairs:
            cells = [_change(getattr(before, measure), getattr(after, measure)) for measure in MEASURES]
            table.add_row(_printable(corpus), _decision(after.reason), *cells)
    for name, cells in _totals(comparison.counts):
        table.add_row("all", name, *cells)
    return table


def _example_table(examples: Iterable[Example]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "value", "chunk", "file", "text", box=None, pad_edge=False)
    for example in examples:
        table.add_row(
            "kept" if example.kept else "dropped",
            f"{example.value:.4g}",
            str(example.chunk_id),
            Text(_printable(example.path)),
            Text(example.excerpt),
        )
    return table


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _print(comparison: Comparison) -> None:
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDTH_ELSEWHERE
    console = Console(width=width, no_color=True, highlight=False, markup=False)
    console.print(f"\nFrom {comparison.before} to {comparison.after}")
    for note in comparison.notes:
        console.print(f"Not known before a build: {note}")
    for change in comparison.changes:
        console.print(f"{change.key}: {json.dumps(change.before)} -> {json.dumps(change.after)}")
    if not comparison.changes:
        console.print("Nothing differs between the two.")
    console.print()
    console.print(_count_table(comparison))
    console.print("Tokens are those of the perplexity reference; a chunk without a score counts none.")
    for (key, bound), examples in groupby(comparison.examples, key=lambda one: (one.key, one.bound)):
        console.print(f"\nNearest to {key} = {bound:g}")
        console.print(_example_table(examples))
