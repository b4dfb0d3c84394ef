"""A real Dask scheduler with two workers on loopback gives the same bytes as processes of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stages.conftest import built_corpus, context_of, run_all
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.errors import InvalidConfiguration
from warehouse.files import file_sha256
from warehouse.home import Home
from warehouse.workers import DASK_SCHEDULER, DaskWorkers, difference, open_workers, surroundings

__all__ = ["built_corpus"]

CONTENT = (
    "SELECT * EXCLUDE (first_seen_at, modified_ns, changed_ns) FROM corpus.source_file ORDER BY ALL",
    "SELECT * FROM corpus.document ORDER BY ALL",
    "SELECT * FROM corpus.chunk ORDER BY ALL",
    "SELECT * FROM corpus.dropped ORDER BY ALL",
    "SELECT * FROM corpus.duplicate_cluster ORDER BY ALL",
    "SELECT * FROM corpus.repeated_range ORDER BY ALL",
    "SELECT * FROM corpus.perplexity ORDER BY ALL",
    "SELECT * FROM tokens.shard ORDER BY ALL",
)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a scheduler that has two workers of one thread each, all of them processes of their own."""
    from distributed import Client

    folder = tmp_path_factory.mktemp("dask")
    found = folder / "scheduler.json"
    place = ["--scheduler-file", str(found), "--host", "127.0.0.1", "--no-dashboard"]
    commands = [["dask_scheduler", *place, "--port", "0"]] + [
        ["dask_worker", *place, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    ] * 2
    with ExitStack() as stack:
        for module, *arguments in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        with Client(scheduler_file=str(found), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield json.loads(found.read_text())["address"]


def written(home: Home) -> dict[str, bytes]:
    """Hash of each file of text, signatures and tokens by its name."""
    folders = (home.text, home.index, home.tokens)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(home.root)): file_sha256(path) for path in files}


def test_two_dask_workers_write_the_same_bytes_and_rows(
    built_corpus: Warehouse, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = built_corpus.home
    warehouse = Warehouse(Home(tmp_path / "home"))
    warehouse.initialise("salt")
    topics = local.root.parent / "topics"
    with warehouse.write("test") as connection:
        register(connection, Registration("topics", [str(topics)], "PSF-2.0"))
    monkeypatch.setenv(DASK_SCHEDULER, scheduler)
    with open_workers(warehouse.home.root, None) as workers:
        assert isinstance(workers, DaskWorkers)
        assert workers.n_workers == 2
        assert len({workers.submit(os.getpid).result(), os.getpid()}) == 2
    run_all(context_of(warehouse))
    assert written(warehouse.home) == written(local)
    for sql in CONTENT:
        with built_corpus.read() as there, warehouse.read() as here:
            assert here.execute(sql).fetchall() == there.execute(sql).fetchall(), sql


def test_workers_that_do_not_see_the_home_are_refused(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DASK_SCHEDULER, scheduler)
    with (
        pytest.raises(InvalidConfiguration, match="does not see the home"),
        open_workers(tmp_path / "gone", 1),
    ):
        pass


def test_other_code_and_other_libraries_are_named(tmp_path: Path) -> None:
    here = surroundings(str(tmp_path))
    assert difference(here, here) is None
    assert difference(here, replace(here, code="0")) == "has another version of fakesmrt"
    assert difference(here, replace(here, libraries={"ftfy": "1.0"})) == (
        f"has ftfy 1.0, this machine {here.libraries['ftfy']}"
    )
    assert "ruff" not in here.libraries


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.workers.CONNECT_SECONDS", 0.1)
    monkeypatch.setenv(DASK_SCHEDULER, "tcp://127.0.0.1:9")
    with (
        pytest.raises(InvalidConfiguration, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        open_workers(tmp_path, 1),
    ):
        pass
