"""What the doctor finds and mends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stages.conftest import built_corpus, changeable, context_of, run_all
from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.home import Home

__all__ = ["built_corpus", "changeable"]


@pytest.fixture
def sick(changeable: tuple[Warehouse, Path]) -> Iterator[Warehouse]:
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
    copy = sick.home.published.resolve()
    copy.chmod(0o644)
    copy.write_bytes(b"no database")
    assert [finding.mended for finding in examine_home(sick, fix=True)] == [True]
    with Warehouse(Home(sick.home.root)).read_published() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM corpus.chunk_text").fetchall() == [(True,)]
