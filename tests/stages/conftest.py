"""Python's documentation topics as a folder of text files, and a home whose corpus stages have run over it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.errors import CheckFailed
from warehouse.home import Home
from warehouse.stages import (
    chunk,
    contamination,
    document,
    duplicate,
    perplexity,
    repeated_passage,
    shard,
    source_file,
    training_chunk,
)
from warehouse.stages.stage import BuildSettings, StageContext, StageReport

STAGES = (
    source_file,
    document,
    chunk,
    repeated_passage,
    duplicate,
    contamination,
    perplexity,
    training_chunk,
    shard,
)


def write_topics(folder: Path) -> Path:
    """One file a topic, some 80 files of English text, and two that hold none."""
    folder.mkdir()
    for name, text in sorted(topics.items()):
        (folder / f"{name}.txt").write_text(text)
    (folder / "nothing.txt").touch()
    (folder / "program.bin").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8)
    return folder


def context_of(warehouse: Warehouse, **settings: object) -> StageContext:
    """A build with one worker."""
    return StageContext(warehouse, BuildSettings.from_dict({"workers": 1, **settings}))


def run_all(context: StageContext) -> dict[str, StageReport]:
    """Run every corpus stage and the shards."""
    return {stage.ASSET: stage.run(context) for stage in STAGES}


@pytest.fixture(scope="session")
def built_corpus(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A home whose corpus was built, for looking only; its files lie in ``topics/`` beside it."""
    while True:
        root = tmp_path_factory.mktemp("corpus")
        write_topics(root / "topics")
        warehouse = Warehouse(Home(root / "home"))
        warehouse.initialise("salt")
        with warehouse.write("test") as connection:
            register(connection, Registration("topics", [str(root / "topics")], "PSF-2.0"))
        # Ids follow from paths, so now and then a small split gets no text; in another folder it does.
        with contextlib.suppress(CheckFailed):
            run_all(context_of(warehouse))
            return warehouse


@pytest.fixture
def changeable(built_corpus: Warehouse, tmp_path: Path) -> Iterator[tuple[Warehouse, Path]]:
    """A copy of that home, and the folder that it watches; files that a test adds are removed afterwards."""
    root = built_corpus.home.root.parent
    shutil.copytree(root / "home", tmp_path / "home", symlinks=True, dirs_exist_ok=True)
    before = set((root / "topics").iterdir())
    yield Warehouse(Home(tmp_path / "home")), root / "topics"
    for path in set((root / "topics").iterdir()) - before:
        path.unlink()
