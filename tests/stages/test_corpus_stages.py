"""From files to shards: what must hold of a corpus that was built, and what a second build does."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.stages.conftest import context_of, run_all, write_topics
from warehouse.cleanser.replaying import ChunkDecision, replay
from warehouse.corpora import Registration, register
from warehouse.database import Connection, Warehouse
from warehouse.home import Home
from warehouse.stages import chunk, document, source_file
from warehouse.stages.feeding import filesystem_path, stream_in
from warehouse.textstore import read_rows
from warehouse.tokens.shards import open_shard
from warehouse.tokens.tokenizer import Tokenizer


def test_documents_and_dropped_ranges_tile_every_file(built_corpus: Warehouse) -> None:
    with built_corpus.read() as connection:
        streams = connection.execute("SELECT stream_id, n_bytes FROM corpus.stream").fetchall()
        for stream_id, n_bytes in streams:
            ranges = connection.execute(
                """
                SELECT byte_start, byte_end FROM corpus.document WHERE stream_id = $1
                UNION ALL
                SELECT byte_start, byte_end FROM corpus.dropped WHERE stream_id = $1 AND chunking_id IS NULL
                ORDER BY byte_start
                """,
                [stream_id],
            ).fetchall()
            assert [start for start, _ in ranges] == [0, *[end for _, end in ranges[:-1]]]
            assert ranges[-1][1] == n_bytes
    assert len(streams) > 70


def test_every_chunk_replays_from_its_bytes(built_corpus: Warehouse) -> None:
    with built_corpus.read() as connection:
        chunks = connection.execute(
            """
            SELECT path, sha256, text_file, text_row, text_sha256, chunk.byte_start, chunk.byte_end, char_start,
                char_end, chunk.encoding, chunk.decoder_state, repair::VARCHAR, reader, reader_version,
                encoding_regions::VARCHAR
            FROM corpus.chunk
            JOIN corpus.document USING (document_id)
            JOIN (SELECT stream_id, source_id FROM corpus.stream) USING (stream_id)
            JOIN corpus.source_file USING (source_id)
            """
        ).fetchall()
    assert len(chunks) > 200
    for path, file_sha256, text_file, text_row, sha256, *decision in chunks:
        with stream_in(filesystem_path(path), file_sha256, None) as stream:
            text = replay(stream, ChunkDecision(*decision))
        assert text == read_rows(built_corpus.home.text / text_file, [text_row])[0]
        assert hashlib.sha256(text.encode()).digest() == sha256


def test_the_tokens_of_a_shard_spell_the_texts_of_its_chunks(built_corpus: Warehouse) -> None:
    with built_corpus.read() as connection:
        (path, shard_id) = connection.execute("SELECT path, shard_id FROM tokens.shard LIMIT 1").fetchall()[0]
        rows = connection.execute(
            """
            SELECT token_start, token_end, text_file, text_row
            FROM tokens.shard_chunk JOIN corpus.chunk USING (chunk_id) WHERE shard_id = ?
            """,
            [shard_id],
        ).fetchall()
    manifest = (built_corpus.home.tokens / path).with_suffix(".json")
    shard = open_shard(manifest, verify=True)
    tokenizer = Tokenizer.from_file(manifest.parent / "tokenizer.json")
    for start, end, text_file, text_row in rows:
        text = read_rows(built_corpus.home.text / text_file, [text_row])[0]
        assert tokenizer.decode(shard.tokens[start + 1 : end]) == text


def test_every_kept_chunk_is_in_exactly_one_current_shard(built_corpus: Warehouse) -> None:
    with built_corpus.read() as connection:
        sharded = connection.execute(
            "SELECT chunk_id FROM tokens.shard_chunk JOIN tokens.shard USING (shard_id) ORDER BY ALL"
        ).fetchall()
        kept = connection.execute(
            "SELECT chunk_id FROM corpus.training_chunk WHERE kept ORDER BY ALL"
        ).fetchall()
    assert sharded == kept


def test_what_gives_no_text_is_recorded_with_its_reason(built_corpus: Warehouse) -> None:
    with built_corpus.read() as connection:
        reasons = connection.execute(
            "SELECT parse_filename(path), status, error FROM corpus.source_file WHERE status <> 'read' ORDER BY ALL"
        ).fetchall()
    assert [row[:2] for row in reasons] == [("nothing.txt", "empty"), ("program.bin", "failed")]
    assert "binary" in reasons[1][2]


def test_a_second_build_finds_everything_up_to_date(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    source_file.run(context_of(warehouse))
    assert all(report.up_to_date for report in run_all(context_of(warehouse)).values())


def test_one_new_file_is_all_that_a_build_reads(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, folder = changeable
    run_all(context_of(warehouse))  # Files younger than two seconds were hashed once more.
    (folder / "new.txt").write_text("The cat sat on the mat and looked at the rain.\n\n" * 30)
    reports = run_all(context_of(warehouse))
    assert reports["corpus/document"].counts["n_files_examined"] == 1
    assert reports["corpus/chunk"].counts["n_documents_cut"] == 1
    n_new = reports["corpus/duplicate"].counts["n_chunks_hashed"]
    assert 1 <= int(n_new) <= 3
    assert reports["corpus/perplexity"].counts["n_chunks_scored"] == n_new
    assert reports["corpus/perplexity"].counts["reference_pinned"] == "before"
    assert int(reports["tokens/shard"].counts["n_shards_written"]) <= 2


def test_a_file_that_changes_between_two_stages_fails_alone(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, folder = changeable
    (folder / "early.txt").write_text("It was early in the morning when the ship left.\n" * 20)
    (folder / "late.txt").write_text("It was late in the evening when the ship came in.\n" * 20)
    context = context_of(warehouse)
    source_file.run(context)
    document.run(context)
    (folder / "late.txt").write_text("It was noon.\n" * 50)
    report = chunk.run(context)
    assert [problem for problem in report.problems if "late.txt" in problem and "changed" in problem]
    with warehouse.read() as connection:
        assert _chunks_of(connection, "early.txt") > 0
        assert _chunks_of(connection, "late.txt") == 0
    (folder / "late.txt").write_text("It was late in the evening when the ship came in.\n" * 20)
    run_all(context)
    with warehouse.read() as connection:
        assert _chunks_of(connection, "late.txt") > 0


def test_a_file_that_was_away_is_compared_with_what_came_meanwhile(
    changeable: tuple[Warehouse, Path],
) -> None:
    warehouse, folder = changeable
    text = " ".join(f"word{number} of a letter" for number in range(70))
    (folder / "first.txt").write_text(text)
    run_all(context_of(warehouse))
    (folder / "first.txt").rename(folder.parent / "first.txt")
    (folder / "second.txt").write_text(text + " and a postscript")
    run_all(context_of(warehouse))
    (folder.parent / "first.txt").rename(folder / "first.txt")
    run_all(context_of(warehouse))
    with warehouse.read() as connection:
        clustered = connection.execute(
            """
            SELECT count(*), count(DISTINCT cluster_id) FROM corpus.duplicate_cluster
            JOIN corpus.chunk USING (chunk_id) JOIN corpus.document USING (document_id)
            JOIN corpus.stream USING (stream_id) JOIN corpus.source_file USING (source_id)
            WHERE parse_filename(path) IN ('first.txt', 'second.txt')
            """
        ).fetchall()
    assert clustered == [(2, 1)]


def test_two_recipes_that_agree_keep_a_tokenizer_each(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    default = (Path(__file__).parents[2] / "warehouse" / "recipes" / "default.toml").read_text()
    (warehouse.home.recipes / "mine.toml").write_text(default)
    run_all(context_of(warehouse, recipe="mine"))
    assert all(report.up_to_date for report in run_all(context_of(warehouse)).values())
    with warehouse.read() as connection:
        assert connection.execute("SELECT count(DISTINCT tokenizer_id) FROM tokens.shard").fetchall() == [
            (2,)
        ]


def _chunks_of(connection: Connection, name: str) -> int:
    return len(
        connection.execute(
            """
            SELECT 1 FROM corpus.chunk JOIN corpus.document USING (document_id)
            JOIN corpus.stream USING (stream_id) JOIN corpus.source_file USING (source_id)
            WHERE path LIKE '%/' || ?
            """,
            [name],
        ).fetchall()
    )


CONTENT = (
    "SELECT chunk_id, text_sha256, split, repair FROM corpus.chunk ORDER BY ALL",
    "SELECT chunk_id, cluster_id, jaccard FROM corpus.duplicate_cluster ORDER BY ALL",
    "SELECT chunk_id, bits_per_byte FROM corpus.perplexity ORDER BY ALL",
    "SELECT chunk_id, kept, reason, keeper_id, bucket FROM corpus.training_chunk ORDER BY ALL",
    "SELECT path, sha256 FROM tokens.shard ORDER BY ALL",
)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_files_give_the_same_rows_for_any_number_of_workers(tmp_path: Path, workers: int) -> None:
    folder = write_topics(tmp_path / "topics")
    results = []
    for name, n_workers in (("first", 1), ("second", workers)):
        warehouse = Warehouse(Home(tmp_path / name))
        warehouse.initialise("salt")
        with warehouse.write("test") as connection:
            register(connection, Registration("topics", [str(folder)], "PSF-2.0"))
        run_all(context_of(warehouse, workers=n_workers))
        with warehouse.read() as connection:
            results.append([connection.execute(sql).fetchall() for sql in CONTENT])
        shutil.rmtree(warehouse.home.text)
    assert results[0] == results[1]
