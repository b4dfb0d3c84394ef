"""The stage corpus/contamination: what was planted is found, only what is new is searched, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from fakesmrt_assets.checks import inspect_evaluation_items
from tests.stages.conftest import STAGES, context_of
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.decontamination.registry import register_set, remove_set
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.home import Home
from warehouse.stages import chunk, contamination, document, duplicate, source_file
from warehouse.stages.stage import BuildSettings, StageContext

QUESTIONS = [
    {
        "id": "q1",
        "question": "Which harbour did the yellow schooner leave before the autumn gales of that year?",
    },
    {"id": "q2", "question": "Seven grey herons counted the lanterns twice."},
]
PLAIN = "The keeper of the lighthouse wrote down the weather every morning and the ships every evening. " * 6


def found(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    sql = """
        SELECT DISTINCT parse_filename(source_file.path), found.evaluation_set, found.rule
        FROM corpus.contamination AS found
        INNER JOIN corpus.chunk AS chunk ON found.chunk_id = chunk.chunk_id
        INNER JOIN corpus.document AS document ON chunk.document_id = document.document_id
        INNER JOIN corpus.stream AS stream ON document.stream_id = stream.stream_id
        INNER JOIN corpus.source_file AS source_file ON stream.source_id = source_file.source_id
        WHERE found.counts AND found.evaluation_set <> 'held_out'
        ORDER BY ALL
    """
    with warehouse.read() as connection:
        return connection.execute(sql).fetchall()


def rows(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.read() as connection:
        return connection.execute("SELECT * FROM corpus.contamination ORDER BY ALL").fetchall()


def run_to_contamination(warehouse: Warehouse, **settings: object) -> dict[str, int | float | str]:
    context = context_of(warehouse, **settings)
    for stage in (source_file, document, chunk, duplicate):
        stage.run(context)
    return dict(contamination.run(context).counts)


@pytest.fixture
def home(tmp_path: Path) -> tuple[Warehouse, Path]:
    """A home that watches ``texts/`` and knows the set ``quiz``; three of its four files hold a question."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "clean.txt").write_text(PLAIN)
    (texts / "verbatim.txt").write_text(f"{PLAIN} {QUESTIONS[0]['question']} {PLAIN}")
    (texts / "edited.txt").write_text(PLAIN + QUESTIONS[0]["question"].replace("schooner", "steamer"))
    (texts / "short.txt").write_text(f"{PLAIN}\n\n{QUESTIONS[1]['question']}\n\n{PLAIN}")
    (tmp_path / "quiz.jsonl").write_text("\n".join(json.dumps(question) for question in QUESTIONS))
    warehouse = Warehouse(Home(tmp_path / "home"))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("texts", [str(texts)], "CC0-1.0"))
        register_set(connection, "quiz", [str(tmp_path / "quiz.jsonl")], [])
    return warehouse, texts


PLANTED = [
    ("edited.txt", "quiz", "near_duplicate"),
    ("short.txt", "quiz", "near_duplicate"),
    ("short.txt", "quiz", "ngram_overlap"),
    ("verbatim.txt", "quiz", "near_duplicate"),
    ("verbatim.txt", "quiz", "ngram_overlap"),
]


def test_planted_items_are_found_and_nothing_else(home: tuple[Warehouse, Path]) -> None:
    warehouse, _ = home
    counts = run_to_contamination(warehouse)
    assert found(warehouse) == PLANTED
    assert counts["n_evaluation_items"] == 2
    with warehouse.read() as connection:
        text = str(connection.execute("SELECT * FROM corpus.evaluation_item").fetchall())
    assert "heron" not in text


def test_increments_give_what_all_at_once_gives_and_search_only_what_is_new(
    home: tuple[Warehouse, Path], tmp_path: Path
) -> None:
    warehouse, texts = home
    later = (texts / "verbatim.txt").read_text()
    (texts / "verbatim.txt").unlink()
    (tmp_path / "more.txt").write_text("The ships wrote poems about the keeper of the lantern.\n")
    run_to_contamination(warehouse)
    (texts / "verbatim.txt").write_text(later)
    n_new = run_to_contamination(warehouse)["n_chunks_searched"]
    with warehouse.write("test") as connection:
        register_set(connection, "more", [str(tmp_path / "more.txt")], [])
    n_all = run_to_contamination(warehouse)["n_chunks_searched"]
    assert 0 < int(n_new) < int(n_all)
    assert found(warehouse) == PLANTED

    at_once = Warehouse(Home(tmp_path / "at_once"))
    at_once.initialise("salt")
    with at_once.write("test") as connection:
        register(connection, Registration("texts", [str(texts)], "CC0-1.0"))
        register_set(connection, "quiz", [str(tmp_path / "quiz.jsonl")], [])
        register_set(connection, "more", [str(tmp_path / "more.txt")], [])
    run_to_contamination(at_once, workers=2)
    assert rows(at_once) == rows(warehouse)


