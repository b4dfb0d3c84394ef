"""``fakesmrt versions``: the published copies of the Training Database, and which of them stay."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from warehouse.publishing import PublishedVersion

versions = typer.Typer(
    no_args_is_help=True,
    help="Published copies of the Training Database: the last three stay, and those that are pinned."
    "\n\nExample: fakesmrt versions list",
)

Number = Annotated[int, typer.Argument(help="Number of the version, as in: fakesmrt versions list")]


@versions.command("list")
def list_versions(
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a version.")] = False,
) -> None:
    """List the published copies, oldest first.

    Example: fakesmrt versions list
    """
    from warehouse import publishing

    home = Home(default_home())
    home.require()
    there = publishing.versions(home)
    for version in there:
        typer.echo(
            json.dumps(asdict(version), default=str, ensure_ascii=False) if json_output else _line(version)
        )
    if not there and not json_output:
        typer.echo("Nothing is published yet. Next: fakesmrt build")


def _line(version: PublishedVersion) -> str:
    from fakesmrt_assets.cli.console import readable_bytes

    parts = [f"{version.number}: {version.published_at}, {readable_bytes(version.n_bytes)}"]
    if version.is_newest:
        parts.append("newest")
    if version.pin:
        who = f" by {version.pin.who}" if version.pin.who else ""
        since = f" on {version.pin.since}" if version.pin.since else ""
        why = f": {version.pin.why}" if version.pin.why else ""
        parts.append(f"pinned{who}{since}{why}")
    return "; ".join(parts)


@versions.command()
def pin(
    number: Number,
    reason: Annotated[str, typer.Option(help="Why it must stay; shown by: fakesmrt versions list")] = "",
) -> None:
    """Keep a version until it is unpinned.

    Example: fakesmrt versions pin 7 --reason "the figures of the paper"
    """
    from warehouse import publishing

    publishing.pin(Home(default_home()), number, reason)
    typer.echo(f"Version {number} stays. Let it go with: fakesmrt versions unpin {number}")


@versions.command()
def unpin(number: Number) -> None:
    """Let a version go: the next publication removes it if it is not among the last three.

    Example: fakesmrt versions unpin 7
    """
    from warehouse import publishing

    was_pinned = publishing.unpin(Home(default_home()), number)
    typer.echo(f"Version {number} {'is pinned no more' if was_pinned else 'was not pinned'}.")
