"""Looks for text in every place of a home, as somebody would who does not know how it is laid out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.database import Warehouse
from warehouse.tokens.shards import TOKENIZER_FILE, manifest_of, open_shard
from warehouse.tokens.tokenizer import Tokenizer

N_WORDS = 8


def windows(text: str) -> set[str]:
    """Every run of eight words of a text."""
    words = text.split()
    return {" ".join(words[start : start + N_WORDS]) for start in range(len(words) - N_WORDS + 1)}


def found_windows(warehouse: Warehouse, wanted: set[str]) -> dict[str, set[str]]:
    """The places of a home that hold some of the windows, with those."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for place, text in texts_of(warehouse):
        if there := windows(re.sub(r"\\[nrt]", " ", text)) & wanted:
            found[place] |= there
    return dict(found)


def texts_of(warehouse: Warehouse) -> Iterator[tuple[str, str]]:
    """Every text in a home, with the place where it stands."""
    root = warehouse.home.root
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
        place = str(path.relative_to(root))
        if path.suffix == ".duckdb":
            yield from _texts_of_database(warehouse, path, place)
        elif path.suffix == ".parquet":
            yield from _texts_of_parquet(path, place)
        elif path.suffix == ".bin" and manifest_of(path).exists():
            yield place, _text_of_shard(path)
        # As they lie on disk too: free pages, headers, statistics, event logs.
        yield f"{place} (bytes)", path.read_bytes().decode("latin-1")


def _texts_of_database(warehouse: Warehouse, path: Path, place: str) -> Iterator[tuple[str, str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        relations = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE view_name = 'chunk_text'"
        ).fetchall()
        for schema, table in relations:
            rows = connection.sql(f'FROM "{schema}"."{table}"').to_arrow_table()
            yield f"{place} {schema}.{table}", _joined(rows)


def _texts_of_parquet(path: Path, place: str) -> Iterator[tuple[str, str]]:
    yield place, _joined(parquet.read_table(path))


def _joined(rows: pa.Table) -> str:
    columns = [
        column
        for column in rows.columns
        if pa.types.is_string(column.type)
        or pa.types.is_large_string(column.type)
        or pa.types.is_string_view(column.type)
    ]
    return "\n".join(value for column in columns for value in column.to_pylist() if value)


def _text_of_shard(path: Path) -> str:
    shard = open_shard(manifest_of(path))
    tokenizer = Tokenizer.from_file(path.parent / TOKENIZER_FILE)
    return "\n".join(
        tokenizer.decode(shard.tokens[int(record["token_start"]) + 1 : int(record["token_end"])].tolist())
        for record in shard.index
    )
