"""The reports on the example database: complete, self-contained, and harmless whatever the text says."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from fakesmrt_assets.reports.corpus import collect_corpus_report, corpus_report_html
from fakesmrt_assets.reports.evaluation import (
    Sample,
    collect_eval_report,
    distances,
    eval_report_html,
    mixing_decision,
)
from fakesmrt_assets.reports.model_card import collect_model_card, model_card_markdown
from fakesmrt_assets.reports.page import as_json, literal, size, write_report
from fakesmrt_assets.reports.pictures import Score
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.home import Home

HOSTILE_SAMPLE = Sample("mixed model", "Once <b>", "</pre><script>alert(1)</script>\n# not a heading\n```")


class Page(HTMLParser):
    """Tags of a page with their attributes, and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(html: str) -> Page:
    page = Page(html)
    assert not {"script", "iframe", "link", "object"} & {tag for tag, _ in page.tags}
    sources = [attributes["src"] for _, attributes in page.tags if "src" in attributes]
    assert sources
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    return page


def test_the_corpus_report_counts_what_the_database_holds(database: DuckDBPyConnection, home: Home) -> None:
    data = collect_corpus_report(database, home, "default")
    assert [row.corpus for row in data.corpora] == ["books", "letters"]
    assert (data.total("n_files"), data.total("n_failed"), data.total("n_chunks")) == (4, 1, 9)
    kept = sum(row.n_chunks for row in data.decided if row.reason is None)
    assert data.total("n_kept_chunks") == kept
    assert sum(row.n_bytes for row in data.decided) == data.total("n_chunk_bytes") == 9 * 300
    assert [row.step for row in data.repairs] == ["fix_encoding"]
    private = [(row.kind, row.n_ranges, row.n_chunks, row.is_masked) for row in data.private]
    assert private == [("email", 3, 2, True), ("phone", 1, 1, False)]
    assert data.corpora[0].n_repaired_chunks == 1
    assert data.failed_files[0].error == "not a gzip file & nothing else"
    assert [cluster.n_members for cluster in data.clusters] == [2]
    assert [member.is_keeper for member in data.clusters[0].members] == [True, False]
    assert [(passage.n_documents, passage.is_removed, passage.excerpt) for passage in data.passages] == [
        (2, True, "2 </blockqu"[:10])
    ]
    assert [(row.level, row.n_ranges, row.n_characters) for row in data.left_out] == [("paragraph", 1, 10)]
    found = [(row.evaluation_set, row.n_items, row.rule, row.n_chunks) for row in data.contamination]
    assert found == [("puzzles", 1, "near_duplicate", 1)]
    assert data.most_likely[0].bits_per_byte < data.least_likely[0].bits_per_byte


def test_the_corpus_report_is_one_harmless_page(database: DuckDBPyConnection, home: Home) -> None:
    page = assert_harmless(corpus_report_html(collect_corpus_report(database, home, "default")))
    assert "{{ 7 * 7 }}" in page.text
    assert "eve@evil.org" not in page.text
    assert "email@example.com" in page.text
    assert "/texts/<script>alert(1)</script>.txt" in page.text
    assert "\x1b" not in page.text
    assert "not a gzip file & nothing else" in page.text


def test_the_evaluation_report_says_how_far_each_model_is_from_the_best_baseline(
    database: DuckDBPyConnection, home: Home
) -> None:
    data = collect_eval_report(database, home, "default", [HOSTILE_SAMPLE])
    page = assert_harmless(eval_report_html(data))
    flat = " ".join(page.text.split())
    assert "Mixed model needs 0.100 bits per byte (5.3 %) more than the 5-gram baseline" in flat
    assert "uniform beats 0 on confirm" in flat
    assert "The mix was accepted" in flat
    assert "</pre><script>alert(1)</script>" in page.text
    assert [row.name for row in data.models] == ["trunk", "micromodel 0", "micromodel 1", "mixed model"]
    assert data.weights == {"micromodel 0": 0.75, "micromodel 1": 0.25}
    assert data.training_seconds == pytest.approx(3 * 100_000 / 5000)
    assert {box.label for box in data.boxes} >= {
        "books\nCC0-1.0",
        "letters\nCC-BY-4.0",
        "trunk",
        "mixed model",
    }


def test_candidates_of_the_mix_come_best_first(home: Home) -> None:
    decision = mixing_decision(home.models / "night-1" / "mixed" / "mix.json")
    assert [candidate.name for candidate in decision.candidates] == ["uniform", "0", "1"]
    assert [candidate.is_chosen for candidate in decision.candidates] == [True, False, False]
    assert [candidate.is_member for candidate in decision.candidates] == [False, True, True]


def test_a_damaged_mixing_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "mix.json").write_text('{"decision": {}}')
    with pytest.raises(CorruptArtefact, match=re.escape(str(tmp_path / "mix.json"))):
        mixing_decision(tmp_path / "mix.json")


def test_a_model_better_than_every_baseline_is_said_to_be(database: DuckDBPyConnection) -> None:
    scores = [Score("5-gram", 2.0, None, None, True), Score("unigram", 4.0, None, None, True)]
    (distance,) = distances([*scores, Score("mixed model", 1.9, None, None, False)])
    assert (distance.baseline, distance.bits_per_byte) == ("5-gram", pytest.approx(-0.1))
    assert distances([Score("mixed model", 1.9, None, None, False)]) == ()


def test_the_model_card_names_every_licence_and_the_query_behind_it(database: DuckDBPyConnection) -> None:
    data = collect_model_card(database, "default", (HOSTILE_SAMPLE,))
    card = model_card_markdown(data)
    assert data.model.alias == "promoted"
    assert "| CC-BY-4.0 | 1 | 2 | 12,000 |" in card
    assert f"fakesmrt trace {data.model.checkpoint_id}" in card
    assert "<script" not in card
    assert "\n# not a heading" not in card
    assert "1,048,576 parameters" in card


@pytest.mark.parametrize("collect", [collect_corpus_report, collect_eval_report])
def test_a_recipe_that_was_never_built_is_named(
    database: DuckDBPyConnection, home: Home, collect: object
) -> None:
    with pytest.raises(InvalidConfiguration, match="'other'"):
        collect(database, home, "other")  # type: ignore[operator]  # one of the two functions above
    with pytest.raises(InvalidConfiguration, match="'other'"):
        collect_model_card(database, "other")


def test_every_report_has_a_twin_in_json(database: DuckDBPyConnection, home: Home, tmp_path: Path) -> None:
    data = collect_corpus_report(database, home, "default")
    page = write_report(tmp_path / "reports", "corpus", corpus_report_html(data), data)
    twin = json.loads(page.with_suffix(".json").read_text())
    assert twin["corpora"][0]["n_chunks"] == data.corpora[0].n_chunks
    assert json.loads(as_json(collect_eval_report(database, home, "default")))["experiment"] == "night-1"
    assert json.loads(as_json(collect_model_card(database, "default")))["recipe"] == "default"


def test_the_same_database_gives_the_same_page(database: DuckDBPyConnection, home: Home) -> None:
    pages = {corpus_report_html(collect_corpus_report(database, home, "default")) for _ in range(2)}
    assert len(pages) == 1


def test_sizes_and_names_read_as_people_write_them() -> None:
    assert [size(999), size(1500), size(2_340_000)] == ["999 B", "1.5 kB", "2.3 MB"]
    assert literal("a_b|c") == "a\\_b\\|c"
