"""Clusters are bounded: a member has its centre's text or a verified link to it, for any order of input."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.database import Warehouse
from warehouse.dedup.candidates import CHUNK_ID
from warehouse.dedup.clusters import CLUSTER_SCHEMA, ClusterParameters, ClusterSummary, write_clusters
from warehouse.errors import InvalidConfiguration
from warehouse.home import Home

Pair = tuple[int, int, float]
Clusters = dict[int, int]


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def table_of(
    texts: dict[int, int], pairs: list[Pair], lengths: dict[int, int] | None = None
) -> tuple[pa.Table, pa.Table]:
    """Chunks with the number of their text, and verified pairs."""
    members = pa.table(
        {
            "chunk_id": pa.array([key(chunk) for chunk in texts], CHUNK_ID),
            "text_sha256": pa.array([key(text) * 2 for text in texts.values()], pa.binary(32)),
            "is_current": [True] * len(texts),
            "priority": pa.array([(lengths or {}).get(chunk, 0) for chunk in texts], pa.int64()),
        }
    )
    schema = pa.schema([("chunk_a", CHUNK_ID), ("chunk_b", CHUNK_ID), ("jaccard", pa.float32())])
    columns = [[key(a) for a, _, _ in pairs], [key(b) for _, b, _ in pairs], [j for _, _, j in pairs]]
    return members, pa.table(columns, schema=schema)


def cluster_table(members: pa.Table, pairs: pa.Table, threshold: float = 0.8) -> pa.Table:
    with TemporaryDirectory() as folder, Warehouse(Home(Path(folder))).scratch() as connection:
        output = Path(folder) / "clusters.parquet"
        summary = write_clusters(connection, members, pairs, output, ClusterParameters(threshold))
        found = pq.read_table(output)
    assert summary == ClusterSummary(len(found), len(set(found["cluster_id"].to_pylist())))
    return found


def clusters_of(
    texts: dict[int, int], pairs: list[Pair], threshold: float = 0.8, lengths: dict[int, int] | None = None
) -> Clusters:
    """Centre of each clustered chunk."""
    found = cluster_table(*table_of(texts, pairs, lengths), threshold)
    ids = (found[column].to_pylist() for column in ("chunk_id", "cluster_id"))
    return {
        int.from_bytes(chunk, "big"): int.from_bytes(centre, "big")
        for chunk, centre in zip(*ids, strict=True)
    }


def own_texts(n_chunks: int) -> dict[int, int]:
    return {chunk: chunk for chunk in range(n_chunks)}


def test_the_chunk_with_most_links_is_the_centre() -> None:
    assert clusters_of(own_texts(4), [(0, 2, 0.9), (1, 2, 0.9), (2, 3, 0.9)]) == {0: 2, 1: 2, 2: 2, 3: 2}


def test_a_chain_is_cut() -> None:
    chain = [(chunk, chunk + 1, 0.85) for chunk in range(9)]
    found = clusters_of(own_texts(10), chain)
    assert all(abs(chunk - centre) <= 1 for chunk, centre in found.items())
    assert len(set(found.values())) >= 3


def test_among_equals_priority_then_the_smallest_id_is_the_centre() -> None:
    assert clusters_of(own_texts(2), [(0, 1, 0.9)]) == {0: 0, 1: 0}
    assert clusters_of(own_texts(2), [(0, 1, 0.9)], lengths={0: 10, 1: 11}) == {0: 1, 1: 1}


def test_a_member_joins_the_centre_that_it_resembles_most() -> None:
    pairs = [(0, 1, 0.9), (0, 2, 0.9), (0, 3, 0.81), (4, 3, 0.95), (4, 5, 0.9), (4, 6, 0.9)]
    assert clusters_of(own_texts(7), pairs)[3] == 4


def test_identical_texts_are_one_cluster_without_any_pair() -> None:
    assert clusters_of({5: 1, 3: 1, 8: 1, 9: 2}, []) == {3: 3, 5: 3, 8: 3}


def test_twins_follow_their_text() -> None:
    # The pair names one twin of each text; all four belong together.
    assert clusters_of({1: 1, 2: 1, 3: 3, 4: 3}, [(2, 3, 0.9)]) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_pairs_below_the_threshold_and_of_gone_chunks_do_not_count() -> None:
    assert clusters_of(own_texts(2), [(0, 1, 0.79), (0, 7, 0.9)]) == {}


def test_a_pair_at_the_threshold_counts_in_single_precision() -> None:
    # The nearest single to 0.7 is below the double 0.7.
    assert clusters_of(own_texts(2), [(0, 1, float(np.float32(0.7)))], threshold=0.7) == {0: 0, 1: 0}


def test_rows_carry_threshold_rule_and_similarity_to_the_centre() -> None:
    found = cluster_table(*table_of({0: 0, 1: 1, 2: 1}, [(0, 1, 0.9)]))
    assert (found.schema.names, found.schema.types) == (CLUSTER_SCHEMA.names, CLUSTER_SCHEMA.types)
    assert found["jaccard"].to_pylist() == pytest.approx([1, 0.9, 0.9])
    assert set(found["threshold"].to_pylist()) == {float(np.float32(0.8))}
    assert set(found["rule_version"].to_pylist()) == {"star-1"}


def test_no_chunks_have_no_clusters() -> None:
    assert cluster_table(*table_of({}, [])).num_rows == 0


def test_an_impossible_threshold_is_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        ClusterParameters(0)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[int, int], list[Pair]]:
    n_chunks = draw(st.integers(1, 14))
    texts = {chunk: draw(st.integers(0, n_chunks)) for chunk in range(n_chunks)}
    places = st.integers(0, n_chunks - 1)
    edges = draw(st.dictionaries(st.tuples(places, places), st.integers(50, 100), max_size=30))
    # Two texts have one similarity, whichever chunks name them.
    similarity = {frozenset((texts[a], texts[b])): value / 100 for (a, b), value in edges.items()}
    return texts, [
        (a, b, similarity[frozenset((texts[a], texts[b]))]) for a, b in edges if texts[a] != texts[b]
    ]


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_clusters_are_bounded_complete_and_independent_of_order(
    graph: tuple[dict[int, int], list[Pair]], order: random.Random
) -> None:
    texts, pairs = graph
    found = clusters_of(texts, pairs)
    links = {
        frozenset((texts[a], texts[b])) for a, b, jaccard in pairs if np.float32(jaccard) >= np.float32(0.8)
    }
    for chunk, centre in found.items():
        assert texts[chunk] == texts[centre] or frozenset((texts[chunk], texts[centre])) in links
    # Centres and chunks without a cluster, together: no two are alike.
    alone = [found.get(chunk, chunk) for chunk in texts]
    kept = {texts[chunk] for chunk in alone}
    assert len(kept) == len(set(alone))
    assert not any(link <= kept for link in links)
    shuffled_texts, shuffled_pairs = list(texts.items()), [*pairs, *((b, a, j) for a, b, j in pairs)]
    order.shuffle(shuffled_texts)
    order.shuffle(shuffled_pairs)
    assert clusters_of(dict(shuffled_texts), shuffled_pairs) == found
