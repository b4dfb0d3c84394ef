"""``fakesmrt recipe``: the recipes there are, written out, checked, and the schema that editors complete them by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from warehouse.home import Home, default_home

recipe = typer.Typer(
    help="""Show and check recipes: named choices of what is trained on.

    Example: fakesmrt recipe show default
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@recipe.command("list")
def list_recipes(json_output: JsonOption = False) -> None:
    """List the recipes: your own, and those that come with fakesmrt.

    Example: fakesmrt recipe list
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from warehouse.errors import FakesmrtError
    from warehouse.recipes import load_recipe, own_recipes, shipped_recipes

    home = Home(default_home())
    own = own_recipes(home)
    rows = []
    for name in sorted({*own, *shipped_recipes()}):
        try:
            description, problem = load_recipe(home, name).description, None
        except FakesmrtError as error:
            description, problem = "", str(error)
        rows.append(
            {
                "recipe": name,
                "shipped": name not in own,
                "valid": problem is None,
                "description": description,
                "problem": problem,
            }
        )
    if json_output:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
        return
    table = Table("recipe", "from", "description", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            Text(str(row["recipe"])),
            "fakesmrt" if row["shipped"] else "you",
            Text(str(row["problem"] or row["description"])),
        )
    Console().print(table)


@recipe.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a recipe.")],
    json_output: JsonOption = False,
) -> None:
    """Write a recipe out as TOML: every key with its value and meaning. What is shown can be a file of your own.

    Example: fakesmrt recipe show fineweb
    """
    from warehouse.recipe_text import to_toml
    from warehouse.recipes import load_recipe

    loaded = load_recipe(Home(default_home()), name)
    if json_output:
        typer.echo(loaded.to_json())
        return
    typer.echo(f"# The recipe {name}, complete. A key that is left out has fakesmrt's default.")
    typer.echo(to_toml(loaded), nl=False)


@recipe.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recipe's TOML file.")],
    json_output: JsonOption = False,
) -> None:
    """Check a recipe's file: exit status 1 names the first key or value that cannot be, and the nearest that can.

    Example: fakesmrt recipe check letters.toml
    """
    from warehouse.recipes import read_recipe

    checked = read_recipe(file)
    if json_output:
        typer.echo(json.dumps({"path": str(file), "valid": True, "sha256": checked.sha256.hex()}))
        return
    typer.echo(f"{file} is a valid recipe.")


@recipe.command()
def schema() -> None:
    """Write the JSON Schema of recipes, by which editors complete and check them.

    Example: fakesmrt recipe schema > recipe.schema.json
    """
    from warehouse.recipe_text import recipe_schema

    typer.echo(json.dumps(recipe_schema(), indent=2))
