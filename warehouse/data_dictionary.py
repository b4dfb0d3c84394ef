"""The data dictionary: every table, view and column with the comment that the database itself holds.

What lives here: reading the comments and writing them as one page. The page in ``docs/`` is made by
``python -m warehouse.data_dictionary > docs/data_dictionary.md``; a test compares it with the schema.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from warehouse.database import Connection, Warehouse, migrate, query, read_rows
from warehouse.home import Home
from warehouse.published_relations import add_published_relations

INTRODUCTION = """# Data dictionary

Every table and view of the Training Database, generated from the database's own comments by
`python -m warehouse.data_dictionary`. Any DuckDB client from 1.2 on opens `published.duckdb` in the home;
`fakesmrt sql` does so too. Ids are 128-bit content hashes; byte and token ranges are half open: [start, end).
"""

SCHEMAS = {
    "meta": "The home, its migrations and its commits.",
    "corpus": "From registered corpora to training chunks.",
    "tokens": "Tokenizers and shards.",
    "models": "Models, what they were made of, and how they were trained.",
    "reports": "Measurements.",
    "statistics": "Views that count and measure the chunks that count now.",
    "lineage": "Views that join it all: models with chunks, files and licences; chunks with decisions.",
}


@dataclass(frozen=True)
class DescribedColumn:
    """A column of a table or view, with the comments on both; a comment is empty where there is none."""

    schema_name: str
    relation: str
    kind: str
    relation_comment: str
    column_name: str
    data_type: str
    nullable: bool
    comment: str


def described_columns(connection: Connection) -> list[DescribedColumn]:
    """Every column of every table and view of the Training Database, in order."""
    return read_rows(connection, query("data_dictionary"), {}, DescribedColumn)


def data_dictionary(connection: Connection) -> str:
    """The dictionary as Markdown."""
    parts = [INTRODUCTION]
    columns = described_columns(connection)
    for schema, of_schema in groupby(columns, key=lambda column: column.schema_name):
        parts.append(f"## {schema}\n\n{SCHEMAS.get(schema, '')}\n")
        for _, of_relation in groupby(of_schema, key=lambda column: column.relation):
            parts.append(_relation(list(of_relation)))
    return "\n".join(parts)


def _relation(columns: list[DescribedColumn]) -> str:
    first = columns[0]
    view = " (view)" if first.kind == "view" else ""
    rows = [f"| `{column.column_name}` | {_type(column)} | {_cell(column.comment)} |" for column in columns]
    head = f"### {first.schema_name}.{first.relation}{view}\n\n{first.relation_comment}\n"
    return "\n".join([head, "| column | type | meaning |", "|---|---|---|", *rows, ""])


def _type(column: DescribedColumn) -> str:
    return column.data_type if column.nullable else f"{column.data_type}, never NULL"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def with_every_view(connection: Connection) -> None:
    """Make the schema of a published copy in an empty database."""
    migrate(connection)
    add_published_relations(connection, Home(Path("/nowhere")), number=0)


def main() -> None:
    """Write the dictionary of the current schema to standard output."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Warehouse(Home(Path(folder))).scratch() as connection,
    ):
        with_every_view(connection)
        sys.stdout.write(data_dictionary(connection))


if __name__ == "__main__":
    main()
