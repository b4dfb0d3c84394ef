"""Hashes of spellings: of the written characters of any run of words, without the blanks between them.

A polynomial over the characters, modulo 2**64 (Karp & Rabin 1987, "Efficient randomized pattern-matching
algorithms"): its value for a run of words follows from the values for the words, which are known before the text is.

What lives here: the polynomial. What does not: what is compared by it (`repetition`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BASE = 0x9E3779B97F4A7C15
"""An odd number, so that its powers have inverses."""

_WORD_BITS = 8
"""Hardly a word has more than 2**8 characters: so they all share a table of powers."""


@lru_cache(maxsize=4)
def _powers(bits: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The first 2**bits powers of the polynomial's base, and of its inverse, modulo 2**64."""
    tables = []
    for base in (BASE, pow(BASE, -1, 1 << 64)):
        factors = np.full(1 << bits, base, np.uint64)
        factors[0] = 1
        tables.append(np.cumprod(factors))
    return tables[0], tables[1]


def spellings_of_words(
    points: NDArray[np.uint32], start: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """The polynomial's value for each of some words.

    Args:
        points: the characters of all words in turn.
        start: of each word in `points`.
        length: of each word, at least 1.
    """
    powers, _ = _powers(max(_WORD_BITS, int(length.max()).bit_length()))
    place = np.arange(len(points)) - np.repeat(start, length)
    return np.add.reduceat(points * powers[place], start)


@dataclass(frozen=True)
class Spellings:
    """The spellings of all runs of words in a text.

    Attributes:
        characters: written ones before each word; one more for all.
        sums: the polynomial's value for the words before each; one more for all.
        inverses: for each word what takes the value of a run that begins there to where the text begins.
    """

    characters: NDArray[np.int64]
    sums: NDArray[np.uint64]
    inverses: NDArray[np.uint64]

    @classmethod
    def of(cls, words: NDArray[np.uint64], length: NDArray[np.int64]) -> Spellings:
        """Of words with these values of the polynomial and lengths, in order."""
        characters = np.zeros(len(words) + 1, np.int64)
        np.cumsum(length, out=characters[1:])
        powers, inverses = _powers(max(1, int(characters[-1])).bit_length())
        sums = np.zeros(len(words) + 1, np.uint64)
        np.cumsum(words * powers.take(characters[:-1]), out=sums[1:])
        return cls(characters, sums, inverses.take(characters))

    def hashes(self, first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Of the words [first, end): equal for equal characters; small differences show in the lowest bits only."""
        return (self.sums.take(end) - self.sums.take(first)) * self.inverses.take(first)
