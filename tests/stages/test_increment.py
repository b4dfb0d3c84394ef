"""More text, less text and other rules, step by step, give what a build from nothing gives under the same pins."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.increment import compare, copy_pins, shard_bytes
from tests.stages.conftest import context_of, run_all
from tests.test_plan import NEW_TEXT, here
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.stages import shard


@pytest.fixture
def grown(built_corpus: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Warehouse, Path]:
    """A copy of the built home, whose corpus watches a second folder that is still empty."""
    monkeypatch.setattr("warehouse.stages.stage.open_workers", here)
    root, folder = built_corpus.home.root, tmp_path / "more"
    shutil.copytree(root, tmp_path / "home", symlinks=True, dirs_exist_ok=True)
    folder.mkdir()
    warehouse = Warehouse(Home(tmp_path / "home"))
    _watch(warehouse, root.parent / "topics", folder)
    return warehouse, folder


def _watch(warehouse: Warehouse, *folders: Path) -> None:
    with warehouse.write("test") as connection:
        register(connection, Registration("topics", [str(folder) for folder in folders], "PSF-2.0"))


def from_nothing(made: Warehouse, root: Path, *folders: Path) -> Warehouse:
    """Another home that reads the same folders, with the same pins."""
    fresh = Warehouse(Home(root))
    fresh.initialise("salt")
    _watch(fresh, *folders)
    copy_pins(made, fresh)
    run_all(context_of(fresh))
    return fresh


def test_what_is_added_step_by_step_equals_a_build_from_nothing(
    grown: tuple[Warehouse, Path], built_corpus: Warehouse, tmp_path: Path
) -> None:
    warehouse, folder = grown
    (folder / "first.txt").write_text(NEW_TEXT)
    run_all(context_of(warehouse))
    # A likeness of the first, in which some words are others.
    (folder / "second.txt").write_text(NEW_TEXT.replace("a night", "an evening"))
    run_all(context_of(warehouse))
    fresh = from_nothing(warehouse, tmp_path / "fresh", built_corpus.home.root.parent / "topics", folder)
    assert compare(warehouse, fresh) == {}


def test_only_new_text_is_encoded(grown: tuple[Warehouse, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    encode = shard._encoded_anew

    def counting(chunks, *arguments):
        encoded.extend(chunk.chunk_id for chunk in chunks)
        return encode(chunks, *arguments)

    monkeypatch.setattr(shard, "_encoded_anew", counting)
    warehouse, folder = grown
    (folder / "new.txt").write_text(NEW_TEXT)
    reports = run_all(context_of(warehouse))
    assert reports["tokens/shard"].counts["n_shards_written"] == 1
    assert len(encoded) == reports["corpus/duplicate"].counts["n_chunks_hashed"] == 1


def test_shards_follow_from_what_is_here_whatever_came_went_or_was_damaged(
    grown: tuple[Warehouse, Path],
) -> None:
    warehouse, folder = grown
    without = shard_bytes(warehouse)
    (folder / "new.txt").write_text(NEW_TEXT)
    run_all(context_of(warehouse))
    with_new = shard_bytes(warehouse)
    assert with_new != without
    (folder / "new.txt").unlink()
    run_all(context_of(warehouse))
    assert shard_bytes(warehouse) == without
    for path in warehouse.home.tokens.rglob("*.bin"):
        path.write_bytes(path.read_bytes()[:-2] + b"\x07\x00")
    (folder / "new.txt").write_text(NEW_TEXT)
    run_all(context_of(warehouse))
    assert shard_bytes(warehouse) == with_new
