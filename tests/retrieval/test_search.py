"""Search by words: what is found in which script, in which order, and what is said where nothing can be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import pytest

from warehouse.database import Warehouse
from warehouse.errors import InvalidConfiguration
from warehouse.retrieval.search import EXCERPT_CHARACTERS, excerpt, search

Ask = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("ENGINE", ["engine.txt"]),
        ("steam corn", ["mill.txt", "engine.txt"]),
        ("école", ["school.txt"]),
        ("e\u0301cole", ["school.txt"]),
        ("東京タワー", ["tower.txt"]),
        ("塔", ["tower.txt"]),
        ("กรุงเทพ", ["thai.txt"]),
        ("한국", ["korean.txt"]),
        ("zeppelin", []),
    ],
)
def test_words_of_any_script_find_the_chunks_that_hold_them(
    found: Ask, question: str, names: list[str]
) -> None:
    assert sorted(found(question)) == sorted(names)


def test_every_word_narrows_and_a_condition_filters(found: Ask) -> None:
    assert found("the mill") == ["mill.txt", "engine.txt"]
    assert found("engine mill", every_word=True) == ["engine.txt"]
    assert found("the mill", where="n_characters < 80") == ["mill.txt"]
    assert found("the mill", limit=1) == ["mill.txt"]


@pytest.mark.parametrize(
    ("question", "where"),
    [("…!", None), ("mill", "n_words >"), ("mill", "EXISTS (FROM corpus.chunk)"), ("mill", "no_column = 1")],
)
def test_what_cannot_be_asked_is_said_in_one_line(built: Warehouse, question: str, where: str | None) -> None:
    with built.read_published() as connection, pytest.raises(InvalidConfiguration) as error:
        search(connection, question, where=where)
    assert "\n" not in str(error.value)


def textbook_bm25(texts: dict[str, list[str]], question: set[str]) -> dict[str, float]:
    """BM25 as the books have it, k1 = 1.2, b = 0.75."""
    mean = sum(map(len, texts.values())) / len(texts)
    scores: dict[str, float] = {}
    for word in question:
        n_with = sum(word in words for words in texts.values())
        rarity = math.log(1 + (len(texts) - n_with + 0.5) / (n_with + 0.5))
        for name, words in texts.items():
            if times := Counter(words)[word]:
                length = 1 - 0.75 + 0.75 * len(words) / mean
                scores[name] = scores.get(name, 0) + rarity * times * 2.2 / (times + 1.2 * length)
    return scores


@pytest.mark.parametrize("question", ["the", "engine of steam", "東京 river", "한국 école mill"])
def test_scores_are_those_of_the_textbook(built: Warehouse, question: str) -> None:
    with built.read_published() as connection:
        words = "SELECT chunk_id, corpus.search_words(text) FROM corpus.chunk_text"
        texts = {str(chunk_id): split for chunk_id, split in connection.execute(words).fetchall()}
        [(asked,)] = connection.execute("SELECT corpus.search_query_words(?)", [question]).fetchall()
        expected = textbook_bm25(texts, set(asked))
        scores = {str(hit.chunk_id): hit.score for hit in search(connection, question)}
    assert scores == pytest.approx(expected, abs=1e-8)
    assert len(scores) >= 1


def test_an_excerpt_shows_where_the_words_stand() -> None:
    text = f"{'before ' * 100}\nthe steam\nengine{' after' * 100}"
    shown = excerpt(text, ["engine", "steam"])
    assert "the steam engine" in shown
    assert shown.startswith("… ")
    assert len(shown) <= EXCERPT_CHARACTERS + 4
    assert excerpt("short\ntext", ["none"]) == "short text"
