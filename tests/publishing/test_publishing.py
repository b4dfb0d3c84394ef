"""Published copies: atomic, numbered, kept while pinned, and unharmed by whoever opens them."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from warehouse import publishing
from warehouse.database import Connection, Warehouse
from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration
from warehouse.home import Home
from warehouse.publishing import (
    newest_version,
    pin,
    publish,
    rebuild,
    remove_version,
    rewrite_version,
    unpin,
    versions,
)

TAKEN_OUT = "a-sentence-that-nobody-else-would-write"


def add_commit(warehouse: Warehouse, asset: str) -> None:
    """A row of meta.materialization."""
    with warehouse.write("test") as connection:
        connection.execute(
            "INSERT INTO meta.materialization VALUES (?, '', 'r', 'c', 'd', '{}', 0, 0, 0, now())", [asset]
        )


def add_chunks(warehouse: Warehouse, n_chunks: int) -> None:
    """Chunks of one document with their texts; every column that must be there has its type's simplest value."""
    ids = [i.to_bytes(2, "big") * 8 for i in range(n_chunks)]
    texts = [f"text {i}" for i in range(n_chunks)]
    parquet.write_table(
        pa.table({"chunk_id": pa.array(ids, pa.binary(16)), "text": texts}), warehouse.home.text / "a.parquet"
    )
    simplest = {"UUID": "uuid()", "BLOB": "''", "JSON": "'{}'", "VARCHAR": "'a.parquet'"}
    with warehouse.write("test") as connection:
        columns = connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns()"
            " WHERE table_name = 'chunk' AND NOT is_nullable AND column_name <> 'chunk_id'"
        ).fetchall()
        values = ", ".join(f"{simplest.get(kind, 'i')} AS {name}" for name, kind in columns)
        connection.execute(
            f"INSERT INTO corpus.chunk BY NAME SELECT {values}, id::UUID AS chunk_id"  # noqa: S608  # names of the schema
            " FROM (SELECT row_number() OVER () - 1 AS i, id FROM (SELECT unnest(?) AS id))",
            [[chunk_id.hex() for chunk_id in ids]],
        )


def assets(connection: Connection) -> list[str]:
    """Whose commits a database knows, in order."""
    return [
        row[0]
        for row in connection.execute("SELECT asset FROM meta.materialization ORDER BY asset").fetchall()
    ]


def test_publishing_is_atomic_and_read_only_and_keeps_three(warehouse: Warehouse) -> None:
    for number in range(5):
        add_commit(warehouse, f"asset {number}")
        path = publish(warehouse)
        assert path == warehouse.home.published.resolve()
        assert path.stat().st_mode & 0o777 == 0o444
    assert [version.number for version in versions(warehouse.home)] == [3, 4, 5]
    assert [version.is_newest for version in versions(warehouse.home)] == [False, False, True]
    with warehouse.read_published() as connection:
        assert len(assets(connection)) == 5
        assert connection.execute("SELECT meta.uniform_draw('a', '1')").fetchall()[0][0] < 1
        assert connection.execute("SELECT version, home FROM meta.published").fetchall() == [
            (5, str(warehouse.home.root))
        ]


def test_a_pinned_version_stays_until_it_is_unpinned(warehouse: Warehouse) -> None:
    for number in range(6):
        add_commit(warehouse, f"asset {number}")
        publish(warehouse)
        if number == 1:
            pin(warehouse.home, 2, "figure 3 of the paper")
    first, *others = versions(warehouse.home)
    assert first.number == 2
    assert first.pin is not None
    assert (first.pin.why, first.pin.who is not None, first.pin.since is not None) == (
        "figure 3 of the paper", True, True,
    )  # fmt: skip
    assert [version.pin for version in others] == [None] * 3
    assert unpin(warehouse.home, 2)
    assert not unpin(warehouse.home, 2)
    add_commit(warehouse, "another")
    publish(warehouse)
    assert [version.number for version in versions(warehouse.home)] == [5, 6, 7]


