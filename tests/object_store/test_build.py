"""A corpus whose files lie in a bucket is the same corpus, byte for byte; it moves there and back."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest

from tests.forgetting.searching import found_windows, windows
from tests.stages.conftest import context_of, run_all, write_topics
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.forgetting.forget import forget
from warehouse.home import Home
from warehouse.moving import bring_back, left_stores, move_to_store
from warehouse.object_store import STORED_ROOMS, store_of_home
from warehouse.published_relations import add_file_views
from warehouse.publishing import rewrite_version, versions
from warehouse.stages import stage
from warehouse.workers import LocalWorkers

KEPT_TEXT = "SELECT chunk_id, text FROM corpus.chunk_text ORDER BY chunk_id"


def new_home(root: Path, topics: Path) -> Warehouse:
    warehouse = Warehouse(Home(root))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("topics", [str(topics)], "PSF-2.0"))
    return warehouse


def hashes_here(home: Home) -> dict[str, str]:
    """What lies in the stored folders of a home: key and SHA-256."""
    return {
        path.relative_to(home.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for room in STORED_ROOMS
        for path in (home.root / room).rglob("*")
        if path.is_file()
    }


def hashes_stored(home: Home) -> dict[str, str]:
    """The same of its store."""
    store = store_of_home(home.root)
    assert store is not None
    found = {}
    for key in [key for room in STORED_ROOMS for key in store.sizes(room)]:
        with store.opened(key) as stream:
            found[key] = hashlib.sha256(stream.read()).hexdigest()
    return found


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_topics(tmp_path_factory.mktemp("object-store") / "topics")
    for path in sorted(folder.glob("*.txt"))[::2]:
        path.unlink()
    return folder


@pytest.fixture(scope="module")
def _one_worker(s3: str) -> Iterator[None]:
    """One process for the stages of all builds: starting one for each takes longer than their work."""
    with LocalWorkers(1) as workers, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "open_workers", lambda *_: nullcontext(workers))
        yield


@pytest.fixture(scope="module")
def built_here(topics: Path, _one_worker: None) -> Warehouse:
    """A home on this machine, built and published."""
    warehouse = new_home(topics.parent / "here", topics)
    run_all(context_of(warehouse))
    warehouse.publish()
    return warehouse


@pytest.fixture
def built_there(
    built_here: Warehouse, topics: Path, tmp_path: Path, bucket: str, options: dict[str, str]
) -> Iterator[Warehouse]:
    """A home of its own that kept its files in a bucket from the beginning."""
    warehouse = new_home(tmp_path / "there", topics)
    move_to_store(warehouse, f"s3://{bucket}/home", options)
    run_all(context_of(warehouse))
    warehouse.publish()
    return warehouse


def texts(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.read_published() as connection:
        return connection.execute(KEPT_TEXT).fetchall()


def test_a_bucket_holds_the_same_bytes(built_here: Warehouse, built_there: Warehouse) -> None:
    expected = hashes_here(built_here.home)
    assert {key.partition("/")[0] for key in expected} == {"text", "index", "tokens"}
    assert hashes_stored(built_there.home) == expected
    assert list(built_there.home.text.iterdir()) == []
    assert texts(built_there) == texts(built_here) != []
    assert examine_home(built_there, fix=False) == []

    lose_copies(built_there.home)
    assert [report.up_to_date for report in run_all(context_of(built_there)).values()] == [True] * 9
    assert examine_home(built_there, fix=False) == []
    assert hashes_here(built_there.home).items() <= expected.items()


def point_versions(warehouse: Warehouse) -> None:
    """A home that was copied names the files by where they were."""
    for version in versions(warehouse.home):
        rewrite_version(warehouse, version.path, lambda copy: add_file_views(copy, warehouse.home))


def lose_copies(home: Home) -> None:
    """What another machine with the same database would have: no file of the store."""
    for room in STORED_ROOMS:
        for path in (home.root / room).rglob("*.*"):
            path.unlink()


def test_a_home_moves_there_and_back(
    built_here: Warehouse, tmp_path: Path, bucket: str, options: dict[str, str]
) -> None:
    shutil.copytree(built_here.home.root, tmp_path / "moving", symlinks=True)
    warehouse = Warehouse(Home(tmp_path / "moving"))
    point_versions(warehouse)
    before, text = hashes_here(warehouse.home), texts(warehouse)
    assert move_to_store(warehouse, f"s3://{bucket}/home", options) == len(before)
    assert hashes_stored(warehouse.home) == before
    assert list(warehouse.home.text.iterdir()) == []
    assert texts(warehouse) == text

    lose_copies(warehouse.home)
    assert bring_back(warehouse) == len(before)
    assert hashes_here(warehouse.home) == before
    assert [left.url for left in left_stores(warehouse.home.root)] == [f"s3://{bucket}/home"]
    # Any client reads the copies again, without what a store needs.
    for version in versions(warehouse.home):
        with duckdb.connect(str(version.path), read_only=True) as client:
            assert client.execute(KEPT_TEXT).fetchall() == text


def test_what_is_forgotten_leaves_the_bucket(
    built_here: Warehouse, topics: Path, tmp_path: Path, bucket: str, options: dict[str, str]
) -> None:
    by_size = sorted(topics.glob("*.txt"), key=lambda path: path.stat().st_size)
    forgotten = by_size[len(by_size) // 2]
    others = (windows(path.read_text()) for path in by_size if path != forgotten)
    wanted = windows(forgotten.read_text()).difference(*others)
    shutil.copytree(built_here.home.root, tmp_path / "forgetting", symlinks=True)
    warehouse = Warehouse(Home(tmp_path / "forgetting"))
    move_to_store(warehouse, f"s3://{bucket}/home", options)
    lose_copies(warehouse.home)
    before = hashes_stored(warehouse.home)

    forget(warehouse, [str(forgotten)])

    after = hashes_stored(warehouse.home)
    shards = {key for key in before if key.endswith(".bin")}
    assert 0 < len(shards - after.keys()) < len(shards)
    assert all(after[key] == before[key] for key in shards & after.keys())
    # Looked for where everything is: what the store holds is brought into the home.
    assert found_windows(built_here, wanted)
    bring_back(warehouse)
    assert found_windows(warehouse, wanted) == {}
