"""``fakesmrt build`` and ``plan``: materialising through Dagster, and what that would do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.errors import FakesmrtError
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from warehouse.stages.stage import BuildSettings

RecipeOption = Annotated[str, typer.Option(help="Name of the recipe.")]


def build(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[corpus|tokens|models|reports|nightly]", help="What to build; all by default."
        ),
    ] = "nightly",
    recipe: RecipeOption = "default",
    corpus: Annotated[
        list[str] | None, typer.Option(help="Look for new files in this corpus only; may repeat.")
    ] = None,
    replicates: Annotated[int, typer.Option(help="Micromodels to train.", min=2)] = 2,
    minutes: Annotated[float, typer.Option(help="Training budget of one micromodel.")] = 3.0,
    steps: Annotated[int | None, typer.Option(help="Training budget in steps instead of minutes.")] = None,
    new_references: Annotated[
        bool, typer.Option(help="Replace the pinned references and tokenizer.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes of the corpus stages; one a core by default.")
    ] = None,
) -> None:
    """Build what is missing or out of date; what is up to date takes seconds. The UI shows the run.

    Example: fakesmrt build --replicates 2 --minutes 3
    """
    from warehouse.stages.stage import BuildSettings

    build_and_report(
        Home(default_home()),
        BuildSettings(recipe, tuple(corpus or ()), replicates, minutes, steps, new_references, workers),
        what,
    )


def build_and_report(home: Home, settings: BuildSettings, target: str) -> None:
    """Build with a progress display.

    Raises:
        FakesmrtError: the first failure, if there was one.
    """
    from fakesmrt_assets.building import run_build
    from fakesmrt_assets.cli.console import ConsoleListener

    try:
        with ConsoleListener() as listener:
            outcome = run_build(home, settings, target, listener)
    except KeyboardInterrupt:
        typer.echo("fakesmrt: interrupted. What was finished is kept; the same command goes on.", err=True)
        raise typer.Exit(130) from None
    for failure in outcome.failures[:-1]:
        typer.echo(f"fakesmrt: {failure}", err=True)
    if outcome.failures:
        cause, _, remedy = outcome.failures[-1].rpartition(". ")
        raise FakesmrtError(
            cause or remedy, remedy if cause else "What was finished is kept; mend it and build again"
        )


def plan(
    recipe: RecipeOption = "default",
    replicates: Annotated[int, typer.Option(help="Micromodels to train.", min=1)] = 2,
    minutes: Annotated[float, typer.Option(help="Training budget of one micromodel.")] = 3.0,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a stage.")] = False,
) -> None:
    """Say what a build would do, and why, without doing it.

    Example: fakesmrt plan --recipe default
    """
    from rich.console import Console
    from rich.table import Table

    from fakesmrt_assets.planning import plan_build
    from warehouse.stages.stage import BuildSettings

    stages = plan_build(
        Home(default_home()), BuildSettings(recipe=recipe, replicates=replicates, minutes=minutes)
    )
    if json_output:
        for stage in stages:
            typer.echo(json.dumps({"asset": stage.asset, "runs": stage.runs, "reason": stage.reason}))
        return
    table = Table("stage", "would run", "because", box=None, pad_edge=False)
    for stage in stages:
        table.add_row(stage.asset, "yes" if stage.runs else "no", stage.reason)
    Console().print(table)
