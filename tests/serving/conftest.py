"""A published home of 240 short texts in 80 documents, half of them English, with shards in which a token is a byte."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tests.stages.chunk_home import ADD
from warehouse.database import Connection, Warehouse, query
from warehouse.home import Home
from warehouse.identity import content_id
from warehouse.serving import selection
from warehouse.serving.source import Source
from warehouse.tokens.shards import ChunkTokens, write_shard

CHUNKING, TOKENIZER = content_id("chunking"), content_id("tokenizer")
N_CHUNKS, CHUNKS_PER_DOCUMENT, N_SHARDS = 240, 3, 2
MARKER = 0

SETTLE = """
UPDATE corpus.chunk SET ordinal = text_row % 3, n_words = text_row, split = if(text_row >= 210, 'report', 'train'),
    document_id = (
        SELECT first.chunk_id FROM arrived AS first WHERE first.number = chunk.text_row - chunk.text_row % 3
    );
DELETE FROM corpus.document WHERE document_id NOT IN (SELECT document_id FROM corpus.chunk);
UPDATE corpus.document SET language = (
    SELECT if(first.number % 2 = 0, 'en', 'de') FROM arrived AS first WHERE first.chunk_id = document.document_id
);
INSERT INTO corpus.recipe VALUES ('default', ''::BLOB, $chunking_id, NULL, '{}');
"""


def text_of(number: int) -> str:
    """The text of a chunk: 8 to 47 bytes that occur in no other."""
    return f"letter {number:03d}" + "." * (number % 40)


def chunk_of(number: int) -> UUID:
    return content_id("served", number)


def tokens_of(number: int) -> list[int]:
    """A chunk's tokens, the marker before them."""
    return [MARKER, *(byte + 1 for byte in text_of(number).encode())]


def weight_of(number: int) -> float:
    """One document in five counts two and a half times."""
    return 2.5 if number // CHUNKS_PER_DOCUMENT % 5 == 0 else 1.0


def fill(warehouse: Warehouse, *, weighted: bool = False) -> None:
    """Put the texts and their shards into a home, and publish it."""
    path = warehouse.home.text / "one.parquet"
    numbers = range(N_CHUNKS)
    ids = pa.array([chunk_of(number).bytes for number in numbers], pa.uuid())
    parquet.write_table(pa.table({"chunk_id": ids, "text": [text_of(number) for number in numbers]}), path)
    arrived = pa.table(
        {
            "number": numbers,
            "name": [f"{number}.txt" for number in numbers],
            "chunk_id": ids,
            "sha256": [bytes([number % 256]) * 32 for number in numbers],
            "n_characters": [len(text_of(number)) for number in numbers],
            "text_file": [path.name] * N_CHUNKS,
            "text_row": numbers,
        }
    )
    with warehouse.write("test") as connection:
        connection.register("arrived", arrived)
        for statement in connection.extract_statements(ADD + SETTLE):
            values = {"chunking_id": CHUNKING}
            connection.execute(statement, {name: values[name] for name in statement.named_parameters})
        for split, first, last in (("train", 0, 210), ("report", 210, N_CHUNKS)):
            for number in range(N_SHARDS if split == "train" else 1):
                _shard(
                    connection, warehouse.home, split, number, range(first + number, last, N_SHARDS), weighted
                )
        connection.execute(
            "INSERT INTO meta.materialization BY NAME SELECT 'tokens/shard' AS asset, '' AS scope, '' AS run_id, "
            "'' AS code_version, '' AS data_version, '{}' AS inputs, 0 AS n_rows, 0 AS seconds, "
            '0 AS peak_memory_bytes, now() AS "at"'
        )
    warehouse.publish()


def _shard(
    connection: Connection, home: Home, split: str, number: int, chunks: range, weighted: bool
) -> None:
    shard_id = content_id("shard", split, number)
    rows = [
        ChunkTokens(
            chunk_of(chunk),
            chunk_of(chunk - chunk % CHUNKS_PER_DOCUMENT),
            "letters",
            weight_of(chunk) if weighted else 1.0,
            np.array(tokens_of(chunk)[1:], np.uint16),
            len(text_of(chunk)),
        )
        for chunk in chunks
    ]
    manifest = write_shard(
        home.tokens / "bytes", f"{split}-{number:02d}", rows,
        shard_id=shard_id, split=split, tokenizer_sha256=b"", vocab_size=257,
    )  # fmt: skip
    connection.execute(
        query("record_shard"),
        {
            "shard_id": shard_id, "tokenizer_id": TOKENIZER, "recipe": "default", "split": split, "number": number,
            "path": f"bytes/{split}-{number:02d}.bin", "n_tokens": manifest.n_tokens, "n_chunks": manifest.n_chunks,
            "n_bytes": manifest.n_bytes, "sha256": bytes.fromhex(manifest.sha256),
        },
    )  # fmt: skip
    end = 0
    for row in rows:
        start, end = end, end + len(row.tokens) + 1
        connection.execute(
            "INSERT INTO tokens.shard_chunk VALUES (?, ?, ?, ?)", [shard_id, row.chunk_id, start, end]
        )


@pytest.fixture(scope="session")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("served") / "home")
    Warehouse(home).initialise("salt")
    fill(Warehouse(home))
    return home.root


@pytest.fixture
def served(_filled: Path, tmp_path: Path) -> Warehouse:
    """A copy that a test may change."""
    shutil.copytree(_filled, tmp_path / "home", symlinks=True)
    return Warehouse(Home(tmp_path / "home"))


@pytest.fixture
def source(served: Warehouse) -> Iterator[Source]:
    """Its streams."""
    opened = Source(served)
    yield opened
    opened.close()


@pytest.fixture
def small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders of many buckets, as large corpora have."""
    monkeypatch.setattr(selection, "BUCKET_ITEMS", 16)
    monkeypatch.setattr(selection, "LEAST_BUCKET_ITEMS", 2)