def test_a_changed_a_removed_and_a_vanished_set_are_noticed(
    home: tuple[Warehouse, Path], tmp_path: Path
) -> None:
    warehouse, _ = home
    run_to_contamination(warehouse)
    assert "n_chunks_searched" not in run_to_contamination(warehouse)
    (tmp_path / "quiz.jsonl").write_text(json.dumps(QUESTIONS[1]))
    run_to_contamination(warehouse)
    assert {name for name, _, _ in found(warehouse)} == {"short.txt"}
    (tmp_path / "quiz.jsonl").unlink()
    with pytest.raises(InputUnreadable, match=r"quiz .*quiz\.jsonl.*fakesmrt evaluation remove quiz"):
        run_to_contamination(warehouse)
    with warehouse.write("test") as connection:
        remove_set(connection, "quiz")
    run_to_contamination(warehouse)
    assert found(warehouse) == []


def test_a_recipe_cannot_name_a_set_that_nobody_registered(home: tuple[Warehouse, Path]) -> None:
    warehouse, _ = home
    (warehouse.home.recipes / "mine.toml").write_text("[decontamination]\nevaluation_sets = ['quizz']\n")
    with pytest.raises(InvalidConfiguration, match=r"'quizz' that is not registered\. Did you mean quiz\?"):
        contamination.version(context_of(warehouse, recipe="mine"))


def test_a_phrase_that_every_book_holds_counts_for_nothing(
    home: tuple[Warehouse, Path], tmp_path: Path
) -> None:
    warehouse, texts = home
    # Near-duplicates would be one witness only.
    for number, topic in enumerate(list(topics.values())[:8]):
        (texts / f"tale{number}.txt").write_text(f"Once upon a time there was a {number}. {topic[:900]}")
    for number in range(8):
        (texts / f"copy{number}.txt").write_text(f"{PLAIN} {QUESTIONS[0]['question']} {PLAIN} {number}")
    (tmp_path / "tales.txt").write_text("Once upon a time there was\n")
    with warehouse.write("test") as connection:
        register_set(connection, "tales", [str(tmp_path / "tales.txt")], [])
    run_to_contamination(warehouse)
    assert {name for name, _, _ in found(warehouse)} == {name for name, _, _ in PLANTED} | {
        f"copy{number}.txt" for number in range(8)
    }
    with warehouse.read() as connection:
        recorded = "SELECT count(*) FROM corpus.contamination WHERE evaluation_set = 'tales' AND NOT counts"
        assert connection.execute(recorded).fetchall()[0][0] >= 8


def test_a_held_out_paragraph_in_a_longer_training_chunk_is_recorded(
    home: tuple[Warehouse, Path],
) -> None:
    warehouse, texts = home
    paragraph = " ".join(f"word{number} stone{number * 7}" for number in range(40))
    for number in range(80):
        (texts / f"copy{number}.txt").write_text(f"Preface number {number}. {paragraph} {'x' * number} end")
    run_to_contamination(warehouse)
    sql = """
        SELECT chunk.split, other.split, found.score, found.rule
        FROM corpus.contamination AS found
        INNER JOIN corpus.chunk AS chunk ON found.chunk_id = chunk.chunk_id
        INNER JOIN corpus.chunk AS other ON found.item_id = other.chunk_id
        WHERE found.evaluation_set = 'held_out' AND found.score > 0.5
    """
    with warehouse.read() as connection:
        overlaps = connection.execute(sql).fetchall()
    assert overlaps
    assert all(
        split == "train" and other != "train" and rule == "near_duplicate"
        for split, other, _, rule in overlaps
    )


def test_the_check_fails_where_the_stage_finds_nothing(
    home: tuple[Warehouse, Path],
) -> None:
    warehouse, texts = home
    settings = BuildSettings(workers=1)
    for number, (name, text) in enumerate(sorted(topics.items())[:16]):
        planted = QUESTIONS[0]["question"] if number % 2 else ""
        (texts / f"{name}.txt").write_text(f"{planted}\n\n{text[:2000]}")
    for stage in STAGES[:-1]:
        stage.run(context_of(warehouse))
    assert inspect_evaluation_items(warehouse, settings).n_violations == 0
    with warehouse.write("a stage that found nothing") as connection:
        connection.execute("DELETE FROM corpus.contamination")
    assert "holds the words of an item" in str(inspect_evaluation_items(warehouse, settings).examples)
    with warehouse.write("a stage that did not run") as connection:
        connection.execute("DELETE FROM corpus.contamination_search")
    assert "was not searched" in str(inspect_evaluation_items(warehouse, settings).examples)


def test_without_sets_and_held_out_text_nothing_is_searched(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(PLAIN)
    warehouse = Warehouse(Home(tmp_path / "home"))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("one", [str(tmp_path / "one.txt")], "CC0-1.0"))
    context = StageContext(warehouse, BuildSettings(workers=1))
    assert run_to_contamination(warehouse)["n_chunks_searched"] == 0
    assert contamination.run(context).up_to_date
