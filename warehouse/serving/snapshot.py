"""One published version, open for streams: its tables, its shards, its texts.

What lives here: reading ranges of ids of one version. What does not: their order (``order.py``), which version a
stream reads and what happens when its file is replaced (``source.py``).
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakSet

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.database import Connection, Warehouse, query
from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration
from warehouse.publishing import newest_version
from warehouse.serving.tickets import IDENTITY_BYTES
from warehouse.textstore import read_rows_left, text_file
from warehouse.tokens.shards import MappedShard, manifest_of, map_shard

Answer = TypeVar("Answer")

SELECTION_REMEDY = "Mend its condition or weight"


class ReplacedError(Exception):
    """The version's file is no longer the one that was opened; the same stream goes on in the new one."""


@dataclass(frozen=True)
class ServedShard:
    """A shard and what a stream needs of it.

    Attributes:
        shard_id: as in ``tokens.shard``.
        tokens: token ids, mapped.
        n_chunks: chunks in it.
        weights: how often each chunk counts, in the order of the shard; None where each counts once.
        starts: where each chunk's tokens begin; empty where `weights` is None.
        units: a word of what shares a draw with each chunk; empty where `weights` is None.
    """

    shard_id: UUID
    tokens: NDArray[np.uint16]
    n_chunks: int
    weights: NDArray[np.float64] | None
    starts: NDArray[np.int64]
    units: NDArray[np.uint64]

    @classmethod
    def of(cls, shard_id: UUID, shard: MappedShard) -> ServedShard:
        tokens = np.asarray(shard.tokens)
        weights = np.asarray(shard.index["weight"], np.float64)
        n_chunks = len(weights)
        if np.all(weights == 1):
            return cls(shard_id, tokens, n_chunks, None, np.empty(0, np.int64), np.empty(0, np.uint64))
        units = np.ascontiguousarray(shard.index["document_id"][:, :8]).view(">u8").reshape(-1)
        starts = np.asarray(shard.index["token_start"], np.int64)
        return cls(shard_id, tokens, n_chunks, weights, starts, units.astype(np.uint64))


