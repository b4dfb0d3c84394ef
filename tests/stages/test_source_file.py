"""What the scan of the corpora's locations records."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.stages import source_file
from warehouse.stages.feeding import filesystem_path
from warehouse.stages.stage import StageContext


@pytest.fixture
def letters(warehouse: Warehouse, tmp_path: Path) -> Path:
    """A corpus of two letters."""
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "one.txt").write_text("Dear Ann,\n")
    (folder / "two.txt").write_text("Dear Ben,\n")
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(folder)], "CC0-1.0"))
    return folder


def rows(warehouse: Warehouse) -> dict[str, tuple[str, bool]]:
    """Status of each recorded file, and whether it is current, by name (the last one of a name)."""
    with warehouse.read() as connection:
        found = connection.execute(
            "SELECT path, status, retired_at IS NULL FROM corpus.source_file ORDER BY retired_at NULLS LAST"
        ).fetchall()
    return {Path(path).name: (status, current) for path, status, current in found}


def test_a_second_scan_finds_nothing_new(warehouse: Warehouse, letters: Path) -> None:
    first = source_file.run(StageContext(warehouse))
    second = source_file.run(StageContext(warehouse))
    assert (first.n_rows, first.up_to_date, second.up_to_date) == (2, False, True)
    assert first.data_version == second.data_version


def test_a_changed_file_is_a_new_row_and_the_old_one_is_retired(warehouse: Warehouse, letters: Path) -> None:
    before = source_file.run(StageContext(warehouse))
    (letters / "one.txt").write_text("Dear Anna,\n")
    after = source_file.run(StageContext(warehouse))
    with warehouse.read() as connection:
        states = connection.execute(
            "SELECT retired_at IS NULL FROM corpus.source_file WHERE path LIKE '%one.txt' ORDER BY ALL"
        ).fetchall()
    assert states == [(False,), (True,)]
    assert after.data_version != before.data_version


def test_a_vanished_file_is_retired_and_comes_back_under_its_old_id(
    warehouse: Warehouse, letters: Path
) -> None:
    first = source_file.run(StageContext(warehouse))
    text = (letters / "two.txt").read_text()
    (letters / "two.txt").unlink()
    assert source_file.run(StageContext(warehouse)).counts["n_vanished"] == 1
    assert rows(warehouse)["two.txt"] == ("found", False)
    (letters / "two.txt").write_text(text)
    last = source_file.run(StageContext(warehouse))
    assert rows(warehouse)["two.txt"] == ("found", True)
    assert last.data_version == first.data_version


def test_a_file_that_cannot_be_read_is_recorded_and_the_others_go_on(
    warehouse: Warehouse, letters: Path
) -> None:
    (letters / "gone.txt").symlink_to(letters / "nowhere")
    (letters / "empty.txt").touch()
    report = source_file.run(StageContext(warehouse))
    assert rows(warehouse)["gone.txt"] == ("failed", True)
    assert rows(warehouse)["empty.txt"] == ("empty", True)
    assert rows(warehouse)["one.txt"] == ("found", True)
    assert any("gone.txt: cannot be read" in problem for problem in report.problems)


def test_a_place_that_is_not_there_is_a_problem_and_its_files_are_not_retired(
    warehouse: Warehouse, letters: Path
) -> None:
    source_file.run(StageContext(warehouse))
    letters.rename(letters.with_name("elsewhere"))
    report = source_file.run(StageContext(warehouse))
    assert report.problems == (f"{letters}: nothing is there",)
    assert rows(warehouse) == {"one.txt": ("found", True), "two.txt": ("found", True)}


def test_a_name_that_is_not_utf8_is_read_all_the_same(warehouse: Warehouse, letters: Path) -> None:
    raw = os.fsencode(letters) + b"/caf\xe9.txt"
    Path(os.fsdecode(raw)).write_text("Dear Cleo,\n")
    source_file.run(StageContext(warehouse))
    with warehouse.read() as connection:
        (shown,) = connection.execute(
            "SELECT path FROM corpus.source_file WHERE path LIKE '%caf%'"
        ).fetchall()[0]
    assert shown.endswith("caf\\xe9.txt")
    assert filesystem_path(shown).read_text() == "Dear Cleo,\n"


def test_a_licence_of_a_single_file_takes_the_place_of_the_corpus_licence(
    warehouse: Warehouse, letters: Path
) -> None:
    source_file.run(StageContext(warehouse))
    with warehouse.write("test") as connection:
        overrides = {letters / "one.txt": "MIT"}
        register(connection, Registration("letters", [str(letters)], "CC0-1.0", overrides=overrides))
    source_file.run(StageContext(warehouse))
    with warehouse.read() as connection:
        licences = connection.execute("SELECT licence FROM corpus.source_file ORDER BY path").fetchall()
    assert licences == [("MIT",), ("CC0-1.0",)]
