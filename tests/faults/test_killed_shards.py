"""A build that is killed while it replaces shards: those that the database names are there, and nobody takes others."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakesmrt_assets.stages.micromodel import tokens_folder
from tests.stages.conftest import built_corpus, changeable, context_of, run_all
from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.errors import CheckFailed, CorruptArtefact
from warehouse.stages import shard
from warehouse.tokens.shards import PAST_SUFFIX, open_split

__all__ = ["built_corpus", "changeable"]


def shards(warehouse: Warehouse) -> dict[str, bytes]:
    """Every file below tokens/ that is not of a shard that was set aside."""
    return {
        path.name: path.read_bytes()
        for path in warehouse.home.tokens.rglob("*")
        if path.is_file() and not path.with_name(f"{path.name.partition('.')[0]}{PAST_SUFFIX}").exists()
    }


@pytest.fixture
def new_text(changeable: tuple[Warehouse, Path]) -> Iterator[Path]:
    """A file for the folder that the home watches; it goes when the test ends."""
    path = changeable[1] / "new.txt"
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("step", ["_chunk_rows", "clear_superseded"])
@pytest.mark.parametrize("returns", [False, True])
def test_a_build_that_is_killed_among_shards_is_ended_by_the_next(
    changeable: tuple[Warehouse, Path],
    new_text: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    returns: bool,
) -> None:
    """Before the commit and after it; the new text stays, or what was built from goes back to what it was."""
    warehouse, _ = changeable
    context, before = context_of(warehouse), shards(warehouse)
    new_text.write_text(inspect.cleandoc(str(shutil.copytree.__doc__)))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shard, step, killed)
        with pytest.raises(KeyboardInterrupt):
            run_all(context)
    assert examine_home(warehouse, fix=False) == []
    with pytest.raises(CheckFailed, match="fakesmrt build tokens"):
        tokens_folder(context, context.recipe)
    changed = next(name for name in shards(warehouse).keys() - before if name.endswith(".json"))
    with pytest.raises(CorruptArtefact, match="fakesmrt build tokens"):
        open_split(next(warehouse.home.tokens.iterdir()), changed.partition("-")[0])

    if returns:
        new_text.unlink()
    run_all(context)
    assert tokens_folder(context, context.recipe).is_dir()
    after = shards(warehouse)
    assert (after == before) == returns
    assert len(after) == len(before)
    assert examine_home(warehouse, fix=False) == []
