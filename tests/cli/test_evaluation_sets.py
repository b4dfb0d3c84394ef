"""``fakesmrt evaluation``: registering, listing and removing evaluation sets; mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakesmrt_assets.cli.evaluation_sets import evaluation
from warehouse.database import Warehouse
from warehouse.errors import FakesmrtError
from warehouse.home import Home


@pytest.fixture
def quiz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of two items, one too short, beside an empty home."""
    Warehouse(Home(tmp_path / "home")).initialise("salt")
    monkeypatch.setenv("FAKESMRT_HOME", str(tmp_path / "home"))
    (tmp_path / "quiz.txt").write_text("Seven grey herons counted the lanterns twice.\nYes\n")
    return tmp_path / "quiz.txt"


def said(*arguments: str) -> str:
    result = CliRunner().invoke(evaluation, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_set_is_added_listed_and_removed(quiz: Path) -> None:
    assert "No evaluation set" in said("list")
    assert "2 items in 1 files, 1 of them too short" in said("add", "quiz", str(quiz))
    said("add", "quiz", str(quiz), "--field", "text")
    assert said("list", "--json").count('"evaluation_set": "quiz"') == 1
    said("remove", "quiz")
    assert "No evaluation set" in said("list")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "held_out", "quiz.txt"], "cannot name an evaluation set"),
        (["add", "quiz", "gone.txt"], r"nothing at .*gone\.txt"),
        (["add", "quiz", "empty.txt"], r"empty\.txt holds no text"),
        (["remove", "other"], r"no evaluation set 'other'.*none"),
    ],
)
def test_mistakes_are_named(
    quiz: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(quiz.parent)
    Path("empty.txt").touch()
    with pytest.raises(FakesmrtError, match=message):
        CliRunner().invoke(evaluation, arguments, catch_exceptions=False)
    assert "No evaluation set" in said("list")
