"""What one per cent more text costs, stage by stage, and whether it gives what a build from nothing gives.

A corpus is built, built again with nothing changed, built with `--share` more text, and built from nothing in
another home under the same pins (salt, split units, perplexity reference, tokenizer). Then every table of the schemas
corpus and tokens, every stored text and every shard is compared; where a text lies, and when a row came, may differ.

Example: python benchmarks/increment.py ~/texts --megabytes 40 --share 0.01
prints one JSON line: seconds of each stage in each build, the share of the whole build's seconds that the increment
took, and what differed (nothing).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.corpora import Registration, register
from warehouse.database import Connection, Warehouse
from warehouse.home import Home
from warehouse.stages import (
    chunk,
    contamination,
    document,
    duplicate,
    perplexity,
    repeated_passage,
    shard,
    source_file,
    training_chunk,
)
from warehouse.stages.stage import BuildSettings, StageContext
from warehouse.textstore import read_rows

STAGES = (
    source_file, document, chunk, repeated_passage, duplicate, contamination, perplexity, training_chunk, shard,
)  # fmt: skip

ELSEWHERE = {"text_file", "text_row", "index_file"}
"""Columns that say where something lies: new text goes into new files."""

WHEN = {"first_seen_at", "added_at", "at", "pinned_at", "modified_ns", "changed_ns", "retired_at"}

OF_SHARDS = {"shard_chunk", "shard_origin", "left_out"}

PINS = {
    "corpus.reference": "FROM made.corpus.reference",
    "corpus.reference_sample": "FROM made.corpus.reference_sample",
    "tokens.tokenizer": "FROM made.tokens.tokenizer",
}


@dataclass(frozen=True)
class Split:
    """The files of the first build, and those that come later."""

    first: list[Path]
    later: list[Path]


def _n_bytes(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def choose_files(folder: Path, n_bytes: int, share: float) -> Split:
    """Files of a folder in the order of their names' hashes: about so many bytes, and a share more."""
    found = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest(),
    )
    split, least = Split([], []), n_bytes * share
    n_first = n_later = 0
    for path in found:
        size = path.stat().st_size
        if n_later < least and size <= least:
            split.later.append(path)
            n_later += size
        elif n_first < n_bytes:
            split.first.append(path)
            n_first += size
    if n_first < n_bytes or n_later < least:
        sys.exit(f"{folder} holds less than {n_bytes + least:,.0f} bytes")
    return split


def place(files: Sequence[Path], source: Path, target: Path) -> None:
    """Copy files, with old times: a file of the last two seconds would be hashed again."""
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        os.utime(copy, (1_600_000_000, 1_600_000_000))


def new_home(root: Path, corpus: Path, licence: str) -> Warehouse:
    warehouse = Warehouse(Home(root))
    warehouse.initialise("a salt for benchmarks")
    with warehouse.write("benchmark") as connection:
        for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
            register(connection, Registration(folder.name, [str(folder)], licence))
    return warehouse


def build(warehouse: Warehouse, workers: int) -> dict[str, float]:
    """Run the corpus stages and the shards; seconds of each."""
    context = StageContext(warehouse, BuildSettings(workers=workers))
    seconds = {}
    for stage in STAGES:
        report = stage.run(context)
        seconds[stage.ASSET] = round(report.seconds, 3)
        print(f"{stage.ASSET}: {report.seconds:.2f} s {dict(report.counts)}", file=sys.stderr)
    return seconds


def copy_pins(made: Warehouse, fresh: Warehouse) -> None:
    """Give another home the same pinned references, tokenizer and split units."""
    shutil.copytree(made.home.references, fresh.home.references, dirs_exist_ok=True)
    for tokenizer in made.home.tokens.glob("*/tokenizer.json"):
        target = fresh.home.tokens / tokenizer.parent.name
        target.mkdir(parents=True)
        shutil.copyfile(tokenizer, target / tokenizer.name)
    with fresh.write("benchmark") as connection:
        connection.execute(f"ATTACH '{made.home.database}' AS made (READ_ONLY)")
        for table, rows in PINS.items():
            connection.execute(f"INSERT INTO {table} BY NAME {rows}")
        connection.execute(
            "UPDATE corpus.corpus SET split_unit = other.split_unit FROM made.corpus.corpus AS other "
            "WHERE corpus.corpus = other.corpus"
        )