def test_a_pin_made_by_hand_counts(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    publish(warehouse).with_suffix(".pin").touch()
    [version] = versions(warehouse.home)
    assert version.pin is not None


def test_an_unknown_version_is_one_line(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    publish(warehouse)
    with pytest.raises(InputUnreadable, match=r"no published version 9 \(there are: 1\).*fakesmrt versions"):
        pin(warehouse.home, 9, "")


def test_a_version_is_removed_unless_it_is_pinned(warehouse: Warehouse) -> None:
    for name in ("asset", "another"):
        add_commit(warehouse, name)
        publish(warehouse)
    pin(warehouse.home, 1, "")
    with pytest.raises(InvalidConfiguration, match=r"pinned.*fakesmrt versions unpin 1"):
        remove_version(warehouse.home, 1)
    unpin(warehouse.home, 1)
    remove_version(warehouse.home, 1)
    assert [version.number for version in versions(warehouse.home)] == [2]


def test_a_damaged_version_is_told_from_one_that_is_held_or_closed(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    copy = publish(warehouse)
    copy.chmod(0o644)
    with copy.open("r+b") as file:
        file.truncate(20_000)
    with pytest.raises(CorruptArtefact, match="doctor --fix"), warehouse.published_file(copy):
        pass
    with pytest.raises(FakesmrtError) as missing, warehouse.published_file(copy.with_name("9.duckdb")):
        pass
    assert not isinstance(missing.value, CorruptArtefact)


def test_nothing_new_is_not_published_again(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    first = publish(warehouse)
    inode = first.stat().st_ino
    assert publish(warehouse) == first
    assert first.stat().st_ino == inode


def test_a_moved_home_is_published_again(warehouse: Warehouse, tmp_path: Path) -> None:
    add_chunks(warehouse, 3)
    add_commit(warehouse, "asset")
    publish(warehouse)
    moved = Warehouse(Home(warehouse.home.root.rename(tmp_path / "moved")))
    publish(moved)
    with moved.read_published() as connection:
        assert connection.execute("SELECT count(*) FROM corpus.chunk_text").fetchall() == [(3,)]


def test_a_reader_of_the_published_copy_and_a_writer_do_not_wait_for_each_other(warehouse: Warehouse) -> None:
    add_commit(warehouse, "old")
    publish(warehouse)
    with warehouse.read_published() as reader:
        add_commit(warehouse, "new")
        publish(warehouse)
        assert assets(reader) == ["old"]
    with warehouse.read_published() as reader:
        assert assets(reader) == ["new", "old"]


def test_nothing_published_yet_is_said(warehouse: Warehouse) -> None:
    with pytest.raises(InputUnreadable, match="Nothing is published"), warehouse.read_published():
        pass


def test_a_chunk_is_found_by_its_id(warehouse: Warehouse) -> None:
    add_chunks(warehouse, 500)
    add_commit(warehouse, "asset")
    publish(warehouse)
    with warehouse.read_published() as connection:
        found = connection.execute(
            "SELECT chunk.chunk_id = place.chunk_id, chunk.text_row FROM corpus.chunk_place AS place"
            " JOIN corpus.chunk ON chunk.rowid = place.chunk_row ORDER BY place.chunk_id"
        ).fetchall()
    assert found == [(True, row) for row in range(500)]


def test_a_damaged_copy_is_replaced(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    damaged = publish(warehouse)
    damaged.chmod(0o644)
    damaged.write_bytes(b"no database")
    assert publish(warehouse) != damaged
    with warehouse.read_published() as connection:
        assert assets(connection) == ["asset"]


def test_who_writes_into_a_copy_by_mistake_harms_nobody(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    copy = publish(warehouse)
    # The mode of the file stops everybody but root.
    copy.chmod(0o644)
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('DELETE FROM meta.materialization');"
        " print('deleted', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(warehouse.home.published)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as clumsy:  # fmt: skip
        assert clumsy.stdout is not None
        assert clumsy.stdout.readline() == "deleted\n"
        # While it holds the file, the others read what was published.
        with warehouse.read_published() as connection:
            assert assets(connection) == ["asset"]
        with warehouse.published_file(copy) as connection:
            assert assets(connection) == ["asset"]
        add_commit(warehouse, "another")
        assert publish(warehouse) != copy
        with warehouse.read_published() as connection:
            assert assets(connection) == ["another", "asset"]
        clumsy.send_signal(signal.SIGKILL)
    # What it left beside the link belongs to no later copy.
    assert not list(warehouse.home.root.glob("published.duckdb.wal"))
    with duckdb.connect(warehouse.home.published, read_only=True) as connection:
        assert assets(connection) == ["another", "asset"]


def test_a_copy_that_was_written_into_is_published_anew(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    copy = publish(warehouse)
    copy.chmod(0o644)
    with duckdb.connect(copy) as connection:
        connection.execute("CREATE TABLE mine (x INTEGER)")
    assert publish(warehouse) != copy


def test_a_disk_that_fills_leaves_the_old_copy(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    add_commit(warehouse, "old")
    old = publish(warehouse)
    add_commit(warehouse, "new")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "copy_file_range", full)
        with pytest.raises(FakesmrtError, match=r"The disk is full.*Free some space"):
            publish(warehouse)
    assert newest_version(warehouse.home) == old
    assert [path.name for path in warehouse.home.published_versions.iterdir()] == ["1.duckdb"]
    assert publish(warehouse) != old


def test_where_the_kernel_cannot_copy_the_file_is_copied(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(*_: object) -> int:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", impossible)
    add_commit(warehouse, "asset")
    publish(warehouse)
    with warehouse.read_published() as connection:
        assert assets(connection) == ["asset"]


def test_what_a_killed_publisher_left_is_removed_by_the_next(warehouse: Warehouse) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from warehouse import publishing;"
        " from warehouse.database import Warehouse; from warehouse.home import Home;"
        " publishing.add_published_relations = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        " publishing.publish(Warehouse(Home(Path(sys.argv[1]))))"
    )
    add_commit(warehouse, "asset")
    killed = subprocess.run([sys.executable, "-c", code, str(warehouse.home.root)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert newest_version(warehouse.home) is None
    assert list(warehouse.home.published_versions.iterdir()) != []
    publish(warehouse)
    assert [path.name for path in warehouse.home.published_versions.iterdir()] == ["1.duckdb"]


def test_what_a_killed_writer_committed_is_published(warehouse: Warehouse) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from warehouse.database import Warehouse;"
        " from warehouse.home import Home\n"
        "with Warehouse(Home(Path(sys.argv[1]))).file(Path(sys.argv[1]) / 'warehouse.duckdb') as c:\n"
        " c.execute(\"INSERT INTO meta.materialization VALUES ('last', '', 'r', 'c', 'd', '{}', 0, 0, 0, now())\")\n"
        " os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(warehouse.home.root)], check=False)
    assert warehouse.home.database.with_name("warehouse.duckdb.wal").exists()
    publish(warehouse)
    with warehouse.read_published() as connection:
        assert assets(connection) == ["last"]


def test_a_home_of_an_earlier_version_is_converted_once(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{warehouse.home.database}' AS old (READ_ONLY)")
        connection.execute(f"ATTACH '{warehouse.home.root}/other' AS new (STORAGE_VERSION 'v2.0.0')")
        connection.execute("COPY FROM DATABASE old TO new")
    (warehouse.home.root / "other").replace(warehouse.home.database)
    publish(warehouse)
    for path in (warehouse.home.database, warehouse.home.published):
        with duckdb.connect(path, read_only=True) as connection:
            assert connection.execute(
                "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()"
            ).fetchall() == [("v1.2.0+",)]
            assert assets(connection) == ["asset"]


def test_a_rebuilt_database_holds_its_rows_and_nothing_that_was_deleted(warehouse: Warehouse) -> None:
    add_commit(warehouse, TAKEN_OUT)
    add_commit(warehouse, "asset")
    with warehouse.write("test") as connection:
        connection.execute("DELETE FROM meta.materialization WHERE asset = ?", [TAKEN_OUT])
    assert TAKEN_OUT.encode() in warehouse.home.database.read_bytes()
    rebuild(warehouse)
    assert TAKEN_OUT.encode() not in warehouse.home.database.read_bytes()
    with warehouse.read() as connection:
        assert assets(connection) == ["asset"]
        # Comments, macros and views come along.
        silent = connection.execute(
            "SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
        )
        assert silent.fetchall() == [(0,)]
        connection.execute("SELECT meta.uniform_draw('a', '1') FROM corpus.training_chunk").fetchall()
    assert not warehouse.upgrade()


def test_a_rewritten_version_holds_nothing_that_was_taken_out(warehouse: Warehouse) -> None:
    add_chunks(warehouse, 300)
    add_commit(warehouse, TAKEN_OUT)
    path = publish(warehouse)
    pin(warehouse.home, 1, "kept")

    def change(connection: Connection) -> None:
        connection.execute("DELETE FROM meta.materialization")
        connection.execute("DELETE FROM corpus.chunk WHERE text_row < 200")

    with warehouse.read_published() as reader:
        rewrite_version(warehouse, path, change)
        # Who had it open reads on.
        assert assets(reader) == [TAKEN_OUT]
    assert TAKEN_OUT.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o444
    assert [(version.number, version.pin is not None) for version in versions(warehouse.home)] == [(1, True)]
    with warehouse.read_published() as connection:
        found = connection.execute(
            "SELECT chunk.text_row FROM corpus.chunk_place AS place JOIN corpus.chunk"
            " ON chunk.rowid = place.chunk_row AND chunk.chunk_id = place.chunk_id ORDER BY place.chunk_id"
        ).fetchall()
    assert found == [(row,) for row in range(200, 300)]


def test_a_rewriting_that_fails_leaves_the_version(warehouse: Warehouse) -> None:
    add_commit(warehouse, "asset")
    path = publish(warehouse)
    before = path.read_bytes()
    with pytest.raises(FakesmrtError):
        rewrite_version(warehouse, path, lambda connection: connection.execute("SELECT nothing"))
    assert path.read_bytes() == before
    assert [file.name for file in warehouse.home.published_versions.iterdir()] == ["1.duckdb"]
    assert publishing.publish(warehouse) == path