class Snapshot:
    """An open published version. Its methods may be called from several threads; each waits for the others."""

    def __init__(self, warehouse: Warehouse, path: Path) -> None:
        """Open it.

        Raises:
            FakesmrtError: if it cannot be opened, or an earlier fakesmrt published it.
        """
        self._warehouse = warehouse
        self.path = path
        self._lock = threading.Lock()
        self._open = ExitStack()
        self.is_broken = False
        with _opening:
            self._inode = _inode(path)
            # Within a process DuckDB hands out a database that is open under the path, were it another file by now.
            for other in _open_at(path):
                if not other.is_current:
                    other.close()
            self._read_identity()
            _snapshots.add(self)
        self._shards: dict[tuple[str, str | None], tuple[ServedShard, ...]] = {}

    def _read_identity(self) -> None:
        path = self.path
        try:
            self._connection: Connection | None = self._open.enter_context(
                self._warehouse.file(path, read_only=True)
            )
            [(number, identity)] = self._connection.execute(query("serving_version")).fetchall()
        except (duckdb.Error, ValueError) as error:
            self._open.close()
            raise InputUnreadable(
                f"The published copy {path} was made by an earlier fakesmrt", "Run: fakesmrt build corpus"
            ) from error
        self.number = int(number)
        self.stamp = hashlib.sha256(str(identity).encode()).digest()[:IDENTITY_BYTES]

    @property
    def is_current(self) -> bool:
        """Whether its file is still the one that was opened (forgetting replaces it, publishing removes it), and DuckDB
        still answers."""
        return not self.is_broken and _inode(self.path) == self._inode

    def close(self) -> None:
        """Close the file; whoever reads on gets a `ReplacedError`."""
        with self._lock:
            self._connection = None
            self._open.close()

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._run(lambda connection: connection.execute(sql, parameters).fetchall())

    def table(self, sql: str, parameters: Mapping[str, object]) -> pa.Table:
        """The rows of a query, as Arrow."""
        return self._run(lambda connection: connection.sql(sql, params=dict(parameters)).to_arrow_table())

    def asked(self, question: Callable[[Connection], Answer]) -> Answer:
        """What `question` finds in the open connection."""
        return self._run(question)

    def _required(self) -> Connection:
        if self._connection is None or self.is_broken:
            raise ReplacedError
        return self._connection

    def _run(self, question: Callable[[Connection], Answer]) -> Answer:
        try:
            with self._lock:
                return question(self._required())
        except (
            duckdb.ConversionException,
            duckdb.InvalidInputException,
            duckdb.OutOfRangeException,
        ) as error:
            raise InvalidConfiguration(f"The selection fails: {_line(error)}", SELECTION_REMEDY) from error
        except (duckdb.FatalException, duckdb.InternalException) as error:
            _break(self.path)
            if "has been invalidated" in str(error):
                # By what another stream asked for.
                raise ReplacedError from error
            raise InvalidConfiguration(
                f"DuckDB itself fails on the selection: {_line(error)}", SELECTION_REMEDY
            ) from error
        except duckdb.Error as error:
            raise FakesmrtError(
                f"DuckDB failed on version {self.number}: {_line(error)}", "Run: fakesmrt doctor"
            ) from error

    def recipes_with_shards(self) -> list[str]:
        """Recipes whose shards the version knows, sorted."""
        return [str(name) for (name,) in self.rows(query("serving_recipes"), {})]

    def recipe(self, name: str) -> tuple[UUID, int]:
        """The chunking of a recipe, and the number of chunks of the whole version.

        Raises:
            InvalidConfiguration: if the version has no such recipe.
        """
        rows = self.rows(query("serving_recipe"), {"recipe": name})
        if not rows:
            raise InvalidConfiguration(
                f"Version {self.number} has no recipe {name!r}",
                f"Build it with: fakesmrt build --recipe {name}",
            )
        return rows[0][0], int(rows[0][1])

    def shards(self, recipe: str, split: str | None) -> tuple[ServedShard, ...]:
        """The shards of a recipe and split; opened once.

        Raises:
            InputUnreadable: if there are none, or a build has replaced them.
        """
        known = self._shards.get((recipe, split))
        if known is None:
            rows = self.rows(query("serving_shards"), {"recipe": recipe, "split": split})
            if not rows:
                raise InputUnreadable(
                    f"Version {self.number} has no shards of the recipe {recipe!r}"
                    + (f" and the split {split!r}" if split else ""),
                    f"Write them with: fakesmrt build tokens --recipe {recipe}",
                )
            known = tuple(self._shard(*row) for row in rows)
            self._shards[recipe, split] = known
        return known

    def _shard(self, shard_id: UUID, path: str, sha256: bytes, _n_chunks: int) -> ServedShard:
        manifest = manifest_of(self._warehouse.home.tokens / path)
        try:
            shard = map_shard(manifest)
            if shard.manifest.sha256 != bytes(sha256).hex():
                raise CorruptArtefact(f"{manifest} is another shard", "Run: fakesmrt build tokens")
        except CorruptArtefact as error:
            raise InputUnreadable(
                f"The shards of version {self.number} are no longer there: {error.cause}",
                "Begin anew from the newest version, without a resume token; if it is that one: fakesmrt build tokens",
            ) from error
        return ServedShard.of(shard_id, shard)

    @cached_property
    def _texts(self) -> Path:
        return self._warehouse.home.text

    def texts(self, files: Sequence[str], rows: Sequence[int]) -> list[str | None]:
        """The text at each place; None where it was forgotten. Each part of a file is read once.

        Raises:
            CorruptArtefact: if a text file is missing or damaged.
        """
        numbers: dict[str, list[int]] = {}
        for number, name in enumerate(files):
            numbers.setdefault(name, []).append(number)
        found: list[str | None] = [None] * len(files)
        for name, wanted in sorted(numbers.items()):
            there = read_rows_left(text_file(self._texts, name), [rows[number] for number in wanted])
            for number, text in zip(wanted, there, strict=True):
                found[number] = text
        return found


_opening = threading.Lock()
_snapshots: WeakSet[Snapshot] = WeakSet()
"""Every one that may be open in this process."""


def _open_at(path: Path) -> list[Snapshot]:
    """Those of a path; for who holds `_opening`."""
    there = path.resolve()
    return [snapshot for snapshot in _snapshots if snapshot.path.resolve() == there]


def _break(path: Path) -> None:
    """Have a file closed everywhere in this process and opened anew, before which DuckDB answers nothing more on it."""
    with _opening:
        for snapshot in _open_at(path):
            snapshot.is_broken = True


def _line(error: duckdb.Error) -> str:
    """What DuckDB says, in one line, without the query and without where in DuckDB it happened."""
    message = str(error).partition("\n\nLINE")[0].partition("\n\nStack Trace")[0]
    return " ".join(message.split())


def version_file(warehouse: Warehouse, number: int | None) -> Path:
    """The file of a published version; None for the newest.

    Raises:
        InputUnreadable: if there is none.
    """
    home = warehouse.home
    home.require()
    path = newest_version(home) if number is None else home.published_versions / f"{number}.duckdb"
    if path is None:
        raise InputUnreadable(f"Nothing is published in {home.root} yet", "Run: fakesmrt build corpus")
    if not path.is_file():
        raise InputUnreadable(
            f"Published version {path.stem} is no longer kept",
            "Begin anew from the newest, without a resume token; a version stays that is pinned in time: "
            "fakesmrt versions pin N",
        )
    return path


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # called for every batch
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
