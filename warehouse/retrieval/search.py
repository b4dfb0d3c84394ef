"""Full-text search: the chunks that answer a question best, by BM25 over the word index of a published copy.

The ranking itself is SQL that lies in the copy (``queries/search_ranking.sql``), so that any DuckDB client has the
same answers: ``FROM corpus.search('steam engine', n := 10)``.

What lives here: asking, and the excerpt that is shown. What does not: the index (``segments.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from warehouse.database import Connection, query, read_rows
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.expressions import Kind, checked

EXCERPT_CHARACTERS = 240


@dataclass(frozen=True)
class Hit:
    """A chunk that answers a question.

    Attributes:
        chunk_id: the chunk.
        score: BM25; larger is better, comparable within one answer.
        n_words_found: different words of the question that it holds.
    """

    chunk_id: UUID
    score: float
    n_words_found: int


def question_words(connection: Connection, question: str) -> list[str]:
    """What a question looks for: its words, each once.

    Raises:
        InvalidConfiguration: if it has none.
        InputUnreadable: if an earlier fakesmrt published the copy.
    """
    if not connection.execute(query("has_search_index")).fetchall():
        raise InputUnreadable(
            "This copy of the Training Database has no word index: an earlier fakesmrt published it",
            "Make one with: fakesmrt build corpus",
        )
    words: list[str] = connection.execute(query("search_question_words"), {"question": question}).fetchall()[
        0
    ][0]
    if not words:
        raise InvalidConfiguration(f"There is no word in {question!r}", "Ask with letters or digits")
    return words


def search(
    connection: Connection,
    question: str,
    *,
    limit: int = 20,
    where: str | None = None,
    every_word: bool = False,
) -> list[Hit]:
    """The chunks that answer a question best, best first; of equal ones that with the smaller id.

    Args:
        connection: a published copy.
        question: words; a chunk needs to hold one of them.
        limit: most chunks.
        where: condition over the columns of ``corpus.chunk_metadata``.
        every_word: only chunks that hold all words.

    Raises:
        InvalidConfiguration: if the question has no word, or the condition is none.
        InputUnreadable: if an earlier fakesmrt published the copy.
    """
    words = question_words(connection, question)
    values = {"question": question, "n": limit, "n_words": len(words) if every_word else 1}
    if where is None:
        return read_rows(connection, query("search_chunks"), values, Hit)
    condition = checked(connection, where, Kind.CONDITION).sql
    return read_rows(connection, query("search_chunks_where").replace("$condition", condition), values, Hit)


def excerpt(text: str, words: Sequence[str]) -> str:
    """The part of a text, on one line, that holds most of the words, not more than `EXCERPT_CHARACTERS` long."""
    line = " ".join(text.split())
    if len(line) <= EXCERPT_CHARACTERS:
        return line
    lowered = line.lower()
    # Where a letter changes its length in lower case, places are only about right; an excerpt needs no more.
    places = sorted({place for word in words if (place := lowered.find(word)) >= 0})
    best = (
        max(
            places,
            key=lambda start: sum(start <= place < start + EXCERPT_CHARACTERS * 3 // 4 for place in places),
        )
        if places
        else 0
    )
    start = max(0, min(best - EXCERPT_CHARACTERS // 8, len(line) - EXCERPT_CHARACTERS))
    if start:
        start = line.find(" ", start, best) + 1 or start
    end = start + EXCERPT_CHARACTERS
    return f"{'… ' if start else ''}{line[start:end].strip()}{' …' if end < len(line) else ''}"
