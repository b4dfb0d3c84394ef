"""``fakesmrt init``, ``add`` and ``doctor``: making a home, filling it, looking after it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from fakesmrt_assets.instance import InstanceLayout, Launcher, Storage, install_instance
from warehouse.home import Home, default_home


def init(
    empty: Annotated[bool, typer.Option(help="Do not register the demo's corpora.")] = False,
    salt: Annotated[str | None, typer.Option(help="Text that decides the splits; random by default.")] = None,
    storage: Annotated[
        Storage | None, typer.Option(help="Where Dagster keeps its events; sqlite where nothing is said.")
    ] = None,
    launcher: Annotated[
        Launcher | None, typer.Option(help="What starts runs of the UI; local where nothing is said.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="Object store for text, index, shards and models.")
    ] = None,
) -> None:
    """Make the home, the database and the Dagster instance.

    The home is $FAKESMRT_HOME, else data/ in a checkout, else ~/.local/share/fakesmrt. With --storage or
    --launcher the settings of Dagster in a home that is there are replaced; docs/scaling.md says what they need.

    Example: fakesmrt init

    Example: fakesmrt init --storage postgres --launcher celery
    """
    home = Home(default_home())
    asked = storage is not None or launcher is not None
    layout = InstanceLayout(storage or Storage.SQLITE, launcher or Launcher.LOCAL) if asked else None
    new = make_home(home, salt, layout, store)
    if not empty:
        _register_demo(home)
    typer.echo(f"{'Made' if new else 'Found'} the home {home.root}")
    if new:
        typer.echo("Next: fakesmrt add CORPUS PATH --licence SPDX, or fakesmrt demo")


def make_home(
    home: Home, salt: str | None = None, layout: InstanceLayout | None = None, store: str | None = None
) -> bool:
    """Make or complete a home; True if it is new. The files of a new one lie at $FAKESMRT_STORE, where that is set."""
    from warehouse.database import Warehouse
    from warehouse.moving import move_to_store

    new = Warehouse(home).initialise(salt or secrets.token_hex(16))
    install_instance(home, layout)
    if url := store or (os.environ.get("FAKESMRT_STORE") if new else None):
        move_to_store(Warehouse(home), url)
    return new


def _register_demo(home: Home) -> None:
    """Register the demo's corpora in a home that has no corpus."""
    from warehouse.corpora import register
    from warehouse.database import Warehouse
    from warehouse.demo_corpora import demo_registrations

    with Warehouse(home).write("registering the demo's corpora") as connection:
        if connection.execute("SELECT 1 FROM corpus.corpus").fetchall():
            return
        for registration in demo_registrations(home.raw):
            register(connection, registration)


def add(
    corpus: Annotated[str, typer.Argument(help="Name of the corpus.")],
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders or quoted globs.")],
    licence: Annotated[str, typer.Option(help="SPDX expression, or LicenseRef-NAME.")],
    licence_file: Annotated[
        Path | None, typer.Option(help="CSV with the columns path and licence, for files with their own.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where the corpus comes from.")] = None,
    weight: Annotated[
        float | None,
        typer.Option(help="How often a document counts in training; 1 unless it was set before."),
    ] = None,
    keep_demo: Annotated[bool, typer.Option(help="Keep the demo's text beside yours.")] = False,
) -> None:
    """Register files, folders or globs as a corpus. Nothing is read before the next build.

    Your own text takes the place of the demo's, unless you say --keep-demo.

    Example: fakesmrt add letters ~/letters --licence CC0-1.0
    """
    from warehouse.corpora import Registration, register
    from warehouse.database import Warehouse, query
    from warehouse.demo_corpora import PREFIX
    from warehouse.errors import InvalidConfiguration
    from warehouse.licences import read_licence_file

    if corpus.startswith(PREFIX):
        raise InvalidConfiguration(f"Names that begin with {PREFIX} are the demo's", "Choose another name")
    home = Home(default_home())
    if not home.database.exists():
        make_home(home)
    overrides = read_licence_file(licence_file) if licence_file else {}
    registration = Registration(corpus, paths, licence, url, overrides, weight)
    with Warehouse(home).write(f"registering {corpus}") as connection:
        locations = register(connection, registration)
        replaced = [] if keep_demo else connection.execute(query("release_demo")).fetchall()
    typer.echo(f"{corpus} watches {', '.join(locations)}")
    if replaced:
        typer.echo(
            "The demo's text no longer counts from the next build on (--keep-demo would have kept it)."
        )
    typer.echo("Next: fakesmrt build")


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a finding.")] = False,
) -> None:
    """Check the home: folders, database, text files, references, shards, models, what is left of killed runs.

    Exit status 1 if something is wrong.

    Example: fakesmrt doctor --fix
    """
    import contextlib
    import json

    from warehouse.database import Warehouse
    from warehouse.doctor import examine_home
    from warehouse.locks import build_lock

    home = Home(default_home())
    home.require()
    with build_lock(home.root, "fakesmrt doctor --fix") if fix else contextlib.nullcontext():
        findings = examine_home(Warehouse(home), fix=fix)
    for finding in findings:
        if json_output:
            typer.echo(json.dumps({"what": finding.what, "remedy": finding.remedy, "mended": finding.mended}))
        else:
            typer.echo(f"{'mended' if finding.mended else 'WRONG'}: {finding.what}. {finding.remedy}")
    if not findings and not json_output:
        typer.echo(f"Nothing is wrong in {default_home()}")
    if any(not finding.mended for finding in findings):
        raise typer.Exit(1)
