"""SQL expressions that people write over ``corpus.chunk_metadata``: checked before any of their text runs.

An expression is parsed by DuckDB itself, its tree is compared with what is allowed (columns of the view, constants,
operators and a list of functions that only compute), and what runs is the SQL that DuckDB writes from that tree. So
no expression reaches another table, a file, a setting or a second statement.

What lives here: the check. What does not: the queries that an expression becomes part of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb

from warehouse.database import Connection, query
from warehouse.errors import InvalidConfiguration

VIEW = "corpus.chunk_metadata"
MAX_CHARACTERS = 4000

ALLOWED_CLASSES = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR",
    "TYPE",
}  # fmt: skip
"""Kinds of node in DuckDB's tree of an expression; not among them: subqueries, windows, lambdas, stars, parameters."""

ALLOWED_FUNCTIONS = {
    "+", "-", "*", "/", "//", "%", "**", "^", "||", "&", "|",
    "~~", "!~~", "~~*", "!~~*", "~~~", "like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape",
    "abs", "ceil", "ceiling", "floor", "greatest", "least", "ln", "log", "log10", "log2", "exp", "pow", "power",
    "round", "sign", "sqrt", "trunc",
    "concat", "contains", "ends_with", "left", "length", "lower", "ltrim", "position", "prefix", "regexp_full_match",
    "regexp_matches", "reverse", "right", "rtrim", "split_part", "starts_with", "strip_accents", "strlen",
    "strpos", "substr", "substring", "suffix", "trim", "upper",
    "list_contains", "list_value", "len", "nullif", "ifnull", "coalesce",
    "date_part", "date_trunc", "datepart", "epoch", "month", "year", "to_days", "to_hours", "to_months", "to_years",
}  # fmt: skip
"""Functions that compute from their arguments alone, in memory in proportion to them; macros, which a database may
define, are not among them."""

ALLOWED_TYPES = {
    "BIGINT", "BOOL", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "INT", "INTEGER", "INTERVAL",
    "NUMERIC", "REAL", "SMALLINT", "STRING", "TEXT", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ",
    "TINYINT", "UBIGINT", "UHUGEINT", "UINTEGER", "USMALLINT", "UTINYINT", "UUID", "VARCHAR",
}  # fmt: skip
"""Types that a value may be cast to, as DuckDB's tree names them: single values. An array's type states its size, which
is taken from memory however little is in it."""

REMEDY = f"Write one expression over the columns of {VIEW} (docs/data_dictionary.md)"


class Kind(StrEnum):
    """What an expression has to yield."""

    CONDITION = "condition"
    NUMBER = "number"


