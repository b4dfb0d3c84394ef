"""The Poisson bootstrap: its distribution, and SQL that computes the same numbers."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from importlib.resources import files

import duckdb
import numpy as np
import pytest

from warehouse.identity import content_id
from warehouse.tokens.bootstrap import POISSON_CUMULATIVE, poisson_times, replicate_times

IDS = [content_id("document", number) for number in range(1000)]
LARGEST_DRAW = 1 - 2.0**-52


def as_array(ids: list[uuid.UUID]) -> np.ndarray:
    return np.array([list(document_id.bytes) for document_id in ids], np.uint8)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    schema = (files("warehouse") / "schema" / "0001_training_database.sql").read_text()
    draw = schema[schema.index("CREATE MACRO meta.uniform_draw") :]
    with duckdb.connect() as opened:
        opened.execute("CREATE SCHEMA meta")
        opened.execute(draw[: draw.index(";")])
        opened.execute((files("warehouse") / "views" / "bootstrap.sql").read_text())
        opened.execute("CREATE TABLE document (document_id UUID, ordinal INTEGER)")
        opened.executemany("INSERT INTO document VALUES (?, ?)", [[str(d), i] for i, d in enumerate(IDS)])
        yield opened


def test_the_table_is_the_cumulative_poisson_distribution() -> None:
    shares = np.diff(POISSON_CUMULATIVE, prepend=0)[:12]
    assert shares == pytest.approx([math.exp(-1) / math.factorial(k) for k in range(12)], rel=1e-4)


def test_draws_become_numbers_at_the_cumulative_probabilities() -> None:
    edge = math.exp(-1)
    draws = np.array([0.0, np.nextafter(edge, 0), edge, 0.74, LARGEST_DRAW])
    assert poisson_times(draws).tolist() == [0, 0, 1, 2, 17]


def test_a_replicate_reads_about_as_much_as_there_is_and_leaves_out_a_third() -> None:
    times = replicate_times(as_array([content_id(number) for number in range(20_000)]), seed=3)
    assert times.mean() == pytest.approx(1.0, abs=0.03)
    assert (times == 0).mean() == pytest.approx(math.exp(-1), abs=0.015)
    assert times.var() == pytest.approx(1.0, abs=0.06)


def test_a_document_is_drawn_once_for_all_its_chunks_and_anew_for_each_replicate() -> None:
    ids = as_array(IDS)
    times = replicate_times(ids, seed=1)
    assert replicate_times(np.repeat(ids, 3, axis=0), seed=1).tolist() == np.repeat(times, 3).tolist()
    assert replicate_times(ids[::-1], seed=1).tolist() == times[::-1].tolist()
    assert np.mean(replicate_times(ids, seed=2) == times) < 0.5


def test_a_weight_is_the_mean_and_one_changes_nothing() -> None:
    ids = as_array([content_id(number) for number in range(20_000)])
    times = replicate_times(ids, seed=1)
    assert replicate_times(ids, 1, np.ones(len(ids), np.float32)).tolist() == times.tolist()
    assert replicate_times(ids, 1, np.full(len(ids), 2, np.float32)).tolist() == (2 * times).tolist()
    for weight in (0.3, 2.5):
        weighted = replicate_times(ids, 1, np.full(len(ids), weight, np.float32))
        assert weighted.mean() == pytest.approx(weight, rel=0.05)
        assert np.all(weighted[times == 0] == 0)


@pytest.mark.parametrize("seed", [0, 11])
def test_sql_computes_the_same(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    found = connection.execute(
        "SELECT meta.bootstrap_times(document_id, ?) FROM document ORDER BY ordinal", [seed]
    ).fetchall()
    assert [row[0] for row in found] == replicate_times(as_array(IDS), seed).tolist()


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 2.7])
def test_sql_computes_the_same_with_a_weight(connection: duckdb.DuckDBPyConnection, weight: float) -> None:
    found = connection.execute(
        "SELECT meta.bootstrap_weighted_times(document_id, 5, ?) FROM document ORDER BY ordinal", [weight]
    ).fetchall()
    expected = replicate_times(as_array(IDS), 5, np.full(len(IDS), weight, np.float32))
    assert [row[0] for row in found] == expected.tolist()


def test_sql_turns_the_same_draws_into_the_same_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    edges = [c + delta for c in POISSON_CUMULATIVE for delta in (-(2.0**-52), 0, 2.0**-52)]
    draws = [u for u in (0.0, *edges, LARGEST_DRAW) if u <= LARGEST_DRAW]
    found = [connection.execute("SELECT meta.poisson_times(?::DOUBLE)", [u]).fetchall()[0][0] for u in draws]
    assert found == poisson_times(np.array(draws)).tolist()
