"""`trace` on the same database: by id, by the beginning of an id, by path and by name."""

from __future__ import annotations

import hashlib
import json
import uuid

import pytest
from duckdb import DuckDBPyConnection

from warehouse.database import query
from warehouse.errors import InvalidConfiguration
from warehouse.lineage.tracing import trace
from warehouse.lineage.tree import TraceNode


def named(name: str) -> str:
    return str(uuid.UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()))


def kinds(node: TraceNode) -> list[str]:
    return [child.kind for child in node.children]


def test_a_model_leads_to_parents_licences_files_and_evaluations(database: DuckDBPyConnection) -> None:
    node = trace(database, named("mixed"))
    assert kinds(node) == (
        ["checkpoint"] * 2 + ["licence"] * 3 + ["shard"] * 2 + ["source_file"] * 4 + ["evaluation"] * 2
    )
    heavier = node.children[0]
    assert heavier.facts["weight"] == 0.75
    assert [parent.identifier for parent in heavier.children] == [named("trunk")]


def test_the_beginning_of_an_id_is_enough(database: DuckDBPyConnection) -> None:
    assert trace(database, named("mixed")[:6].upper()).identifier == named("mixed")


@pytest.mark.parametrize("name", ["promoted", "mixed model"])
def test_aliases_and_names_of_evaluated_models_are_identifiers(
    database: DuckDBPyConnection, name: str
) -> None:
    assert trace(database, name).identifier == named("mixed")


def test_a_chunk_leads_to_its_decisions_shards_and_models(database: DuckDBPyConnection) -> None:
    node = trace(database, named("chunk-6"))
    assert node.facts["path"] == "/texts/letter.txt"
    assert kinds(node) == ["decision", "shard", "checkpoint", "checkpoint", "checkpoint", "checkpoint"]


def test_a_file_is_found_by_its_path_and_by_the_end_of_it(database: DuckDBPyConnection) -> None:
    assert (
        trace(database, "/texts/alice.txt")
        == trace(database, "alice.txt")
        == trace(database, named("stream-alice"))
    )
    assert kinds(trace(database, "alice.txt"))[0] == "document"


def test_a_file_that_changed_is_the_current_one(database: DuckDBPyConnection) -> None:
    database.execute("""
        INSERT INTO corpus.source_file BY NAME
        SELECT * REPLACE (id('older') AS source_id, now() AS retired_at)
        FROM corpus.source_file WHERE path LIKE '%alice%'
    """)
    assert trace(database, "/texts/alice.txt").identifier == named("file-alice")


def test_documents_shards_and_experiments_have_traces(database: DuckDBPyConnection) -> None:
    assert kinds(trace(database, named("document-letter"))) == ["chunk"] * 3 + ["checkpoint"] * 4
    assert trace(database, named("shard-past")).children[0].identifier == "source no longer held"
    assert [child.facts["kind"] for child in trace(database, "night").children] == [
        "mixed_model",
        "micromodel",
        "micromodel",
        "trunk",
    ]


def test_every_trace_is_json(database: DuckDBPyConnection) -> None:
    for name in ("mixed", "chunk-1", "document-alice", "file-emma", "shard-train"):
        assert json.loads(json.dumps(trace(database, named(name)).as_dict()))["identifier"] == named(name)


@pytest.mark.parametrize("unknown", ["nobody", "ffff", "", "%", "fff", "' OR 1=1 --"])
def test_what_nothing_is_called_is_said_in_one_line(database: DuckDBPyConnection, unknown: str) -> None:
    with pytest.raises(InvalidConfiguration, match="Nothing in the Training Database") as raised:
        trace(database, unknown)
    assert "\n" not in str(raised.value)


def test_an_ambiguous_name_lists_what_it_may_mean(database: DuckDBPyConnection) -> None:
    database.execute("""
        INSERT INTO corpus.source_file BY NAME
        SELECT * REPLACE (id('twin') AS source_id, '/old/alice.txt' AS path)
        FROM corpus.source_file WHERE path LIKE '%alice%'
    """)
    with pytest.raises(InvalidConfiguration, match="may mean source_file"):
        trace(database, "alice.txt")


def test_an_evaluation_leads_to_its_models_with_what_it_measured_of_each(
    database: DuckDBPyConnection,
) -> None:
    node = trace(database, "bits_per_byte: report/all")
    assert (node.kind, node.facts["n_models"]) == ("evaluation", 3)
    mixed = next(child for child in node.children if child.identifier == named("mixed"))
    assert (mixed.facts["model"], mixed.facts["value"]) == ("mixed model", 2.0)
    assert {"checkpoint", "licence", "shard", "source_file"} <= set(kinds(mixed))


def test_a_model_leads_to_the_shards_of_its_training_and_its_ancestors_past_ones_too(
    database: DuckDBPyConnection,
) -> None:
    shards = [child for child in trace(database, named("mixed")).children if child.kind == "shard"]
    assert {(child.identifier, child.facts["is_current"], child.facts["n_tokens"]) for child in shards} == {
        (named("shard-train"), True, 8000 + 2 * 5000),
        (named("shard-past"), False, 700),
    }


def test_the_licences_of_a_trace_are_those_of_the_model_card(database: DuckDBPyConnection) -> None:
    licences = [child for child in trace(database, "promoted").children if child.kind == "licence"]
    rows = database.execute(query("report_model_licences"), {"checkpoint_id": named("mixed")}).fetchall()
    assert [(child.identifier, *child.facts.values()) for child in licences] == rows


def test_as_many_rows_are_listed_as_are_asked_for(database: DuckDBPyConnection) -> None:
    def listed(limit: int | None) -> list[str]:
        return [
            child.kind
            for child in trace(database, named("mixed"), limit=limit).children
            if child.kind in {"source_file", "more"}
        ]

    assert listed(None) == listed(4) == ["source_file"] * 4
    assert listed(3) == ["source_file"] * 3 + ["more"]


def test_a_position_in_a_shard_leads_to_its_chunk_also_where_no_file_is_there(
    database: DuckDBPyConnection,
) -> None:
    node = trace(database, "train-0:5123")
    assert (node.kind, node.identifier) == ("token", "one/train-0.bin:5123")
    chunk = next(child for child in node.children if child.kind == "chunk")
    assert (chunk.identifier, chunk.facts["token_start"]) == (named("chunk-3"), 5000)
    masked = [child.identifier for child in node.children if child.kind == "decision"]
    assert masked == ["read as plain", "decoded as utf-8", "repaired by fix_encoding"] + ["email masked"] * 2
    gone = trace(database, f"{named('shard-past')}:5")
    assert {child.kind for child in gone.children} == {"shard", "chunk"}
