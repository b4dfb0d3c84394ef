"""The data dictionary is complete, and the page in docs/ is the one that the schema gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.data_dictionary import SCHEMAS, data_dictionary, described_columns, with_every_view

PAGE = Path(__file__).parent.parent.parent / "docs" / "data_dictionary.md"


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        with_every_view(connection)
        yield connection


def test_every_table_view_and_column_says_what_it_is(database: duckdb.DuckDBPyConnection) -> None:
    columns = described_columns(database)
    silent = [f"{column.schema_name}.{column.relation}" for column in columns if not column.relation_comment]
    silent += [f"{column.relation}.{column.column_name}" for column in columns if not column.comment]
    assert not silent
    assert {column.schema_name for column in columns} == set(SCHEMAS)


def test_every_column_has_its_row_in_the_dictionary(database: duckdb.DuckDBPyConnection) -> None:
    page = data_dictionary(database)
    own = "FROM duckdb_columns() WHERE NOT internal AND schema_name <> 'main'"
    for schema, relation in database.execute(f"SELECT DISTINCT schema_name, table_name {own}").fetchall():
        assert f"### {schema}.{relation}" in page
    n_columns = database.execute(f"SELECT count(*) {own}").fetchall()[0][0]
    assert page.count("\n| `") == n_columns > 200


def test_a_column_without_a_comment_is_noticed() -> None:
    with duckdb.connect() as connection:
        with_every_view(connection)
        connection.execute("ALTER TABLE corpus.chunk ADD COLUMN forgotten_comment INTEGER")
        assert [c.column_name for c in described_columns(connection) if not c.comment] == [
            "forgotten_comment"
        ]


def test_the_page_in_docs_is_up_to_date(database: duckdb.DuckDBPyConnection) -> None:
    fresh = data_dictionary(database)
    assert PAGE.read_text() == fresh, "Run: python -m warehouse.data_dictionary > docs/data_dictionary.md"
