"""``fakesmrt build`` and ``plan``: materialising through Dagster, and what that would do."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.errors import CheckFailed, FakesmrtError
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from warehouse.stages.stage import BuildSettings

LISTED_FILES = 50
"""Files of which the end of a build tells; the database tells of all."""

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
    independent: Annotated[
        bool,
        typer.Option(
            "--independent",
            help="Micromodels start anew instead of branching from a common trunk: such can be a perplexity reference.",
        ),
    ] = False,
) -> None:
    """Build what is missing or out of date; what is up to date takes seconds. The UI shows the run.

    Example: fakesmrt build --replicates 2 --minutes 3
    """
    from warehouse.stages.stage import BuildSettings

    home = Home(default_home())
    settings = BuildSettings(
        recipe, tuple(corpus or ()), replicates, minutes, steps, new_references, workers, independent
    )
    build_and_report(home, settings, what)
    if what == "tokens":
        folder = _tokens_folder(home, settings)
        typer.echo(f"The shards lie in {folder}")
        typer.echo(f"Next: fakesmrt train --tokens {shlex.quote(str(folder))} --minutes 10 --output my-model")


def _tokens_folder(home: Home, settings: BuildSettings) -> Path:
    """Where the shards of the recipe lie."""
    from warehouse.database import Warehouse
    from warehouse.stages.shard import pinned_tokenizer
    from warehouse.stages.stage import StageContext

    warehouse = Warehouse(home)
    with warehouse.read() as connection:
        tokenizer = pinned_tokenizer(connection, StageContext(warehouse, settings).recipe)
    if tokenizer is None:
        raise CheckFailed(f"Recipe {settings.recipe} has no tokenizer", "Run: fakesmrt build tokens")
    return home.tokens / tokenizer.path


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
    with suppress(FakesmrtError):  # What stopped the build may hinder this too, and is told below.
        _show_losses(home, settings)
    for failure in outcome.failures[:-1]:
        typer.echo(f"fakesmrt: {failure}", err=True)
    if outcome.failures:
        cause, _, remedy = outcome.failures[-1].rpartition(". ")
        raise FakesmrtError(
            cause or remedy, remedy if cause else "What was finished is kept; mend it and build again"
        )


def _show_losses(home: Home, settings: BuildSettings) -> None:
    """Say which files gave no text or not all of it, and how many bytes became no chunk, each with its reason."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from fakesmrt_assets.cli.console import readable_bytes
    from warehouse.database import Warehouse, query
    from warehouse.stages.chunk import recipe_chunking
    from warehouse.stages.stage import StageContext

    warehouse = Warehouse(home)
    _, chunking_id = recipe_chunking(StageContext(warehouse, settings))
    with warehouse.read() as connection:
        files = connection.execute(query("report_failed_files"), {"limit": LISTED_FILES + 1}).fetchall()
        dropped = connection.execute(query("count_dropped"), {"chunking_id": chunking_id}).fetchall()
    console = Console(stderr=True)
    if files:
        table = Table("file", "status", "why", box=None, pad_edge=False)
        for _, path, status, error in files[:LISTED_FILES]:
            table.add_row(Text(path), status, Text(error))
        console.print(table)
    if len(files) > LISTED_FILES:
        console.print(f"Only the first {LISTED_FILES} are listed; all: fakesmrt sql --query failed_files")
    if dropped:
        listed = ", ".join(f"{reason} {readable_bytes(n_bytes)}" for reason, n_bytes in dropped)
        console.print(f"Bytes that became no chunk: {listed}", markup=False, highlight=False, soft_wrap=True)


def plan(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[corpus|tokens|models|reports|nightly]", help="What would be built; all by default."
        ),
    ] = "nightly",
    recipe: Annotated[
        str | None, typer.Option(help="Name of the recipe; with it, what it changes is told too.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="OTHER",
            help="The recipe to compare with; else the same as last built, if it has changed, else default.",
        ),
    ] = None,
    examples: Annotated[
        int, typer.Option(help="Chunks to show on each side of each changed bound.", min=0)
    ] = 3,
    corpus: Annotated[
        list[str] | None, typer.Option(help="Look for new files in this corpus only; may repeat.")
    ] = None,
    replicates: Annotated[int, typer.Option(help="Micromodels to train.", min=2)] = 2,
    minutes: Annotated[float, typer.Option(help="Training budget of one micromodel.")] = 3.0,
    steps: Annotated[int | None, typer.Option(help="Training budget in steps instead of minutes.")] = None,
    new_references: Annotated[
        bool, typer.Option(help="As if the pinned references and tokenizer were replaced.")
    ] = False,
    independent: Annotated[
        bool, typer.Option("--independent", help="As if micromodels started anew.")
    ] = False,
    files: Annotated[
        bool, typer.Option("--files", help="List every file, not only the first ten of each kind.")
    ] = False,
    json_output: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON object a stage, then a count, key, example or note by its kind."
        ),
    ] = False,
) -> None:
    """Say which stages and files a build would work on, and why, without doing it.

    Give the options that the build would get. A stage would run, or not, or perhaps: new files may hold no text, and a
    recipe may leave all of it out; then the reason names the stage that tells. With --json "runs" is true, false or
    null.

    With --recipe or --against, the recipe is also applied to what is published: chunks, bytes and tokens (of the
    perplexity reference) by corpus and reason, before and after, and the chunks nearest to each changed bound.

    Example: fakesmrt plan --files

    Example: fakesmrt plan --recipe letters --against default
    """
    from fakesmrt_assets.cli.planning import show_plan
    from fakesmrt_assets.planning import plan_build
    from warehouse.stages.stage import BuildSettings

    home = Home(default_home())
    settings = BuildSettings(
        recipe or "default",
        tuple(corpus or ()),
        replicates,
        minutes,
        steps,
        new_references,
        None,
        independent,
    )
    show_plan(plan_build(home, settings, what), all_files=files, as_json=json_output)
    if recipe is not None or against is not None:
        from fakesmrt_assets.cli.comparing import show_comparison

        show_comparison(home, settings, against, examples, as_json=json_output)
