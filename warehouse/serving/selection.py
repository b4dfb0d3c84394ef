"""What a stream selects from a published version, read bucket by bucket in its order.

What lives here: the queries of a selection, its weights, and the windows of its order. What does not: tokens and
texts (``streams.py``).
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.database import query
from warehouse.errors import InvalidConfiguration
from warehouse.expressions import Expression, Kind, checked, view_columns
from warehouse.serving.order import MAX_BITS, MAX_TURNS, Order, bucket_range
from warehouse.serving.requests import ChunkRequest, StreamRequest, TokenRequest
from warehouse.serving.snapshot import ServedShard, Snapshot
from warehouse.serving.tickets import POSITION, Header, Position

BUCKET_ITEMS = 1 << 14
"""Items of a bucket, at least: some megabytes of tokens, read in a moment and kept in memory one ahead."""

LEAST_BUCKET_ITEMS = BUCKET_ITEMS // 8
"""A condition may leave so few of them before the buckets are made larger."""

WEIGHT_REMEDY = f"Write a weight between 0 and {MAX_TURNS} for every chunk of the selection"


@dataclass(frozen=True)
class Window:
    """Items that follow each other in an order.

    Attributes:
        positions: `POSITION`, one before each item; only the first may have an offset: what of it is done.
        rows: what the query says of each item.
    """

    positions: NDArray[np.void]
    rows: pa.Table


class Selection(ABC):
    """A request on an open version. Subclasses say by which query."""

    def __init__(self, snapshot: Snapshot, request: StreamRequest) -> None:
        """Check what a person wrote in the request.

        Raises:
            InvalidConfiguration: if the condition or the weight is not what it should be.
        """
        self.snapshot = snapshot
        self.request = request
        self.chunking_id, self.n_chunks = snapshot.recipe(request.recipe)
        self.condition = self._expression(request.where, Kind.CONDITION) or Expression("TRUE", ())
        self.weight = self._expression(request.weight, Kind.NUMBER)
        self._last: tuple[tuple[int, int], pa.Table] | None = None

    def _expression(self, text: str | None, kind: Kind) -> Expression | None:
        if text is None:
            return None
        return self.snapshot.asked(lambda connection: checked(connection, text, kind))

    @abstractmethod
    def _sql(self) -> str:
        """The query for the items of a range of ids."""

    @abstractmethod
    def _parameters(self) -> dict[str, object]:
        """What the query binds besides the range."""

    def _n_items(self) -> int:
        """How many items there are at most."""
        return self.n_chunks

    def _largest_own_weight(self) -> float:
        """The largest weight where the request names none."""
        return 1.0

    def _own_weights(self, rows: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
        """Weights where the request names none, and words of what shares a draw."""
        return np.ones(len(rows)), rows["unit"].to_numpy()

    def header(self) -> Header:
        """The header of a new stream: how its order is cut."""
        request = self.request
        turns = self._turns()
        return Header(
            self.snapshot.number, self.snapshot.stamp, request.identity(), request.seed, request.world_size,
            request.rank, self._bits(turns), turns,
        )  # fmt: skip

    def _turns(self) -> int:
        largest = self._largest_own_weight() if self.weight is None else self._largest_weight(self.weight)
        if largest > MAX_TURNS:
            raise InvalidConfiguration(f"A chunk has the weight {largest:g}", WEIGHT_REMEDY)
        return max(1, math.ceil(largest))

    def _largest_weight(self, weight: Expression) -> float:
        sql = composed("serving_largest_weight", condition=self.condition.sql, weight=weight.sql)
        parameters = {"chunking_id": self.chunking_id, "split": self.request.split}
        [(smallest, largest, has_none)] = self.snapshot.rows(sql, parameters)
        if has_none or smallest < 0 or not math.isfinite(largest):
            raise InvalidConfiguration(
                "A chunk of the selection has no weight, or one below 0", WEIGHT_REMEDY
            )
        return float(largest)

    def _bits(self, turns: int) -> int:
        """How finely the order is cut. Where there is a condition, the first bucket says how much it leaves."""
        bits = _bits_for(self._n_items() / self.request.world_size / turns)
        if bits == 0 or self.request.where is None:
            return bits
        first = Order(self.request.seed, 0, 0, bits, turns).buckets()[0]
        n_found = len(self._bucket(int(first), bits)) / turns
        return bits if n_found >= LEAST_BUCKET_ITEMS else _bits_for(n_found * (1 << bits))

    @cached_property
    def _query(self) -> tuple[str, Mapping[str, object]]:
        return self._sql(), {
            **self._parameters(),
            "world_size": self.request.world_size,
            "rank": self.request.rank,
        }

    def _read(self, first: UUID, last: UUID) -> pa.Table:
        sql, parameters = self._query
        return self.snapshot.table(sql, {**parameters, "first_id": first, "last_id": last})

    def _bucket(self, bucket: int, bits: int) -> pa.Table:
        """The items of a bucket; the last one that was read is kept, because an order of one bucket reads no other."""
        if self._last is None or self._last[0] != (bucket, bits):
            self._last = (bucket, bits), self._read(*bucket_range(bucket, bits))
        return self._last[1]

    def no_rows(self) -> pa.Table:
        """What the query gives, without rows."""
        return self._read(UUID(int=1), UUID(int=0))

    def windows(self, header: Header, position: Position) -> Iterator[Window]:
        """The items from a position on, bucket by bucket.

        Raises:
            InvalidConfiguration: if a stream without end would yield nothing.
        """
        epochs = (
            count(position.epoch)
            if self.request.epochs is None
            else range(position.epoch, self.request.epochs)
        )
        for epoch in epochs:
            found = position != Position(epoch=epoch)
            for turn in range(position.turn, header.turns):
                order = Order(header.seed, epoch, turn, header.bits, header.turns)
                buckets = order.buckets()
                for step in range(position.step, len(buckets)):
                    window = self._window(order, step, int(buckets[step]), position)
                    # An epoch may draw nothing of a selection whose weights are below 1.
                    found = found or self._has_weight(int(buckets[step]), header.bits)
                    if len(window.positions):
                        yield window
                    position = Position(epoch, turn, step + 1)
                position = Position(epoch, turn + 1)
            position = Position(epoch + 1)
            if found:
                continue
            if self.request.epochs is None:
                raise InvalidConfiguration(
                    "Nothing is selected, so a stream without end would never yield anything",
                    "Widen the condition, or ask for fewer streams (world_size)",
                )
            return

    def _window(self, order: Order, step: int, bucket: int, position: Position) -> Window:
        """The items of a bucket in order, those before `position` left out."""
        rows = self._bucket(bucket, order.bits)
        high, low = rows["id_high"].to_numpy(), rows["id_low"].to_numpy()
        taken = np.flatnonzero(order.takes_part(high, low, self._times(order, rows)))
        high, low = high[taken], low[taken]
        keys = order.keys(high, low)
        sequence = np.lexsort((low, high, keys))
        positions = np.zeros(len(sequence), POSITION)
        for name, values in (
            ("epoch", order.epoch), ("turn", order.turn), ("step", step),
            ("key", keys[sequence]), ("high", high[sequence]), ("low", low[sequence]),
        ):  # fmt: skip
            positions[name] = values
        done = _first_from(positions, position)
        positions = positions[done:]
        if len(positions) and _place(positions[0]) == (position.key, position.high, position.low):
            positions["offset"][0] = position.offset
        return Window(positions, rows.take(taken[sequence[done:]]))

    def _times(self, order: Order, rows: pa.Table) -> NDArray[np.int64]:
        return order.times(*self._weights(rows))

    def _has_weight(self, bucket: int, bits: int) -> bool:
        """Whether anything of a bucket is ever yielded."""
        weights, _ = self._weights(self._bucket(bucket, bits))
        return bool((weights > 0).any())

    def _weights(self, rows: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
        """The rows' weights, and words of what shares a draw."""
        if self.weight is None:
            return self._own_weights(rows)
        return rows["weight"].to_numpy(), rows["unit"].to_numpy()


