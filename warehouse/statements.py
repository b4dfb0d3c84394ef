"""SQL statements that people write: whether they can only read, told before any of their text runs.

A database that is open for reading keeps its own tables whole, but a statement can still write files: COPY, also within
a WITH clause or EXPLAIN ANALYZE, IMPORT and EXPORT, logging and profiling. A SELECT is judged by its tree, which DuckDB
gives.

What lives here: the judgement. What does not: expressions, which are held to far less (``expressions.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from warehouse.database import Connection, query, scalar
from warehouse.errors import InvalidConfiguration

READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Kinds of query in DuckDB's tree that only read; others are a COPY, INSERT, UPDATE or DELETE behind WITH."""

TEXT_FUNCTIONS = {"query", "json_execute_serialized_sql"}
"""Functions that run a text, which would not be judged."""

WRITING_WORDS = TEXT_FUNCTIONS | {
    "attach", "call", "copy", "create", "delete", "export", "import", "insert", "merge", "update",
}  # fmt: skip
"""What a PIVOT may not hold anywhere: DuckDB gives no tree of it."""

PIVOT_WORDS = {"pivot", "pivot_wider"}

READING_PRAGMA = re.compile(
    r"PRAGMA\s+(table_info\s*\(\s*['\"]?[\w.]+['\"]?\s*\)|show_tables|show_databases|database_list|database_size|version)"
    r"\s*;?\s*",
    re.IGNORECASE,
)
EXPLAIN = re.compile(r"EXPLAIN\s+(ANALYZE\s+|\([^()]*\)\s*)?", re.IGNORECASE)

REMEDY = "Use SELECT; --output writes the answer to a file"


def require_reading(connection: Connection, text: str) -> None:
    """Refuse what is not one statement that only reads.

    Whatever is let through can still change settings by functions of DuckDB; see `lock_settings`.

    Args:
        connection: any; nothing of it is read.
        text: SELECT and its short forms (FROM, DESCRIBE, SUMMARIZE, SHOW, VALUES), PIVOT, EXPLAIN of a SELECT, and a
            few PRAGMAs.

    Raises:
        InvalidConfiguration: if it is anything else.
    """
    statements = connection.extract_statements(text)
    if len(statements) != 1:
        raise InvalidConfiguration(f"There are {len(statements)} statements", "Give exactly one")
    kind, statement = statements[0].type.name, statements[0].query.strip()
    if kind == "EXPLAIN" and (prefix := EXPLAIN.match(statement)):
        explained = connection.extract_statements(statement[prefix.end() :])
        kind = explained[0].type.name if len(explained) == 1 else kind
        statement = explained[0].query if kind == "SELECT" else statement
    words = set(re.findall(r"\w+", statement.lower()))
    if kind == "SELECT":
        _require_reading_nodes(connection, statement)
    elif kind == "MULTI" and words & PIVOT_WORDS:
        if found := sorted(words & WRITING_WORDS):
            raise InvalidConfiguration(
                f"A statement with PIVOT cannot hold the word {found[0]!r} here", REMEDY
            )
    elif not (kind == "PRAGMA" and READING_PRAGMA.fullmatch(statement)):
        raise _refusal(kind)


def lock_settings(connection: Connection) -> None:
    """No statement changes a setting of this connection any more, or writes a log or a profile."""
    connection.execute("SET lock_configuration = true")


def _require_reading_nodes(connection: Connection, statement: str) -> None:
    try:
        tree = json.loads(scalar(connection, query("expression_tree"), [statement]))
    except RecursionError as error:
        raise InvalidConfiguration("The statement is nested too deeply", "Write a simpler one") from error
    if tree["error"]:
        raise InvalidConfiguration(str(tree["error_message"]), REMEDY)
    for node in _nodes(tree["statements"]):
        if "cte_map" in node and node["type"] not in READING_NODES:
            raise _refusal(str(node["type"]).partition("_")[0])
        if (name := str(node.get("function_name", "")).lower()) in TEXT_FUNCTIONS:
            raise _refusal(f"{name}()")


def _refusal(kind: str) -> InvalidConfiguration:
    return InvalidConfiguration(f"fakesmrt sql only reads, and {kind} can do more than that", REMEDY)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON tree."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