TYPES = {
    Kind.CONDITION: {"BOOLEAN"},
    Kind.NUMBER: {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
        "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    Attributes:
        sql: as DuckDB writes it: normalised, and whole by itself wherever it is put.
        columns: names of the view's columns that it reads, sorted.
    """

    sql: str
    columns: tuple[str, ...]


def checked(connection: Connection, text: str, kind: Kind = Kind.CONDITION) -> Expression:
    """Check an expression that a person wrote.

    Args:
        connection: a database that has the view; nothing is read from its tables.
        text: the expression, such as ``language = 'en' AND n_words > 50``.
        kind: a condition, or a number.

    Raises:
        InvalidConfiguration: if it is no single expression, uses what is not allowed, names an unknown column, or
            yields something else.
    """
    try:
        return _checked(connection, text, kind)
    except RecursionError as error:
        raise InvalidConfiguration(f"The {kind} is nested too deeply", REMEDY) from error


def _checked(connection: Connection, text: str, kind: Kind) -> Expression:
    if len(text) > MAX_CHARACTERS:
        raise InvalidConfiguration(
            f"The {kind} has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read", REMEDY
        )
    if "\0" in text:
        raise InvalidConfiguration(f"The {kind} holds a character that ends texts (U+0000)", REMEDY)
    if not text.strip():
        raise InvalidConfiguration(f"The {kind} is empty", REMEDY)
    tree = _parsed(connection, text, kind)
    _require_harmless(tree["statements"][0]["node"]["select_list"][0], kind)
    columns = view_columns(connection)
    named = sorted({name for name in _column_names(tree) if name.lower() in columns})
    unknown = sorted({name for name in _column_names(tree) if name.lower() not in columns})
    if unknown:
        raise InvalidConfiguration(f"{VIEW} has no column {unknown[0]!r}", REMEDY)
    statement = str(connection.execute(query("expression_text"), [json.dumps(tree)]).fetchall()[0][0])
    expression = Expression(
        statement.removeprefix("SELECT ").removesuffix(f" FROM {VIEW}"), tuple(name.lower() for name in named)
    )
    _require_type(connection, statement, expression.sql, kind)
    return expression


def view_columns(connection: Connection) -> Mapping[str, str]:
    """Each column of the view and its type.

    Raises:
        InvalidConfiguration: if the database has no such view: an older fakesmrt published it.
    """
    rows = connection.execute(query("chunk_metadata_columns")).fetchall()
    if not rows:
        raise InvalidConfiguration(
            f"This copy of the Training Database has no {VIEW}: an earlier fakesmrt published it",
            "Publish a new one with: fakesmrt build corpus",
        )
    return {str(name): str(type_) for name, type_ in rows}


def _parsed(connection: Connection, text: str, kind: Kind) -> dict[str, Any]:
    """The tree of ``SELECT (text) FROM view``, which is nothing else than that."""
    tree = _tree(connection, text)
    if tree["error"]:
        raise InvalidConfiguration(
            f"The {kind} is not SQL: {str(tree.get('error_message', text)).splitlines()[0]}", REMEDY
        )
    if _around(tree) != _around(_tree(connection, "TRUE")):
        raise InvalidConfiguration(f"The {kind} is more than one expression", REMEDY)
    return tree


def _tree(connection: Connection, text: str) -> dict[str, Any]:
    # The line break ends a comment that the text may end with.
    statement = query("expression_statement").replace("$expression", f"{text}\n")
    try:
        [(serialised,)] = connection.execute(query("expression_tree"), [statement]).fetchall()
    except duckdb.Error as error:
        raise InvalidConfiguration(f"It is not SQL: {str(error).splitlines()[0]}", REMEDY) from error
    tree: dict[str, Any] = json.loads(serialised)
    return tree


def _around(tree: Mapping[str, Any]) -> object:
    """What a tree holds besides the one expression, without places in the text."""
    statements = [
        {
            **statement,
            "node": {**statement["node"], "select_list": len(statement["node"].get("select_list", ()))},
        }
        for statement in tree["statements"]
    ]
    return _without_places(statements)


def _without_places(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: _without_places(item) for key, item in value.items() if not key.startswith("query_location")
        }
    if isinstance(value, list):
        return [_without_places(item) for item in value]
    return value


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """Every object of a tree."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _require_harmless(expression: dict[str, Any], kind: Kind) -> None:
    for node in _nodes(expression):
        class_ = node.get("class")
        if class_ is not None and class_ not in ALLOWED_CLASSES:
            raise InvalidConfiguration(f"The {kind} holds a {str(class_).lower()}", REMEDY)
        if class_ == "FUNCTION" and not _is_allowed(node):
            name = node.get("function_name")
            raise InvalidConfiguration(f"The {kind} calls {name}, which is not allowed here", REMEDY)
        if class_ == "CAST" and (type_ := _cast_to(node)).upper() not in ALLOWED_TYPES:
            raise InvalidConfiguration(f"The {kind} casts to {type_}, which is not allowed here", REMEDY)
        if class_ == "COLUMN_REF" and len(node["column_names"]) != 1:
            name = ".".join(node["column_names"])
            raise InvalidConfiguration(f"The {kind} names {name}; columns have no prefix here", REMEDY)


def _is_allowed(function: Mapping[str, Any]) -> bool:
    return (
        str(function["function_name"]).lower() in ALLOWED_FUNCTIONS
        and not function["schema"]
        and not function["catalog"]
    )


def _cast_to(cast: Mapping[str, Any]) -> str:
    """The type of a cast. A connection that writes files for an earlier DuckDB gives trees of that DuckDB, too, in
    which types are no expressions."""
    if "cast_type" in cast:
        return str(cast["cast_type"]["id"])
    return ".".join(cast["type_expr"]["qualified_name"]["path"])


def _column_names(tree: Mapping[str, Any]) -> set[str]:
    return {node["column_names"][0] for node in _nodes(tree) if node.get("class") == "COLUMN_REF"}


def _require_type(connection: Connection, statement: str, sql: str, kind: Kind) -> None:
    try:
        [(_, type_, *_)] = connection.execute(f"DESCRIBE {statement}").fetchall()
    except (duckdb.FatalException, duckdb.InternalException):
        # The database cannot be used any more, which is for whoever opened it to know.
        raise
    except duckdb.Error as error:
        message = " ".join(str(error).partition("\n\nLINE")[0].split())
        raise InvalidConfiguration(f"The {kind} {sql} fails: {message}", REMEDY) from error
    if str(type_).partition("(")[0] not in TYPES[kind]:
        raise InvalidConfiguration(f"The {kind} {sql} yields {type_}", REMEDY)
