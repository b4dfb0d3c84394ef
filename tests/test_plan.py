"""What a build would do, before anything runs; and that the build then does just that."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fakesmrt_assets.planning import UPSTREAM, VERSIONS
from fakesmrt_assets.stages import micromodel
from tests.stages.conftest import STAGES, built_corpus, context_of
from warehouse.database import Warehouse
from warehouse.files import file_sha256
from warehouse.home import Home
from warehouse.plan import PlannedStage, plan_stages
from warehouse.prospect import PlannedFile
from warehouse.stages import chunk
from warehouse.stages.stage import StageReport
from warehouse.workers import Workers

__all__ = ["built_corpus"]

NEW_TEXT = """A plan is made before anything runs: it names the stages that would do something and the files at which
they would look. Some of it can be told for certain, because what is recorded decides it; some of it nobody knows before
the files were read, for a new file may hold no text at all, or only what a recipe leaves out.

Whoever reads it learns what a night will cost. A changed rule costs seconds, one more file costs about as much as that
file alone, and a longer training budget costs the training once more.
"""

ASSETS = [stage.ASSET for stage in STAGES]


class Here(Workers):
    """Does each task at once, in this process."""

    n_workers = 1

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(task(*arguments, **options))
        return done


@contextmanager
def here(home_root: Path, n_workers: int | None) -> Iterator[Workers]:
    yield Here()


class SmallCorpus:
    """A home and the folder that it watches."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder

    def plan(self, **settings: object) -> dict[str, PlannedStage]:
        versions = {asset: VERSIONS[asset] for asset in (*ASSETS[1:], micromodel.ASSET)}
        stages = plan_stages(context_of(self.warehouse, **settings), versions, UPSTREAM)
        return {stage.asset: stage for stage in stages}

    def build(self, **settings: object) -> dict[str, StageReport]:
        """Run the corpus stages and the shards."""
        return {stage.ASSET: stage.run(context_of(self.warehouse, **settings)) for stage in STAGES}

    def train(self) -> None:
        """Note micromodels of the shards that there are, as if they had been trained."""
        stage = micromodel.version(context_of(self.warehouse))
        with self.warehouse.write("test") as connection:
            stage.record(connection, 2)

    def execute(self, sql: str) -> None:
        with self.warehouse.write("test") as connection:
            connection.execute(sql)


@pytest.fixture
def corpus(built_corpus: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallCorpus]:
    """A home of Python's documentation topics to be changed, and its folder, which is as before afterwards."""
    monkeypatch.setattr("warehouse.stages.stage.open_workers", here)
    root = built_corpus.home.root
    shutil.copytree(root, tmp_path / "home", symlinks=True, dirs_exist_ok=True)
    copy = SmallCorpus(Warehouse(Home(tmp_path / "home")), root.parent / "topics")
    copy.train()
    before = {path: path.read_bytes() for path in copy.folder.iterdir()}
    yield copy
    for path in copy.folder.iterdir():
        if path not in before:
            path.unlink()
    for path, data in before.items():
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)


def a_text(corpus: SmallCorpus) -> Path:
    """A file of which a chunk is in a shard."""
    with corpus.warehouse.read() as connection:
        (path,) = connection.execute(
            """
            SELECT min(path) FROM tokens.shard_chunk JOIN corpus.chunk USING (chunk_id)
            JOIN corpus.document USING (document_id)
            JOIN (SELECT stream_id, source_id FROM corpus.stream) USING (stream_id)
            JOIN (SELECT source_id, path FROM corpus.source_file) USING (source_id)
            """
        ).fetchall()[0]
    return Path(path)


def nothing(corpus: SmallCorpus) -> None:
    pass


def a_new_text(corpus: SmallCorpus) -> None:
    (corpus.folder / "new.txt").write_text(NEW_TEXT)


def a_new_file_without_text(corpus: SmallCorpus) -> None:
    (corpus.folder / "other.bin").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 9)


def an_empty_file(corpus: SmallCorpus) -> None:
    (corpus.folder / "empty.txt").touch()


def a_forgotten_file(corpus: SmallCorpus) -> None:
    a_new_text(corpus)
    with corpus.warehouse.write("test") as connection:
        connection.execute(
            """INSERT INTO corpus.forgotten (sha256, scope, reason, "at") VALUES (?, 'file', 'asked for', now())""",
            [file_sha256(corpus.folder / "new.txt")],
        )


def a_touched_file(corpus: SmallCorpus) -> None:
    a_text(corpus).touch()


def a_changed_file(corpus: SmallCorpus) -> None:
    path = a_text(corpus)
    path.write_text(path.read_text() + "\nAnd one more line of text, which is read too.\n")


def a_removed_file(corpus: SmallCorpus) -> None:
    a_text(corpus).unlink()


def another_weight(corpus: SmallCorpus) -> None:
    corpus.execute("UPDATE corpus.corpus SET weight = 2.0")


def another_licence(corpus: SmallCorpus) -> None:
    corpus.execute("UPDATE corpus.corpus SET licence = 'MIT'")


def recipe(corpus: SmallCorpus, before: str, after: str) -> None:
    """The default recipe with one thing changed."""
    text = (files("warehouse") / "recipes" / "default.toml").read_text()
    (corpus.warehouse.home.recipes / "default.toml").write_text(text.replace(before, after))


def a_rule_that_drops_something(corpus: SmallCorpus) -> None:
    recipe(corpus, "min_words = 5", "min_words = 150")


