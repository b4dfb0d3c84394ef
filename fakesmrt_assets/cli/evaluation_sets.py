"""``fakesmrt evaluation``: which evaluation sets must not be trained on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from warehouse.home import Home, default_home

evaluation = typer.Typer(
    no_args_is_help=True,
    help="Evaluation sets that must not be trained on.\n\nExample: fakesmrt evaluation add blimp ~/blimp",
)


@evaluation.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the set.")],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Files or folders of JSON Lines, JSON, CSV, TSV, Parquet or text."
        ),
    ],
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="A field that holds the items' texts; may be given again. Chosen if none is named."
        ),
    ] = None,
) -> None:
    """Register an evaluation set; its items are looked for in every chunk from the next build on.

    Example: fakesmrt evaluation add blimp ~/blimp --field sentence_good --field sentence_bad
    """
    from warehouse.corpora import absolute_location
    from warehouse.database import Warehouse
    from warehouse.decontamination.evaluation_files import evaluation_files, read_file
    from warehouse.decontamination.item_index import searched_items
    from warehouse.decontamination.registry import register_set

    home = Home(default_home())
    home.require()
    files = [file for path in paths for file in evaluation_files(absolute_location(path))]
    items = [item for file in files for item in searched_items(read_file(file, field or []))]
    with Warehouse(home).write(f"registering {name}") as connection:
        register_set(connection, name, paths, field or [])
    n_short = sum(not item.passages for item in items)
    typer.echo(
        f"{name}: {len(items)} items in {len(files)} files, {n_short} of them too short to be searched for"
    )
    typer.echo("Next: fakesmrt build")


@evaluation.command("list")
def list_sets(
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a set.")] = False,
) -> None:
    """List the registered sets and what the last build found of them.

    Example: fakesmrt evaluation list
    """
    from warehouse.database import Warehouse
    from warehouse.decontamination.registry import registered_sets

    with Warehouse(Home(default_home())).read() as connection:
        sets = registered_sets(connection)
    for own in sets:
        if json_output:
            typer.echo(json.dumps(asdict(own)))
        else:
            typer.echo(
                f"{own.evaluation_set}: {own.n_items} items in {own.n_files} files ({own.n_unsearched} too short), "
                f"{own.n_found} found in {own.n_chunks} chunks; {own.path}"
            )
    if not sets and not json_output:
        typer.echo("No evaluation set is registered. Next: fakesmrt evaluation add NAME PATH")


@evaluation.command()
def remove(name: Annotated[str, typer.Argument(help="Name of the set.")]) -> None:
    """Take an evaluation set out; the next build forgets what was found of it.

    Example: fakesmrt evaluation remove blimp
    """
    from warehouse.database import Warehouse
    from warehouse.decontamination.registry import remove_set

    home = Home(default_home())
    with Warehouse(home).write(f"removing {name}") as connection:
        remove_set(connection, name)
    typer.echo(f"{name} is no evaluation set any more. Next: fakesmrt build")
