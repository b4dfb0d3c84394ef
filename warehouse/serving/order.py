"""The order of a stream: a shuffle that needs no list of what it shuffles.

Chunk ids are hashes, so the chunks whose ids begin with the same bits are a random sample. An order cuts the ids
into 2^bits such buckets, goes through them in a random sequence, and through each bucket by a random key of the id.
A stream therefore begins after reading one bucket, goes on from any position without what lay before, and an item
that is taken out changes the place of no other. Where everything fits one bucket it is a plain shuffle.

An epoch goes through the buckets in as many turns as the largest weight says; an item of weight w takes part in w
of them, as far from each other as possible.

What lives here: pure functions of ids. What does not: where the ids come from (``selection.py``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

ID_BITS = 128
MAX_BITS = 20
MAX_TURNS = 64


@dataclass(frozen=True)
class Order:
    """The order of one turn of one epoch.

    Attributes:
        seed: of the stream.
        epoch: from 0.
        turn: from 0, below `turns`.
        bits: there are 2^bits buckets.
        turns: turns of an epoch, at most `MAX_TURNS`.
    """

    seed: int
    epoch: int
    turn: int
    bits: int
    turns: int

    def buckets(self) -> NDArray[np.int64]:
        """The sequence of buckets, each by the first bits of its ids."""
        keys = mixed(
            np.arange(1 << self.bits, dtype=np.uint64), _word("buckets", self.seed, self.epoch, self.turn)
        )
        return np.argsort(keys, kind="stable")

    def keys(self, high: Words, low: Words) -> Words:
        """By what the items of a bucket are sorted; `high` and `low` are the halves of their ids."""
        salt = _word("keys", self.seed, self.epoch, self.turn)
        return mixed(mixed(high, salt) ^ low, salt)

    def takes_part(self, high: Words, low: Words, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which items this turn yields, where `times` (0 to `turns`) says in how many turns of an epoch each does."""
        if self.turns == 1:
            return times > 0
        first = mixed(high ^ low, _word("turns", self.seed, self.epoch)) % np.uint64(self.turns)
        later = (self.turn - first.astype(np.int64)) % self.turns
        nth = -(-later * times // self.turns)
        taken: NDArray[np.bool_] = (nth < times) & (nth * self.turns // np.maximum(times, 1) == later)
        return taken

    def times(self, weights: NDArray[np.float64], units: Words) -> NDArray[np.int64]:
        """How often an epoch yields items of these weights; `units` are words of what shares a draw."""
        whole = np.floor(weights)
        draws = (mixed(units, _word("weights", self.seed, self.epoch)) >> np.uint64(11)) / float(1 << 53)
        return (whole + (draws < weights - whole)).astype(np.int64)


def mixed(words: Words, salt: int) -> Words:
    """A pseudo-random 64-bit word for each word, a bijection for each salt: the finaliser of SplitMix64
    (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators")."""
    z = words + np.uint64(salt)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def bucket_range(bucket: int, bits: int) -> tuple[UUID, UUID]:
    """First and last id of a bucket."""
    width = ID_BITS - bits
    return UUID(int=bucket << width), UUID(int=((bucket + 1) << width) - 1)


def _word(*parts: str | int) -> int:
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
