"""Perplexity of a corpus: what the reference is trained on, who is scored by what, and where a score stands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.stages.conftest import context_of
from warehouse.corpora import Registration, register
from warehouse.database import Connection, Warehouse
from warehouse.errors import CheckFailed, InvalidConfiguration
from warehouse.home import Home
from warehouse.perplexity.calibration import assign_folds, choose_sample
from warehouse.stages import chunk, document, duplicate, perplexity, source_file
from warehouse.stages.references import draw_sample
from warehouse.stages.stage import StageContext, StageReport
from warehouse.textstore import read_rows

RAIN = "The cat sat on the mat and looked at the rain.\n\n"


def build(context: StageContext) -> StageReport:
    """Run the corpus stages up to perplexity."""
    for stage in (source_file, document, chunk, duplicate):
        stage.run(context)
    return perplexity.run(context)


def write_recipe(warehouse: Warehouse, name: str, toml: str) -> None:
    (warehouse.home.recipes / f"{name}.toml").write_text(toml)


def fetched(warehouse: Warehouse, sql: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
    with warehouse.read() as connection:
        return connection.execute(sql, list(parameters)).fetchall()


SCORES = """
    SELECT chunk_id, bits_per_byte, percentile_in_corpus, percentile_in_language, corpus, document.language
    FROM corpus.perplexity JOIN corpus.chunk USING (chunk_id)
    JOIN corpus.document USING (document_id) JOIN corpus.stream USING (stream_id)
    JOIN corpus.source_file USING (source_id)
