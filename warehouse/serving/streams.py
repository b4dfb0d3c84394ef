"""From a selection to batches: tokens gathered from the shards, texts read from their files.

What lives here: generators over one open version. What does not: versions (``source.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.serving.batches import ChunkBatch, TokenBatch
from warehouse.serving.selection import ChunkSelection, TokenSelection, Window
from warehouse.serving.tickets import POSITION, Header, Position

FIRST_TEXTS = 16
MOST_TEXTS = 2048
"""Texts that are read together: few at first, so that the first batch comes at once, then more, because those that
lie near each other are read in one go."""

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each made in another thread while the one before it is used."""
    end = object()
    with ThreadPoolExecutor(1, "serving") as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not `end`, so it is an item


def token_batches(selection: TokenSelection, header: Header, position: Position) -> Iterator[TokenBatch]:
    """The selection's tokens from a position on, in sequences."""
    request = selection.request
    packed = header.pack()
    length, n_sequences = request.sequence_length, request.batch_sequences
    held = _Held(length)
    for window in ahead(selection.windows(header, position)):
        for piece, positions, starts in _pieces(selection, window, n_sequences * length + 1):
            held.add(piece, positions, starts)
            while held.n_sequences >= n_sequences:
                yield TokenBatch(*held.take(n_sequences), packed)
    if held.n_sequences:
        yield TokenBatch(*held.take(held.n_sequences), packed)
    if len(held.tokens) > 1:
        yield TokenBatch(*held.rest(), packed)


def _pieces(
    selection: TokenSelection, window: Window, n_tokens: int
) -> Iterator[tuple[NDArray[np.uint16], NDArray[np.void], NDArray[np.int64]]]:
    """A window's tokens, some `n_tokens` at a time, with the position before each chunk and where it begins."""
    shards = [shard.tokens for shard in selection.shards]
    numbers = window.rows["shard_number"].to_numpy()
    begins = window.rows["token_start"].to_numpy() + window.positions["offset"].astype(np.int64)
    ends = window.rows["token_end"].to_numpy()
    begins = np.minimum(begins, ends)
    done = np.cumsum(ends - begins)
    first = 0
    while first < len(done):
        before = int(done[first - 1]) if first else 0
        last = int(np.searchsorted(done, before + n_tokens)) + 1
        span = slice(first, last)
        gathered = [
            shards[number][begin:end]
            for number, begin, end in zip(
                numbers[span].tolist(), begins[span].tolist(), ends[span].tolist(), strict=True
            )
        ]
        starts = done[span] - (ends[span] - begins[span]) - before
        yield np.concatenate(gathered), window.positions[span], starts
        first = last


class _Held:
    """Tokens that wait for their sequence to be full, and where each chunk among them begins."""

    def __init__(self, sequence_length: int) -> None:
        self._length = sequence_length
        self.tokens: NDArray[np.uint16] = np.empty(0, np.uint16)
        self._starts: NDArray[np.int64] = np.empty(0, np.int64)
        self._positions: NDArray[np.void] = np.empty(0, POSITION)

    @property
    def n_sequences(self) -> int:
        """Whole sequences, each with the token after it."""
        return max(0, (len(self.tokens) - 1) // self._length)

    def add(self, tokens: NDArray[np.uint16], positions: NDArray[np.void], starts: NDArray[np.int64]) -> None:
        self._starts = np.concatenate([self._starts, starts + len(self.tokens)])
        self._positions = np.concatenate([self._positions, positions])
        self.tokens = np.concatenate([self.tokens, tokens])

    def take(self, n_sequences: int) -> tuple[NDArray[np.uint16], NDArray[np.void]]:
        """The first sequences, and the position behind each; they are no longer held."""
        step = self._length * self.tokens.itemsize
        rows = np.lib.stride_tricks.as_strided(
            self.tokens, (n_sequences, self._length + 1), (step, self.tokens.itemsize)
        ).copy()
        behind = self._behind(np.arange(1, n_sequences + 1) * self._length)
        self._drop(n_sequences * self._length)
        return rows, behind

    def rest(self) -> tuple[NDArray[np.uint16], NDArray[np.void]]:
        """What is left, as one short row."""
        return self.tokens[np.newaxis, :], self._behind(np.array([len(self.tokens)]))

    def _behind(self, places: NDArray[np.int64]) -> NDArray[np.void]:
        chunks = np.searchsorted(self._starts, places, side="right") - 1
        behind = self._positions[chunks]
        behind["offset"] += (places - self._starts[chunks]).astype(np.uint32)
        return behind

    def _drop(self, n_tokens: int) -> None:
        behind = self._behind(np.array([n_tokens]))
        first = int(np.searchsorted(self._starts, n_tokens, side="right"))
        self._positions = np.concatenate([behind, self._positions[first:]])
        self._starts = np.concatenate([[0], self._starts[first:] - n_tokens])
        self.tokens = self.tokens[n_tokens:]


def chunk_batches(selection: ChunkSelection, header: Header, position: Position) -> Iterator[ChunkBatch]:
    """The selection's chunks from a position on, with their texts."""
    request = selection.request
    packed = header.pack()
    for positions, rows in ahead(_texts(selection, ahead(selection.windows(header, position)))):
        for start in range(0, len(positions), request.batch_rows):
            there = rows.slice(start, request.batch_rows)
            yield ChunkBatch(there, positions[start : start + request.batch_rows], packed)


def _texts(
    selection: ChunkSelection, windows: Iterator[Window]
) -> Iterator[tuple[NDArray[np.void], pa.RecordBatch]]:
    """The chunks of the windows with their texts, more and more at a time, and the position behind each."""
    size = FIRST_TEXTS
    for window in windows:
        start = 1 if len(window.positions) and window.positions["offset"][0] else 0
        while start < len(window.positions):
            span = slice(start, start + size)
            yield with_texts(selection, window.positions[span], window.rows.slice(start, size))
            start += size
            size = min(2 * size, MOST_TEXTS)


def with_texts(
    selection: ChunkSelection, before: NDArray[np.void], rows: pa.Table
) -> tuple[NDArray[np.void], pa.RecordBatch]:
    """Rows of a window with their texts, but for those whose text was forgotten; and the position behind each."""
    texts = selection.snapshot.texts(rows["text_place_file"].to_pylist(), rows["text_place_row"].to_pylist())
    there = np.array([number for number, text in enumerate(texts) if text is not None], np.int64)
    positions = before[there]
    positions["offset"] = 1
    ids = [str(UUID(int=int(row["high"]) << 64 | int(row["low"]))) for row in positions]
    kept = rows.take(there)
    columns = {
        "chunk_id": pa.array(ids, pa.string()),
        **{name: kept[name].combine_chunks() for name in selection.columns},
        "text": pa.array([text for text in texts if text is not None], pa.string()),
    }
    return positions, pa.RecordBatch.from_pydict(columns)
