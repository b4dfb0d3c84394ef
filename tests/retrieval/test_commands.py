"""``fakesmrt search`` and ``fakesmrt show`` as a person and a program see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from fakesmrt_assets.cli import main as command_line
from fakesmrt_assets.cli import search as search_command
from warehouse.database import Warehouse

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    indexed: Warehouse, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Run:
    commands = dict.fromkeys(("search", "show"), search_command.__name__)
    monkeypatch.setattr(command_line, "COMMANDS", commands)

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["fakesmrt", *arguments])
        status = command_line.run()
        captured = capsysbinary.readouterr()
        return status, captured.out.decode(), captured.err.decode()

    return run_command


def test_search_gives_one_object_a_chunk_and_show_its_text_and_its_bytes(run: Run) -> None:
    status, out, _ = run("search", "steam", "engine", "--json")
    hit = json.loads(out)
    assert status == 0
    assert hit["path"].endswith("engine.txt")
    assert (hit["corpus"], hit["licence"], hit["n_words_found"]) == ("library", "CC0-1.0", 2)
    assert "steam engine" in hit["text"]

    _, out, _ = run("show", hit["chunk_id"][:8], "--json")
    shown = json.loads(out)
    assert shown == {key: hit[key] for key in shown}
    _, out, _ = run("show", hit["chunk_id"], "--raw")
    assert out.startswith("A steam engine turns heat into motion.")
    assert len(out.encode()) == hit["byte_end"] - hit["byte_start"]


def test_a_person_sees_where_the_words_stand(run: Run) -> None:
    _, out, _ = run("search", "corn")
    assert "mill.txt" in out
    assert "ground corn" in out
    _, out, _ = run("search", "zeppelin")
    assert out == "Nothing was found.\n"


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("search", "?!"), "There is no word"),
        (("search", "mill", "--where", "nothing > 1"), "has no column 'nothing'"),
        (("show", "not-an-id"), "There is no chunk 'not-an-id'"),
        (("show", "ffffffff-ffff-ffff-ffff-ffffffffffff"), "There is no chunk"),
    ],
)
def test_what_cannot_be_answered_is_one_line(run: Run, arguments: tuple[str, ...], cause: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (1, "")
    assert cause in err
    assert err.count("\n") == 1


def test_the_bytes_of_a_file_that_is_gone_are_not_made_up(run: Run, indexed: Warehouse) -> None:
    _, out, _ = run("search", "corn", "--json")
    hit = json.loads(out)
    with indexed.read() as connection:
        [(path,)] = connection.execute(
            "SELECT path FROM corpus.source_file WHERE path LIKE '%mill.txt'"
        ).fetchall()
    Path(path).write_text("changed")
    status, out, err = run("show", hit["chunk_id"], "--raw")
    assert (status, out) == (1, "")
    assert "mill.txt" in err


def test_a_text_that_is_being_forgotten_is_passed_over_and_its_chunk_is_told_so(
    run: Run, indexed: Warehouse
) -> None:
    chunk_id = json.loads(run("search", "zeppelin", "corn", "--json")[1])["chunk_id"]
    for path in indexed.home.text.iterdir():
        table = parquet.read_table(path)
        nothing = pa.nulls(len(table), table.schema.field("text").type)
        parquet.write_table(table.set_column(table.schema.get_field_index("text"), "text", nothing), path)
    assert run("search", "corn") == (0, "Nothing was found.\n", "")
    status, out, err = run("show", chunk_id)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"The chunk {chunk_id} was forgotten" in err
