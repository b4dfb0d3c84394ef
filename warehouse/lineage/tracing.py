"""`trace`: from anything that has an identifier to what it was made of and what was made of it.

What lives here: which queries of the ``lineage`` views make which tree. What does not: tokens (``token_trace.py``), and
how a tree looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from warehouse.database import Connection, query
from warehouse.errors import InvalidConfiguration
from warehouse.home import Home
from warehouse.lineage.nearby import judged_nearby
from warehouse.lineage.token_place import find_shards, find_token, split_token
from warehouse.lineage.token_trace import token_node
from warehouse.lineage.tree import LISTED, Fact, TraceNode, id_bounds, more_than, node_of, rows_of

JUDGED = {
    "chunk": ("trace_chunk", "trace_chunk_recipes"),
    "document": ("trace_document_chunks",),
    "source_file": ("trace_source_file_recipes",),
}
"""Queries, by the kind of what they are asked about, for which the recipes have to judge chunks."""


@dataclass(frozen=True)
class _Reading:
    """A database that is traced through, and how many rows of each kind are listed; None for all."""

    connection: Connection
    limit: int | None

    def rows(self, name: str, identifier: str) -> list[dict[str, Fact]]:
        """The rows of a query on one thing, one more than are listed where there are more."""
        limit = None if self.limit is None else self.limit + 1
        parameters = {"id": identifier, "checkpoint_id": identifier, "limit": limit}
        return rows_of(self.connection, name, parameters)

    def listed(self, kind: str, name: str, identifier: str) -> tuple[TraceNode, ...]:
        """A node for each of the query's first rows, and one that says so where there are more."""
        rows = self.rows(name, identifier)
        return tuple(node_of(kind, row) for row in rows[: self.limit]) + self.more(rows)

    def more(self, rows: list[dict[str, Fact]]) -> tuple[TraceNode, ...]:
        """What follows rows of which there are more than are listed."""
        return (more_than(self.limit),) if self.limit is not None and len(rows) > self.limit else ()


def trace(
    connection: Connection, identifier: str, home: Home | None = None, limit: int | None = LISTED
) -> TraceNode:
    """Follow something through the Training Database, both ways.

    Args:
        connection: an open Training Database.
        identifier: the id of a checkpoint, chunk, document, source file, stream or shard, or its first digits
            (four or more); the path of a source file or the end of one; the name of an experiment, an evaluated model,
            an alias, an evaluation (SUITE: ITEM_SET) or a shard's file; or SHARD:TOKEN, a position in a shard.
        home: where the files lie by which a token is proved; None proves nothing.
        limit: rows listed of each kind; None lists all.

    Raises:
        InvalidConfiguration: if nothing has that identifier, or more than one thing.
    """
    token = split_token(identifier)
    if token is not None:
        shards = find_shards(connection, token[0])
        if len(shards) > 1:
            listed = ", ".join(str(shard.shard_id) for shard in shards)
            raise InvalidConfiguration(
                f"{token[0]!r} may mean the shards {listed}", "Give more of its digits"
            )
        if shards:
            return token_node(connection, find_token(connection, shards[0], token[1]), home)
    kind, found = _find(connection, identifier)
    return _TRACERS[kind](_Reading(connection, limit), found)


