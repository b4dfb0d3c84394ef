"""The schema statistics: how much text there is of what, and how its signals are spread."""

from __future__ import annotations

import pytest

from warehouse.cleanser.signals import SIGNALS
from warehouse.database import Warehouse


def rows(warehouse: Warehouse, sql: str) -> list[tuple[object, ...]]:
    with warehouse.read_published() as connection:
        return connection.execute(sql).fetchall()


def test_corpora_languages_licences_and_scripts_add_up_to_the_chunks(indexed: Warehouse) -> None:
    [whole] = rows(indexed, "SELECT count(*), sum(n_bytes), sum(n_words) FROM corpus.chunk_metadata")
    for view in ("corpus", "language", "licence"):
        [summed] = rows(indexed, f"FROM statistics.{view} SELECT sum(n_chunks), sum(n_bytes), sum(n_words)")
        assert summed == whole, view
    assert rows(indexed, "SELECT sum(n_chunks) FROM statistics.script") == [(whole[0],)]
    [(n_files, n_documents, n_languages)] = rows(
        indexed, "SELECT n_files, n_documents, n_languages FROM statistics.corpus WHERE corpus = 'library'"
    )
    assert (n_files, n_documents) == (6, 6)
    assert 3 <= int(str(n_languages)) <= 6
    assert ("Hangul",) in rows(indexed, "SELECT script FROM statistics.script")


def test_a_retired_file_counts_no_more(indexed: Warehouse) -> None:
    with indexed.write("test") as connection:
        connection.execute("UPDATE corpus.source_file SET retired_at = now() WHERE path LIKE '%mill.txt'")
        connection.execute('UPDATE meta.materialization SET n_rows = n_rows + 1, "at" = now()')
        sql = "SELECT n_files, n_chunks FROM statistics.corpus"
        assert connection.execute(sql).fetchall() == [(5, 5)]
        signal = "SELECT n_chunks FROM statistics.signal WHERE signal = 'n_words'"
        assert connection.execute(signal).fetchall() == [(5,)]


def test_every_signal_that_is_a_number_has_its_spread_and_its_histogram(indexed: Warehouse) -> None:
    measured = {signal.name for signal in SIGNALS if signal.dtype != "str"}
    for view in ("signal", "signal_histogram"):
        named = {name for (name,) in rows(indexed, f"FROM statistics.{view} SELECT DISTINCT signal")}
        assert named - measured == {"n_characters", "n_bytes", "n_replaced", "encoding_confidence"}
        assert measured <= named


@pytest.mark.parametrize("signal", ["letter_share", "n_words"])
def test_spreads_and_histograms_are_those_of_the_values(indexed: Warehouse, signal: str) -> None:
    values = sorted(
        value for (value,) in rows(indexed, f"FROM corpus.chunk_metadata SELECT {signal}::DOUBLE")
    )  # type: ignore[type-var]  # numbers
    [(n_chunks, least, greatest, median)] = rows(
        indexed,
        f"FROM statistics.signal SELECT n_chunks, least, greatest, median WHERE signal = '{signal}'",
    )
    assert (n_chunks, least, greatest) == (len(values), values[0], values[-1])
    assert median in values[len(values) // 2 - 1 : len(values) // 2 + 1]
    bins = rows(
        indexed,
        f"FROM statistics.signal_histogram SELECT bin_start, bin_end, n_chunks WHERE signal = '{signal}'",
    )
    for start, end, n in bins:
        assert n == sum(start <= value < end for value in values)  # type: ignore[operator]  # numbers
    assert sum(n for _, _, n in bins) == len(values)  # type: ignore[misc]  # numbers
