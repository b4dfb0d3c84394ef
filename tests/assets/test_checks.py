"""Every check can fail: each test damages what the check guards and sees it fail, where it passed before."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fakesmrt_assets.checks import (
    DECISION_FILE,
    Finding,
    Inspection,
    by_query,
    inspect_checkpoints,
    inspect_documents,
    inspect_evaluation_items,
    inspect_licences,
    inspect_mixes,
    inspect_shards,
)
from warehouse.database import Warehouse
from warehouse.stages.stage import BuildSettings

SETTINGS = BuildSettings()

HELD_OUT_TEXT_IN_A_KEPT_CHUNK = """
    INSERT INTO corpus.contamination BY NAME
    SELECT
        chunk_id,
        'held_out' AS evaluation_set,
        chunk_id AS item_id,
        'near_duplicate' AS rule,
        1.0 AS score,
        13 AS n_words,
        TRUE AS counts,
        'test' AS rule_version
    FROM corpus.training_chunk
    WHERE kept AND split = 'train'
    LIMIT 1
"""


def sql(*statements: str) -> Callable[[Warehouse], None]:
    """Damage by statements on the working database."""

    def damage(warehouse: Warehouse) -> None:
        with warehouse.write("damage") as connection:
            for statement in statements:
                connection.execute(statement)

    return damage


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def first(warehouse: Warehouse, statement: str) -> str:
    with warehouse.read() as connection:
        return str(connection.execute(statement).fetchall()[0][0])


def damage_shard(warehouse: Warehouse) -> None:
    path = warehouse.home.tokens / first(warehouse, "SELECT path FROM tokens.shard ORDER BY path")
    flip_a_byte(path.with_suffix(".bin"))


def damage_weights(warehouse: Warehouse) -> None:
    folder = first(warehouse, "SELECT path FROM models.checkpoint WHERE kind = 'micromodel' ORDER BY path")
    flip_a_byte(warehouse.home.models / folder / "model.safetensors")


RULE_THAT_KEEPS_WHAT_IT_KEPT = (
    "CREATE TABLE kept_before AS FROM corpus.training_chunk",
    "CREATE OR REPLACE VIEW corpus.training_chunk AS FROM kept_before",
)
PAIR_OF_KEPT = """
    INSERT INTO corpus.duplicate_pair (chunk_a, chunk_b, jaccard, rule_version)
    SELECT min(chunk_id), max(chunk_id), 0.95, 'test'
    FROM corpus.training_chunk
    WHERE kept AND split = 'train'
"""
TEXT_ON_BOTH_SIDES = """
    UPDATE corpus.chunk SET text_sha256 = 'same'::BLOB
    WHERE chunk_id IN (
        SELECT any_value(chunk_id) FROM corpus.training_chunk WHERE kept GROUP BY split = 'train'
    )
"""


def folder_of_mix(warehouse: Warehouse) -> Path:
    return warehouse.home.models / first(
        warehouse, "SELECT path FROM models.checkpoint WHERE kind = 'mixed_model'"
    )


def damage_decision(warehouse: Warehouse) -> None:
    sql(MIX_OF_TWO)(warehouse)
    (folder_of_mix(warehouse) / DECISION_FILE).unlink()


def refuse_mix(warehouse: Warehouse) -> None:
    sql(MIX_OF_TWO)(warehouse)
    path = folder_of_mix(warehouse) / DECISION_FILE
    record = json.loads(path.read_text())
    record["decision"] |= {"accepted": False, "confirm_gain_low": -0.01}
    path.write_text(json.dumps(record))


MIX_OF_TWO = """
    INSERT INTO models.checkpoint_parent (checkpoint_id, parent_id, relation, weight)
    SELECT mixed.checkpoint_id, other.checkpoint_id, 'mix', 0.5
    FROM models.checkpoint AS mixed
    INNER JOIN models.checkpoint AS other ON other.kind IN ('trunk', 'micromodel')
    WHERE mixed.kind = 'mixed_model'
"""
UNTRACED_CHUNK = """
    DELETE FROM tokens.shard_chunk WHERE chunk_id IN (
        SELECT min(shard_chunk.chunk_id) FROM tokens.shard_chunk AS shard_chunk
        INNER JOIN lineage.model_chunk AS model_chunk ON shard_chunk.chunk_id = model_chunk.chunk_id
        INNER JOIN models.checkpoint AS checkpoint ON model_chunk.checkpoint_id = checkpoint.checkpoint_id
        WHERE checkpoint.alias = 'promoted'
    )