def _find(connection: Connection, identifier: str) -> tuple[str, str]:
    low, high = id_bounds(identifier)
    matches = connection.execute(
        query("trace_find"), {"low": low, "high": high, "name": identifier or None}
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


def _checkpoint(reading: _Reading, identifier: str) -> TraceNode:
    node = _checkpoint_with_parents(reading, identifier, {})
    children = (
        *node.children,
        *reading.listed("licence", "report_model_licences", identifier),
        *reading.listed("shard", "trace_checkpoint_shards", identifier),
        *reading.listed("source_file", "trace_checkpoint_sources", identifier),
        *reading.listed("evaluation", "trace_checkpoint_evaluations", identifier),
    )
    return TraceNode(node.kind, node.identifier, node.facts, children)


def _checkpoint_with_parents(
    reading: _Reading, identifier: str, relation: Mapping[str, Fact], seen: frozenset[str] = frozenset()
) -> TraceNode:
    """The model and, below it, what it was made of; no model is entered again below itself."""
    rows = reading.rows("trace_checkpoint", identifier)
    own = (
        node_of("checkpoint", rows[0])
        if rows
        else TraceNode("checkpoint", identifier, {"note": "not registered"})
    )
    parents = reading.rows("trace_checkpoint_parents", identifier)
    path = seen | {identifier}
    children = tuple(
        _checkpoint_with_parents(reading, str(row["parent_id"]), _without(row, "parent_id"), path)
        for row in parents[: reading.limit]
        if row["parent_id"] not in path
    )
    return TraceNode(
        "checkpoint", own.identifier, {**relation, **own.facts}, children + reading.more(parents)
    )


def _without(row: Mapping[str, Fact], column: str) -> dict[str, Fact]:
    return {name: value for name, value in row.items() if name != column}


def _experiment(reading: _Reading, identifier: str) -> TraceNode:
    rows = reading.rows("trace_experiment_checkpoints", identifier)
    models = tuple(_checkpoint(reading, str(row["checkpoint_id"])) for row in rows[: reading.limit])
    return TraceNode("experiment", identifier, {"n_models": len(models)}, models + reading.more(rows))


def _evaluation(reading: _Reading, identifier: str) -> TraceNode:
    """An evaluation, and the models that it was made of: what it measured of each is among the model's facts."""
    rows = reading.rows("trace_evaluation_models", identifier)
    models = tuple(
        _with_facts(_checkpoint(reading, str(row["checkpoint_id"])), _without(row, "checkpoint_id"))
        for row in rows[: reading.limit]
    )
    return TraceNode("evaluation", identifier, {"n_models": len(models)}, models + reading.more(rows))


def _with_facts(node: TraceNode, facts: Mapping[str, Fact]) -> TraceNode:
    return TraceNode(node.kind, node.identifier, {**facts, **node.facts}, node.children)


def _thing(kind: str, relations: Mapping[str, str]) -> Callable[[_Reading, str], TraceNode]:
    """A node by ``trace_<kind>.sql`` with a child for each row of ``trace_<kind>_<relation>.sql``."""

    kinds = {f"trace_{kind}": kind} | {f"trace_{kind}_{name}": child for name, child in relations.items()}

    def traced(reading: _Reading, identifier: str) -> TraceNode:
        found = _judged(reading, kind, kinds, identifier)
        for name in kinds.keys() - found.keys():
            found[name] = reading.listed(kinds[name], name, identifier)
        (node, *_), *parts = (found[name] for name in kinds)
        return TraceNode(kind, node.identifier, node.facts, tuple(child for part in parts for child in part))

    return traced


def _judged(
    reading: _Reading, kind: str, kinds: Mapping[str, str], identifier: str
) -> dict[str, tuple[TraceNode, ...]]:
    """What the queries say that ask for the recipes' verdicts on a thing's chunks."""
    if kind not in JUDGED:
        return {}
    with judged_nearby(reading.connection, kind, identifier):
        return {name: reading.listed(kinds[name], name, identifier) for name in JUDGED[kind]}


_TRACERS: Mapping[str, Callable[[_Reading, str], TraceNode]] = {
    "checkpoint": _checkpoint,
    "experiment": _experiment,
    "evaluation": _evaluation,
    "chunk": _thing("chunk", {"recipes": "decision", "shards": "shard", "models": "checkpoint"}),
    "document": _thing("document", {"chunks": "chunk", "models": "checkpoint"}),
    "source_file": _thing(
        "source_file",
        {"documents": "document", "recipes": "decision", "dropped": "dropped", "models": "checkpoint"},
    ),
    "shard": _thing("shard", {"sources": "source_file", "chunks": "chunk", "models": "checkpoint"}),
}
