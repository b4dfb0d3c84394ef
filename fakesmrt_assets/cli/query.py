"""``fakesmrt sql``: questions to the published Training Database.

What lives here: arguments, refusals and how answers look; the published copy, opened for a command, and text made
safe for a terminal. It reads the newest published copy, so it neither waits for a build nor holds one up.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from warehouse.database import Connection

ROWS_AT_ONCE = 2000
WIDTH_ELSEWHERE = 400
TABLE_ROWS = 200
"""A table on a terminal ends here; the other formats give every row."""


class Format(StrEnum):
    """How the answer of ``fakesmrt sql`` is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def sql(
    statement: Annotated[str | None, typer.Argument(help="One SQL statement that reads.")] = None,
    query: Annotated[
        str | None, typer.Option(metavar="NAME", help="A query that comes with fakesmrt.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the answer is written.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
) -> None:
    """Ask the newest published copy of the Training Database; nothing can be changed by it.

    Without a statement and without --query, the queries that come with fakesmrt are listed. With
    --format json each row is one object on one line; ids are text, binary values are hexadecimal digits.

    Example: fakesmrt sql "SELECT corpus, count(*) FROM corpus.source_file GROUP BY corpus"

    Example: fakesmrt sql --query model_licences --format csv --output licences.csv
    """
    if statement is not None and query is not None:
        raise typer.BadParameter("Give a statement or --query, not both.")
    if format_ is Format.PARQUET and output is None:
        raise typer.BadParameter("--format parquet needs --output FILE.")
    if statement is None and query is None:
        _list_examples()
        return
    text = _example(query) if query is not None else statement or ""
    from warehouse.statements import lock_settings, require_reading

    with published() as connection:
        require_reading(connection, text)
        lock_settings(connection)
        if format_ is Format.PARQUET and output is not None:
            _write_parquet(connection, text, output)
        else:
            _write_rows(connection, text, format_, output)


@contextmanager
def published() -> Iterator[Connection]:
    """The published copy; an error of the database becomes one line."""
    import duckdb

    from warehouse.database import UPGRADE, Warehouse
    from warehouse.object_store import failure_told

    home = Home(default_home())
    try:
        with Warehouse(home).read_published() as connection:
            yield connection
    except duckdb.Error as error:
        if failure := failure_told(str(error)):
            raise failure from error
        message = " ".join(str(error).partition("\n\nLINE")[0].split())
        if "newer version of DuckDB" in message:
            raise InvalidConfiguration(
                f"A newer DuckDB has written {home.published}: {str(error).splitlines()[0]}", UPGRADE
            ) from error
        if str(home.root) in message or "orrupt" in message:
            raise InputUnreadable(message, "Run: fakesmrt doctor") from error
        raise InvalidConfiguration(
            message,
            "Tables and columns are described in docs/data_dictionary.md; fakesmrt sql lists examples",
        ) from error


def _examples() -> Mapping[str, str]:
    """SQL text of every query that comes with fakesmrt, by name."""
    folder = files("warehouse") / "queries" / "examples"
    return {
        entry.name.removesuffix(".sql"): entry.read_text()
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    }


def _list_examples() -> None:
    for name, text in _examples().items():
        typer.echo(f"{name:<20} {text.splitlines()[0].removeprefix('-- ')}")


def _example(name: str) -> str:
    examples = _examples()
    if name not in examples:
        raise InvalidConfiguration(f"There is no query {name!r}", f"There are: {', '.join(examples)}")
    return examples[name]


def _write_parquet(connection: Connection, text: str, output: Path) -> None:
    from warehouse.files import written_whole

    with written_whole(output.absolute()) as partial:
        connection.sql(text).to_parquet(str(partial))


def _write_rows(connection: Connection, text: str, format_: Format, output: Path | None) -> None:
    result = connection.execute(text)
    columns = _distinct([column[0] for column in result.description or []])
    if output is None:
        _WRITERS[format_](sys.stdout, columns, _rows(result))
        return
    from warehouse.files import written_whole

    with (
        written_whole(output.absolute()) as partial,
        partial.open("w", encoding="utf-8", newline="") as stream,
    ):
        _WRITERS[format_](stream, columns, _rows(result))


def _rows(result: Connection) -> Iterator[tuple[object, ...]]:
    while rows := result.fetchmany(ROWS_AT_ONCE):
        yield from rows


def _distinct(names: Sequence[str]) -> list[str]:
    """The column names; a repeated one gets a number, because an object has each key once."""
    distinct: list[str] = []
    for name in names:
        candidate, number = name, 0
        while candidate in distinct:
            number += 1
            candidate = f"{name}_{number}"
        distinct.append(candidate)
    return distinct


def _plain(value: object) -> object:
    """The value as JSON can hold it: binary as hexadecimal digits, no infinity, everything else as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)


def _write_csv(stream: IO[str], columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(value) for value in row] for row in rows)


def _write_json(stream: IO[str], columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    for row in rows:
        values = {column: _plain(value) for column, value in zip(columns, row, strict=True)}
        stream.write(json.dumps(values, ensure_ascii=False) + "\n")


def console_on(stream: IO[str]) -> Console:
    """As wide as the terminal; where the answer goes elsewhere, wide enough not to fold it."""
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else WIDTH_ELSEWHERE)


def _write_table(stream: IO[str], columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    from rich.table import Table

    table = Table()
    for column in columns:
        table.add_column(_text(column), overflow="fold")
    n_shown = 0
    for row in rows:
        if n_shown == TABLE_ROWS:
            break
        table.add_row(*(_text(_shown(value)) for value in row))
        n_shown += 1
    console = console_on(stream)
    console.print(table)
    if n_shown == TABLE_ROWS:
        console.print(f"At most {TABLE_ROWS} rows are shown; --format csv, json or parquet gives all.")


_WRITERS = {Format.TABLE: _write_table, Format.CSV: _write_csv, Format.JSON: _write_json}


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(_plain(value))


def printable(text: str) -> str:
    """The text without characters that a terminal would obey: names come from files."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)


def _text(value: str) -> Text:
    """Never read as markup."""
    from rich.text import Text

    return Text(printable(value))
