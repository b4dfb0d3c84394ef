"""Rows written by hand for the view corpus.training_chunk: a corpus of numbered chunks that a recipe decides on."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from uuid import UUID

from warehouse.database import Connection, run_script
from warehouse.recipes import DuplicateRules, PerplexityRules, Recipe

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

    def add_source(
        self,
        corpus: str,
        licence: str = "CC0-1.0",
        weight: float = 1.0,
        language: str = "en",
        first_seen_at: str = "2026-01-01",
    ) -> UUID:
        """A corpus of one file with one document, named alike."""
        identity = UUID(int=int.from_bytes(hashlib.sha256(corpus.encode()).digest()[:8]))
        run = self.connection.execute
        run("INSERT INTO corpus.corpus VALUES (?, ?, NULL, ?, 'document', now())", [corpus, licence, weight])
        run(
            "INSERT INTO corpus.source_file VALUES (?, ?, ?, 'x', 1, 0, 0, NULL, ?, ?, NULL, 'read', NULL)",
            [identity, corpus, f"/{corpus}", licence, first_seen_at],
        )
        run(
            "INSERT INTO corpus.stream VALUES (?, ?, 'file', NULL, 1, 'x', 'v', 0, NULL)",
            [identity, identity],
        )
        run(
            "INSERT INTO corpus.document VALUES "
            "(?, ?, 0, 0, 1, 'plain', '1', 'ascii', 1, '{}', ?, 0.9, 1, NULL, NULL, NULL, NULL)",
            [identity, identity, language],
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

    def score(
        self,
        number: int,
        bits_per_byte: float,
        in_corpus: float | None = None,
        in_language: float | None = None,
    ) -> None:
        """Its perplexity and its percentiles."""
        self.connection.execute(
            "INSERT INTO corpus.perplexity BY NAME SELECT ? AS chunk_id, ? AS reference_id, 0 AS fold,"
            " ? AS bits_per_byte, 1 AS perplexity, 7 AS n_tokens,"
            " ? AS percentile_in_corpus, ? AS percentile_in_language",
            [UUID(int=number), REFERENCE, bits_per_byte, in_corpus, in_language],
        )

    def repeat(
        self,
        number: int,
        n_characters: int,
        *,
        level: str = "paragraph",
        n_documents: int = 10,
        paragraph_documents: int = 0,
        is_first: bool = False,
    ) -> None:
        """A passage at the beginning of a chunk that stands in several documents."""
        self.connection.execute(
            "INSERT INTO corpus.repeated_range BY NAME SELECT ? AS chunk_id, ? AS chunking_id, 1 AS passage_id,"
            " ? AS level, ? AS n_documents, ? AS paragraph_documents, ? AS is_first, 0 AS char_start, ? AS char_end",
            [UUID(int=number), CHUNKING, level, n_documents, paragraph_documents, is_first, n_characters],
        )

    def contaminate(
        self,
        number: int,
        rule: str,
        score: float,
        evaluation_set: str = "questions",
        *,
        item: int = 9,
        counts: bool = True,
    ) -> None:
        """An evaluation item, or a held-out chunk, that was found in a chunk."""
        self.connection.execute(
            "INSERT INTO corpus.contamination BY NAME SELECT ? AS chunk_id, ? AS evaluation_set, ? AS item_id,"
            " ? AS rule, ? AS score, 20 AS n_words, ? AS counts, 'test' AS rule_version",
            [UUID(int=number), evaluation_set, UUID(int=item), rule, score, counts],
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

    def record(self, recipe: Recipe) -> None:
        """As the stage records it."""
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

    def decide(self, recipe: Recipe) -> dict[int, str | None]:
        """The reason of each chunk under a recipe; None is kept."""
        self.record(recipe)
        rows = self.connection.execute(
            "SELECT chunk_id, reason, kept FROM corpus.training_chunk WHERE recipe = ?", [recipe.name]
        ).fetchall()
        assert all(kept == (reason is None) for _, reason, kept in rows)
        return {chunk_id.int: reason for chunk_id, reason, _ in rows}

    def column(self, recipe: Recipe, name: str) -> dict[int, object]:
        """A column of the view by chunk."""
        self.record(recipe)
        sql = f"SELECT chunk_id, {name} FROM corpus.training_chunk WHERE recipe = ?"  # noqa: S608  # names from this file only
        return {
            chunk_id.int: value for chunk_id, value in self.connection.execute(sql, [recipe.name]).fetchall()
        }

    def keepers(self, *criteria: str) -> set[int]:
        """The chunks that are kept where keepers are chosen by these criteria."""
        recipe = dataclasses.replace(PLAIN, duplicates=DuplicateRules(keeper=criteria))
        return {number for number, reason in self.decide(recipe).items() if reason is None}
