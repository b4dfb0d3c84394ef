"""What the doctor finds and mends."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.stages.conftest import built_corpus, changeable, context_of, run_all
from warehouse.database import Warehouse, _numbered_migrations, query
from warehouse.doctor import examine_home
from warehouse.errors import FakesmrtError, InvalidConfiguration
from warehouse.forgetting.forget import finish_unfinished, forget
from warehouse.home import Home
from warehouse.publishing import pin, unpin
from warehouse.tokens.shards import set_aside

__all__ = ["built_corpus", "changeable"]


@pytest.fixture
def sick(changeable: tuple[Warehouse, Path]) -> Warehouse:
    """A home to be damaged, found well at first."""
    assert examine_home(changeable[0], fix=False) == []
    return changeable[0]


def test_a_lost_text_file_is_found_mended_and_made_again(sick: Warehouse) -> None:
    before = {path.name: path.read_bytes() for path in sick.home.text.iterdir()}
    next(sick.home.text.iterdir()).unlink()
    assert "missing or damaged" in examine_home(sick, fix=False)[0].what
    assert all(finding.mended for finding in examine_home(sick, fix=True))
    run_all(context_of(sick))
    assert {path.name: path.read_bytes() for path in sick.home.text.iterdir()} == before
    assert examine_home(sick, fix=False) == []


def test_a_damaged_shard_is_written_again(sick: Warehouse) -> None:
    shard = next(path for path in sick.home.tokens.rglob("*.bin"))
    good = shard.read_bytes()
    shard.write_bytes(good[:-2] + b"\0\0")
    assert str(shard) in examine_home(sick, fix=False)[0].what
    examine_home(sick, fix=True)
    run_all(context_of(sick))
    assert shard.read_bytes() == good


def test_lost_band_keys_are_computed_again(sick: Warehouse) -> None:
    shutil.rmtree(sick.home.index)
    assert {finding.mended for finding in examine_home(sick, fix=True)} == {True}
    reports = run_all(context_of(sick))
    assert int(reports["corpus/duplicate"].counts["n_chunks_hashed"]) > 0
    assert examine_home(sick, fix=False) == []


def test_a_damaged_reference_cannot_be_mended_and_says_what_to_do(sick: Warehouse) -> None:
    with next(sick.home.references.rglob("*.npy")).open("r+b") as stream:
        stream.seek(-4, 2)
        stream.write(b"oops")
    findings = examine_home(sick, fix=True)
    assert [finding.mended for finding in findings] == [False]
    assert "--new-references" in findings[0].remedy


def test_what_a_killed_process_left_is_removed(sick: Warehouse) -> None:
    left = sick.home.text / ".99999999.half.parquet"
    left.touch()
    assert [finding.what.split()[0] for finding in examine_home(sick, fix=True)] == [str(left)]
    assert not left.exists()


def test_a_copy_that_cannot_be_read_is_published_anew(sick: Warehouse) -> None:
    damage(sick.publish())
    assert [finding.remedy for finding in examine_home(sick, fix=True)] == [
        "A new one is published",
        "It is removed",
    ]
    with Warehouse(Home(sick.home.root)).read_published() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM corpus.chunk_text").fetchall() == [(True,)]
    assert examine_home(sick, fix=False) == []


def damage(path: Path) -> None:
    """Change some bytes here and there in a file."""
    path.chmod(0o644)
    n_bytes = path.stat().st_size
    with path.open("r+b") as file:
        for eighth in range(8):
            file.seek(n_bytes * eighth // 8 + 100)
            # No pattern: DuckDB's checksum does not see a word that is written twice over zeros.
            file.write(hashlib.sha256(bytes([eighth])).digest())


def older_version(warehouse: Warehouse) -> Path:
    """Another published version, which is not the newest."""
    with warehouse.write("test") as connection:
        connection.execute('UPDATE meta.materialization SET "at" = now()')
    older = warehouse.publish()
    with warehouse.write("test") as connection:
        connection.execute('UPDATE meta.materialization SET "at" = now()')
    warehouse.publish()
    return older


def test_a_damaged_version_goes_and_one_that_is_pinned_is_named(sick: Warehouse) -> None:
    older = older_version(sick)
    pin(sick.home, int(older.stem), "figure 3")
    damage(older)
    [found] = examine_home(sick, fix=True)
    assert (found.mended, f"fakesmrt versions unpin {older.stem}" in found.remedy) == (False, True)
    assert older.exists()
    unpin(sick.home, int(older.stem))
    assert [finding.remedy for finding in examine_home(sick, fix=False)] == ["Run: fakesmrt doctor --fix"]
    assert [finding.mended for finding in examine_home(sick, fix=True)] == [True]
    assert not older.exists()


@pytest.mark.parametrize("room", ["published", "text"])
def test_no_damaged_file_keeps_a_forget_from_its_end(sick: Warehouse, room: str) -> None:
    with sick.read() as connection:
        [(path,)] = connection.execute("SELECT min(path) FROM corpus.source_file").fetchall()

    def killed_when_recorded(n_done: int, *_: object) -> None:
        if n_done:
            raise KeyboardInterrupt

    older = older_version(sick)
    with pytest.raises(KeyboardInterrupt):
        forget(sick, [path], progress=killed_when_recorded)
    stored = {"index": sick.home.index.glob("*.parquet"), "published": iter([older]),
              "text": sick.home.text.glob("*.parquet"), "tokens": sick.home.tokens.rglob("*.bin")}  # fmt: skip
    damage(next(stored[room]))
    with pytest.raises(FakesmrtError):
        finish_unfinished(sick)
    found = examine_home(sick, fix=True)
    assert all(finding.mended for finding in found)
    assert any("forgotten only in part" in finding.what for finding in found)
    run_all(context_of(sick))
    assert examine_home(sick, fix=False) == []


def test_a_damaged_shard_of_the_past_is_removed_with_all_its_files(sick: Warehouse) -> None:
    folder = sick.home.tokens / "default-of-the-past"
    shutil.copytree(next(sick.home.tokens.iterdir()), folder)
    [shard] = folder.glob("validation-*.bin")
    set_aside(shard.with_suffix(".json"))
    damage(shard)
    assert "which removes it" in examine_home(sick, fix=False)[0].remedy
    assert [finding.mended for finding in examine_home(sick, fix=True)] == [True]
    assert not list(folder.glob("validation-*"))
    assert list(folder.glob("train-*"))


def test_a_home_of_an_earlier_fakesmrt_is_examined_when_it_is_up_to_date(tmp_path: Path) -> None:
    warehouse = Warehouse(Home(tmp_path))
    with duckdb.connect(warehouse.home.database) as connection:
        connection.execute(query("schema_version"))
        for number, script in _numbered_migrations()[:5]:
            connection.execute(script)
            connection.execute("INSERT INTO meta.schema_version VALUES (?, now())", [number])
    with pytest.raises(InvalidConfiguration, match=r"earlier fakesmrt.*fakesmrt init"):
        examine_home(warehouse, fix=False)
    assert examine_home(warehouse, fix=True) == []
    assert examine_home(warehouse, fix=False) == []
