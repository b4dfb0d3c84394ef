"""The word index: only new text is read, what is gone is passed over, what is forgotten leaves no word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from tests.retrieval.conftest import settled
from warehouse.database import Warehouse
from warehouse.retrieval.search import search
from warehouse.retrieval.segments import NumberedFile, forget_texts
from warehouse.stages import search_index
from warehouse.stages.search_index import RecordedFile, WantedFile, plan_segments
from warehouse.stages.stage import StageContext


def answers(warehouse: Warehouse, *questions: str) -> list[tuple[str, float]]:
    warehouse.publish()
    with warehouse.read_published() as connection:
        return [(str(hit.chunk_id), hit.score) for asked in questions for hit in search(connection, asked)]


def segment_names(warehouse: Warehouse) -> list[str]:
    return sorted(path.name for path in warehouse.home.index.glob("search-*.parquet"))


def words_in_segments(warehouse: Warehouse) -> Iterator[str]:
    for name in segment_names(warehouse):
        yield from parquet.read_table(warehouse.home.index / name).column("word").to_pylist()


def test_nothing_new_writes_nothing(indexed: Warehouse, context: StageContext) -> None:
    before = segment_names(indexed)
    assert settled(context).up_to_date
    assert segment_names(indexed) == before


def test_a_new_file_is_a_new_segment_and_answers_are_those_of_one_built_at_once(
    library: Path, context: StageContext, tmp_path: Path
) -> None:
    late = (library / "mill.txt").rename(tmp_path / "mill.txt")
    settled(context)
    first = segment_names(context.warehouse)
    late.rename(library / "mill.txt")
    assert settled(context).counts["n_text_files_indexed"] == 1
    assert set(first) < set(segment_names(context.warehouse))
    grown = answers(context.warehouse, "the mill engine", "東京")

    with context.warehouse.write("test") as connection:
        connection.execute("DELETE FROM corpus.search_index")
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/search_index'")
    assert settled(context).counts["n_segments"] == 1
    assert answers(context.warehouse, "the mill engine", "東京") == grown


def test_a_file_that_is_gone_is_not_found_and_does_not_count(
    indexed: Warehouse, library: Path, context: StageContext
) -> None:
    (library / "mill.txt").unlink()
    (library / "thai.txt").unlink()
    assert settled(context).counts["n_texts_passed_over"] == 2
    passed_over = answers(indexed, "the mill engine", "กรุงเทพ")
    with indexed.write("test") as connection:
        connection.execute("UPDATE corpus.search_index SET rule = 'an earlier one'")
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/search_index'")
    assert settled(context).counts["n_text_files_indexed"] >= 1
    assert answers(indexed, "the mill engine", "กรุงเทพ") == passed_over
    assert len(passed_over) == 1


def test_forgetting_a_text_leaves_none_of_its_words_and_every_other_score(indexed: Warehouse) -> None:
    before = answers(indexed, "steam", "東京")
    with indexed.read_published() as connection:
        sql = "SELECT text_file, text_row FROM corpus.chunk JOIN corpus.chunk_text USING (chunk_id)"
        sql += " WHERE contains(text, 'corn')"
        places = connection.execute(sql).fetchall()
    assert "corn" in words_in_segments(indexed)
    assert forget_texts(indexed.home.index, places) == segment_names(indexed)
    assert "corn" not in words_in_segments(indexed)
    assert b"miller" not in b"".join(
        (indexed.home.index / name).read_bytes() for name in segment_names(indexed)
    )
    assert forget_texts(indexed.home.index, places) == []
    assert answers(indexed, "steam", "東京") == before
    assert answers(indexed, "corn") == []


def test_segments_that_nothing_names_are_removed(indexed: Warehouse, context: StageContext) -> None:
    [first] = segment_names(indexed)
    with indexed.write("test") as connection:
        connection.execute("UPDATE corpus.search_index SET rule = 'an earlier one', file_number = 7")
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/search_index'")
    settled(context)
    assert first in segment_names(indexed), "the published copy still reads it"
    for path in indexed.home.published_versions.glob("*.duckdb"):
        path.unlink()
    with indexed.write("test") as connection:
        connection.execute("UPDATE corpus.search_index SET rule = 'another one', file_number = 8")
        connection.execute("DELETE FROM meta.materialization WHERE asset = 'corpus/search_index'")
    settled(context)
    assert first not in segment_names(indexed)
    assert len(segment_names(indexed)) == 1


@pytest.mark.parametrize("n_small", [16, 17])
def test_small_segments_become_one_when_there_are_too_many(n_small: int) -> None:
    recorded = [RecordedFile(f"{n}.parquet", n, "rule", f"search-{n}", 10) for n in range(n_small)]
    wanted = [WantedFile(row.text_file, 10) for row in recorded]
    plan = plan_segments(wanted, recorded, "rule")
    if n_small == 16:
        assert (len(plan.kept), plan.new) == (16, ())
    else:
        assert plan.kept == ()
        assert plan.new == (tuple(NumberedFile(f"{n}.parquet", n) for n in range(17)),)


def test_a_segment_of_which_most_is_gone_is_written_anew_without_it() -> None:
    recorded = [
        RecordedFile("a", 1, "rule", "search-1", 10),
        RecordedFile("b", 2, "rule", "search-1", 30),
        RecordedFile("c", 3, "rule", "search-2", 30),
    ]
    plan = plan_segments([WantedFile("a", 10), WantedFile("c", 20), WantedFile("d", 5)], recorded, "rule")
    assert plan.kept == ("search-2",)
    assert plan.new == ((NumberedFile("a", 1), NumberedFile("d", 4)),)
    assert search_index.SEGMENT_CHUNKS > search_index.SMALL_CHUNKS