def differing_tables(connection: Connection) -> dict[str, int]:
    """Rows of each table that only one of the databases a and b has."""
    tables = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = 'a' AND schema_name IN ('corpus', 'tokens') ORDER BY ALL"
    ).fetchall()
    differing = {}
    for schema, table in tables:
        columns = connection.execute(
            "SELECT column_name FROM duckdb_columns() "
            "WHERE database_name = 'a' AND schema_name = ? AND table_name = ? ORDER BY column_index",
            [schema, table],
        ).fetchall()
        compared = ", ".join(f'"{name}"' for (name,) in columns if name not in ELSEWHERE | WHEN)
        # What past shards held stays for the models that were made of them.
        current = "SEMI JOIN {}.tokens.shard USING (shard_id)" if table in OF_SHARDS else ""
        sides = [
            # Names of tables and columns are the database's own.
            f"SELECT {compared} FROM {side}.{schema}.{table} {current.format(side)}"  # noqa: S608  # names of tables
            for side in "ab"
        ]
        a, b = (connection.sql(side) for side in sides)
        if n_rows := len(a.except_(b)) + len(b.except_(a)):
            differing[f"{schema}.{table}"] = n_rows
    return differing


def wrong_texts(warehouse: Warehouse) -> int:
    """Chunks whose stored text has another hash than their row says."""
    with warehouse.read() as connection:
        rows = connection.execute(
            "SELECT text_file, text_row, text_sha256 FROM corpus.chunk ORDER BY ALL"
        ).fetchall()
    by_file: dict[str, list[tuple[int, bytes]]] = {}
    for name, row, sha256 in rows:
        by_file.setdefault(name, []).append((row, sha256))
    return sum(
        hashlib.sha256(text.encode()).digest() != sha256
        for name, there in by_file.items()
        for text, (_, sha256) in zip(
            read_rows(warehouse.home.text / name, [row for row, _ in there]), there, strict=True
        )
    )


def shard_bytes(warehouse: Warehouse) -> dict[str, bytes]:
    """The tokens of every shard by its path below tokens/."""
    folder = warehouse.home.tokens
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.bin")
        if path.with_suffix(".json").exists()
    }


def compare(made: Warehouse, fresh: Warehouse) -> dict[str, int]:
    """What differs between two homes, with how much."""
    with made.scratch() as connection:
        connection.execute(f"ATTACH '{made.home.database}' AS a (READ_ONLY)")
        connection.execute(f"ATTACH '{fresh.home.database}' AS b (READ_ONLY)")
        found = differing_tables(connection)
    if n_texts := wrong_texts(made) + wrong_texts(fresh):
        found["texts"] = n_texts
    shards = [shard_bytes(made), shard_bytes(fresh)]
    if n_shards := sum(shards[0].get(name) != shards[1].get(name) for name in shards[0].keys() | shards[1]):
        found["shard files"] = n_shards
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpora", type=Path, help="a folder with a folder of text files for each corpus")
    parser.add_argument("--megabytes", type=float, default=40.0, help="of raw text in the first build")
    parser.add_argument("--share", type=float, default=0.01, help="of it that comes later")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="folder for homes and files, kept; else a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work: Path = arguments.work or Path(name)
        files = work / "files"
        split = choose_files(arguments.corpora, int(arguments.megabytes * 1e6), arguments.share)
        place(split.first, arguments.corpora, files)
        made = new_home(work / "made", files, "MIT")
        seconds = {
            "first": build(made, arguments.workers),
            "unchanged": build(made, arguments.workers),
        }
        place(split.later, arguments.corpora, files)
        seconds["increment"] = build(made, arguments.workers)
        seconds["unchanged_again"] = build(made, arguments.workers)
        fresh = new_home(work / "fresh", files, "MIT")
        copy_pins(made, fresh)
        seconds["from_nothing"] = build(fresh, arguments.workers)
        differs = compare(made, fresh)
    figures = {
        "n_files": [len(split.first), len(split.later)],
        "n_bytes": [_n_bytes(split.first), _n_bytes(split.later)],
        "workers": arguments.workers,
        "seconds": seconds,
        "total_seconds": {name: round(sum(values.values()), 2) for name, values in seconds.items()},
        "increment_share": {
            stage: round(seconds["increment"][stage] / value, 4)
            for stage, value in seconds["from_nothing"].items()
            if value
        },
        "differs": differs,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
