"""Clusters follow from the chunks of today: not from the order of arrival, increments or what was here before."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from tests.stages.chunk_home import (
    CLUSTERS,
    PAIRS_OF_CURRENT_TEXTS,
    SMALL_LIMITS,
    ChunkHome,
    chunk_of,
)
from tests.stages.test_training_chunk import PLAIN
from warehouse.database import query, run_script
from warehouse.stages import duplicate
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import StageContext

Rows = list[tuple[object, ...]]


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Small limits, and threads for workers: a process takes seconds to start."""

    @contextmanager
    def executor(context: StageContext) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(context.settings.workers) as threads:
            yield threads

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(duplicate, "LIMITS", SMALL_LIMITS)
        monkeypatch.setattr(duplicate, "BATCH_CHUNKS", 7)
        monkeypatch.setattr(StageContext, "executor", executor)
        yield


def letters() -> dict[str, str]:
    """Forty files: a form letter to many readers, some letters twice, and letters of their own."""
    source = random.Random(11)
    words = [f"word{number}" for number in range(400)]
    form = source.choices(words, k=90)
    texts = {}
    for number in range(28):
        letter = list(form)
        for place in source.sample(range(90), 1 + number % 3):
            letter[place] = f"reader{number % 24}"
        texts[f"form{number}"] = " ".join(letter)
    for number in range(4):
        texts[f"twin{number}"] = texts[f"form{number}"]
        texts[f"own{number}"] = " ".join(source.choices(words, k=60))
        texts[f"edited{number}"] = texts[f"own{number}"] + " with a postscript"
    return texts


LETTERS = letters()


def state(home: ChunkHome) -> tuple[Rows, Rows]:
    return home.rows(CLUSTERS), home.rows(PAIRS_OF_CURRENT_TEXTS)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, Rows]:
    """What all letters make in one run with one worker."""
    home = ChunkHome(tmp_path_factory.mktemp("at_once") / "home")
    home.add(LETTERS)
    report = home.compare()
    assert int(report.counts["n_pairs_left_out"]) > 0
    return state(home)


def test_ten_increments_in_any_order_make_what_all_at_once_makes(
    tmp_path: Path, at_once: tuple[Rows, Rows]
) -> None:
    names = sorted(LETTERS)
    random.Random(2).shuffle(names)
    home = ChunkHome(tmp_path / "increments", workers=2)
    for start in range(0, len(names), 4):
        home.add({name: LETTERS[name] for name in names[start : start + 4]})
        home.compare()
    assert state(home) == at_once


def test_files_that_were_here_leave_no_trace(tmp_path: Path, at_once: tuple[Rows, Rows]) -> None:
    home = ChunkHome(tmp_path / "home")
    source = random.Random(5)
    others = {
        f"other{number}": text.replace("word1", f"old{number % 2}")
        for number, text in enumerate(list(LETTERS.values())[:20])
    }
    home.add({**others, **LETTERS})
    home.compare()
    for _ in range(2):
        away = source.sample(sorted(LETTERS), 15)
        home.retire(away)
        home.compare()
        home.retire(away, back=True)
    home.retire(others)
    home.compare()
    assert state(home) == at_once


def test_chunks_whose_text_was_lost_are_compared_anew(tmp_path: Path, at_once: tuple[Rows, Rows]) -> None:
    home = ChunkHome(tmp_path / "home")
    home.add(LETTERS)
    home.add({f"first{number}": LETTERS["form5"] + f" yours, {number}" for number in range(8)})
    home.compare()
    with home.warehouse.write("test") as connection:
        connection.execute(
            "DELETE FROM corpus.chunk USING corpus.source_file WHERE chunk_id = source_id AND path LIKE '%/first%'"
        )
    home.add({"nothing": ""})
    home.compare()
    assert state(home) == at_once


def test_another_rule_replaces_the_pairs_and_keys_of_the_old(
    tmp_path: Path, at_once: tuple[Rows, Rows]
) -> None:
    home = ChunkHome(tmp_path / "home")
    home.add({name: text for name, text in LETTERS.items() if name != "form1"})
    home.compare()
    with home.warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.duplicate_pair SET rule_version = 'old'")
        connection.execute("UPDATE corpus.signature SET sketch_id = uuid()")
    home.add({"form1": LETTERS["form1"]})
    home.compare()
    assert state(home) == at_once
    assert home.rows("SELECT count(*), count(DISTINCT sketch_id) FROM corpus.signature") == [
        (len(LETTERS), 1)
    ]


