"""The order of the training tokens: chunks without replacement, for each epoch in a new order.

    shards -> occurrences (each chunk as often as its replicate and weight say) -> permuted by (seed, epoch)
           -> one stream of tokens without end -> batches: the next `batch_tokens` tokens

What is shuffled are the chunks, a few sequences long: every epoch deals all documents out anew, a step holds text of
many of them, and a book is never read in one go. No chunk is torn apart, cropped or filled up; a sequence may end
one and begin the next, with the document marker between.

What lives here: the stream, its cursor, and the exact account of what a prefix of it held. What does not:
shard files (``warehouse/tokens``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warehouse.errors import InputUnreadable
from warehouse.identity import uniform_draw
from warehouse.tokens.bootstrap import replicate_times
from warehouse.tokens.shards import Shard, open_split

Tokens = NDArray[np.uint16]


@dataclass(frozen=True)
class Cursor:
    """Where a training stands in its stream: `position` tokens into epoch `epoch`, both from 0."""

    epoch: int = 0
    position: int = 0


@dataclass(frozen=True)
class ConsumedRange:
    """Tokens [token_start, token_end) of a shard that a training read `times` times."""

    shard_id: str
    token_start: int
    token_end: int
    times: int


class TokenStream:
    """The tokens of a split in the order of a training; the same arguments give the same order everywhere."""

    def __init__(self, shards: Sequence[Shard], seed: int, bootstrap_seed: int | None = None) -> None:
        """Arrange the chunks.

        Args:
            shards: of one split.
            seed: of the order.
            bootstrap_seed: of the replicate; None reads every document once an epoch, times its weight.

        Raises:
            InputUnreadable: if the replicate holds no token.
        """
        self.shards = shards
        self._seeds = (seed, 0 if bootstrap_seed is None else bootstrap_seed + 1)
        index = np.concatenate([shard.index for shard in shards])
        self._shard = np.repeat(np.arange(len(shards)), [len(shard.index) for shard in shards])
        self._start = index["token_start"].astype(np.int64)
        self._length = index["token_end"].astype(np.int64) - self._start
        self.times = occurrences(index, bootstrap_seed)
        self._occurring = np.repeat(np.arange(len(index)), self.times)
        self.n_tokens = int((self._length * self.times).sum())
        self.n_bytes = int((index["n_bytes"].astype(np.int64) * self.times).sum())
        if self.n_tokens < 2:
            raise InputUnreadable(
                f"The replicate {bootstrap_seed} holds no training text",
                "Add more text, or choose another seed",
            )
        self._epoch = lru_cache(maxsize=2)(self._arrange_epoch)

    def batch(self, cursor: Cursor, n_sequences: int, sequence_length: int) -> tuple[Tensor, Tensor, Cursor]:
        """The next sequences.

        Returns:
            Inputs and targets, int64 [n_sequences, sequence_length], each target the token after its input;
            and the cursor after them.
        """
        n_tokens = n_sequences * sequence_length
        tokens, _ = self.read(cursor, n_tokens + 1)
        stream = torch.from_numpy(tokens.astype(np.int64))
        shape = (n_sequences, sequence_length)
        return stream[:-1].view(shape), stream[1:].view(shape), self.advanced(cursor, n_tokens)

    def read(self, cursor: Cursor, n_tokens: int) -> tuple[Tokens, Cursor]:
        """The next `n_tokens` tokens, into further epochs where this one ends, and the cursor after them."""
        pieces: list[Tokens] = []
        missing = n_tokens
        while missing:
            taken = min(missing, self.n_tokens - cursor.position)
            pieces += self._pieces(cursor, taken)
            cursor = self.advanced(cursor, taken)
            missing -= taken
        return np.concatenate(pieces), cursor

    def advanced(self, cursor: Cursor, n_tokens: int) -> Cursor:
        """The cursor `n_tokens` later."""
        epochs, position = divmod(cursor.position + n_tokens, self.n_tokens)
        return Cursor(cursor.epoch + epochs, position)

    def consumed_ranges(self, n_tokens: int) -> list[ConsumedRange]:
        """What the first `n_tokens` tokens of the stream held, in order of place; neighbours merged."""
        end = self.advanced(Cursor(), n_tokens)
        chunks, ends = self._epoch(end.epoch)
        n_whole = int(np.searchsorted(ends, end.position, side="right"))
        times = self.times * end.epoch + np.bincount(chunks[:n_whole], minlength=len(self.times))
        ranges = [
            (int(chunk), 0, int(self._length[chunk]), int(times[chunk])) for chunk in np.flatnonzero(times)
        ]
        rest = end.position - (int(ends[n_whole - 1]) if n_whole else 0)
        if rest:
            cut = int(chunks[n_whole])
            ranges = [row for row in ranges if row[0] != cut] + [
                (cut, 0, rest, int(times[cut]) + 1),
                (cut, rest, int(self._length[cut]), int(times[cut])),
            ]
        return self._merged(sorted(row for row in ranges if row[3]))

    def contents(self) -> list[dict[str, str]]:
        """Id and SHA-256 of each shard."""
        return [{"shard_id": s.manifest.shard_id, "sha256": s.manifest.sha256} for s in self.shards]

    def _merged(self, rows: Sequence[tuple[int, int, int, int]]) -> list[ConsumedRange]:
        merged: list[ConsumedRange] = []
        for chunk, first, last, times in rows:
            shard_id = self.shards[self._shard[chunk]].manifest.shard_id
            start = int(self._start[chunk])
            new = ConsumedRange(shard_id, start + first, start + last, times)
            old = merged[-1] if merged else None
            if old and (old.shard_id, old.token_end, old.times) == (shard_id, new.token_start, times):
                merged[-1] = ConsumedRange(shard_id, old.token_start, new.token_end, times)
            else:
                merged.append(new)
        return merged

    def _pieces(self, cursor: Cursor, n_tokens: int) -> list[Tokens]:
        """Tokens [position, position + n_tokens) of one epoch, chunk by chunk."""
        chunks, ends = self._epoch(cursor.epoch)
        pieces = []
        position, stop = cursor.position, cursor.position + n_tokens
        number = int(np.searchsorted(ends, position, side="right"))
        while position < stop:
            chunk = chunks[number]
            chunk_begin = int(ends[number]) - int(self._length[chunk])
            first, last = position - chunk_begin, min(stop, int(ends[number])) - chunk_begin
            start = int(self._start[chunk])
            pieces.append(self.shards[self._shard[chunk]].tokens[start + first : start + last])
            position = chunk_begin + last
            number += 1
        return pieces

    def _arrange_epoch(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The chunks of an epoch in order, and the end of each in the epoch's tokens.

        Raw words of PCG64, unlike numpy's distributions, are promised to stay the same in every version.
        """
        source = np.random.PCG64(np.random.SeedSequence([*self._seeds, epoch]))
        chunks = self._occurring[np.argsort(source.random_raw(len(self._occurring)), kind="stable")]
        return chunks, np.cumsum(self._length[chunks])


