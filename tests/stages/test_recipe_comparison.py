"""What changes between two recipes is told over the published copy, without a build and without writing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakesmrt_assets.cli import main as command_line
from tests.stages.conftest import context_of
from warehouse.borderline import bounds, excerpt
from warehouse.database import Warehouse, query
from warehouse.recipe_comparison import changed_keys, compare_recipes
from warehouse.recipes import Recipe, parse_recipe, shipped_recipes


def test_every_number_of_a_recipe_that_bounds_chunks_has_examples() -> None:
    toml = "[perplexity]\nmin_percentile = 0.1\nmax_percentile_by_corpus = {a = 0.5}\n"
    names = {bound.key for bound in bounds(json.loads(parse_recipe("mine", toml).to_json()))}
    assert {"quality.min_words", "quality.max_replaced_share", "quality.max_digit_share"} <= names
    assert {"perplexity.min_percentile", "perplexity.max_percentile_by_corpus"} <= names
    assert {"language.min_score", "passages", "duplicates.threshold"} <= names
    assert {"decontamination.min_score", "decontamination.held_out_share"} <= names
    for bound in bounds(json.loads(Recipe("mine").to_json())):
        assert query(bound.values).startswith("-- ")


def test_changed_keys_are_named_with_both_values() -> None:
    before, after = (
        json.loads(parse_recipe("mine", toml).to_json())
        for toml in ("", "description = 'x'\nseed = 4\n[quality]\nmin_words = 50\n")
    )
    changes = changed_keys(before, after)
    assert [(change.key, change.before, change.after) for change in changes] == [
        ("quality.min_words", 5, 50),
        ("seed", 0, 4),
    ]


def test_an_excerpt_shows_no_private_data_and_nothing_that_a_terminal_obeys() -> None:
    assert excerpt("Write to\njane@company.com\x1b[2J now") == "Write to email@example.com[2J now"


def test_a_changed_bound_shows_counts_and_the_chunks_next_to_it(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    own = shipped_recipes()["default"].replace("min_words = 5", "min_words = 120")
    (warehouse.home.recipes / "long.toml").write_text(own)
    published = warehouse.home.published.resolve()
    modified = published.stat().st_mtime_ns
    comparison = compare_recipes(context_of(warehouse, recipe="long"), None, 2)
    assert comparison is not None
    assert (comparison.before, comparison.after, comparison.notes) == ("default", "long", ())
    kept_before = sum(before.n_chunks for before, _ in comparison.counts if before.reason is None)
    kept_after = sum(after.n_chunks for _, after in comparison.counts if after.reason is None)
    short = sum(after.n_chunks for _, after in comparison.counts if after.reason == "too_few_words")
    assert 0 < kept_after < kept_before
    assert short > 0
    assert sum(before.n_chunks for before, _ in comparison.counts) == sum(
        after.n_chunks for _, after in comparison.counts
    )
    sides = {(example.kept, example.value >= 120) for example in comparison.examples}
    assert sides == {(True, True), (False, False)}
    assert all(example.key == "quality.min_words" and example.excerpt for example in comparison.examples)
    assert (warehouse.home.published.resolve(), published.stat().st_mtime_ns) == (published, modified)


def test_a_recipe_is_compared_with_itself_as_last_built_and_says_what_a_build_alone_can_tell(
    changeable: tuple[Warehouse, Path],
) -> None:
    warehouse, _ = changeable
    own = shipped_recipes()["default"].replace("threshold = 0.8", "threshold = 0.7")
    own = own.replace("[perplexity]", "[chunking]\nmax_characters = 500\n[perplexity]\norder = 2")
    (warehouse.home.recipes / "default.toml").write_text(own)
    comparison = compare_recipes(context_of(warehouse), None, 0)
    assert comparison is not None
    assert comparison.before == "default as last built"
    assert {change.key for change in comparison.changes} == {
        "chunking.max_characters",
        "duplicates.threshold",
        "perplexity.order",
    }
    notes = " ".join(comparison.notes)
    assert "not cut yet" in notes
    assert "not searched yet" in notes
    assert "not trained yet" in notes


def test_the_command_prints_tables_or_json(
    changeable: tuple[Warehouse, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    warehouse, _ = changeable
    monkeypatch.setenv("FAKESMRT_HOME", str(warehouse.home.root))

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["fakesmrt", "plan", *arguments])
        assert command_line.run() == 0
        return capsys.readouterr().out

    rows = [json.loads(line) for line in run("--recipe", "raw", "--examples", "1", "--json").splitlines()]
    kinds = {row.get("kind", "stage") for row in rows}
    assert kinds >= {"stage", "count", "key", "recipes"}
    shown = run("--recipe", "raw", "--examples", "1")
    assert "From default to raw" in shown
    assert "Nearest to quality.min_words = 0" in shown
    assert "Nothing differs" in run("--recipe", "default")