"""

DAMAGES: dict[str, tuple[Inspection, Callable[[Warehouse], None]]] = {
    "a licence that SPDX does not know": (
        inspect_licences,
        sql("UPDATE corpus.source_file SET licence = 'mine, all mine'"),
    ),
    "a file without a licence": (inspect_licences, sql("UPDATE corpus.source_file SET licence = ''")),
    "a kept file without a licence": (
        by_query("licences_allowed", "recipe"),
        sql("UPDATE corpus.source_file SET licence = ''"),
    ),
    "a gap between documents": (
        by_query("streams_tiled"),
        sql("UPDATE corpus.document SET byte_start = byte_start + 1"),
    ),
    "a stream that ends after its last document": (
        by_query("streams_tiled"),
        sql("UPDATE corpus.stream SET n_bytes = n_bytes + 1"),
    ),
    "a stream with nothing in it": (
        by_query("streams_tiled"),
        sql("DELETE FROM corpus.document", "DELETE FROM corpus.dropped"),
    ),
    "documents that overlap": (
        by_query("streams_tiled"),
        sql("INSERT INTO corpus.document FROM corpus.document LIMIT 1"),
    ),
    "a lost chunk": (
        inspect_documents,
        sql("DELETE FROM corpus.chunk WHERE ordinal = 1"),
    ),
    "a document that was never cut": (
        inspect_documents,
        sql("DELETE FROM corpus.chunk", "DELETE FROM corpus.dropped WHERE chunking_id IS NOT NULL"),
    ),
    "a chunk that reaches into the next": (
        inspect_documents,
        sql("UPDATE corpus.chunk SET byte_end = byte_end + 1"),
    ),
    "a chunk that stands twice": (
        by_query("chunk_ids_unique"),
        sql("INSERT INTO corpus.chunk FROM corpus.chunk LIMIT 1"),
    ),
    "two kept chunks that are near-duplicates": (
        by_query("near_duplicates_removed", "recipe"),
        sql(*RULE_THAT_KEEPS_WHAT_IT_KEPT, PAIR_OF_KEPT),
    ),
    "a text that is trained on and measured on": (
        by_query("splits_disjoint", "recipe"),
        sql(TEXT_ON_BOTH_SIDES),
    ),
    "training text that was not compared with held-out text": (
        inspect_evaluation_items,
        sql("DELETE FROM corpus.held_out_search"),
    ),
    "a kept chunk that holds held-out text": (
        inspect_evaluation_items,
        sql(*RULE_THAT_KEEPS_WHAT_IT_KEPT, HELD_OUT_TEXT_IN_A_KEPT_CHUNK),
    ),
    "a shard with a flipped bit": (inspect_shards, damage_shard),
    "a shard of which the database states another hash": (
        inspect_shards,
        sql("UPDATE tokens.shard SET sha256 = 'other'::BLOB"),
    ),
    "a loss that is no number": (
        by_query("loss_finite", "recipe"),
        sql("UPDATE models.training_metric SET loss = 'nan'::DOUBLE"),
    ),
    "a model whose score is infinite": (
        by_query("loss_finite", "recipe"),
        sql("UPDATE models.checkpoint SET bits_per_byte = 'inf'::DOUBLE"),
    ),
    "weights with a flipped bit": (inspect_checkpoints, damage_weights),
    "weights that are gone": (
        inspect_checkpoints,
        sql("UPDATE models.checkpoint SET path = 'nowhere' WHERE kind = 'micromodel'"),
    ),
    "a mix whose decision is not recorded": (inspect_mixes, damage_decision),
    "a mix that was refused": (inspect_mixes, refuse_mix),
    "a trained range that leads to no chunk": (
        by_query("lineage_complete", "recipe"),
        sql(UNTRACED_CHUNK),
    ),
    "a model that was trained on nothing": (
        by_query("lineage_complete", "recipe"),
        sql("DELETE FROM models.checkpoint_range"),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_check_sees_the_damage(damage: str, breakable: Warehouse) -> None:
    inspect, break_it = DAMAGES[damage]
    before = inspect(breakable, SETTINGS)
    assert before.n_violations == 0
    assert before.n_examined > 0
    break_it(breakable)
    after = inspect(breakable, SETTINGS)
    assert after.n_violations > 0
    assert after.examples


def test_a_corpus_outside_the_build_may_wait_for_its_chunks(breakable: Warehouse) -> None:
    sql("DELETE FROM corpus.chunk")(breakable)
    assert inspect_documents(breakable, BuildSettings(corpora=("topics",))).n_violations > 0
    assert inspect_documents(breakable, BuildSettings(corpora=("letters",))) == Finding(0, 0, [])
