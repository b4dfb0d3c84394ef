"""Conditions over metadata: what they may say, and what never gets as far as running."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from warehouse.database import PUBLISHED_STORAGE_VERSION, migrate
from warehouse.errors import InvalidConfiguration
from warehouse.expressions import VIEW, Kind, checked


@pytest.fixture(scope="module", params=["latest", PUBLISHED_STORAGE_VERSION])
def database(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    # Syntax trees look like those of the DuckDB whose files are written.
    with duckdb.connect(config={"storage_compatibility_version": request.param}) as connection:
        migrate(connection)
        yield connection


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("n_words > 5 AND language IN ('en', 'de')  -- English or German", ("language", "n_words")),
        (
            "corpus LIKE 'a%' OR NOT (n_words BETWEEN 1 AND 2) AND title IS NOT NULL",
            ("corpus", "n_words", "title"),
        ),
        ("CASE WHEN n_words > 3 THEN TRUE ELSE title ILIKE '%x%' END", ("n_words", "title")),
        ("first_seen_at > DATE '2020-01-01'", ("first_seen_at",)),
        ("regexp_matches(path, '[0-9]+\\.txt') AND round(n_words / 2) = 3", ("n_words", "path")),
        ("N_Words >= 1::BIGINT", ("n_words",)),
        (
            "first_seen_at > now_in_text::TIMESTAMPTZ - INTERVAL 3 DAY".replace(
                "now_in_text", "'2020-01-01'"
            ),
            ("first_seen_at",),
        ),
        ("CAST(n_words AS decimal(9, 2)) > 1.5 AND title::text <> ''", ("n_words", "title")),
        ("title = 'it''s \n $condition ; DROP TABLE x -- '", ("title",)),
        ("TRUE", ()),
    ],
)
def test_a_condition_over_columns_is_taken(
    database: duckdb.DuckDBPyConnection, text: str, columns: tuple[str, ...]
) -> None:
    expression = checked(database, text)
    assert expression.columns == columns
    database.table(VIEW).filter(expression.sql).fetchall()


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "-- nothing", "1 = 1) UNION SELECT (1 = 1", "TRUE; DROP TABLE corpus.chunk", "TRUE, TRUE",
        "TRUE) FROM corpus.corpus WHERE (TRUE", "TRUE) LIMIT (1", "n_words = 1 AND", "'",
        "n_words IN (SELECT 1)", "EXISTS (FROM corpus.forgotten)", "EXISTS (FROM read_text('/etc/passwd'))",
        "read_text('/etc/passwd') IS NOT NULL", "getenv('HOME') = ''", "current_setting('threads') = '1'",
        "meta.uniform_draw(title, '1') > 0", "sum(n_words) OVER () > 1", "count(*) > 1", "n_words > $1", "* = 1",
        "COLUMNS('n_.*') > 1", "[x FOR x IN [1]] = [1]", "list_transform([1], x -> x) = [1]", "repeat('x', 9) = ''",
        "no_such_column = 1", "corpus.chunk.n_words > 1", "rowid > 1", "n_words", "title", "nextval('s') = 1",
        "n_words > 1 " + "AND n_words > 1 " * 400, "NOT " * 900 + "TRUE",
        "path = 'a\0b'",
    ],
)  # fmt: skip
def test_anything_else_is_refused(database: duckdb.DuckDBPyConnection, text: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"\."):
        checked(database, text)


@pytest.mark.parametrize(
    "type_",
    [
        "DOUBLE[90000][90000][90000]", "VARCHAR[]", "STRUCT(x INTEGER)", "MAP(INTEGER, DATE)", "UNION(x INTEGER)",
        "ENUM('a')", "JSON", "no_such_type",
    ],
)  # fmt: skip
def test_a_cast_gives_a_single_value(database: duckdb.DuckDBPyConnection, type_: str) -> None:
    with pytest.raises(InvalidConfiguration, match="casts to"):
        checked(database, f"TRY_CAST(path AS {type_}) IS NULL")


def test_a_number_is_a_number(database: duckdb.DuckDBPyConnection) -> None:
    assert checked(database, "CASE corpus WHEN 'letters' THEN 2.5 ELSE 1 END", Kind.NUMBER).columns == (
        "corpus",
    )
    for text in ("corpus", "corpus = 'letters'"):
        with pytest.raises(InvalidConfiguration, match="yields"):
            checked(database, text, Kind.NUMBER)


def test_a_database_of_an_earlier_fakesmrt_says_so() -> None:
    with duckdb.connect() as connection, pytest.raises(InvalidConfiguration, match="earlier fakesmrt"):
        checked(connection, "TRUE")