def occurrences(index: NDArray[np.void], bootstrap_seed: int | None) -> NDArray[np.int64]:
    """How often an epoch reads each chunk: the Poisson number of its document times its weight."""
    weights = np.asarray(index["weight"], np.float32)
    if bootstrap_seed is not None:
        return replicate_times(index["document_id"], bootstrap_seed, weights)
    whole = np.floor(weights)
    times = whole.astype(np.int64)
    for row in np.flatnonzero(weights > whole):
        # What is left over a whole number is the chance of one more, the same for all chunks of a document.
        document = index["document_id"][row].tobytes().hex()
        times[row] += uniform_draw(document, "weight") < float(weights[row]) - float(whole[row])
    return times


def validation_shards(folder: Path) -> list[Shard]:
    """The shards that a training is measured on, every byte compared with its hash; none where there is no such split.

    Raises:
        CorruptArtefact: see `open_split`.
    """
    try:
        return open_split(folder, "validation", verify=True)
    except InputUnreadable:
        return []


def validation_sample(folder: Path, max_tokens: int) -> tuple[list[Tokens], int]:
    """Chunks of the validation split up to `max_tokens`, the same ones for every training on these shards.

    Returns:
        The chunks with their markers, and the UTF-8 bytes of their text; nothing where there is no such
        split.
    """
    shards = validation_shards(folder)
    chosen: list[Tokens] = []
    n_tokens = n_bytes = 0
    rows = [(record["chunk_id"].tobytes(), shard, record) for shard in shards for record in shard.index]
    # Chunk ids are hashes: their order is a draw without replacement.
    for _, shard, record in sorted(rows, key=lambda row: row[0]):
        chosen.append(shard.tokens[int(record["token_start"]) : int(record["token_end"])])
        n_tokens += len(chosen[-1])
        n_bytes += int(record["n_bytes"])
        if n_tokens >= max_tokens:
            break
    return chosen, n_bytes
