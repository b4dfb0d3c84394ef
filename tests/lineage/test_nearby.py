"""Recipes judge a few chunks and what is like them exactly as they judge all."""

from __future__ import annotations

from uuid import UUID

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stages.decision_rows import PLAIN, Corpus
from warehouse.database import migrate
from warehouse.lineage.nearby import judged_nearby

NUMBERS = range(1, 13)
SPLITS = ("train", "train", "train", "report")
VERDICTS = "SELECT chunk_id, training_chunk FROM corpus.training_chunk"


pairs = st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)), max_size=6)


@settings(deadline=None, max_examples=3)
@given(
    links=pairs,
    clusters=pairs,
    held_out=pairs,
    splits=st.lists(st.sampled_from(SPLITS), min_size=12, max_size=12),
    words=st.lists(st.sampled_from([1, 20, 30]), min_size=12, max_size=12),
)
def test_a_chunk_is_judged_by_what_is_like_it(
    links: list[tuple[int, int]],
    clusters: list[tuple[int, int]],
    held_out: list[tuple[int, int]],
    splits: list[str],
    words: list[int],
) -> None:
    with duckdb.connect() as connection:
        migrate(connection)
        corpus = Corpus(connection)
        documents = _fill(corpus, links, clusters, held_out, splits, words)
        judged = dict(connection.execute(VERDICTS).fetchall())
        for number in NUMBERS[::5]:
            with judged_nearby(connection, "chunk", str(UUID(int=number))):
                assert (
                    dict(connection.execute(VERDICTS).fetchall())[UUID(int=number)]
                    == judged[UUID(int=number)]
                )
        for kind, document in (("document", documents[0]), ("source_file", documents[1])):
            own = connection.execute(
                "SELECT chunk_id FROM corpus.chunk WHERE document_id = ?", [document]
            ).fetchall()
            with judged_nearby(connection, kind, str(document)):
                there = dict(connection.execute(VERDICTS).fetchall())
            assert own
            assert all(there[chunk_id] == judged[chunk_id] for (chunk_id,) in own)
        assert connection.execute("SELECT current_database()").fetchall() == [("memory",)]


def _fill(
    corpus: Corpus,
    links: list[tuple[int, int]],
    clusters: list[tuple[int, int]],
    held_out: list[tuple[int, int]],
    splits: list[str],
    words: list[int],
) -> list[UUID]:
    """Two documents of six chunks each that are like each other in every way that counts."""
    documents = [corpus.add_source("books"), corpus.add_source("letters", weight=2.0)]
    for number, split, n_words in zip(NUMBERS, splits, words, strict=True):
        corpus.add_chunk(number, documents[number % 2], split=split, n_words=n_words)
    members: set[int] = set()
    for centre, member in clusters:
        if centre != member and not {centre, member} & members:
            corpus.cluster(centre, member)
            members |= {centre, member}
    for first, second in {(min(pair), max(pair)) for pair in links if pair[0] != pair[1]}:
        corpus.link(first, second)
    for first, second in held_out:
        corpus.contaminate(first, "ngram_overlap", 0.9, "held_out", item=second)
    corpus.record(PLAIN)
    return documents
