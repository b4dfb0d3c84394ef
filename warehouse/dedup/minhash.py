"""MinHash signatures and their bands, for whole batches of texts at a time.

Scheme and permutations are datasketch 2's ``affine32``: the low 32 bits of each shingle hash are mixed once
and permuted by h -> a h + b modulo 2^32 with odd a; a signature holds the least value of each permutation
(Broder 1997). Given the same shingle hashes the values equal those of ``datasketch.MinHash``, one by one.

Two texts of Jaccard similarity s share a band of r rows with probability s^r, so they meet in one of b bands
with probability 1 - (1 - s^r)^b (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", §3.4):
99.2 % at s = 0.8 for 16 bands of 6.

What lives here: shingles to signatures to band keys. What does not: files and joins (``candidates.py``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from warehouse.dedup.shingles import Int64Array, ShingleParameters, Shingles, UInt64Array, mix_bits
from warehouse.errors import InvalidConfiguration
from warehouse.identity import content_id

UInt32Array = NDArray[np.uint32]

NO_SHINGLE = np.uint32(0xFFFFFFFF)
"""Every value of the signature of a text without shingles, as in datasketch."""

BLOCK_SHINGLES = 1 << 16
"""Shingles permuted at a time: two buffers of 256 KiB stay in the processor's second-level cache."""


@dataclass(frozen=True)
class SketchParameters:
    """How a text becomes band keys.

    Attributes:
        shingles: what a shingle is.
        n_bands: bands; two texts are candidates when they agree in one.
        rows_per_band: permutations a band.
        seed: of the permutations.
        version: name of scheme and key; another one gives other keys.
    """

    shingles: ShingleParameters = field(default_factory=ShingleParameters)
    n_bands: int = 16
    rows_per_band: int = 6
    seed: int = 1
    version: str = "affine32-1"

    def __post_init__(self) -> None:
        if self.n_bands < 1 or self.rows_per_band < 1:
            raise InvalidConfiguration(
                f"{self.n_bands} bands of {self.rows_per_band} rows are no sketch", "Choose 1 or more of each"
            )

    @property
    def n_hashes(self) -> int:
        """Permutations in all."""
        return self.n_bands * self.rows_per_band

    def sketch_id(self) -> uuid.UUID:
        """Names everything that decides a band key: only keys of one sketch may be compared."""
        shape = (self.shingles.n_words, self.n_bands, self.rows_per_band, self.seed)
        return content_id("sketch", self.shingles.version, self.version, *shape)


@lru_cache
def permutations(n_hashes: int, seed: int) -> tuple[UInt32Array, UInt32Array]:
    """The factors a (odd) and summands b of datasketch's ``affine32`` permutations, (n_hashes,) each."""
    # The legacy generator is what datasketch draws from; its stream is frozen by numpy.
    generator = np.random.RandomState(seed)
    factors = generator.randint(0, 1 << 31, n_hashes, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, generator.randint(0, 1 << 32, n_hashes, dtype=np.uint32)


def signatures(shingles: Shingles, parameters: SketchParameters) -> UInt32Array:
    """The MinHash signature of each text of a batch.

    Returns:
        (n_texts, n_hashes); a text without shingles has `NO_SHINGLE` everywhere.
    """
    factors, summands = permutations(parameters.n_hashes, parameters.seed)
    result = np.full((parameters.n_hashes, shingles.n_texts), NO_SHINGLE, np.uint32)
    hashes = _mix_bits_32(shingles.hashes.astype(np.uint32))
    filled = np.flatnonzero(np.diff(shingles.offsets))
    for texts in _text_blocks(shingles, filled):
        first, last = shingles.offsets[texts[0]], shingles.offsets[texts[-1] + 1]
        block, starts = hashes[first:last], shingles.offsets[texts] - first
        permuted = np.empty_like(block)
        for row, (factor, summand) in enumerate(zip(factors, summands, strict=True)):
            np.multiply(block, factor, out=permuted)
            np.add(permuted, summand, out=permuted)
            result[row, texts] = np.minimum.reduceat(permuted, starts)
    return np.ascontiguousarray(result.T)


def band_keys(signature: UInt32Array, parameters: SketchParameters) -> UInt64Array:
    """(n_texts, n_bands): each band's rows of `signature` (n_texts, n_hashes), folded into one 64-bit key."""
    rows = signature.reshape(len(signature), parameters.n_bands, parameters.rows_per_band).astype(np.uint64)
    keys = np.zeros(rows.shape[:2], np.uint64)
    for row in range(parameters.rows_per_band):
        keys = mix_bits(keys * np.uint64(0x9E3779B97F4A7C15) + rows[:, :, row])
    return keys


def _mix_bits_32(values: UInt32Array) -> UInt32Array:
    """The 32-bit finaliser of MurmurHash3 (Appleby), a bijection."""
    mixed = values ^ (values >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _text_blocks(shingles: Shingles, filled: Int64Array) -> Iterator[Int64Array]:
    """Split the texts that have shingles into runs of about `BLOCK_SHINGLES`; never inside a text."""
    if len(filled):
        block_of_text = shingles.offsets[filled] // BLOCK_SHINGLES
        yield from np.split(filled, np.flatnonzero(np.diff(block_of_text)) + 1)
