"""The lineage views on a database small enough to know every answer."""

from __future__ import annotations

import hashlib
import uuid
from importlib.resources import files

from duckdb import DuckDBPyConnection

from warehouse.database import run_script


def named(name: str) -> uuid.UUID:
    return uuid.UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


def test_a_range_over_several_chunks_gives_each_its_part(database: DuckDBPyConnection) -> None:
    rows = database.execute(
        "SELECT chunk_id, token_start, token_end FROM lineage.model_chunk WHERE checkpoint_id = ? ORDER BY 2",
        [named("trunk")],
    ).fetchall()
    assert rows == [
        (named("chunk-1"), 4000, 5000),
        (named("chunk-3"), 5000, 10000),
        (named("chunk-6"), 10000, 12000),
    ]


def test_the_view_finds_the_same_overlaps_as_a_plain_join(database: DuckDBPyConnection) -> None:
    database.execute("""
        DELETE FROM models.checkpoint_range; DELETE FROM tokens.shard_chunk;
        INSERT INTO tokens.shard_chunk
            SELECT id('shard-' || s), id(s || '-' || c), c * 711, (c + 1) * 711
            FROM range(3) a(s), range(200) b(c);
        INSERT INTO models.checkpoint_range
            SELECT id('trunk'), id('shard-' || s), r * 5003, r * 5003 + 1 + hash(s, r) % 20000, 1
            FROM range(3) a(s), range(40) b(r);
    """)
    plain = """
        SELECT c.chunk_id, greatest(r.token_start, c.token_start), least(r.token_end, c.token_end)
        FROM models.checkpoint_range r JOIN tokens.shard_chunk c
        ON r.shard_id = c.shard_id AND r.token_start < c.token_end AND c.token_start < r.token_end
        ORDER BY ALL"""
    view = """
        SELECT chunk_id, token_start, token_end FROM lineage.model_chunk
        WHERE checkpoint_id = trained_id ORDER BY ALL"""
    assert database.execute(view).fetchall() == database.execute(plain).fetchall()


def test_a_mix_inherits_what_its_ancestors_saw_and_a_shared_trunk_counts_once(
    database: DuckDBPyConnection,
) -> None:
    rows = database.execute(
        "SELECT path, licence, n_chunks, n_tokens FROM lineage.model_source"
        " WHERE checkpoint_id = ? ORDER BY n_tokens",
        [named("mixed")],
    ).fetchall()
    assert rows == [
        ("source no longer held", "source no longer held", 1, 700),
        ("/texts/alice.txt", "CC0-1.0", 1, 1000),
        ("/texts/<script>alert(1)</script>.txt", "CC0-1.0", 1, 5000),
        ("/texts/letter.txt", "CC-BY-4.0", 2, 2000 + 2 * 5000),
    ]


def test_licences_of_a_model_add_up(database: DuckDBPyConnection) -> None:
    rows = database.execute(
        "SELECT licence, n_files, n_tokens FROM lineage.model_licence WHERE checkpoint_id = ? ORDER BY 1",
        [named("mixed")],
    ).fetchall()
    assert rows == [("CC-BY-4.0", 1, 12000), ("CC0-1.0", 2, 6000), ("source no longer held", 1, 700)]


def test_a_file_leads_to_every_model_that_must_be_rebuilt_without_it(database: DuckDBPyConnection) -> None:
    kinds = database.execute(
        "SELECT kind, replicate FROM lineage.source_model WHERE source_id = ? ORDER BY ALL",
        [named("file-alice")],
    ).fetchall()
    assert kinds == [("micromodel", 0), ("micromodel", 1), ("mixed_model", None), ("trunk", None)]


def test_one_select_joins_an_evaluation_to_files_and_licences(database: DuckDBPyConnection) -> None:
    rows = database.execute(
        "SELECT value, path, licence FROM lineage.evaluation_source"
        " WHERE model = 'micromodel 1' AND item_set = 'report/all' ORDER BY path"
    ).fetchall()
    assert rows == [
        (2.2, "/texts/<script>alert(1)</script>.txt", "CC0-1.0"),
        (2.2, "/texts/alice.txt", "CC0-1.0"),
        (2.2, "/texts/letter.txt", "CC-BY-4.0"),
        (2.2, "source no longer held", "source no longer held"),
    ]


def test_a_chunk_shows_every_decision(database: DuckDBPyConnection) -> None:
    columns = (
        "encoding, n_replaced, cluster_id, round(bits_per_byte::DOUBLE, 1), recipe, kept, reason, keeper_id"
    )
    row = database.execute(
        f"SELECT {columns} FROM lineage.chunk_decision WHERE chunk_id = ?",  # noqa: S608  # constant of this test
        [named("chunk-1")],
    ).fetchall()
    assert row == [("utf-8", 0, named("chunk-1"), 1.6, "default", True, None, named("chunk-1"))]


def test_every_chunk_has_one_row_of_decisions_a_recipe(database: DuckDBPyConnection) -> None:
    assert database.execute(
        "SELECT count(*), count(DISTINCT chunk_id) FROM lineage.chunk_decision"
    ).fetchall() == [(9, 9)]


def test_a_chunk_tells_what_of_it_stands_elsewhere_and_in_which_evaluation_set(
    database: DuckDBPyConnection,
) -> None:
    rows = database.execute(
        "SELECT n_repeated_passages, n_repeated_characters, evaluation_sets FROM lineage.chunk_decision"
        " WHERE chunk_id IN (?, ?, ?) ORDER BY ALL",
        [named("chunk-1"), named("chunk-5"), named("chunk-6")],
    ).fetchall()
    assert rows == [(0, 0, []), (0, 0, ["puzzles"]), (1, 10, [])]


def test_sources_are_counted_for_the_models_that_have_none_counted_yet(
    database: DuckDBPyConnection,
) -> None:
    every = "FROM models.checkpoint_source ORDER BY ALL"
    expected = database.execute(every).fetchall()
    database.execute("DELETE FROM models.checkpoint_source WHERE checkpoint_id = ?", [named("mixed")])
    for _ in range(2):
        run_script(database, "record_model_sources", {})
        assert database.execute(every).fetchall() == expected
    assert len(expected) == 4 + 3 + 4 + 3


def test_a_database_from_before_knows_the_sources_of_its_models_after_the_migration(
    database: DuckDBPyConnection,
) -> None:
    database.execute("CREATE TEMP TABLE expected AS FROM models.checkpoint_source")
    migration = (files("warehouse") / "schema" / "0009_lineage.sql").read_text()
    database.execute("DROP TABLE models.checkpoint_source; DROP TABLE tokens.shard_origin")
    database.execute(migration)
    assert database.execute(
        "FROM models.checkpoint_source EXCEPT FROM expected UNION ALL "
        "(FROM expected EXCEPT FROM models.checkpoint_source)"
    ).fetchall() == []  # fmt: skip
    assert database.execute("SELECT shard_id, masked FROM tokens.shard_origin").fetchall() == [
        (named("shard-train"), ["email"])
    ]
