"""Texts, keys and scratch databases for the tests of this room."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from warehouse.database import Connection, Warehouse
from warehouse.dedup.candidates import MEMBER_SCHEMA
from warehouse.home import Home


@dataclass(frozen=True)
class ListedPair:
    """A row of a pair list: positions of two texts, and the word-5-gram Jaccard that it states."""

    a: int
    b: int
    jaccard: float


@dataclass(frozen=True)
class PairList:
    names: list[str]
    texts: list[str]
    pairs: list[ListedPair]


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Connection]:
    """An empty database in memory that spills."""
    with Warehouse(Home(tmp_path / "home"), memory_limit="256MiB").scratch() as connection:
        yield connection


@pytest.fixture
def make_members() -> Callable[..., pa.Table]:
    """Rows for the join from texts by chunk id; all current and new but those named."""

    def make(texts: dict[bytes, str], known: Sequence[bytes] = (), retired: Sequence[bytes] = ()) -> pa.Table:
        rows = [
            {
                "chunk_id": chunk_id,
                "text_sha256": hashlib.sha256(text.encode()).digest(),
                "is_current": chunk_id not in retired,
                "is_known": chunk_id in known,
            }
            for chunk_id, text in texts.items()
        ]
        return pa.Table.from_pylist(rows, schema=MEMBER_SCHEMA)

    return make


@pytest.fixture
def pair_list(corpora: Path) -> Callable[[str], PairList]:
    """Reads one of the near-duplicate corpora with its list of pairs."""

    def read(name: str) -> PairList:
        folder = corpora / "neardup" / name
        suffix = ".txt" if name == "spdx_licences" else ""
        with next(folder.glob("PAIRS*.csv")).open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        names = sorted({row[side] for row in rows for side in "ab"})
        place = {name: index for index, name in enumerate(names)}
        texts = [(folder / f"{name}{suffix}").read_bytes().decode("utf-8", "replace") for name in names]
        pairs = [ListedPair(place[row["a"]], place[row["b"]], float(row["jaccard_word5"])) for row in rows]
        return PairList(names, texts, pairs)

    return read
