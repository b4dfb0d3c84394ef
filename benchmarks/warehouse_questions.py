"""Seconds of the questions that a Training Database must answer, and of publishing it, on made-up rows of any size.

Asked on the newest published copy through the project's own queries and functions: from a model to its licences and to
its files (a promoted mix of six replicates and their trunk; a model that read everything), from a file to every model,
from a token of a shard to the raw bytes (replayed and proved), a filter over metadata with a histogram, a chunk's row
and text by its id. `cold` is the first question of its kind on a fresh connection, `warm` the median and the most of
those after it. Publishing is timed with a new commit; the peer copies the same rows with COPY FROM DATABASE.

The home is made by ``benchmarks/made_up_home.py`` if it is not there, at HOME or in a temporary folder. Publishing it
again takes as much disk as the database, three times at most.

    python benchmarks/warehouse.py --chunks 1000000
    python benchmarks/warehouse.py --home /tmp/home --chunks 10000000 --peer
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from made_up_home import CHUNKS_PER_DOCUMENT, DOCUMENTS_PER_RAW_FILE, make_home

from warehouse.database import Connection, Warehouse, literal, query, scalar
from warehouse.home import Home
from warehouse.lineage.token_place import find_shards, find_token
from warehouse.lineage.token_proof import prove
from warehouse.retrieval.texts import chunk_texts, stored_chunk

PROMOTED, EVERYTHING = 7, 8
HISTOGRAMS = {
    "filter_histogram_of_chunks": """
        SELECT floor(mean_word_length * 10) / 10 AS bucket, count(*) FROM corpus.chunk
        WHERE language = 'en' AND n_words BETWEEN 50 AND ? AND digit_share < 0.1 GROUP BY bucket ORDER BY bucket
    """,
    "filter_histogram_over_tables": """
        SELECT corpus, floor(bits_per_byte * 10) / 10 AS bucket, count(*)
        FROM corpus.chunk JOIN corpus.perplexity USING (chunk_id) JOIN corpus.document USING (document_id)
        JOIN corpus.stream USING (stream_id) JOIN corpus.source_file USING (source_id)
        WHERE document.language = 'de' AND chunk.n_words BETWEEN 50 AND ? AND licence = 'MIT' GROUP BY ALL ORDER BY ALL
    """,
}


def made_up_id(name: str) -> UUID:
    """The id that warehouse_rows.sql gives to something by its name."""
    return UUID(bytes=hashlib.md5(name.encode(), usedforsecurity=False).digest())


def timed(ask: Callable[[], object]) -> float:
    """Milliseconds of one question."""
    started = time.perf_counter()
    assert ask(), "a question without an answer"
    return (time.perf_counter() - started) * 1000


def times_of(asks: list[Callable[[], object]]) -> dict[str, float]:
    """Cold, and of those after it the median and the most, in milliseconds."""
    cold, *warm = [timed(ask) for ask in asks]
    return {"cold": round(cold, 1), "warm": round(statistics.median(warm), 1), "most": round(max(warm), 1)}


def model_questions(connection: Connection, repeats: int) -> dict[str, dict[str, float]]:
    """From models to licences and files."""

    def rows(name: str, parameters: dict[str, object]) -> Callable[[], object]:
        return lambda: connection.execute(query(name), parameters).fetchall()

    found = {}
    for label, number in (("promoted", PROMOTED), ("everything", EVERYTHING)):
        model = made_up_id(f"model{number}")
        licences = rows("report_model_licences", {"checkpoint_id": model})
        sources = rows("trace_checkpoint_sources", {"id": model, "limit": 10_000_000})
        found[f"model_to_licences_{label}"] = times_of([licences] * repeats)
        found[f"model_to_files_{label}"] = times_of([sources] * repeats)
    return found


def file_questions(connection: Connection, n_documents: int, repeats: int) -> dict[str, dict[str, float]]:
    """From files of the train split to models: plain files, and archives of 100 documents."""
    draw = random.Random(1)  # noqa: S311  # no secret  # which files are asked for is no secret
    trained_on = [i for i in range(n_documents) if i // 8 % 10 < 7]
    numbers = [draw.choice(trained_on) for _ in range(repeats)]
    names = [f"file{i}" if i % 8 else f"archive{i // 800}" for i in numbers]
    sql = query("trace_source_file_models")
    return {
        "file_to_models": times_of(
            [
                lambda name=name: connection.execute(sql, {"id": made_up_id(name), "limit": 1000}).fetchall()
                for name in names
            ]
        )
    }


def histogram_questions(connection: Connection, repeats: int) -> dict[str, dict[str, float]]:
    """Filters over metadata, each with another bound."""
    return {
        name: times_of(
            [lambda n=n, sql=sql: connection.execute(sql, [100 + n]).fetchall() for n in range(repeats)]
        )
        for name, sql in HISTOGRAMS.items()
    }


def token_questions(
    connection: Connection, home: Home, n_documents: int, repeats: int
) -> dict[str, dict[str, float]]:
    """From tokens to raw bytes, proved, in documents that have their raw file."""
    draw = random.Random(2)  # noqa: S311  # no secret
    documents = range(1, n_documents, DOCUMENTS_PER_RAW_FILE)
    chunks = [
        draw.choice(documents) * CHUNKS_PER_DOCUMENT + draw.randrange(CHUNKS_PER_DOCUMENT)
        for _ in range(repeats)
    ]
    sql = "SELECT shard_id::VARCHAR, token_start + 1 + ? FROM tokens.shard_chunk WHERE chunk_id = ?"
    places = [
        connection.execute(sql, [draw.randrange(99), made_up_id(f"chunk{i}")]).fetchall()[0] for i in chunks
    ]

    def holds(shard: str, token: int) -> bool:
        [origin] = find_shards(connection, shard)
        return prove(find_token(connection, origin, token), home).verdict == "whole"

    return {"token_to_raw_bytes": times_of([lambda place=place: holds(*place) for place in places])}


def chunk_questions(
    connection: Connection, home: Home, n_chunks: int, repeats: int
) -> dict[str, dict[str, float]]:
    """Rows and texts of chunks drawn anywhere."""
    draw = random.Random(3)  # noqa: S311  # no secret
    ids = [made_up_id(f"chunk{draw.randrange(n_chunks)}") for _ in range(repeats)]
    row = (
        "SELECT chunk.* FROM corpus.chunk_place JOIN corpus.chunk ON chunk.rowid = chunk_row"
        " WHERE chunk_place.chunk_id = ?"
    )
    return {
        "text_by_id": times_of([lambda i=i: chunk_texts(connection, home, [i]) for i in ids]),
        "text_and_origin_by_id": times_of([lambda i=i: stored_chunk(connection, home, i) for i in ids]),
        "all_columns_by_id": times_of([lambda i=i: connection.execute(row, [i]).fetchall() for i in ids]),
    }


def publish_again(warehouse: Warehouse, *, with_peer: bool) -> dict[str, float]:
    """Seconds of publishing one more commit, and of the peer."""
    with warehouse.write("one more commit") as connection:
        connection.execute(
            "INSERT INTO meta.materialization BY NAME"
            ' SELECT * REPLACE (now() AS "at") FROM meta.materialization ORDER BY "at" DESC LIMIT 1'
        )
    started = time.perf_counter()
    warehouse.publish()
    seconds = {"publish_seconds": round(time.perf_counter() - started, 1)}
    if with_peer:
        seconds["copy_from_database_seconds"] = round(copy_rows(warehouse), 1)
    return seconds


def copy_rows(warehouse: Warehouse) -> float:
    """Seconds of COPY FROM DATABASE into a file on disk: how a copy is made without copying the file."""
    target = warehouse.home.temporary / "peer.duckdb"
    started = time.perf_counter()
    with warehouse.sharing(), warehouse.scratch() as connection:
        connection.execute(f"ATTACH {literal(warehouse.home.database)} AS old (READ_ONLY)")
        connection.execute(f"ATTACH {literal(target)} AS new (STORAGE_VERSION 'v1.2.0')")
        connection.execute("COPY FROM DATABASE old TO new")
        connection.execute("DETACH new")
    seconds = time.perf_counter() - started
    target.unlink()
    return seconds


def measure(warehouse: Warehouse, repeats: int) -> dict[str, object]:
    """Every question, each kind on a connection of its own."""
    home = warehouse.home
    asked: dict[str, object] = {}
    with warehouse.read_published() as connection:
        n_chunks = scalar(connection, "SELECT count(*) FROM corpus.chunk")
        n_documents = scalar(connection, "SELECT count(*) FROM corpus.document")
        asked |= {"n_chunks": n_chunks, "n_documents": n_documents}
    for question in (
        lambda connection: model_questions(connection, repeats),
        lambda connection: file_questions(connection, n_documents, repeats),
        lambda connection: token_questions(connection, home, n_documents, repeats),
        lambda connection: histogram_questions(connection, repeats),
        lambda connection: chunk_questions(connection, home, n_chunks, repeats),
    ):
        started = time.perf_counter()
        with warehouse.read_published() as connection:
            asked["open_ms"] = round((time.perf_counter() - started) * 1000, 1)
            asked |= question(connection)
    return asked


def main() -> None:
    """Make or take a home, measure, print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="made there if it is not there yet")
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--keep-published", action="store_true", help="do not time publishing")
    parser.add_argument("--peer", action="store_true", help="time COPY FROM DATABASE too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fakesmrt-warehouse-") as folder:
        root = arguments.home or Path(folder) / "home"
        warehouse = Warehouse(Home(root.absolute()))
        if warehouse.home.database.exists():
            warehouse.upgrade()
        else:
            make_home(root, arguments.chunks)
        published = {} if arguments.keep_published else publish_again(warehouse, with_peer=arguments.peer)
        result = {"benchmark": "warehouse", **measure(warehouse, arguments.repeats), **published}
        print(json.dumps({**result, "database_bytes": warehouse.home.database.stat().st_size}))


if __name__ == "__main__":
    main()
