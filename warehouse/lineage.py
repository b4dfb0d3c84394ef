"""Lineage both ways: from anything that has an identifier to what it was made of and what was made of it.

What lives here: `trace`, which turns rows of the ``lineage`` views into a tree. What does not: how it looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from warehouse.database import Connection, query
from warehouse.errors import InvalidConfiguration

Fact = str | int | float | bool | None

LISTED = 20
"""Rows shown of each kind; a model may have been trained on a hundred thousand files."""

SHORTEST_PREFIX = 4
"""Hexadecimal digits of an id that are enough to look for it."""


@dataclass(frozen=True)
class TraceNode:
    """One thing in a lineage, with what it leads to.

    Attributes:
        kind: what it is (checkpoint, chunk, document, source_file, shard, experiment) or what it says of the
            node above it (licence, evaluation, decision).
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


def trace(connection: Connection, identifier: str) -> TraceNode:
    """Follow something through the Training Database, both ways.

    Args:
        connection: an open Training Database.
        identifier: the id of a checkpoint, chunk, document, source file, stream or shard, or its first digits
            (four or more); the path of a source file or the end of one; the name of an experiment, an
            evaluated model or an alias.

    Raises:
        InvalidConfiguration: if nothing has that identifier, or more than one thing.
    """
    kind, found = _find(connection, identifier)
    return _TRACERS[kind](connection, found)


def _find(connection: Connection, identifier: str) -> tuple[str, str]:
    digits = identifier.replace("-", "").lower()
    is_id = SHORTEST_PREFIX <= len(digits) <= 32 and re.fullmatch("[0-9a-f]+", digits) is not None
    matches = connection.execute(
        query("trace_find"),
        {
            "low": digits.ljust(32, "0") if is_id else None,
            "high": digits.ljust(32, "f") if is_id else None,
            "name": identifier or None,
        },
    ).fetchall()
    if not matches:
        raise InvalidConfiguration(
            f"Nothing in the Training Database is called {identifier!r}",
            "Give an id or its first four digits, a path or an experiment: fakesmrt sql --query models",
        )
    if len(matches) > 1:
        listed = ", ".join(f"{kind} {found}" for kind, found in matches)
        raise InvalidConfiguration(
            f"{identifier!r} may mean {listed}", "Give more of its digits, or the whole path"
        )
    kind, found = matches[0]
    return str(kind), str(found)


def _rows(connection: Connection, name: str, parameters: dict[str, object]) -> list[dict[str, Fact]]:
    result = connection.execute(query(name), parameters)
    columns = [column[0] for column in result.description or []]
    return [
        {column: _fact(value) for column, value in zip(columns, values, strict=True) if value is not None}
        for values in result.fetchall()
    ]


def _fact(value: object) -> Fact:
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _node(kind: str, row: dict[str, Fact], children: tuple[TraceNode, ...] = ()) -> TraceNode:
    """The first column names the node, the others are its facts."""
    (_, identifier), *facts = row.items()
    return TraceNode(kind, str(identifier), dict(facts), children)


def _listed(connection: Connection, kind: str, name: str, identifier: str) -> tuple[TraceNode, ...]:
    """A node for each of the query's first rows, and one that says so where there are more."""
    rows = _rows(connection, name, {"id": identifier, "limit": LISTED + 1})
    nodes = tuple(_node(kind, row) for row in rows[:LISTED])
    return nodes + _more(len(rows) > LISTED)


def _more(there_are: bool) -> tuple[TraceNode, ...]:
    note = TraceNode("more", f"only the first {LISTED} are listed; the views lineage.* hold all", {})
    return (note,) if there_are else ()


def _checkpoint(connection: Connection, identifier: str) -> TraceNode:
    node = _checkpoint_with_parents(connection, identifier, {})
    children = (
        *node.children,
        *_listed(connection, "licence", "trace_checkpoint_licences", identifier),
        *_listed(connection, "source_file", "trace_checkpoint_sources", identifier),
        *_listed(connection, "evaluation", "trace_checkpoint_evaluations", identifier),
    )
    return TraceNode(node.kind, node.identifier, node.facts, children)


def _checkpoint_with_parents(
    connection: Connection, identifier: str, relation: Mapping[str, Fact], seen: frozenset[str] = frozenset()
) -> TraceNode:
    """The model and, below it, what it was made of; no model is entered again below itself."""
    rows = _rows(connection, "trace_checkpoint", {"id": identifier})
    own = (
        _node("checkpoint", rows[0])
        if rows
        else TraceNode("checkpoint", identifier, {"note": "not registered"})
    )
    parents = _rows(connection, "trace_checkpoint_parents", {"id": identifier, "limit": LISTED + 1})
    path = seen | {identifier}
    children = tuple(
        _checkpoint_with_parents(connection, str(row["parent_id"]), _without(row, "parent_id"), path)
        for row in parents[:LISTED]
        if row["parent_id"] not in path
    )
    return TraceNode(
        "checkpoint", own.identifier, {**relation, **own.facts}, children + _more(len(parents) > LISTED)
    )


def _without(row: Mapping[str, Fact], column: str) -> dict[str, Fact]:
    return {name: value for name, value in row.items() if name != column}


def _experiment(connection: Connection, identifier: str) -> TraceNode:
    rows = _rows(connection, "trace_experiment_checkpoints", {"id": identifier, "limit": LISTED + 1})
    models = tuple(_checkpoint(connection, str(row["checkpoint_id"])) for row in rows[:LISTED])
    return TraceNode("experiment", identifier, {"n_models": len(models)}, models + _more(len(rows) > LISTED))


def _thing(kind: str, relations: Mapping[str, str], connection: Connection, identifier: str) -> TraceNode:
    """A node by ``trace_<kind>.sql`` with a child for each row of ``trace_<kind>_<relation>.sql``."""
    row = _rows(connection, f"trace_{kind}", {"id": identifier})[0]
    children = tuple(
        child
        for relation, child_kind in relations.items()
        for child in _listed(connection, child_kind, f"trace_{kind}_{relation}", identifier)
    )
    return _node(kind, row, children)


_TRACERS: Mapping[str, Callable[[Connection, str], TraceNode]] = {
    "checkpoint": _checkpoint,
    "experiment": _experiment,
    "chunk": partial(_thing, "chunk", {"recipes": "decision", "shards": "shard", "models": "checkpoint"}),
    "document": partial(_thing, "document", {"chunks": "chunk", "models": "checkpoint"}),
    "source_file": partial(
        _thing,
        "source_file",
        {"documents": "document", "recipes": "decision", "dropped": "dropped", "models": "checkpoint"},
    ),
    "shard": partial(_thing, "shard", {"sources": "source_file", "models": "checkpoint"}),
}
