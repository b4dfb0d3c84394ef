"""The view corpus.training_chunk: what a recipe keeps follows from stored columns."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest

from warehouse.database import Connection, Warehouse, run_script
from warehouse.recipes import (
    CorpusChoice,
    LanguageRules,
    LicenceChoice,
    PerplexityRules,
    QualityRules,
    Recipe,
)

CHUNKING = UUID(int=1)
REFERENCE = UUID(int=2)
PLAIN = Recipe("plain", perplexity=PerplexityRules(max_percentile=1.0))

DEFAULTS: Mapping[str, object] = {
    "ordinal": 0, "byte_start": 0, "byte_end": 100, "char_start": 0, "char_end": 100, "encoding": "ascii",
    "encoding_confidence": 1.0, "encoding_evidence": "{}", "repair": "{}", "n_characters": 100, "n_words": 20,
    "n_bytes": 100, "text_file": "x", "text_row": 0, "split": "train", "n_lines": 2, "n_replaced": 0,
    "mean_word_length": 4.0, "alphabetic_word_share": 1.0, "stop_word_kinds": 4,
    "bullet_line_share": 0.0, "ellipsis_line_share": 0.0, "terminal_punctuation_line_share": 1.0,
    "short_line_share": 0.0, "duplicate_line_share": 0.0, "duplicate_line_character_share": 0.0,
    "letter_share": 0.8, "digit_share": 0.0, "uppercase_share": 0.0,
}  # fmt: skip


@dataclasses.dataclass
class Corpus:
    """Rows written by hand; chunks are numbered by the test."""

    connection: Connection

    def add_source(self, corpus: str, licence: str = "CC0-1.0", weight: float = 1.0) -> UUID:
        """A corpus of one file with one document, named alike."""
        identity = UUID(int=int.from_bytes(hashlib.sha256(corpus.encode()).digest()[:8]))
        run = self.connection.execute
        run("INSERT INTO corpus.corpus VALUES (?, ?, NULL, ?, 'document', now())", [corpus, licence, weight])
        run(
            "INSERT INTO corpus.source_file VALUES (?, ?, ?, 'x', 1, 0, 0, NULL, ?, now(), NULL, 'read', NULL)",
            [identity, corpus, f"/{corpus}", licence],
        )
        run(
            "INSERT INTO corpus.stream VALUES (?, ?, 'file', NULL, 1, 'x', 'v', 0, NULL)",
            [identity, identity],
        )
        run(
            "INSERT INTO corpus.document VALUES "
            "(?, ?, 0, 0, 1, 'plain', '1', 'ascii', 1, '{}', 'en', 0.9, 1, NULL, NULL, NULL)",
            [identity, identity],
        )
        return identity

    def add_chunk(self, number: int, document: UUID, **values: object) -> None:
        """A chunk; without `text_sha256` its text is like no other."""
        row = {
            **DEFAULTS,
            "text_sha256": number.to_bytes(4),
            **values,
            "chunk_id": UUID(int=number),
            "document_id": document,
            "chunking_id": CHUNKING,
        }
        columns, marks = ", ".join(row), ", ".join(f"${name}" for name in row)
        sql = f"INSERT INTO corpus.chunk ({columns}) VALUES ({marks})"  # noqa: S608  # names from this file only
        self.connection.execute(sql, row)

    def score(self, number: int, bits_per_byte: float) -> None:
        """Its perplexity."""
        self.connection.execute(
            "INSERT INTO corpus.perplexity VALUES (?, ?, 0, ?, 1, 1)",
            [UUID(int=number), REFERENCE, bits_per_byte],
        )

    def cluster(self, centre: int, *members: int) -> None:
        """A cluster at the default threshold, with its verified links."""
        for member in (centre, *members):
            self.connection.execute(
                "INSERT INTO corpus.duplicate_cluster VALUES (?, ?, 0.8, 0.9, 'test')",
                [UUID(int=member), UUID(int=centre)],
            )
        for member in members:
            self.link(centre, member)

    def link(self, a: int, b: int) -> None:
        """A verified pair."""
        self.connection.execute(
            "INSERT INTO corpus.duplicate_pair VALUES (?, ?, 0.9, 'test')", [UUID(int=a), UUID(int=b)]
        )

    def decide(self, recipe: Recipe) -> dict[int, str | None]:
        """The reason of each chunk under a recipe; None is kept."""
        run_script(
            self.connection,
            "record_recipe",
            {
                "recipe": recipe.name,
                "sha256": recipe.sha256,
                "chunking_id": CHUNKING,
                "reference_id": REFERENCE,
                "definition": recipe.to_json(),
            },
        )
        rows = self.connection.execute(
            "SELECT chunk_id, reason, kept FROM corpus.training_chunk WHERE recipe = ?", [recipe.name]
        ).fetchall()
        assert all(kept == (reason is None) for _, reason, kept in rows)
        return {chunk_id.int: reason for chunk_id, reason, _ in rows}


@pytest.fixture
def corpus(warehouse: Warehouse, tmp_path: Path) -> Corpus:
    """An empty corpus in an open transaction."""
    with warehouse.write("test") as connection:
        yield Corpus(connection)


def test_the_first_rule_that_a_chunk_fails_is_its_reason(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters)
    corpus.add_chunk(2, letters, n_words=2, letter_share=0.1)
    corpus.add_chunk(3, letters, letter_share=0.1)
    corpus.add_chunk(4, letters, n_replaced=50)
    reasons = corpus.decide(PLAIN)
    assert reasons == {1: None, 2: "too_few_words", 3: "letter_share", 4: "replaced_characters"}


def test_a_licence_or_corpus_that_the_recipe_leaves_out_is_dropped(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters", "CC0-1.0"))
    corpus.add_chunk(2, corpus.add_source("diaries", "GPL-3.0-only"))
    corpus.add_chunk(3, corpus.add_source("silent", "CC0-1.0", weight=0.0))
    licences = dataclasses.replace(PLAIN, licences=LicenceChoice(("CC0-1.0",)))
    assert corpus.decide(licences) == {1: None, 2: "licence_not_allowed", 3: "corpus_not_included"}
    included = dataclasses.replace(PLAIN, name="included", corpora=CorpusChoice(("diaries",)))
    assert corpus.decide(included)[1] == "corpus_not_included"


def test_of_a_cluster_the_centre_is_kept(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    for number, n_characters in ((1, 100), (2, 90), (3, 300)):
        corpus.add_chunk(number, letters, n_characters=n_characters)
    corpus.cluster(2, 1, 3)
    assert corpus.decide(PLAIN) == {1: "duplicate", 2: None, 3: "duplicate"}


def test_an_excluded_corpus_never_makes_text_vanish(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("excluded"))
    corpus.add_chunk(2, corpus.add_source("letters"))
    corpus.cluster(1, 2)
    recipe = dataclasses.replace(PLAIN, corpora=CorpusChoice(("letters",)))
    assert corpus.decide(recipe) == {1: "corpus_not_included", 2: None}


def test_text_to_train_on_gives_way_to_its_likeness_in_a_held_out_split(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters)
    corpus.add_chunk(2, letters, split="report")
    corpus.cluster(1, 2)
    assert corpus.decide(PLAIN) == {1: "near_held_out", 2: None}


def test_no_two_kept_chunks_are_alike_even_where_a_centre_was_dropped(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters)
    corpus.add_chunk(2, letters, n_words=1)  # The centre fails a rule.
    corpus.add_chunk(3, letters)
    corpus.cluster(2, 1)
    corpus.link(1, 3)
    reasons = corpus.decide(PLAIN)
    assert reasons[2] == "too_few_words"
    assert sorted([str(reasons[1]), str(reasons[3])]) == ["None", "duplicate"]


def test_held_out_text_wins_between_clusters_too(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters, n_characters=5000)
    corpus.add_chunk(3, letters, split="confirm")
    corpus.link(1, 3)
    assert corpus.decide(PLAIN) == {1: "near_held_out", 3: None}


def test_the_least_likely_chunks_of_each_corpus_are_dropped(corpus: Corpus) -> None:
    letters, diaries = corpus.add_source("letters"), corpus.add_source("diaries")
    for number in range(10):
        corpus.add_chunk(number + 1, letters)
        corpus.score(number + 1, 1.0 + number)
        corpus.add_chunk(number + 101, diaries)
        corpus.score(number + 101, 5.0 + number)
    recipe = dataclasses.replace(PLAIN, perplexity=PerplexityRules(max_percentile=0.9))
    dropped = {number for number, reason in corpus.decide(recipe).items() if reason == "perplexity"}
    assert dropped == {10, 110}
    buckets = corpus.connection.execute(
        "SELECT bucket, count(*) FROM corpus.training_chunk WHERE corpus = 'letters' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert buckets == [("head", 3), ("middle", 3), ("tail", 4)]


def test_a_chunk_without_a_score_is_kept_and_says_so(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"))
    assert corpus.decide(PLAIN) == {1: None}
    assert corpus.connection.execute("SELECT bucket FROM corpus.training_chunk").fetchall() == [("unscored",)]


def test_a_rule_on_language_needs_the_score_too(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"))
    english = dataclasses.replace(PLAIN, language=LanguageRules(("en",), 0.5))
    sure = dataclasses.replace(PLAIN, name="sure", language=LanguageRules(("en",), 0.95))
    assert corpus.decide(english) == {1: None}
    assert corpus.decide(sure) == {1: "language"}


def test_another_threshold_recomputes_nothing(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"), n_words=8)
    strict = dataclasses.replace(PLAIN, name="strict", quality=QualityRules(min_words=10))
    assert corpus.decide(PLAIN) == {1: None}
    assert corpus.decide(strict) == {1: "too_few_words"}


def test_a_retired_or_forgotten_file_is_trained_on_no_more(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"))
    corpus.connection.execute("INSERT INTO corpus.forgotten VALUES ('x', 'file', 'asked to', now())")
    assert corpus.decide(PLAIN) == {1: "forgotten"}
    corpus.connection.execute("DELETE FROM corpus.forgotten")
    corpus.connection.execute("UPDATE corpus.source_file SET retired_at = now()")
    assert corpus.decide(PLAIN) == {1: "source_retired"}
