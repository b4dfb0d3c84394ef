"""``fakesmrt store``: whether the large files of the home lie here or in an object store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.errors import InvalidConfiguration
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from warehouse.object_store import Json


def store(
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="A folder for this home alone, s3://BUCKET/FOLDER.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Something more about the store; may be repeated."),
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Bring all files back to this machine.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show where text, word index, shards and models of the home lie, or move them into an object store.

    The database, the reports and the references stay on this machine. Credentials are never stored: for S3 they come
    from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws or the machine's role.

    Example: fakesmrt store s3://bucket/home --option endpoint_url=https://minio.example:9000

    Example: fakesmrt store --local
    """
    from warehouse.database import Warehouse
    from warehouse.moving import bring_back, move_to_store

    home = Home(default_home())
    home.require()
    if local and url:
        raise typer.BadParameter("Give a URL or --local, not both.")
    if option and not url:
        raise typer.BadParameter("--option belongs to a URL.")
    if url:
        n_files = move_to_store(Warehouse(home), url, _options(option) if option else None, _Said())
        typer.echo(f"{n_files:,} files are stored at {url}", err=True)
    elif local:
        n_files = bring_back(Warehouse(home), _Said())
        typer.echo(f"{n_files:,} files lie here again; those in the store are yours to remove", err=True)
    _show(home, json_output)


class _Said:
    """Progress of a transfer: a line now and then."""

    EVERY = 500

    def __call__(self, done: float, total: float, note: str) -> None:
        if done % self.EVERY == 0 or done == total:
            typer.echo(f"{note} {done:,.0f} of {total:,.0f} files", err=True)


def _options(given: list[str]) -> dict[str, Json]:
    options: dict[str, Json] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise InvalidConfiguration(f"{text!r} is no option", "Write it as NAME=VALUE")
        options[name] = {"true": True, "false": False}.get(value, value)
    return options


def _show(home: Home, json_output: bool) -> None:
    from warehouse.object_store import STORED_ROOMS, store_of_home

    stored = store_of_home(home.root)
    found = {
        room: list(stored.sizes(room).values())
        if stored
        else [path.stat().st_size for path in (home.root / room).rglob("*") if path.is_file()]
        for room in STORED_ROOMS
    }
    if json_output:
        shown = {
            "url": stored.settings.url if stored else None,
            "options": dict(stored.settings.options) if stored else {},
            "rooms": {room: {"n_files": len(sizes), "n_bytes": sum(sizes)} for room, sizes in found.items()},
        }
        typer.echo(json.dumps(shown))
        return
    typer.echo(f"The files lie at {stored.settings.url if stored else home.root}")
    for room, sizes in found.items():
        typer.echo(f"{room:<8} {len(sizes):>8,} files {sum(sizes):>16,} bytes")
