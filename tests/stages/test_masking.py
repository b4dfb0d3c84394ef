"""From a file with private data to tokens without it, and back to its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from fakesmrt_assets.stages.lineage_audit import N_SAMPLED, audit_model
from tests.stages.conftest import STAGES, context_of, run_all, write_topics
from warehouse.cleanser.privacy import find_private
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse, query
from warehouse.home import Home
from warehouse.plan import plan_stages
from warehouse.stages import source_file
from warehouse.stages.shard import ASSET
from warehouse.stages.stage import StageReport
from warehouse.textstore import read_rows
from warehouse.tokens.shards import open_shard
from warehouse.tokens.tokenizer import Tokenizer

EMAIL, PHONE = "jane.doe@press.org", "+44 20 7946 0958"
EVERY = 3


def write_letters(folder: Path) -> int:
    """One file a documentation topic, to every third of which an address and a number are added; how many have them."""
    write_topics(folder)
    chosen = sorted(folder.glob("*.txt"))[::EVERY]
    for path in chosen:
        path.write_text(f"Write to {EMAIL} or call {PHONE} about {path.stem}.\n\n" + path.read_text())
    return len(chosen)


@dataclass(frozen=True)
class Letters:
    """A home that was built of the letters, what its stages said, and how many letters hold private data."""

    warehouse: Warehouse
    reports: dict[str, StageReport]
    n_private: int


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    root = tmp_path_factory.mktemp("letters")
    n_private = write_letters(root / "letters")
    warehouse = Warehouse(Home(root / "home"))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(root / "letters")], "CC0-1.0"))
    return Letters(warehouse, run_all(context_of(warehouse)), n_private)


def shard_texts(warehouse: Warehouse) -> dict[str, tuple[str, int]]:
    """Text and bytes that the shards hold for each chunk, by the chunk's id."""
    with warehouse.read() as connection:
        paths = connection.execute("SELECT path FROM tokens.shard ORDER BY path").fetchall()
    texts = {}
    for (path,) in paths:
        manifest = (warehouse.home.tokens / path).with_suffix(".json")
        shard = open_shard(manifest, verify=True)
        tokenizer = Tokenizer.from_file(manifest.parent / "tokenizer.json")
        for row in shard.index:
            text = tokenizer.decode(shard.tokens[int(row["token_start"]) + 1 : int(row["token_end"])])
            texts[row["chunk_id"].tobytes().hex()] = (text, int(row["n_bytes"]))
    return texts


