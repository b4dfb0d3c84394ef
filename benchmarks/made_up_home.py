"""A home with a Training Database of any size, for measurements: rows and texts are made up, by a seed.

Each document has 50 chunks of 100 to 1,200 characters cut out of a stream of made-up words (Zipf's law), each chunk has
its text in ``text/``, every table has rows (``warehouse_rows.sql``), and a token is a byte. One document in 1,000 has
its raw file, so that replaying can be measured. 10,000,000 chunks take about ten minutes and 8 GB of disk.

    python benchmarks/made_up_home.py /tmp/home --chunks 1000000
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse import textstore
from warehouse.database import Warehouse, run_script
from warehouse.home import Home
from warehouse.recipes import Recipe
from warehouse.textstore import ROW_GROUP_ROWS
from warehouse.tokens.shards import TOKEN_DTYPE
from warehouse.tokens.tokenizer import Tokenizer, joined_chunks, train_tokenizer

CHUNKS_PER_DOCUMENT = 50
CHUNKS_PER_FILE = 50_000
DOCUMENTS_PER_RAW_FILE = 1_000
CHUNKING = UUID(int=1)
REFERENCE = UUID(int=2)
STREAM_BYTES = 8 << 20
N_WORDS = 50_000


@dataclass(frozen=True)
class TextFile:
    """One made-up text file: the texts, and what the database says of them."""

    name: str
    first: int
    texts: list[bytes]

    def rows(self) -> pa.Table:
        """One row a chunk: its number, id, hash, length and place, and the hash of its document."""
        documents = [
            hashlib.sha256(b"".join(self.texts[start : start + CHUNKS_PER_DOCUMENT])).digest()
            for start in range(0, len(self.texts), CHUNKS_PER_DOCUMENT)
        ]
        return pa.table(
            {
                "i": pa.array(range(self.first, self.first + len(self.texts)), pa.int64()),
                "chunk_id": pa.array([chunk_id.hex() for chunk_id in self.chunk_ids()]),
                "text_sha256": pa.array([hashlib.sha256(text).digest() for text in self.texts]),
                "document_sha256": pa.array(
                    [documents[i // CHUNKS_PER_DOCUMENT] for i in range(len(self.texts))]
                ),
                "n_bytes": pa.array([len(text) for text in self.texts], pa.int32()),
                "text_file": pa.array([self.name] * len(self.texts)),
                "text_row": pa.array(range(len(self.texts)), pa.int32()),
            }
        )

    def chunk_ids(self) -> list[bytes]:
        """The 16 bytes of each id; the SQL computes the same ones."""
        numbers = range(self.first, self.first + len(self.texts))
        return [hashlib.md5(b"chunk%d" % i, usedforsecurity=False).digest() for i in numbers]

    def write(self, folder: Path) -> None:
        """Write it as the stages write text files."""
        table = pa.table(
            {"chunk_id": pa.array(self.chunk_ids(), pa.binary(16)), "text": pa.array(self.texts, pa.utf8())}
        )
        parquet.write_table(table, folder / self.name, row_group_size=ROW_GROUP_ROWS, compression="zstd")


def word_stream() -> bytes:
    """ASCII text of made-up words whose frequencies follow Zipf's law."""
    random = np.random.default_rng(1)
    letters = np.frombuffer(b"etaoinshrdlucmfwypvbgk", np.uint8)
    words = [
        letters[random.integers(0, len(letters), length)].tobytes()
        for length in random.integers(2, 11, N_WORDS)
    ]
    weights = 1 / np.arange(1, N_WORDS + 1)
    chosen = random.choice(N_WORDS, STREAM_BYTES // 5, p=weights / weights.sum())
    return b" ".join(words[word] for word in chosen)


def text_file(number: int, n_chunks: int, stream: bytes) -> TextFile:
    """The text file of chunks [number * CHUNKS_PER_FILE, ...), at most `n_chunks` in all."""
    first = number * CHUNKS_PER_FILE
    count = min(CHUNKS_PER_FILE, n_chunks - first)
    random = np.random.default_rng([2, number])
    lengths = random.integers(100, 1_200, count)
    starts = random.integers(0, len(stream) - 1_200, count)
    # A chunk ends in a line's end, so that the raw file is lines.
    texts = [
        stream[start : start + length - 1] + b"\n" for start, length in zip(starts, lengths, strict=True)
    ]
    return TextFile(f"made-{number:05}.parquet", first, texts)


def write_raw(folder: Path, file: TextFile) -> None:
    """The raw files of those documents of a text file that have one."""
    for start in range(0, len(file.texts), CHUNKS_PER_DOCUMENT):
        document = (file.first + start) // CHUNKS_PER_DOCUMENT
        if document % DOCUMENTS_PER_RAW_FILE == 1:
            (folder / f"file{document}.txt").write_bytes(
                b"".join(file.texts[start : start + CHUNKS_PER_DOCUMENT])
            )


def write_shards(warehouse: Warehouse) -> None:
    """Shard files of the right length, with the tokens of the documents that have a raw file; the rest is holes."""
    home = warehouse.home
    tokenizer = Tokenizer.from_file(home.tokens / "default-bytes" / "tokenizer.json")
    with warehouse.read() as connection:
        shards = connection.execute("SELECT path, n_tokens FROM tokens.shard").fetchall()
        chunks = connection.execute(Path(__file__).with_name("warehouse_tokens.sql").read_text()).fetchall()
    for path, n_tokens in shards:
        with (home.tokens / path).open("wb") as file:
            file.truncate(n_tokens * TOKEN_DTYPE.itemsize)
    for path, token_start, text_name, rows in chunks:
        texts = textstore.read_rows(home.text / text_name, rows)
        tokens, _ = joined_chunks(tokenizer.encode_batch(texts))
        with (home.tokens / path).open("r+b") as file:
            file.seek(token_start * TOKEN_DTYPE.itemsize)
            file.write(tokens.astype(TOKEN_DTYPE).tobytes())


def make_home(root: Path, n_chunks: int, memory: str = "4GiB") -> Warehouse:
    """Make a home with `n_chunks` chunks, a multiple of 50; nothing is published yet."""
    warehouse = Warehouse(Home(root.absolute()), memory_limit=memory)
    warehouse.initialise("salt")
    staged = warehouse.home.temporary / "made"
    staged.mkdir(exist_ok=True)
    stream = word_stream()
    for number in range(-(-n_chunks // CHUNKS_PER_FILE)):
        file = text_file(number, n_chunks, stream)
        file.write(warehouse.home.text)
        write_raw(warehouse.home.raw, file)
        parquet.write_table(file.rows(), staged / f"{number:05}.parquet")
    tokenizer = train_tokenizer([], 257)
    (warehouse.home.tokens / "default-bytes").mkdir(exist_ok=True)
    (warehouse.home.tokens / "default-bytes" / "tokenizer.json").write_bytes(tokenizer)
    known: dict[str, object] = {
        "n_documents": n_chunks // CHUNKS_PER_DOCUMENT, "raw": str(warehouse.home.raw), "chunking_id": CHUNKING,
        "reference_id": REFERENCE, "recipe": Recipe("default").to_json(), "tokenizer_id": UUID(int=3),
        "tokenizer_sha256": hashlib.sha256(tokenizer).digest(),
    }  # fmt: skip
    with warehouse.write("making up a corpus") as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE made AS SELECT * REPLACE (chunk_id::UUID AS chunk_id)"
            " FROM read_parquet(?) ORDER BY i",
            [f"{staged}/*.parquet"],
        )
        for statement in connection.extract_statements(
            Path(__file__).with_name("warehouse_rows.sql").read_text()
        ):
            connection.execute(statement, {name: known[name] for name in statement.named_parameters})
        run_script(connection, "record_model_sources", {})
    write_shards(warehouse)
    for file_path in staged.iterdir():
        file_path.unlink()
    staged.rmdir()
    return warehouse


def main() -> None:
    """Make the home and publish it; print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--chunks", type=int, default=1_000_000, help="a multiple of 50")
    arguments = parser.parse_args()
    started = time.perf_counter()
    warehouse = make_home(arguments.home, arguments.chunks)
    made = time.perf_counter()
    warehouse.publish()
    print(json.dumps({
        "benchmark": "made_up_home", "n_chunks": arguments.chunks, "make_seconds": round(made - started, 1),
        "publish_seconds": round(time.perf_counter() - made, 1), "n_bytes": warehouse.home.database.stat().st_size,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