"""


def _expected_percentiles(rows: list[tuple[Any, ...]], group: int) -> dict[object, float]:
    expected: dict[object, float] = {}
    for value in {row[group] for row in rows}:
        ranked = sorted((row[1], str(row[0]), row[0]) for row in rows if row[group] == value)
        expected |= {chunk_id: (rank + 0.5) / len(ranked) for rank, (_, _, chunk_id) in enumerate(ranked)}
    return expected


def test_a_score_stands_with_its_percentiles(built_corpus: Warehouse) -> None:
    rows = fetched(built_corpus, SCORES)
    assert len(rows) > 200
    assert {row[0]: row[2] for row in rows} == pytest.approx(_expected_percentiles(rows, 4))
    assert {row[0]: row[3] for row in rows} == pytest.approx(_expected_percentiles(rows, 5))


@pytest.fixture(scope="module")
def grown(
    built_corpus: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Warehouse, dict[str, int]]:
    """The home after an increment: new texts, and near-duplicates of sampled ones, with the fold of each of these."""
    root = tmp_path_factory.mktemp("grown")
    shutil.copytree(built_corpus.home.root, root, symlinks=True, dirs_exist_ok=True)
    warehouse, folder = Warehouse(Home(root)), built_corpus.home.root.parent / "topics"
    with warehouse.read() as connection:
        rows = connection.execute(
            """
            SELECT text_file, text_row, fold FROM corpus.reference_sample JOIN corpus.chunk USING (chunk_id)
            JOIN corpus.reference USING (reference_id) WHERE kind = 'ngram' AND n_words BETWEEN 150 AND 300 LIMIT 14
            """
        ).fetchall()
    folds = {}
    for number, (name, row, fold) in enumerate(rows):
        (text,) = read_rows(warehouse.home.text / name, [row])
        (folder / f"again-{number}.txt").write_text(f"{text}\n\nAnd one line more.\n")
        folds[f"again-{number}.txt"] = fold
    (folder / "rain.txt").write_text(RAIN * 20)
    build(context_of(warehouse))
    for name in ("rain.txt", *folds):
        (folder / name).unlink()
    return warehouse, folds


def build_from_chunks(warehouse: Warehouse) -> StageReport:
    """The stages after a change of what is current, which the rows of the test made and no scan."""
    with warehouse.write("test") as connection:
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/chunk'")
    context = context_of(warehouse)
    chunk.run(context)
    duplicate.run(context)
    return perplexity.run(context)


def test_percentiles_follow_files_that_are_forgotten_or_retired(
    grown: tuple[Warehouse, dict[str, int]],
) -> None:
    warehouse, _ = grown
    before = fetched(warehouse, SCORES)
    for change, undo in (
        (
            "INSERT INTO corpus.forgotten SELECT sha256, 'file', 'a wish', now() "
            "FROM corpus.source_file WHERE path LIKE '%/rain.txt'",
            "DELETE FROM corpus.forgotten",
        ),
        (
            "UPDATE corpus.source_file SET retired_at = now() WHERE path LIKE '%/rain.txt'",
            "UPDATE corpus.source_file SET retired_at = NULL WHERE path LIKE '%/rain.txt'",
        ),
    ):
        with warehouse.write("test") as connection:
            connection.execute(change)
        report = build_from_chunks(warehouse)
        assert (report.up_to_date, report.counts["n_chunks_scored"]) == (False, 0)
        assert perplexity.run(context_of(warehouse)).up_to_date
        (gone,) = [row for row in fetched(warehouse, SCORES) if row[2] is None]
        assert gone[3] is None
        left = [row for row in fetched(warehouse, SCORES) if row != gone]
        assert {row[0]: row[2] for row in left} == pytest.approx(_expected_percentiles(left, 4))
        with warehouse.write("test") as connection:
            connection.execute(undo)
        build_from_chunks(warehouse)
        assert sorted(fetched(warehouse, SCORES)) == sorted(before)


def _unclean(connection: Connection) -> list[tuple[Any, ...]]:
    """Chunks with the model that scored them, where it saw the chunk, a copy of it or a member of its cluster."""
    return connection.execute(
        """
        SELECT perplexity.chunk_id, perplexity.fold
        FROM corpus.perplexity
        JOIN corpus.chunk USING (chunk_id)
        LEFT JOIN corpus.duplicate_cluster USING (chunk_id)
        WHERE EXISTS (
            FROM corpus.reference_sample AS sample
            JOIN corpus.chunk AS seen ON seen.chunk_id = sample.chunk_id
            LEFT JOIN corpus.duplicate_cluster AS cluster ON cluster.chunk_id = sample.chunk_id
            WHERE sample.reference_id = perplexity.reference_id AND sample.fold <> perplexity.fold
            AND (seen.text_sha256 = chunk.text_sha256 OR cluster.cluster_id = duplicate_cluster.cluster_id)
        )
        """
    ).fetchall()


def test_no_chunk_is_scored_by_a_model_that_saw_its_likeness(
    grown: tuple[Warehouse, dict[str, int]],
) -> None:
    warehouse, folds = grown
    scored = fetched(
        warehouse,
        "SELECT parse_filename(path), fold FROM corpus.perplexity JOIN lineage.chunk_source USING (chunk_id) "
        "WHERE path LIKE '%/again-%'",
    )
    assert dict(scored) == folds
    assert set(folds.values()) == {0, 1}
    with warehouse.read() as connection:
        assert _unclean(connection) == []


def test_a_score_is_taken_back_where_the_cluster_grew(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    context = context_of(warehouse)
    perplexity.run(context)
    fold_of = dict(
        fetched(
            warehouse,
            "SELECT chunk_id, fold FROM corpus.reference_sample JOIN corpus.reference USING (reference_id) "
            "WHERE kind = 'ngram' AND chunk_id NOT IN (SELECT chunk_id FROM corpus.duplicate_cluster)",
        )
    )
    unsampled = [
        (chunk_id, fold)
        for chunk_id, fold in fetched(
            warehouse,
            "SELECT chunk_id, fold FROM corpus.perplexity ANTI JOIN corpus.duplicate_cluster USING (chunk_id)",
        )
        if chunk_id not in fold_of
    ]
    # One joins a sampled chunk whose fold's model did not score it, and one joins two of different folds.
    turned, fold = unsampled[0]
    other = next(chunk_id for chunk_id, own in fold_of.items() if own != fold)
    lost = unsampled[1][0]
    both = [next(c for c, own in fold_of.items() if own == f and c != other) for f in (0, 1)]
    with warehouse.write("test") as connection:
        for cluster, members in ((other, [other, turned]), (lost, [lost, *both])):
            for member in members:
                connection.execute(
                    "INSERT INTO corpus.duplicate_cluster VALUES (?, ?, 0.8, 1.0, 'test')", [member, cluster]
                )
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/perplexity'")
    report = perplexity.run(context)
    assert report.counts["n_scores_taken_back"] == 4
    now = dict(fetched(warehouse, "SELECT chunk_id, fold FROM corpus.perplexity"))
    assert now[turned] == fold_of[other] != fold
    assert not {lost, *both} & now.keys()
    with warehouse.read() as connection:
        assert _unclean(connection) == []


def test_a_reference_that_the_corpus_outgrew_is_told_of(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    perplexity.run(context_of(warehouse))
    with warehouse.write("test") as connection:
        connection.execute(
            "DELETE FROM corpus.reference_sample USING corpus.chunk "
            "WHERE reference_sample.chunk_id = chunk.chunk_id AND chunk.n_bytes > 500"
        )
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/perplexity'")
    (advice,) = perplexity.run(context_of(warehouse)).problems
    assert advice.endswith("fakesmrt build --new-references")


def test_the_sample_is_that_of_the_recipe(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    write_recipe(warehouse, "small", "seed = 3\n[perplexity]\nsample_bytes = 150000\n")
    context = context_of(warehouse, recipe="small")
    candidates = fetched(
        warehouse,
        "SELECT min(chunk_id), any_value(n_bytes) FROM corpus.chunk WHERE split = 'train' GROUP BY text_sha256",
    )
    ids = [row[0] for row in candidates]
    sizes = [row[1] for row in candidates]
    expected = [ids[i] for i in choose_sample(ids, sizes, 150_000, "reference-3")]
    clusters = dict(fetched(warehouse, "SELECT chunk_id, cluster_id FROM corpus.duplicate_cluster"))
    keys = [clusters.get(chunk_id, chunk_id) for chunk_id in expected]
    with warehouse.read() as connection:
        sample = draw_sample(connection, context).to_pylist()
    drawn = {UUID(str(row["chunk_id"])): row["fold"] for row in sample}
    assert drawn == dict(zip(expected, assign_folds(keys, 2, "reference-3"), strict=True))
    assert 140_000 < sum(row["n_bytes"] for row in sample) <= 150_000


def test_the_sample_comes_from_the_corpora_that_the_recipe_names(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, folder = changeable
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(folder)], "CC0-1.0"))
    for name, toml, n_sampled in (
        ("named", 'sample_corpora = ["topics"]', True),
        ("left_out", "[corpora.weights]\ntopics = 0.0", False),
        ("not_included", '[corpora]\ninclude = ["letters"]', False),
    ):
        write_recipe(warehouse, name, f"[perplexity]\n{toml}\n")
        with warehouse.read() as connection:
            assert bool(draw_sample(connection, context_of(warehouse, recipe=name)).num_rows) == n_sampled
    write_recipe(warehouse, "unknown", "[corpora.weights]\ntopic = 2.0\n")
    with warehouse.read() as connection, pytest.raises(InvalidConfiguration, match="Did you mean topics"):
        draw_sample(connection, context_of(warehouse, recipe="unknown"))


@pytest.fixture(scope="module")
def poor_corpora(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A corpus of one chunk, one of a hundred copies of a text, one of a repeated word."""
    root = tmp_path_factory.mktemp("poor")
    for name, texts in (
        ("one", ["A single chunk of text is all that there is."]),
        ("copies", [RAIN * 3] * 100),
        ("word", ["word " * 200] * 4),
    ):
        (root / name).mkdir()
        for number, text in enumerate(texts):
            (root / name / f"{number}.txt").write_text(text)
    warehouse = Warehouse(Home(root / "home"))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        for name in ("one", "copies", "word"):
            register(connection, Registration(name, [str(root / name)], "CC0-1.0"))
    build(context_of(warehouse))
    with warehouse.write("test") as connection:
        connection.execute("UPDATE corpus.chunk SET split = 'train'")
    return warehouse