def stored_texts(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.read() as connection:
        places = connection.execute("SELECT chunk_id, text_file, text_row FROM corpus.chunk").fetchall()
    return {chunk_id.hex: read_rows(warehouse.home.text / file, [row])[0] for chunk_id, file, row in places}


def test_private_ranges_are_recorded_and_the_text_is_stored_as_it_is(
    letters: Letters,
) -> None:
    warehouse = letters.warehouse
    stored = stored_texts(warehouse)
    with warehouse.read() as connection:
        rows = connection.execute(
            "SELECT chunk_id, kind, char_start, char_end FROM corpus.private_range ORDER BY chunk_id, char_start"
        ).fetchall()
    assert {(kind, stored[chunk_id.hex][start:end]) for chunk_id, kind, start, end in rows} == {
        ("email", EMAIL),
        ("phone", PHONE),
    }
    expected = {
        (key, item.kind, item.char_start) for key, text in stored.items() for item in find_private(text)
    }
    assert {(chunk_id.hex, kind, start) for chunk_id, kind, start, _ in rows} == expected
    assert len(rows) == len(expected) == 2 * letters.n_private


def test_tokens_are_of_the_masked_text_and_count_its_bytes(
    letters: Letters,
) -> None:
    warehouse, reports = letters.warehouse, letters.reports
    stored, sharded = stored_texts(warehouse), shard_texts(warehouse)
    assert any(EMAIL in stored[chunk_id] for chunk_id in sharded)
    for chunk_id, (text, n_bytes) in sharded.items():
        # The default recipe masks e-mail addresses and leaves phone numbers.
        assert text == stored[chunk_id].replace(EMAIL, "email@example.com")
        assert n_bytes == len(text.encode())
    n_masked = sum(EMAIL in stored[chunk_id] for chunk_id in sharded)
    assert reports[ASSET].counts["n_ranges_masked"] == n_masked
    with warehouse.read() as connection:
        n_bytes = connection.execute("SELECT sum(n_bytes)::BIGINT FROM tokens.shard").fetchall()[0][0]
    assert n_bytes == sum(n for _, n in sharded.values())


def test_the_audit_reproduces_masked_tokens_from_raw_bytes(letters: Letters) -> None:
    warehouse, model = letters.warehouse, UUID(int=7)
    with warehouse.write("test") as connection:
        connection.execute(
            """
            INSERT INTO models.checkpoint
            VALUES ($1, 'night', 'default', 'micromodel', 0, 1, '1mx', 1, 'x'::BLOB, 2.0, 0, NULL, 'night', now())
            """,
            [model],
        )
        connection.execute(
            """
            INSERT INTO models.checkpoint_range
            SELECT $1, shard_id, 0, n_tokens, 1 FROM tokens.shard WHERE split = 'train'
            """,
            [model],
        )
    audit = audit_model(context_of(warehouse), model)
    assert audit.failures == ()
    assert audit.n_replayed == min(N_SAMPLED, audit.n_chunks)
    assert audit.n_untraced == audit.not_held == 0
    with warehouse.write("test") as connection:
        connection.execute("DELETE FROM models.checkpoint")
        connection.execute("DELETE FROM models.checkpoint_range")


def test_the_example_query_shows_where_and_by_which_recipe_and_never_what(
    letters: Letters,
) -> None:
    warehouse = letters.warehouse
    with warehouse.read() as connection:
        rows = connection.execute(query("examples/private_ranges")).fetchall()
    assert {(row[3], tuple(row[6] or ())) for row in rows} == {("email", ("default",)), ("phone", ())}
    assert EMAIL not in str(rows)
    assert PHONE not in str(rows)


def test_another_choice_writes_the_shards_again_and_the_plan_says_why(
    letters: Letters,
) -> None:
    warehouse, before = letters.warehouse, letters.reports
    run_all(context_of(warehouse))  # Files younger than two seconds were hashed once more.
    (warehouse.home.recipes / "default.toml").write_text("[privacy]\nmask = ['phone']\n")
    versions = {stage.ASSET: stage.version for stage in STAGES if stage is not source_file}
    upstream = {ASSET: ["corpus/training_chunk"]}
    planned = plan_stages(
        context_of(warehouse), versions, {asset: upstream.get(asset, []) for asset in versions}
    )
    reasons = {stage.asset: stage.reason for stage in planned if stage.runs}
    assert reasons["tokens/shard"] == "corpus/training_chunk would run; privacy changed"
    assert set(reasons) <= {"corpus/source_file", "corpus/training_chunk", "tokens/shard"}
    report = run_all(context_of(warehouse))[ASSET]
    assert report.counts["n_shards_written"] == before[ASSET].n_rows
    stored = stored_texts(warehouse)
    for chunk_id, (text, _) in shard_texts(warehouse).items():
        assert text == stored[chunk_id].replace(PHONE, "+1-555-0100")


def test_ranges_go_with_the_chunks_whose_text_is_lost(
    letters: Letters,
) -> None:
    warehouse = letters.warehouse
    with warehouse.write("test") as connection:
        files = connection.execute("SELECT DISTINCT text_file FROM corpus.chunk").fetchall()
        for statement in connection.extract_statements(query("forget_text_file")):
            connection.execute(statement, {"text_file": files[0][0]} if statement.named_parameters else {})
        orphans = connection.execute(
            "SELECT count(*) FROM corpus.private_range ANTI JOIN corpus.chunk USING (chunk_id)"
        ).fetchall()
        assert orphans == [(0,)]
    run_all(context_of(warehouse))
    test_private_ranges_are_recorded_and_the_text_is_stored_as_it_is(letters)
