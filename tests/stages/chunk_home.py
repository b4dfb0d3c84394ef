"""A home that holds chunks without having cut them: each the only one of a file of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.database import Warehouse
from warehouse.dedup.candidates import CandidateParameters
from warehouse.home import Home
from warehouse.identity import content_id
from warehouse.stages import duplicate
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import BuildSettings, StageContext, StageReport, StageRun

SMALL_LIMITS = CandidateParameters(bucket_limit=6, n_centres=2)
"""So that a few dozen texts make large buckets."""

ADD = """
INSERT INTO corpus.corpus (corpus, licence, weight, added_at)
SELECT 'letters', 'CC0-1.0', 1.0, now() WHERE NOT EXISTS (FROM corpus.corpus);

INSERT INTO corpus.source_file BY NAME
SELECT
    chunk_id AS source_id, 'letters' AS corpus, '/letters/' || name AS path, sha256 AS sha256, 0 AS n_bytes,
    0 AS modified_ns, 0 AS changed_ns, 'text/plain' AS media_type, 'CC0-1.0' AS licence, now() AS first_seen_at,
    'read' AS status
FROM arrived;

INSERT INTO corpus.stream BY NAME
SELECT
    chunk_id AS stream_id, chunk_id AS source_id, 'file' AS container, 0 AS n_bytes, sha256, '1' AS code_version,
    0 AS ordinal
FROM arrived;

INSERT INTO corpus.document BY NAME
SELECT
    chunk_id AS document_id, chunk_id AS stream_id, 0 AS ordinal, 0 AS byte_start, 0 AS byte_end, 'plain' AS reader,
    '1' AS reader_version, 'utf-8' AS encoding, 1.0 AS encoding_confidence, '{}' AS encoding_evidence,
    'en' AS language, 1.0 AS language_score, 0 AS n_characters
FROM arrived;

INSERT INTO corpus.chunk BY NAME
SELECT
    chunk_id, chunk_id AS document_id, $chunking_id AS chunking_id, 0 AS ordinal, 0 AS byte_start, 0 AS byte_end,
    0 AS char_start, 0 AS char_end, 'utf-8' AS encoding, 1.0 AS encoding_confidence, '{}' AS encoding_evidence,
    '{}' AS repair, n_characters, 100 AS n_words, 0 AS n_bytes, sha256 AS text_sha256, text_file, text_row,
    'train' AS split, 1 AS n_lines, 0 AS n_replaced, 5.0 AS mean_word_length, 1.0 AS alphabetic_word_share,
    5 AS stop_word_kinds, 0.0 AS bullet_line_share, 0.0 AS ellipsis_line_share,
    1.0 AS terminal_punctuation_line_share, 0.0 AS short_line_share, 0.0 AS duplicate_line_share,
    0.0 AS duplicate_line_character_share, 0.8 AS letter_share, 0.0 AS digit_share, 0.0 AS uppercase_share
FROM arrived;
"""

CLUSTERS = "SELECT * FROM corpus.duplicate_cluster ORDER BY ALL"
PAIRS_OF_CURRENT_TEXTS = """
WITH present AS (
    SELECT chunk.text_sha256
    FROM corpus.chunk JOIN corpus.source_file ON source_file.source_id = chunk.chunk_id
    WHERE retired_at IS NULL
)
SELECT duplicate_pair.*
FROM corpus.duplicate_pair
JOIN corpus.chunk AS a ON a.chunk_id = chunk_a
JOIN corpus.chunk AS b ON b.chunk_id = chunk_b
WHERE a.text_sha256 IN (FROM present) AND b.text_sha256 IN (FROM present)
ORDER BY ALL
"""


def chunk_of(name: str) -> UUID:
    """The id of the chunk of the file of that name."""
    return content_id("chunk", name)


class ChunkHome:
    """Chunks by the name of their file, and what the stage makes of them."""

    def __init__(self, root: Path, workers: int = 1) -> None:
        self.context = StageContext(Warehouse(Home(root)), BuildSettings(workers=workers))
        self.warehouse = self.context.warehouse
        self.warehouse.initialise("salt")

    def add(self, texts: Mapping[str, str]) -> None:
        """Let files arrive."""
        path = self.warehouse.home.text / f"{content_id(*texts).hex}.parquet"
        pq.write_table(pa.table({"text": list(texts.values())}), path)
        arrived = pa.table(
            {
                "name": list(texts),
                "chunk_id": pa.array([chunk_of(name).bytes for name in texts], pa.uuid()),
                "sha256": [hashlib.sha256(text.encode()).digest() for text in texts.values()],
                "n_characters": [len(text) for text in texts.values()],
                "text_file": [path.name] * len(texts),
                "text_row": range(len(texts)),
            }
        )
        with self.warehouse.write("test") as connection:
            connection.register("arrived", arrived)
            for statement in connection.extract_statements(ADD):
                values = {"chunking_id": recipe_chunking(self.context)[1]}
                connection.execute(statement, {name: values[name] for name in statement.named_parameters})
        self._commit()

    def retire(self, names: Iterable[str], *, back: bool = False) -> None:
        """Let files go, or come back."""
        ids = [chunk_of(name) for name in names]
        with self.warehouse.write("test") as connection:
            connection.execute(
                "UPDATE corpus.source_file SET retired_at = if(?, NULL, now()) WHERE list_contains(?, source_id)",
                [back, ids],
            )
        self._commit()

    def _commit(self) -> None:
        """The stage before says that it did something."""
        with self.warehouse.write("test") as connection:
            n_commits = connection.execute("SELECT count(*) FROM meta.materialization").fetchall()[0][0]
            scope, inputs = self.context.recipe.name, {"commit": str(n_commits)}
            StageRun(self.context, "corpus/chunk", scope, inputs, ("warehouse.stages.chunk",)).record(
                connection, 0
            )

    def compare(self) -> StageReport:
        return duplicate.run(self.context)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.warehouse.read() as connection:
            return connection.execute(sql).fetchall()
