"""``fakesmrt trace``: lineage both ways, from the published Training Database down to raw bytes.

What lives here: arguments, and how a tree looks. What does not: lineage (``warehouse.lineage``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fakesmrt_assets.cli.query import console_on, printable, published
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from rich.tree import Tree

    from warehouse.database import Connection
    from warehouse.lineage.tree import Fact, TraceNode


def trace(
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="An id or its first digits, a path, an experiment, a model, or SHARD:TOKEN."
        ),
    ],
    every: Annotated[
        bool, typer.Option("--all", help="List every row; else the first twenty of each kind.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object: the whole tree.")] = False,
) -> None:
    """Show what something was made of, and what was made of it.

    A model leads to its parents, licences, shards, files and evaluations, an evaluation to its models; a chunk to its
    file, byte range, every decision on it and the models that saw it; a file to its documents and every model that
    saw it. A position in a shard leads to the raw bytes of that token, which are read and replayed to prove it.

    Example: fakesmrt trace promoted

    Example: fakesmrt trace /home/me/letters/june.txt --all --json

    Example: fakesmrt trace train-03-5f0c2ab1d4e69788:1234
    """
    import duckdb

    from warehouse.lineage.tree import LISTED

    try:
        with published() as connection:
            node = _traced(connection, identifier, None if every else LISTED)
    except InvalidConfiguration as error:
        if isinstance(error.__cause__, duckdb.CatalogException):
            raise InputUnreadable(
                "The published copy was made by another fakesmrt", "Run: fakesmrt build corpus"
            ) from error
        raise
    if json_output:
        typer.echo(json.dumps(node.as_dict(), ensure_ascii=False))
    else:
        console_on(sys.stdout).print(_tree(node))


def _traced(connection: Connection, identifier: str, limit: int | None) -> TraceNode:
    """What is called so; where nothing or too much is, and a file lies there, that file."""
    from warehouse.cleanser.streams import display_name
    from warehouse.lineage.tracing import trace as trace_lineage

    home = Home(default_home())
    try:
        return trace_lineage(connection, identifier, home, limit)
    except InvalidConfiguration:
        path = Path(identifier).absolute()
        if not path.is_file() or str(path) == identifier:
            raise
        return trace_lineage(connection, display_name(path.resolve()), home, limit)


def _fact(name: str, value: Fact) -> str:
    if name.startswith("n_") and isinstance(value, int):
        return f"{name} {value:,}"
    return f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"


def _tree(node: TraceNode) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    label = Text(f"{node.kind} ", style="dim")
    label.append(printable(node.identifier), style="bold")
    if node.facts:
        label.append("\n" + printable(", ".join(_fact(name, value) for name, value in node.facts.items())))
    tree = Tree(label)
    for child in node.children:
        tree.children.append(_tree(child))
    return tree