def a_rule_that_drops_nothing_more(corpus: SmallCorpus) -> None:
    recipe(corpus, "max_digit_share = 0.4", "max_digit_share = 0.99")


def another_chunk_size(corpus: SmallCorpus) -> None:
    recipe(corpus, "[quality]", "[chunking]\nmax_characters = 500\n[quality]")


AFTER_RULES = {"corpus/training_chunk", "tokens/shard"}


ALL_AND_MODELS = {*ASSETS, "models/micromodel"}


@pytest.mark.parametrize(
    ("change", "runs", "waits", "trains"),
    [
        (nothing, set(), set(), False),
        (a_touched_file, set(), set(), False),
        (a_new_text, set(ASSETS[:2]), ALL_AND_MODELS - set(ASSETS[:2]), True),
        (a_new_file_without_text, set(ASSETS[:2]), ALL_AND_MODELS - set(ASSETS[:2]), False),
        (an_empty_file, set(ASSETS[:1]), set(), False),
        (a_forgotten_file, set(ASSETS[:1]), set(), False),
        (a_changed_file, ALL_AND_MODELS, set(), True),
        (a_removed_file, ALL_AND_MODELS, set(), True),
        (another_weight, {"corpus/source_file", *AFTER_RULES}, {"models/micromodel"}, True),
        (another_licence, {"corpus/source_file", *AFTER_RULES}, {"models/micromodel"}, False),
        (a_rule_that_drops_something, AFTER_RULES, {"models/micromodel"}, True),
        (a_rule_that_drops_nothing_more, AFTER_RULES, {"models/micromodel"}, False),
        (another_chunk_size, set(ASSETS[2:]), {"models/micromodel"}, True),
    ],
)
def test_a_build_runs_what_was_planned(
    corpus: SmallCorpus,
    change: Callable[[SmallCorpus], None],
    runs: set[str],
    waits: set[str],
    trains: bool,
) -> None:
    change(corpus)
    planned = corpus.plan()
    assert {asset for asset, stage in planned.items() if stage.runs} == runs
    assert {asset for asset, stage in planned.items() if stage.runs is None} == waits
    ran = {asset for asset, report in corpus.build().items() if not report.up_to_date}
    assert runs & set(ASSETS) <= ran <= runs | waits
    # What had to be told by the stages is told now: models are trained again only where a shard is another one.
    expected = {"models/micromodel"} if trains else set()
    assert {asset for asset, stage in corpus.plan().items() if stage.runs is not False} == expected


def test_a_plan_names_the_files(corpus: SmallCorpus) -> None:
    changed = a_text(corpus)
    a_changed_file(corpus)
    a_new_text(corpus)
    n_files = len(list(corpus.folder.iterdir()))
    kept = {changed, corpus.folder / "new.txt"}
    removed = next(path for path in sorted(corpus.folder.iterdir()) if path not in kept)
    removed.unlink()
    planned = corpus.plan()
    assert set(planned["corpus/source_file"].files) == {
        PlannedFile("changed", "topics", str(changed)),
        PlannedFile("new", "topics", str(corpus.folder / "new.txt")),
        PlannedFile("vanished", "topics", str(removed)),
    }
    assert {(file.change, Path(file.path).name) for file in planned["corpus/document"].files} == {
        ("changed", changed.name),
        ("new", "new.txt"),
    }
    assert planned["corpus/source_file"].reason.startswith(
        f"1 new, 1 changed, 1 vanished, {n_files - 3} unchanged files"
    )


def test_another_chunk_size_cuts_every_file_again(corpus: SmallCorpus) -> None:
    another_chunk_size(corpus)
    planned = corpus.plan()["corpus/chunk"]
    assert planned.reason == "chunking changed"
    assert {(file.change, file.path) for file in planned.files} == {
        ("cut again", str(path))
        for path in corpus.folder.iterdir()
        if path.name not in {"nothing.txt", "program.bin"}
    }


def test_a_training_budget_trains_anew_and_touches_nothing_else(corpus: SmallCorpus) -> None:
    planned = corpus.plan(minutes=7.0)
    assert [asset for asset, stage in planned.items() if stage.runs is not False] == ["models/micromodel"]
    assert planned["models/micromodel"].reason == "budget, trainings changed"


def test_a_stage_that_was_interrupted_runs_though_its_inputs_are_as_before(corpus: SmallCorpus) -> None:
    chunk.version(context_of(corpus.warehouse)).begin()
    planned = corpus.plan()
    assert planned["corpus/chunk"].reason == "it was interrupted"
    assert planned["corpus/duplicate"].runs is False
    assert not corpus.build()["corpus/chunk"].up_to_date
    assert corpus.plan()["corpus/chunk"].runs is False


def test_new_references_are_a_reason(corpus: SmallCorpus) -> None:
    planned = corpus.plan(new_references=True)
    assert planned["corpus/perplexity"].reason == "new references are asked for"
    assert planned["corpus/duplicate"].runs is False


def test_where_nothing_was_built_everything_runs(tmp_path: Path) -> None:
    corpus = SmallCorpus(Warehouse(Home(tmp_path / "home")), tmp_path)
    corpus.warehouse.initialise("salt")
    assert all(stage.runs for stage in corpus.plan().values())


def test_a_plan_changes_nothing(corpus: SmallCorpus) -> None:
    a_new_text(corpus)
    before = corpus.warehouse.home.database.read_bytes()
    corpus.plan()
    assert corpus.warehouse.home.database.read_bytes() == before
