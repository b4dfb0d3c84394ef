"""Full-text search over a made-up home: indexing, questions, sizes, beside tantivy and bm25s where they are installed.

The home is one of ``made_up_home.py`` and gets a word index. Questions are of three words each: rare ones (in about 1
of 10,000 chunks), common ones (1 of 100), and the most frequent of all. "exact" compares the ten best scores with a
computation that shares no code: bm25s (method "robertson" with the same logarithm differs only by its constant
factor) where it is there and there are at most 200,000 chunks.

    python benchmarks/made_up_home.py /tmp/home --chunks 100000
    PYTHONPATH=/path/to/site-packages/with/tantivy/and/bm25s python benchmarks/search.py /tmp/home
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.database import Connection, Warehouse, run_script
from warehouse.files import names
from warehouse.home import Home
from warehouse.retrieval.search import search
from warehouse.retrieval.segments import POSTING, WordSplitter, index_rule
from warehouse.stages.search_index import WantedFile, index_files, plan_segments
from warehouse.textstore import read_texts

LIMIT = 10
REPEATS = 10
MOST_CHUNKS_OF_BM25S = 200_000
SHARES = {"rare": 1e-4, "common": 1e-2, "most_frequent": 1.0}


def index_home(warehouse: Warehouse, workers: int) -> dict[str, float]:
    """Make the word index of every text of the home, and publish it."""
    home = warehouse.home
    wanted = [
        WantedFile(name, parquet.read_metadata(home.text / name).num_rows)
        for name in names(home.text, "*.parquet")
    ]
    for name in names(home.index, "search-*.parquet"):
        (home.index / name).unlink()
    started = time.perf_counter()
    plan = plan_segments(wanted, [], index_rule())
    index = partial(index_files, text_folder=home.text, index_folder=home.index, rule=index_rule())
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        indexed = pa.concat_tables(executor.map(index, plan.new))
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder, warehouse.write("benchmark") as connection:
        omitted = Path(folder) / "omitted.parquet"
        parquet.write_table(POSTING.empty_table(), omitted)
        connection.register("indexed", indexed)
        run_script(connection, "record_search_index", {"kept": [], "omitted": str(omitted)})
        # Without a new commit nothing is published.
        connection.execute('UPDATE meta.materialization SET "at" = now()')
    warehouse.publish()
    n_bytes = sum((home.index / name).stat().st_size for name in names(home.index, "search-*.parquet"))
    return {
        "n_chunks": sum(file.n_wanted for file in wanted),
        "n_segments": len(plan.new),
        "index_seconds": round(seconds, 1),
        "index_bytes": n_bytes,
        "text_file_bytes": sum((home.text / file.text_file).stat().st_size for file in wanted),
    }


def questions(connection: Connection, n_chunks: int) -> dict[str, list[str]]:
    """Three words a question, by how many chunks hold them."""
    chosen = {}
    for label, share in SHARES.items():
        rows = connection.execute(
            "FROM (FROM corpus.search_posting SELECT word, count(*) AS n WHERE word <> '' GROUP BY word) "
            "SELECT word WHERE length(word) > 1 ORDER BY abs(ln(n / ?)), word LIMIT 3",
            [share * n_chunks],
        ).fetchall()
        chosen[label] = [word for (word,) in rows]
    return chosen


def timed(ask: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of an answer: the first, then the median of the others."""
    taken = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - started))
    return {"first_ms": round(taken[0], 1), "median_ms": round(statistics.median(taken[1:]), 1)}


def all_texts(home: Home) -> Iterator[str]:
    for name in names(home.text, "*.parquet"):
        for batch in read_texts(home.text / name, 4096):
            yield from batch.to_pylist()


def tantivy_figures(home: Home, asked: dict[str, list[str]], workers: int) -> dict[str, Any]:
    """The same texts and questions in tantivy; its ids are the texts' places."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("body", stored=False, index_option="freq")
    builder.add_unsigned_field("place", stored=True)
    with tempfile.TemporaryDirectory() as folder:
        index = tantivy.Index(builder.build(), path=folder)
        started = time.perf_counter()
        writer = index.writer(512 << 20, workers)
        for place, text in enumerate(all_texts(home)):
            writer.add_document(tantivy.Document(body=[text], place=place))
        writer.commit()
        writer.wait_merging_threads()
        seconds = time.perf_counter() - started
        index.reload()
        n_bytes = sum(path.stat().st_size for path in Path(folder).iterdir())
        figures: dict[str, Any] = {"index_seconds": round(seconds, 1), "index_bytes": n_bytes}
        for label, words in asked.items():
            query = index.parse_query(" ".join(words), ["body"])
            figures[label] = timed(lambda query=query: index.searcher().search(query, LIMIT))
    return figures


def bm25s_figures(home: Home, asked: dict[str, list[str]], scores: dict[str, list[float]]) -> dict[str, Any]:
    """The same words and questions in bm25s, and whether the ten best scores are the same."""
    import bm25s

    splitter = WordSplitter()
    words = [
        split
        for name in names(home.text, "*.parquet")
        for batch in read_texts(home.text / name, 4096)
        for split in splitter.split(batch).to_pylist()
    ]
    started = time.perf_counter()
    retriever = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    retriever.index(words, show_progress=False)
    figures: dict[str, Any] = {"index_seconds_without_splitting": round(time.perf_counter() - started, 1)}
    for label, question in asked.items():
        ask = partial(retriever.retrieve, [question], k=LIMIT, show_progress=False)
        figures[label] = timed(ask)
        theirs = sorted((float(score) * 2.2 for score in ask().scores[0] if score > 0), reverse=True)
        ours = scores[label]
        figures[label]["same_scores"] = len(theirs) == len(ours) and all(
            abs(own - other) < 1e-4 * max(1.0, own) for own, other in zip(ours, theirs, strict=True)
        )
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    home = Home(arguments.home.absolute())
    warehouse = Warehouse(home)
    figures: dict[str, Any] = {"benchmark": "search", **index_home(warehouse, arguments.workers)}
    scores = {}
    with warehouse.read_published() as connection:
        asked = questions(connection, int(figures["n_chunks"]))
        for label, words in asked.items():
            ask = partial(search, connection, " ".join(words), limit=LIMIT)
            figures[label] = {"words": words, **timed(ask)}
            scores[label] = [hit.score for hit in ask()]
    if importlib.util.find_spec("tantivy"):
        figures["tantivy"] = tantivy_figures(home, asked, arguments.workers)
    if importlib.util.find_spec("bm25s") and figures["n_chunks"] <= MOST_CHUNKS_OF_BM25S:
        figures["bm25s"] = bm25s_figures(home, asked, scores)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