def _scored(context: StageContext) -> StageReport:
    """Perplexity by another recipe of the same chunks."""
    chunk.run(context)
    duplicate.run(context)
    return perplexity.run(context)


@pytest.mark.parametrize("corpus", ["one", "copies", "word"])
def test_a_reference_is_made_of_the_poorest_text(poor_corpora: Warehouse, corpus: str) -> None:
    write_recipe(poor_corpora, corpus, f'[perplexity]\nsample_corpora = ["{corpus}"]\n')
    context = context_of(poor_corpora, recipe=corpus)
    report = _scored(context)
    with poor_corpora.read() as connection:
        assert draw_sample(connection, context).num_rows == 1
    # The model that saw the text scores none of its copies.
    assert report.counts["n_chunks_without_clean_model"] == 0
    assert report.n_rows == 105
    assert "discount" in str(report.counts["reference_notes"])
    manifest = poor_corpora.home.references / str(report.counts["reference"]) / "reference.json"
    assert "; ".join(json.loads(manifest.read_bytes())["notes"]) == report.counts["reference_notes"]


def test_a_sample_without_text_is_refused(poor_corpora: Warehouse) -> None:
    with poor_corpora.write("test") as connection:
        connection.execute(
            "UPDATE corpus.chunk SET split = 'report' WHERE n_bytes = (SELECT max(n_bytes) FROM corpus.chunk)"
        )
    write_recipe(poor_corpora, "held_out", '[perplexity]\nsample_corpora = ["word"]\norder = 2\n')
    context = context_of(poor_corpora, recipe="held_out")
    with pytest.raises(CheckFailed, match="no training text in word"):
        _scored(context)
