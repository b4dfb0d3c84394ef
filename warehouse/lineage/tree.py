"""What a lineage is: a tree of things and of what the database says of them.

What lives here: nodes, and rows of queries as nodes. What does not: which queries (``tracing.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from warehouse.database import Connection, query

Fact = str | int | float | bool | None

LISTED = 20
"""Rows shown of each kind; a model may have been trained on a hundred thousand files."""

SHORTEST_PREFIX = 4
"""Hexadecimal digits of an id that are enough to look for it."""


@dataclass(frozen=True)
class TraceNode:
    """One thing in a lineage, with what it leads to.

    Attributes:
        kind: what it is (checkpoint, chunk, document, source_file, shard, token, experiment) or what it says of the
            node above it (licence, evaluation, decision, proof).
        identifier: its id, path or name.
        facts: what the database says of it, by column name; NULLs are left out.
        children: what it leads to.
    """

    kind: str
    identifier: str
    facts: Mapping[str, Fact]
    children: tuple[TraceNode, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The tree as nested plain values, for JSON."""
        children = [child.as_dict() for child in self.children]
        return {
            "kind": self.kind,
            "identifier": self.identifier,
            "facts": dict(self.facts),
            "children": children,
        }


def id_bounds(identifier: str) -> tuple[str | None, str | None]:
    """The smallest and the largest id that begin with these hexadecimal digits; None twice where they are none."""
    digits = identifier.replace("-", "").lower()
    if not (SHORTEST_PREFIX <= len(digits) <= 32 and re.fullmatch("[0-9a-f]+", digits)):
        return None, None
    return digits.ljust(32, "0"), digits.ljust(32, "f")


def rows_of(connection: Connection, name: str, parameters: Mapping[str, object]) -> list[dict[str, Fact]]:
    """The rows of a query, by column and without NULLs; values as JSON can hold them. Of the parameters it gets those
    that it names."""
    (statement,) = connection.extract_statements(query(name))
    named = {key: value for key, value in parameters.items() if key in statement.named_parameters}
    result = connection.execute(statement, named)
    columns = [column[0] for column in result.description or []]
    return [
        {column: fact(value) for column, value in zip(columns, values, strict=True) if value is not None}
        for values in result.fetchall()
    ]


def fact(value: object) -> Fact:
    """A value of the database as a plain one."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def node_of(kind: str, row: Mapping[str, Fact], children: tuple[TraceNode, ...] = ()) -> TraceNode:
    """The first column names the node, the others are its facts."""
    (_, identifier), *facts = row.items()
    return TraceNode(kind, str(identifier), dict(facts), children)


def more_than(limit: int) -> TraceNode:
    """What stands after the last that is listed where there are more."""
    return TraceNode("more", f"only the first {limit} are listed; --all lists every one", {})