ARABIC = "أنا قادر على أكل الزجاج و هذا لا يؤلمني"
CHINESE = "我能吞下玻璃而不伤身体今天天气很好我们一起去公园散步然后回家吃晚饭"
THAI = "ฉันกินกระจกได้ แต่มันไม่ทำให้ฉันเจ็บ วันนี้อากาศดีมาก"
ODD = {
    "alone": "A single letter that resembles no other one.",
    "short": "Two words",
    "short again": "two words!",
    "shorter": "Two",
    "buffalo": "buffalo " * 300,
    "fewer buffalo": "Buffalo " * 200,
    "dashes": "-- --",
    "stars": "***",
    "empty": "",
    "empty again": "",
    "Arabic": ARABIC,
    "Arabic again": f"«{ARABIC}.»",
    "Chinese": CHINESE,
    "Chinese again": CHINESE + "吧",
    "Thai": THAI,
    "Thai again": THAI + "นะ",
}


def test_odd_texts_are_grouped_with_their_likes_alone(tmp_path: Path) -> None:
    home = ChunkHome(tmp_path / "home")
    home.add(ODD)
    home.compare()
    names = {chunk_of(name): name for name in ODD}
    clusters: dict[object, set[str]] = {}
    for chunk_id, cluster_id, *_ in home.rows(CLUSTERS):
        assert isinstance(chunk_id, UUID)
        clusters.setdefault(cluster_id, set()).add(names[chunk_id])
    assert sorted(map(sorted, clusters.values())) == [
        ["Arabic", "Arabic again"],
        ["Chinese", "Chinese again"],
        ["Thai", "Thai again"],
        ["buffalo", "fewer buffalo"],
        ["empty", "empty again"],
        ["short", "short again"],
    ]


def test_one_chunk_and_none(tmp_path: Path) -> None:
    home = ChunkHome(tmp_path / "home")
    home.add({"one": "A single letter, of a few words."})
    assert home.compare().counts["n_clusters"] == 0
    home.retire(["one"])
    assert home.compare().n_rows == 0


def test_identical_chunks_are_one_cluster_of_jaccard_one(tmp_path: Path) -> None:
    home = ChunkHome(tmp_path / "home")
    home.add({f"copy{number}": "Permission is hereby granted, free of charge" for number in range(50)})
    report = home.compare()
    centre = min(chunk_of(f"copy{number}") for number in range(50))
    assert (report.counts["n_candidate_pairs"], report.n_rows) == (0, 50)
    assert home.rows("SELECT DISTINCT cluster_id, jaccard FROM corpus.duplicate_cluster") == [(centre, 1.0)]


def test_each_dropped_chunk_names_the_document_that_it_resembles(tmp_path: Path) -> None:
    home = ChunkHome(tmp_path / "home")
    text = " ".join(f"word{number} of a long letter to the editor" for number in range(60))
    home.add({"first": text, "edited": text + " with regards"})
    home.compare()
    held_out = text.replace("word7", "something")
    home.add({"held out": held_out, "copy": held_out, "unlike": "A letter that resembles no other letter."})
    home.compare()
    with home.warehouse.write("test") as connection:
        connection.execute(
            "UPDATE corpus.chunk SET split = 'report' WHERE chunk_id = ?", [chunk_of("held out")]
        )
        recipe = {"recipe": PLAIN.name, "sha256": PLAIN.sha256, "definition": PLAIN.to_json()}
        chunking_id = recipe_chunking(home.context)[1]
        run_script(connection, "record_recipe", {**recipe, "chunking_id": chunking_id, "reference_id": None})
        result = connection.execute(query("examples/duplicates"))
        columns = [column[0] for column in result.description or []]
        rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    assert {row["reason"] for row in rows} == {"near_held_out"}
    assert {row["keeper_path"] for row in rows} == {"/letters/held out"}
    assert {row["keeper_document_id"] for row in rows} == {row["keeper_id"] for row in rows}
    found = {row["path"]: row["jaccard"] for row in rows}
    assert found["/letters/copy"] == 1
    assert 0.8 < found["/letters/edited"] < found["/letters/first"] < 1
    assert len(found) == 3