def _bits_for(n_items: float) -> int:
    """As many bits as leave `BUCKET_ITEMS` items to each bucket."""
    return min(MAX_BITS, max(0, int(math.log2(max(1.0, n_items / BUCKET_ITEMS)))))


def composed(name: str, **parts: str) -> str:
    """A query with SQL put in for ``$part``, all at once: what is put in is not looked at again."""
    return re.sub(rf"\$({'|'.join(parts)})\b", lambda found: parts[found[1]], query(name))


def _first_from(positions: NDArray[np.void], position: Position) -> int:
    """Number of the first item that is not before `position`."""
    wanted = (position.key, position.high, position.low)
    first = int(np.searchsorted(positions["key"].astype(np.uint64), np.uint64(position.key)))
    while first < len(positions) and _place(positions[first]) < wanted:
        first += 1
    return first


def _place(position: np.void) -> tuple[int, int, int]:
    return int(position["key"]), int(position["high"]), int(position["low"])


class TokenSelection(Selection):
    """Chunks of the recipe's shards."""

    request: TokenRequest

    def __init__(self, snapshot: Snapshot, request: TokenRequest) -> None:
        super().__init__(snapshot, request)
        self.shards: tuple[ServedShard, ...] = snapshot.shards(request.recipe, request.split)

    def _sql(self) -> str:
        if self.request.where is None and self.weight is None:
            return query("serving_stored_tokens")
        weight = "1" if self.weight is None else self.weight.sql
        return composed("serving_selected_tokens", condition=self.condition.sql, weight=weight)

    def _parameters(self) -> dict[str, object]:
        return {"shard_ids": [shard.shard_id for shard in self.shards]}

    def _n_items(self) -> int:
        return sum(shard.n_chunks for shard in self.shards)

    def _largest_own_weight(self) -> float:
        return max(1.0 if shard.weights is None else float(shard.weights.max()) for shard in self.shards)

    def _own_weights(self, rows: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
        weights, units = np.ones(len(rows)), np.zeros(len(rows), np.uint64)
        numbers, starts = rows["shard_number"].to_numpy(), rows["token_start"].to_numpy()
        for number, shard in enumerate(self.shards):
            if shard.weights is not None:
                there = np.flatnonzero(numbers == number)
                places = np.searchsorted(shard.starts, starts[there])
                weights[there], units[there] = shard.weights[places], shard.units[places]
        return weights, units


class ChunkSelection(Selection):
    """Chunks of the recipe's chunking, with where their text lies."""

    request: ChunkRequest

    def __init__(self, snapshot: Snapshot, request: ChunkRequest) -> None:
        super().__init__(snapshot, request)
        self.columns = request.columns
        self.kept_in = snapshot.shards(request.recipe, request.split) if request.kept_only else ()
        known = snapshot.asked(view_columns)
        if unknown := [name for name in self.columns if name not in known]:
            raise InvalidConfiguration(
                f"There is no column {unknown[0]!r}",
                "Name columns of corpus.chunk_metadata (docs/data_dictionary.md)",
            )
        if reserved := sorted({*self.columns} & {"text", "chunk_id", "position"}):
            raise InvalidConfiguration(
                f"The column {reserved[0]} comes by itself", "Leave it out of the columns"
            )

    def _sql(self) -> str:
        return composed(
            "serving_chunks",
            condition=self.condition.sql,
            weight="1" if self.weight is None else self.weight.sql,
            columns="".join(f',\n    "{name}"' for name in self.columns),
            kept=query("serving_is_kept") if self.kept_in else "TRUE",
        )

    def _parameters(self) -> dict[str, object]:
        shards = {"shard_ids": [shard.shard_id for shard in self.kept_in]} if self.kept_in else {}
        return {"chunking_id": self.chunking_id, "split": self.request.split, **shards}
