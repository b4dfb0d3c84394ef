"""Questions and homes that are not right: one clear line with its remedy, nothing lost, and the doctor names it too."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from fakesmrt_assets.cli import main as command_line
from tests.stages.conftest import built_corpus, changeable, context_of, run_all
from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.home import Home

__all__ = ["built_corpus", "changeable"]

OneLine = Callable[..., str]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def warehouse(changeable: tuple[Warehouse, Path], monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A built and published home, which is the default one; nobody else looks at it."""
    monkeypatch.setenv("FAKESMRT_HOME", str(changeable[0].home.root))
    changeable[0].publish()
    return changeable[0]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> OneLine:
    """Run a command that must fail with one line, and return the line."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["fakesmrt", *arguments])
        assert command_line.run() == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        return lines[0]

    return run


def every_byte(warehouse: Warehouse) -> str:
    """A hash of the database and of what is published."""
    files = [warehouse.home.database, *sorted(warehouse.home.published_versions.glob("*.duckdb"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@pytest.mark.parametrize(
    "command", [("trace", NOBODY), ("show", NOBODY), ("forget", NOBODY, "--yes"), ("versions", "pin", "999")]
)
def test_an_unknown_id_is_named(warehouse: Warehouse, refused: OneLine, command: tuple[str, ...]) -> None:
    line = refused(*command)
    assert next(word for word in command if word in (NOBODY, "999")) in line
    with warehouse.read() as connection:
        assert connection.execute(
            "SELECT (SELECT count(*) FROM corpus.forgotten), count(*) > 200 FROM corpus.chunk"
        ).fetchall() == [(0, True)]


@pytest.mark.parametrize(
    ("statement", "cause"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM corpus.chunk", "nothing"),
        ("SELECT * FROM corpus.nowhere", "nowhere"),
        ("SELECT 'letters'::INTEGER", "letters"),
        ("SELECT * FROM read_parquet('/nowhere/at_all.parquet')", "at_all.parquet"),
    ],
)
def test_an_error_of_sql_is_one_line(
    warehouse: Warehouse, refused: OneLine, statement: str, cause: str
) -> None:
    assert cause in refused("sql", statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM corpus.chunk",
        "INSERT INTO corpus.location VALUES ('letters', '/letters')",
        "DROP TABLE corpus.chunk",
        "CREATE TABLE letters (letter VARCHAR)",
        "SELECT 1; DELETE FROM corpus.chunk",
        "WITH gone AS (SELECT 1) DELETE FROM corpus.chunk USING gone",
        "COPY corpus.chunk TO '{folder}/stolen.parquet'",
        "ATTACH '{folder}/other.duckdb' AS other",
        "EXPORT DATABASE '{folder}/exported'",
    ],
)
def test_nothing_is_written_through_sql(
    warehouse: Warehouse, refused: OneLine, tmp_path: Path, statement: str
) -> None:
    before, folder = every_byte(warehouse), set(tmp_path.iterdir())
    assert refused("sql", statement.format(folder=tmp_path)).startswith("fakesmrt: ")
    assert every_byte(warehouse) == before
    assert set(tmp_path.iterdir()) == folder


@pytest.mark.parametrize(
    "command",
    [("build", "corpus"), ("plan",), ("doctor",), ("init",), ("add", "letters", "/tmp", "--licence", "MIT")],  # noqa: S108  # nothing is written there
)
def test_a_database_of_a_newer_fakesmrt_is_left_alone(
    warehouse: Warehouse, refused: OneLine, command: tuple[str, ...]
) -> None:
    with warehouse.write("a newer fakesmrt") as connection:
        connection.execute("INSERT INTO meta.schema_version VALUES (9999, now())")
    before = every_byte(warehouse)
    line = refused(*command)
    assert "schema version 9999" in line
    assert "Upgrade fakesmrt" in line
    assert every_byte(warehouse) == before


def checksum(block: bytes) -> int:
    """DuckDB's checksum of a block whose length is a multiple of 8."""
    result = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        result ^= word * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    return result


