"""Forgetting: what goes, what stays, and that it does not come back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path

import duckdb
import pytest

from tests.forgetting.conftest import Letters, letter, note
from tests.forgetting.searching import found_windows, windows
from tests.stages.conftest import STAGES, context_of
from warehouse import publishing
from warehouse.database import _numbered_migrations, query, run_script
from warehouse.doctor import examine_home
from warehouse.errors import FakesmrtError, InputUnreadable, InvalidConfiguration, LockHeld
from warehouse.files import file_sha256
from warehouse.forgetting.forget import forget, preview
from warehouse.serving.requests import TokenRequest
from warehouse.serving.source import Source
from warehouse.stages import document
from warehouse.tokens.shards import PAST_SUFFIX

DIE_AT_STEP = """
import os, sys
from pathlib import Path
from warehouse.database import Warehouse
from warehouse.forgetting.forget import forget
from warehouse.home import Home

def die(done, *_):
    if done == int(sys.argv[3]):
        os._exit(9)

forget(Warehouse(Home(Path(sys.argv[1]))), [sys.argv[2]], progress=die)
"""


def shard_hashes(letters: Letters) -> dict[str, bytes]:
    return {path.name: file_sha256(path) for path in letters.warehouse.home.tokens.rglob("*.bin")}


def test_a_forgotten_file_is_nowhere_and_does_not_come_back(letters: Letters) -> None:
    text = (letters.folder / "007.txt").read_text()
    assert (
        len(found_windows(letters.warehouse, windows(text))) >= 4
    )  # text, published view, shard, report or reference
    before = shard_hashes(letters)

    forgotten = forget(letters.warehouse, ["letters/007.txt"], "asked to")

    assert found_windows(letters.warehouse, windows(text)) == {}
    assert forgotten.consequences.n_documents == 1
    after = shard_hashes(letters)
    assert len(forgotten.rewritten.shards) == len(before.keys() - after.keys()) == 1
    assert all(after[name] == before[name] for name in before.keys() & after.keys())
    letters.build()
    assert found_windows(letters.warehouse, windows(text)) == {}
    assert letters.query("SELECT status FROM corpus.source_file WHERE path LIKE '%/007.txt'") == [
        ("forgotten",)
    ]
    assert letters.query("SELECT reason FROM corpus.forgotten") == [("asked to",)]
    assert not [finding for finding in examine_home(letters.warehouse, fix=False) if not finding.mended]


def test_token_streams_go_on_without_what_is_forgotten(letters: Letters, tmp_path: Path) -> None:
    """Those of the newest version, and of one whose shards a build has superseded."""
    warehouse, text = letters.warehouse, (letters.folder / "007.txt").read_text()
    first = publishing.versions(warehouse.home)[-1].number
    publishing.pin(warehouse.home, first, "a stream reads it")
    (tmp_path / "more").mkdir()
    for number in range(60):
        (tmp_path / "more" / f"{number}.txt").write_text(letter(3000 + number))
    with warehouse.write("test") as connection:
        connection.execute("INSERT INTO corpus.location VALUES ('letters', ?)", [str(tmp_path / "more")])
    letters.build()
    assert list(warehouse.home.tokens.rglob(f"*{PAST_SUFFIX}"))
    source = Source(warehouse)
    requests = [
        TokenRequest(version=number, split=None, epochs=1, sequence_length=16, batch_sequences=4)
        for number in (first, publishing.versions(warehouse.home)[-1].number)
    ]
    before = [sum(batch.tokens.size for batch in source.tokens(request)) for request in requests]
    streams = [source.tokens(request) for request in requests]
    begun = [next(stream) for stream in streams]

    forget(warehouse, ["letters/007.txt"])

    for request, stream, batch, size in zip(requests, streams, begun, before, strict=True):
        assert list(stream)
        assert list(source.tokens(request, batch.resume))
        assert 0 < size - sum(batch.tokens.size for batch in source.tokens(request)) < 1000
    source.close()
    assert found_windows(warehouse, windows(text)) == {}


def test_a_forgotten_record_becomes_a_dropped_range_of_its_file(letters: Letters) -> None:
    [(document,)] = letters.query(
        "SELECT document_id FROM corpus.document JOIN corpus.stream USING (stream_id) "
        "JOIN corpus.source_file USING (source_id) WHERE path LIKE '%notes.jsonl' AND document.ordinal = 3"
    )
    forget(letters.warehouse, [str(document)[:12]])
    assert found_windows(letters.warehouse, windows(letter(1003))) == {}
    assert found_windows(letters.warehouse, windows(letter(1004)))
    line = len(note(3)) + 1
    assert letters.query("SELECT byte_end - byte_start FROM corpus.dropped WHERE reason = 'forgotten'") == [
        (line,)
    ]
    tiles = (
        "SELECT sum(n) FROM (SELECT byte_end - byte_start AS n, stream_id FROM corpus.document UNION ALL "
        "SELECT byte_end - byte_start, stream_id FROM corpus.dropped WHERE chunking_id IS NULL) "
        "JOIN corpus.stream USING (stream_id) WHERE NOT stream.member IS NOT NULL"
    )
    assert letters.query(tiles) == letters.query("SELECT sum(n_bytes) FROM corpus.stream")


def test_the_same_bytes_do_not_come_back_from_elsewhere(letters: Letters, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    shutil.copytree(letters.folder, folder)
    with letters.warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.location SET path = ?", [str(folder)])
    [(document,)] = letters.query(
        "SELECT document_id FROM corpus.document JOIN corpus.stream USING (stream_id) "
        "JOIN corpus.source_file USING (source_id) WHERE path LIKE '%notes.jsonl' AND document.ordinal = 5"
    )
    forget(letters.warehouse, ["007.txt", str(document)])
    with zipfile.ZipFile(folder / "sent.zip", "w") as archive:
        archive.write(folder / "007.txt", "again.txt")
        archive.writestr("another.txt", letter(500))
    (folder / "copy.txt").write_text((folder / "007.txt").read_text())
    (folder / "more.jsonl").write_text(f"{note(999)}\r\n{note(5)}")

    letters.build("corpus/chunk")

    for number in (7, 1005):
        assert found_windows(letters.warehouse, windows(letter(number))) == {}
    for number in (500, 1999):
        assert found_windows(letters.warehouse, windows(letter(number)))


def test_a_build_afterwards_equals_one_that_never_saw_it(letters: Letters, tmp_path: Path) -> None:
    forget(letters.warehouse, ["007.txt", "031.txt"])
    letters.build("corpus/duplicate")
    fresh = Letters(type(letters.warehouse)(type(letters.warehouse.home)(tmp_path / "fresh")), letters.folder)
    fresh.warehouse.initialise("a salt")
    rows = letters.query("SELECT sha256, scope FROM corpus.forgotten")
    with fresh.warehouse.write("test") as connection:
        connection.execute(
            "INSERT INTO corpus.corpus (corpus, licence, weight, added_at) VALUES ('letters', 'CC0-1.0', 1, now())"
        )
        connection.execute("INSERT INTO corpus.location VALUES ('letters', ?)", [str(letters.folder)])
        connection.executemany("INSERT INTO corpus.forgotten VALUES (?, ?, NULL, now())", rows)
    fresh.build("corpus/duplicate")
    for sql in (
        "SELECT * EXCLUDE (first_seen_at, retired_at, modified_ns, changed_ns) FROM corpus.source_file ORDER BY ALL",
        "FROM corpus.stream ORDER BY ALL",
        "FROM corpus.document ORDER BY ALL",
        "SELECT * EXCLUDE (text_file, text_row) FROM corpus.chunk ORDER BY ALL",
        "FROM corpus.dropped ORDER BY ALL",
        "FROM corpus.duplicate_pair ORDER BY ALL",
        "FROM corpus.duplicate_cluster ORDER BY ALL",
        "FROM corpus.repeated_range ORDER BY ALL",
        "SELECT chunk_id, compared FROM corpus.signature ORDER BY ALL",
    ):
        assert letters.query(sql) == fresh.query(sql), sql


def test_a_broken_reference_is_made_again_from_the_rest_of_its_sample(letters: Letters) -> None:
    sampled = """
        SELECT chunk_id, chunk_source.path FROM lineage.chunk_source
        JOIN corpus.reference_sample USING (chunk_id) JOIN corpus.reference USING (reference_id)
        WHERE kind = 'ngram' ORDER BY ALL"""
    before = letters.query(sampled)
    path = min(row[1] for row in before)
    forgotten = forget(letters.warehouse, [str(path)])
    assert len(forgotten.consequences.broken_pins) == len(forgotten.rewritten.references) == 1
    assert forgotten.consequences.tokenizers
    letters.build("corpus/perplexity")
    assert letters.query(sampled) == [row for row in before if row[1] != path]


def test_killed_at_any_step_the_same_command_ends_it(letters: Letters) -> None:
    home, text = letters.warehouse.home, (letters.folder / "007.txt").read_text()
    shutil.copy(home.published.resolve(), home.published_versions / "77.duckdb")
    for step in range(1, 7):
        command = [sys.executable, "-c", DIE_AT_STEP, str(home.root), "007.txt", str(step)]
        assert subprocess.run(command, check=False, cwd=Path.cwd()).returncode == 9
        unfinished = [
            finding for finding in examine_home(letters.warehouse, fix=False) if "forget" in finding.remedy
        ]
        assert len(unfinished) == 1
    assert found_windows(letters.warehouse, windows(text))
    again = forget(letters.warehouse, ["007.txt"])
    assert found_windows(letters.warehouse, windows(text)) == {}
    assert again.consequences.n_documents == 1
    assert not [finding for finding in examine_home(letters.warehouse, fix=False) if not finding.mended]


def test_what_was_read_at_a_path_before_is_forgotten_with_it(letters: Letters, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    shutil.copytree(letters.folder, folder)
    with letters.warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.location SET path = ?", [str(folder)])
    letters.build("corpus/chunk")
    (folder / "007.txt").write_text(letter(700))
    letters.build("corpus/chunk")
    forget(letters.warehouse, [str(folder / "007.txt")])
    assert found_windows(letters.warehouse, windows(letter(700)) | windows(letter(7))) == {}


def test_a_version_of_an_earlier_fakesmrt_forgets_too(letters: Letters) -> None:
    home, old = letters.warehouse.home, letters.warehouse.home.published_versions / "77.duckdb"
    with duckdb.connect(str(old)) as connection:
        connection.execute(query("schema_version"))
        for number, script in _numbered_migrations()[:5]:
            connection.execute(script)
            connection.execute("INSERT INTO meta.schema_version VALUES (?, now())", [number])
        connection.execute(f"ATTACH '{home.database}' AS working (READ_ONLY)")
        for table in ("source_file", "stream", "chunk"):
            connection.execute(f"INSERT INTO corpus.{table} BY NAME FROM working.corpus.{table}")
        connection.execute(
            "INSERT INTO corpus.document BY NAME SELECT * EXCLUDE raw_sha256 FROM working.corpus.document"
        )
    assert found_windows(letters.warehouse, windows(letter(7)))["published/77.duckdb corpus.document"]
    forget(letters.warehouse, ["007.txt"])
    assert found_windows(letters.warehouse, windows(letter(7))) == {}
    with letters.warehouse.file(old, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM corpus.document").fetchall() == [(439,)]


def test_resembling_text_that_stays_is_named(letters: Letters, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    words = letter(7).split()
    (folder / "like.txt").write_text(" ".join([*words[:-3], "another", "ending", "here."]) + "\n")
    with letters.warehouse.write("test") as connection:
        connection.execute("INSERT INTO corpus.location VALUES ('letters', ?)", [str(folder)])
    letters.build("corpus/duplicate")
    assert preview(letters.warehouse, ["007.txt"]).n_likenesses == 1
    [like] = forget(letters.warehouse, ["007.txt"]).consequences.likenesses
    assert (Path(like.path).name, like.likeness) == ("like.txt", "near_duplicate")


def test_only_one_builds_or_forgets(letters: Letters) -> None:
    holder = "import sys; from pathlib import Path; from warehouse.locks import build_lock\n"
    holder += "with build_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holder, str(letters.warehouse.home.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LockHeld):
            forget(letters.warehouse, ["007.txt"])
        process.communicate()


@pytest.mark.parametrize("identifier", ["nobody.txt", "00", "letters/"])
def test_an_unknown_or_unclear_name_forgets_nothing(built_letters: Letters, identifier: str) -> None:
    with pytest.raises(InvalidConfiguration):
        forget(built_letters.warehouse, [identifier])
    assert built_letters.query("FROM corpus.forgotten") == []


def test_a_chunk_is_no_document(built_letters: Letters) -> None:
    [(chunk, document)] = built_letters.query("SELECT chunk_id, document_id FROM corpus.chunk LIMIT 1")
    with pytest.raises(FakesmrtError, match=str(document)):
        preview(built_letters.warehouse, [str(chunk)])


def test_the_command_asks_shows_and_forgets(letters: Letters) -> None:
    environment = {**os.environ, "FAKESMRT_HOME": str(letters.warehouse.home.root)}

    def run(*arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fakesmrt_assets.cli.main", "forget", *arguments]
        return subprocess.run(
            command,
            env=environment,
            input=answer,
            text=True,
            capture_output=True,
            check=False,
            cwd=Path.cwd(),
        )

    foreseen = json.loads(run("007.txt", "--dry-run", "--json").stdout)
    assert (foreseen["n_documents"], foreseen["n_shards"]) == (1, 1)
    assert run("007.txt", answer="n\n").returncode == 1
    assert letters.query("FROM corpus.forgotten") == []
    done = json.loads(run("007.txt", "--yes", "--json", "--reason", "asked").stdout)
    assert done["consequences"]["n_documents"] == 1
    assert done["rewritten"]["raw_files"] == [str(letters.folder / "007.txt")]
    assert publishing.versions(letters.warehouse.home)
    assert run("nobody.txt", "--yes").stderr.count("\n") == 1


def beside(letters: Letters, folder: Path) -> Path:
    """A further folder of the corpus; what is read in it is in no published version."""
    folder.mkdir()
    with letters.warehouse.write("test") as connection:
        connection.execute("INSERT INTO corpus.location VALUES ('letters', ?)", [str(folder)])
    for path in letters.warehouse.home.published_versions.iterdir():
        path.unlink()
    letters.warehouse.home.published.unlink()
    return folder


def cut(letters: Letters) -> None:
    """The stages up to corpus/chunk, without publishing."""
    for stage in STAGES[:3]:
        stage.run(context_of(letters.warehouse, recipe="default"))


def examine_again(letters: Letters) -> None:
    """The document stage of another cleanser."""
    with letters.warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.stream SET code_version = 'older'")
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/document'")
    document.run(context_of(letters.warehouse))


def test_chunks_of_a_file_that_could_not_be_examined_again_go_with_it(
    letters: Letters, tmp_path: Path
) -> None:
    folder = beside(letters, tmp_path / "more")
    with zipfile.ZipFile(folder / "sent.zip", "w") as archive:
        archive.writestr("first.txt", letter(600))
        archive.writestr("second.txt", letter(601))
    cut(letters)
    (folder / "sent.zip").rename(tmp_path / "away.zip")
    examine_again(letters)
    assert letters.query("SELECT count(*) FROM corpus.past_stream") == [(2,)]

    forget(letters.warehouse, ["sent.zip"])

    assert found_windows(letters.warehouse, windows(letter(600)) | windows(letter(601))) == {}


def test_nothing_is_called_forgotten_while_text_of_unknown_origin_remains(
    letters: Letters, tmp_path: Path
) -> None:
    folder = beside(letters, tmp_path / "more")
    with zipfile.ZipFile(folder / "sent.zip", "w") as archive:
        archive.writestr("first.txt", letter(600))
    cut(letters)
    (folder / "sent.zip").rename(tmp_path / "away.zip")
    examine_again(letters)
    with letters.warehouse.write("an earlier fakesmrt did not keep them") as connection:
        connection.execute("DELETE FROM corpus.past_stream")
    with pytest.raises(InputUnreadable, match=r"nobody can tell whether they are of .*sent\.zip"):
        forget(letters.warehouse, ["sent.zip"])
    assert letters.query("FROM corpus.forgotten") == []


def test_forgotten_bytes_stay_dropped_however_a_file_is_divided(letters: Letters) -> None:
    [(document_id,)] = letters.query(
        "SELECT document_id FROM corpus.document JOIN corpus.stream USING (stream_id) "
        "JOIN corpus.source_file USING (source_id) WHERE path LIKE '%notes.jsonl' AND document.ordinal = 3"
    )
    forget(letters.warehouse, [str(document_id)])
    with letters.warehouse.write("another reader finds other boundaries, so other hashes") as connection:
        connection.execute("UPDATE corpus.forgotten SET sha256 = 'other'")
        connection.execute("UPDATE corpus.forgotten_document SET byte_end = byte_end - 1")
    examine_again(letters)
    assert letters.query("SELECT count(*) FROM corpus.document") == [(439,)]
    assert letters.query("SELECT count(*) FROM corpus.dropped WHERE reason = 'forgotten'") == [(1,)]


def test_a_copy_that_an_earlier_fakesmrt_recorded_without_a_hash_goes_too(
    letters: Letters, tmp_path: Path
) -> None:
    folder = beside(letters, tmp_path / "more")
    (folder / "old.jsonl").write_text(f"{note(3)}\n{note(2000)}\n")
    cut(letters)
    (folder / "old.jsonl").unlink()
    cut(letters)
    with letters.warehouse.write("as an earlier fakesmrt left them") as connection:
        connection.execute(
            "UPDATE corpus.document SET raw_sha256 = NULL FROM corpus.stream JOIN corpus.source_file "
            "USING (source_id) WHERE document.stream_id = stream.stream_id AND retired_at IS NOT NULL"
        )
    [(document_id,)] = letters.query(
        "SELECT document_id FROM corpus.document JOIN corpus.stream USING (stream_id) "
        "JOIN corpus.source_file USING (source_id) WHERE path LIKE '%notes.jsonl' AND retired_at IS NULL "
        "AND document.ordinal = 3"
    )
    forget(letters.warehouse, [str(document_id)])
    assert found_windows(letters.warehouse, windows(letter(1003))) == {}
    assert found_windows(letters.warehouse, windows(letter(3000)))


def test_a_raw_file_stays_for_its_other_documents(letters: Letters) -> None:
    folder = beside(letters, letters.warehouse.home.raw / "more")
    (folder / "whole.txt").write_text(letter(600))
    (folder / "many.jsonl").write_text(f"{note(601)}\n{note(602)}\n")
    cut(letters)
    [(document_id,)] = letters.query(
        "SELECT document_id FROM corpus.document JOIN corpus.stream USING (stream_id) "
        "JOIN corpus.source_file USING (source_id) WHERE path LIKE '%many.jsonl' AND document.ordinal = 0"
    )
    rewritten = forget(letters.warehouse, ["more/whole.txt", str(document_id)]).rewritten
    assert not (folder / "whole.txt").exists()
    assert (folder / "many.jsonl").exists()
    assert any(path.endswith("raw/more/many.jsonl") for path in rewritten.raw_files)


def test_a_damaged_database_that_was_put_aside_goes(letters: Letters) -> None:
    home = letters.warehouse.home
    aside = [home.database.with_name(f"{home.database.name}{end}.damaged") for end in ("", ".wal")]
    for path in aside:
        shutil.copy(home.database, path)
    removed = forget(letters.warehouse, ["007.txt"]).rewritten.removed
    assert {path.name for path in aside} <= set(removed)
    assert not any(path.exists() for path in aside)


def test_a_document_that_reaches_into_forgotten_bytes_is_cut_by_no_other_chunking(letters: Letters) -> None:
    [(document_id, stream_id, source_id, byte_end)] = letters.query(
        "SELECT document_id, stream_id, source_id, byte_end FROM corpus.document JOIN corpus.stream "
        "USING (stream_id) JOIN corpus.source_file USING (source_id) WHERE path LIKE '%/007.txt'"
    )
    another = {"chunking_id": uuid.UUID(int=1)}
    with letters.warehouse.write("test") as connection:
        connection.execute(
            "INSERT INTO corpus.forgotten_document VALUES (uuid(), ?, ?, 10, 20, 'hash')",
            [stream_id, source_id],
        )
        run_script(connection, "drop_forgotten_ranges", another)
        run_script(connection, "drop_forgotten_ranges", another)
        to_cut = {row[9] for row in connection.execute(query("documents_to_cut"), another).fetchall()}
    assert letters.query("SELECT byte_start, byte_end FROM corpus.dropped WHERE reason = 'forgotten'") == [
        (0, byte_end)
    ]
    assert len(to_cut) == 439
    assert document_id not in to_cut
