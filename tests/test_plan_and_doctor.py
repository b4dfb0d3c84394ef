"""What a build would do, before anything runs; and what the doctor finds and mends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakesmrt_assets.planning import UPSTREAM, VERSIONS
from tests.stages.conftest import STAGES, built_corpus, changeable, context_of, run_all
from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.home import Home
from warehouse.plan import PlannedStage, plan_stages

__all__ = ["built_corpus", "changeable"]

CORPUS_STAGES = [stage.ASSET for stage in STAGES[1:]]


def plan_of(warehouse: Warehouse, **settings: object) -> dict[str, PlannedStage]:
    """The plan for the corpus stages and the shards."""
    versions = {asset: VERSIONS[asset] for asset in CORPUS_STAGES}
    return {
        stage.asset: stage for stage in plan_stages(context_of(warehouse, **settings), versions, UPSTREAM)
    }


def test_nothing_would_run_where_nothing_changed(changeable: tuple[Warehouse, Path]) -> None:
    planned = plan_of(changeable[0])
    assert [stage.asset for stage in planned.values() if stage.runs] == []
    assert planned["corpus/chunk"].reason == "up to date"


def test_a_new_file_is_counted_and_what_follows_is_named(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, folder = changeable
    (folder / "new.txt").write_text("New text.\n")
    planned = plan_of(warehouse)
    assert planned["corpus/source_file"].reason.startswith("1 new, 0 changed, 0 vanished")
    assert planned["corpus/document"].reason == "corpus/source_file would run"
    assert all(stage.runs for stage in planned.values())


def test_another_weight_or_licence_is_a_reason(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    with warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.corpus SET weight = 2.0")
    assert "a weight changed" in plan_of(warehouse)["corpus/source_file"].reason
    with warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.corpus SET weight = 1.0, licence = 'MIT'")
    assert "with another licence" in plan_of(warehouse)["corpus/source_file"].reason


def test_another_chunk_size_is_the_reason_from_the_chunks_on(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    (warehouse.home.recipes / "default.toml").write_text("[chunking]\nmax_characters = 500\n")
    planned = plan_of(warehouse)
    assert not planned["corpus/document"].runs
    assert planned["corpus/chunk"].reason == "chunking changed"


def test_a_plan_changes_nothing(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, folder = changeable
    (folder / "new.txt").write_text("New text.\n")
    before = warehouse.home.database.read_bytes()
    plan_of(warehouse)
    assert warehouse.home.database.read_bytes() == before


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