def written_by_a_newer_duckdb(path: Path) -> None:
    """Put another version of the file format into the header: a checksum, the letters DUCK, the version."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        header = file.read(4096)[8:]
        header = header[:4] + (99_999).to_bytes(8, "little") + header[12:]
        file.seek(0)
        file.write(checksum(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize("command", [("build", "corpus"), ("doctor",), ("sql", "SELECT 1")])
def test_a_file_of_a_newer_duckdb_is_left_alone(
    warehouse: Warehouse, refused: OneLine, command: tuple[str, ...]
) -> None:
    for path in (warehouse.home.database, warehouse.home.published.resolve()):
        written_by_a_newer_duckdb(path)
    before = every_byte(warehouse)
    line = refused(*command)
    assert "A newer DuckDB has written" in line
    assert "Upgrade fakesmrt" in line
    assert every_byte(warehouse) == before


def test_a_home_whose_making_was_interrupted_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: OneLine
) -> None:
    unfinished = Home(tmp_path / "unfinished")
    monkeypatch.setenv("FAKESMRT_HOME", str(unfinished.root))
    unfinished.root.mkdir()
    duckdb.connect(unfinished.database).close()
    assert refused("doctor").endswith("its making was interrupted. Run: fakesmrt init.")
    assert Warehouse(unfinished).initialise("salt")
    assert examine_home(Warehouse(unfinished), fix=False) == []


def test_a_missing_text_file_is_named_and_cut_again(warehouse: Warehouse, refused: OneLine) -> None:
    lost = next(warehouse.home.text.iterdir())
    before = {path.name: path.read_bytes() for path in warehouse.home.text.iterdir()}
    lost.unlink()
    line = refused("sql", "SELECT count(text) FROM corpus.chunk_text")
    assert lost.name in line
    assert line.endswith("Run: fakesmrt doctor.")
    found = examine_home(warehouse, fix=False)
    assert str(lost) in found[0].what
    assert all("fakesmrt doctor --fix" in finding.remedy for finding in found)
    assert all(finding.mended for finding in examine_home(warehouse, fix=True))
    run_all(context_of(warehouse))
    assert {path.name: path.read_bytes() for path in warehouse.home.text.iterdir()} == before
    assert examine_home(warehouse, fix=False) == []


def test_a_published_copy_takes_the_place_of_a_damaged_database(warehouse: Warehouse) -> None:
    with warehouse.home.database.open("r+b") as file:
        file.write(bytes(1 << 16))
    damaged = warehouse.home.database.read_bytes()
    [found] = examine_home(warehouse, fix=False)
    assert str(warehouse.home.database) in found.what
    assert str(warehouse.home.published.resolve()) in found.remedy
    assert [finding.mended for finding in examine_home(warehouse, fix=True)] == [True]
    assert (warehouse.home.root / "warehouse.duckdb.damaged").read_bytes() == damaged
    assert all(report.up_to_date for report in run_all(context_of(warehouse)).values())
    with warehouse.write("test") as connection:
        connection.execute('UPDATE meta.materialization SET "at" = now()')
    warehouse.publish()
    assert examine_home(warehouse, fix=False) == []


@pytest.mark.parametrize(
    "step", ["doctor.shutil.copyfile", "doctor.Path.hardlink_to", "files.os.fsync", "files.Path.replace"]
)
def test_a_kill_while_the_copy_takes_its_place_loses_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with warehouse.home.database.open("r+b") as file:
        file.write(bytes(1 << 16))
    damaged = warehouse.home.database.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"warehouse.{step}", killed)
        with pytest.raises(KeyboardInterrupt):
            examine_home(warehouse, fix=True)
    assert warehouse.home.database.read_bytes() == damaged
    assert [finding.mended for finding in examine_home(warehouse, fix=True)] == [True]
    assert (warehouse.home.root / "warehouse.duckdb.damaged").read_bytes() == damaged
    assert examine_home(warehouse, fix=False) == []


def test_a_damaged_copy_takes_no_place(warehouse: Warehouse) -> None:
    whole = warehouse.home.published.resolve()
    with warehouse.write("test") as connection:
        connection.execute('UPDATE meta.materialization SET "at" = now()')
    newest = warehouse.publish()
    newest.chmod(0o644)
    for path in (newest, warehouse.home.database):
        with path.open("r+b") as file:
            file.truncate(20_000)
    assert str(whole) in examine_home(warehouse, fix=False)[0].remedy
    assert all(finding.mended for finding in examine_home(warehouse, fix=True))
    assert examine_home(warehouse, fix=False) == []


def test_what_an_earlier_process_of_the_same_number_left_is_found(warehouse: Warehouse) -> None:
    mine, left = (warehouse.home.text / f".{os.getpid()}.{name}.parquet" for name in ("mine", "left"))
    for path in (mine, left):
        path.touch()
    os.utime(left, (0, 0))
    assert [finding.what.split()[0] for finding in examine_home(warehouse, fix=True)] == [str(left)]
    assert mine.exists()
    assert not left.exists()
