"""Seconds from a changed threshold to what it keeps and drops, by corpus and reason, on a million chunks.

The database is made up (``threshold.sql``): 50 chunks a document, scores, clusters and their pairs, repeated passages
and contamination. Measured is what ``fakesmrt plan --recipe`` does: a recipe with another threshold is put beside the
published copy, and the view ``corpus.training_chunk`` is counted; the first time cold (a fresh connection), then warm,
with a new threshold each time. The peers decide the same signals in the same run, without duplicates, passages or
contamination: polars over one Parquet file of the columns that the rules need, and a pass in Python over JSON Lines,
as filters that read records one by one must do (on a tenth of the chunks, times ten).

Processor seconds stand beside wall seconds, because the machine may be busy with other things.

    python benchmarks/threshold.py --chunks 1000000
    python benchmarks/threshold.py --peer-python /path/to/an/environment/with/polars/bin/python
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from warehouse.database import Connection, Warehouse
from warehouse.home import Home
from warehouse.recipe_comparison import AppliedRecipe, apply_recipe, count_decisions
from warehouse.recipes import QualityRules, Recipe

CHUNKING = UUID(int=1)
REFERENCE = UUID(int=2)
COLUMNS = (
    "corpus, n_words, n_characters, n_replaced, letter_share, digit_share, duplicate_line_character_share,"
    " percentile"
)
POLARS = """
import sys, time, polars as pl
started = time.perf_counter()
n = pl.col("n_words")
reason = (
    pl.when(pl.col("n_replaced") > 0.01 * pl.col("n_characters")).then(pl.lit("replaced_characters"))
    .when(n < int(sys.argv[2])).then(pl.lit("too_few_words"))
    .when(pl.col("duplicate_line_character_share") > 0.6).then(pl.lit("duplicate_line_character_share"))
    .when(pl.col("letter_share") < 0.4).then(pl.lit("letter_share"))
    .when(pl.col("digit_share") > 0.4).then(pl.lit("digit_share"))
    .when(pl.col("percentile") > 0.98).then(pl.lit("perplexity"))
)
pl.scan_parquet(sys.argv[1]).group_by("corpus", reason.alias("reason")).len().collect()
print(time.perf_counter() - started)
"""


def make(warehouse: Warehouse, n_chunks: int) -> None:
    """Fill a new home and publish it; the texts are one Parquet file of nothing."""
    known = {"n_chunks": n_chunks, "chunking_id": CHUNKING, "reference_id": REFERENCE}
    script = Path(__file__).with_suffix(".sql").read_text()
    with warehouse.write("making up a corpus") as connection:
        for statement in connection.extract_statements(script):
            connection.execute(statement, {name: known[name] for name in statement.named_parameters})
        empty = warehouse.home.text / "made.parquet"
        connection.sql("SELECT chunk_id, '' AS text FROM corpus.chunk LIMIT 1").to_parquet(str(empty))
    warehouse.publish()


def recipe_with(min_words: int) -> AppliedRecipe:
    """The default recipe with another threshold."""
    recipe = dataclasses.replace(Recipe("tried"), quality=QualityRules(min_words=min_words))
    return AppliedRecipe("tried", json.loads(recipe.to_json()), CHUNKING, REFERENCE)


def effect(connection: Connection, min_words: int) -> int:
    """Apply the threshold; chunks that are kept."""
    recipe = recipe_with(min_words)
    apply_recipe(connection, recipe)
    return sum(row.n_chunks for row in count_decisions(connection, recipe) if row.reason is None)


def timed(function: Callable[[], int]) -> tuple[float, float, int]:
    """Wall seconds, processor seconds and what it returns."""
    wall, processor = time.perf_counter(), time.process_time()
    value = function()
    return time.perf_counter() - wall, time.process_time() - processor, value


def measure(warehouse: Warehouse) -> dict[str, object]:
    """Cold and warm seconds of a new threshold."""
    with warehouse.beside_published() as connection:
        cold = timed(lambda: effect(connection, 10))
        warm = [timed(lambda words=words: effect(connection, words)) for words in range(20, 120, 10)]
    kept = [run[2] for run in (cold, *warm)]
    assert sorted(kept, reverse=True) == kept, "a stricter threshold keeps fewer"
    return {
        "cold_seconds": round(cold[0], 3),
        "cold_cpu_seconds": round(cold[1], 3),
        "warm_seconds_median": round(statistics.median(run[0] for run in warm), 3),
        "warm_seconds_least": round(min(run[0] for run in warm), 3),
        "warm_cpu_seconds_median": round(statistics.median(run[1] for run in warm), 3),
        "n_kept_of_loosest_and_strictest": [kept[0], kept[-1]],
    }


def write_for_peers(warehouse: Warehouse, folder: Path) -> tuple[Path, Path]:
    """What the rules need, as Parquet, and a tenth of it as JSON Lines."""
    flat, lines = folder / "chunks.parquet", folder / "chunks.jsonl"
    with warehouse.read() as connection:
        connection.execute(
            f"CREATE TEMPORARY VIEW flat AS SELECT {COLUMNS} FROM ("  # noqa: S608  # names from this file only
            " SELECT chunk.*, source_file.corpus, perplexity.percentile_in_corpus AS percentile FROM corpus.chunk"
            " JOIN corpus.document USING (document_id) JOIN corpus.stream USING (stream_id)"
            " JOIN corpus.source_file USING (source_id) JOIN corpus.perplexity USING (chunk_id))"
        )
        connection.execute(f"COPY flat TO '{flat}'")
        connection.execute(f"COPY (FROM flat USING SAMPLE 10 PERCENT (system, 1)) TO '{lines}' (FORMAT json)")
    return flat, lines


def count_lines(lines: Path, min_words: int) -> int:
    """The same rules, record by record; records that were read."""
    counts: Counter[tuple[str, str | None]] = Counter()
    with lines.open() as stream:
        for line in stream:
            row = json.loads(line)
            reason = None
            if row["n_replaced"] > 0.01 * row["n_characters"]:
                reason = "replaced_characters"
            elif row["n_words"] < min_words:
                reason = "too_few_words"
            elif row["duplicate_line_character_share"] > 0.6:
                reason = "duplicate_line_character_share"
            elif row["letter_share"] < 0.4:
                reason = "letter_share"
            elif row["digit_share"] > 0.4:
                reason = "digit_share"
            elif row["percentile"] > 0.98:
                reason = "perplexity"
            counts[row["corpus"], reason] += 1
    return sum(counts.values())


def main() -> None:
    """Make, measure, print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--peer-python", help="Python of an environment that has polars.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fakesmrt-threshold-") as folder:
        warehouse = Warehouse(Home(Path(folder) / "home"))
        warehouse.initialise("salt")
        make(warehouse, arguments.chunks)
        result = {"benchmark": "threshold", "n_chunks": arguments.chunks, **measure(warehouse)}
        flat, lines = write_for_peers(warehouse, Path(folder))
        seconds, processor, n_read = timed(lambda: count_lines(lines, 30))
        result["json_lines_seconds"] = round(seconds * arguments.chunks / n_read, 3)
        result["json_lines_cpu_seconds"] = round(processor * arguments.chunks / n_read, 3)
        if arguments.peer_python:
            command = [arguments.peer_python, "-c", POLARS, str(flat), "30"]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            result["polars_seconds"] = round(float(output), 3)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
