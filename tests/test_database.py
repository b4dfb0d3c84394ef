"""One writer or many readers, whole commits, and published copies that nobody waits for."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from warehouse import database
from warehouse.database import Warehouse, read_rows
from warehouse.errors import FakesmrtError, InputUnreadable, InvalidConfiguration, LockHeld
from warehouse.home import Home

HOLD = """
import sys
from pathlib import Path
from warehouse.database import Warehouse
from warehouse.home import Home
with Warehouse(Home(Path(sys.argv[1]))).write("reading letters") as connection:
    connection.execute("INSERT INTO corpus.location VALUES ('letters', '/letters')")
    print("held", flush=True)
    sys.stdin.read()
"""


def add_commit(warehouse: Warehouse, asset: str) -> None:
    """A row of meta.materialization."""
    with warehouse.write("test") as connection:
        connection.execute(
            "INSERT INTO meta.materialization VALUES (?, '', 'r', 'c', 'd', '{}', 0, 0, 0, now())", [asset]
        )


def test_a_home_is_made_once(home: Home) -> None:
    assert not Warehouse(home).initialise("another salt")
    with Warehouse(home).read() as connection:
        assert connection.execute("SELECT split_salt FROM meta.home").fetchall() == [("a salt for tests",)]


def test_without_a_home_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="fakesmrt init"), Warehouse(Home(tmp_path)).read():
        pass


def test_a_query_stopped_by_ctrl_c_is_an_interruption(home: Home) -> None:
    # DuckDB's words for it, which no test can make it say at a known moment.
    with pytest.raises(KeyboardInterrupt), Warehouse(home).scratch():
        raise RuntimeError("Query interrupted")


def test_a_write_that_raises_leaves_nothing(warehouse: Warehouse) -> None:
    def interrupted() -> None:
        with warehouse.write("test") as connection:
            connection.execute("INSERT INTO corpus.location VALUES ('letters', '/letters')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    with warehouse.read() as connection:
        assert connection.execute("FROM corpus.location").fetchall() == []


def test_who_waits_in_vain_is_told_for_whom(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WRITE_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(database, "READ_TIMEOUT_SECONDS", 0.1)
    command = [sys.executable, "-c", HOLD, str(warehouse.home.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(LockHeld, match=rf"process {holder.pid} \(reading letters"),
            warehouse.write("test"),
        ):
            pass
        with pytest.raises(LockHeld, match=str(holder.pid)), warehouse.read():
            pass
        holder.stdin.close()
        holder.wait()
    with warehouse.read() as connection:
        assert connection.execute("FROM corpus.location").fetchall() == [("letters", "/letters")]


def test_a_writer_that_is_killed_leaves_no_lock_and_no_half_commit(warehouse: Warehouse) -> None:
    command = [sys.executable, "-c", HOLD, str(warehouse.home.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    with warehouse.write("test") as connection:
        assert connection.execute("FROM corpus.location").fetchall() == []


def test_a_foreign_program_that_has_the_database_open_is_named(warehouse: Warehouse) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(warehouse.home.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(LockHeld, match=str(other.pid)), warehouse.write("test"):
            pass
        other.kill()


def test_a_full_disk_is_one_line(warehouse: Warehouse) -> None:
    with pytest.raises(FakesmrtError, match=r"The disk is full.*Free some space"), warehouse.write("test"):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")


def test_a_database_of_a_newer_version_is_refused(warehouse: Warehouse) -> None:
    with warehouse.write("test") as connection:
        connection.execute("INSERT INTO meta.schema_version VALUES (9999, now())")
    with pytest.raises(InvalidConfiguration, match=r"9999.*Upgrade fakesmrt"):
        warehouse.initialise("salt")


def test_a_migration_that_is_missing_is_applied(home: Home) -> None:
    with duckdb.connect(home.database) as connection:
        others = "SELECT DISTINCT schema_name FROM duckdb_tables() WHERE schema_name NOT IN ('meta', 'main')"
        for (schema,) in connection.execute(others).fetchall():
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
        connection.execute("DROP SCHEMA IF EXISTS lineage CASCADE; DROP SCHEMA meta CASCADE")
    assert Warehouse(home).initialise("salt")
    with Warehouse(home).read() as connection:
        assert connection.execute("SELECT count(*) FROM corpus.chunk").fetchall() == [(0,)]


@dataclass(frozen=True)
class Place:
    """A row of corpus.location."""

    corpus: str
    path: str


def test_rows_come_as_records_whose_fields_are_checked(warehouse: Warehouse) -> None:
    with warehouse.write("test") as connection:
        connection.execute("INSERT INTO corpus.location VALUES ('letters', '/letters')")
        assert read_rows(connection, "SELECT corpus, path FROM corpus.location", [], Place) == [
            Place("letters", "/letters")
        ]
        with pytest.raises(InvalidConfiguration, match="Place"):
            read_rows(connection, "SELECT path, corpus FROM corpus.location", [], Place)


def test_the_portable_draw_is_the_same_in_sql(warehouse: Warehouse) -> None:
    from warehouse.identity import uniform_draw

    subjects = [f"document {number}" for number in range(200)]
    with warehouse.read() as connection:
        rows = connection.execute(
            "SELECT s, meta.uniform_draw(s, 'seed') FROM (SELECT unnest(?) AS s)", [subjects]
        )
        assert all(draw == uniform_draw(subject, "seed") for subject, draw in rows.fetchall())


def test_every_table_and_column_is_commented(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        silent = connection.execute(
            """
            SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL
            UNION ALL
            SELECT table_name, '' FROM duckdb_tables() WHERE comment IS NULL
            """
        ).fetchall()
    assert silent == []
