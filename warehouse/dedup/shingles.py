"""Word shingles as 64-bit hashes: what similarity is measured on.

A text is case-folded (`str.casefold`) and split into words: the longest runs of characters that
`str.isalnum` accepts, and underscores (what the regular expression ``\\w+`` finds). A shingle is `n_words`
words in a row. A text with fewer words is one shingle of all its words; a text without words has no shingle
and resembles nothing. In scripts without spaces a word is what stands between two punctuation marks, and
where vowels are combining marks (Devanagari) it is a syllable or two.

The hashes depend on the text alone: not on the process, the machine or the other texts of a batch.

What lives here: texts to shingle hashes. What does not: signatures (``minhash.py``), similarity
(``verification.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import InvalidConfiguration

UInt64Array = NDArray[np.uint64]
Int64Array = NDArray[np.int64]

N_CODE_POINTS = 0x110000
BLOCK_CHARACTERS = 1 << 17
"""Characters hashed at a time: the intermediate arrays (about 30 bytes a character) stay near the
processor."""

CHARACTER_MULTIPLIER = 0x9E3779B97F4A7C15
"""Base of the polynomial over a word's characters: 2^64 divided by the golden ratio (Knuth, TAOCP 3, §6.4),
odd."""

WORD_MULTIPLIER = 0xD1342543DE82EF95
"""Base of the polynomial over a shingle's words (Steele and Vigna 2021, "Computationally easy, spectrally
good multipliers", 64 bits), another one than for characters, so that words and shingles cannot imitate each
other."""


@dataclass(frozen=True)
class ShingleParameters:
    """What a shingle is.

    Attributes:
        n_words: words a shingle.
        version: name of the normalisation and the hash; another one gives other hashes.
    """

    n_words: int = 5
    version: str = "casefolded-words-1"

    def __post_init__(self) -> None:
        if self.n_words < 1:
            raise InvalidConfiguration(f"A shingle cannot have {self.n_words} words", "Choose 1 or more")


@dataclass(frozen=True)
class Shingles:
    """The shingles of a batch of texts.

    Attributes:
        hashes: (n_shingles,) 64-bit hashes, text after text, in the order of the text, repetitions included.
        offsets: (n_texts + 1,) where each text's hashes begin; the last one is n_shingles.
    """

    hashes: UInt64Array
    offsets: Int64Array

    @property
    def n_texts(self) -> int:
        return len(self.offsets) - 1

    def distinct(self, text: int) -> UInt64Array:
        """The set of one text's shingles, ascending."""
        return np.unique(self.hashes[self.offsets[text] : self.offsets[text + 1]])


def mix_bits(values: UInt64Array) -> UInt64Array:
    """Spread the bits of 64-bit integers: the finaliser of MurmurHash3 (Appleby), a bijection."""
    mixed = values ^ (values >> np.uint64(33))
    mixed *= np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(33)
    mixed *= np.uint64(0xC4CEB9FE1A85EC53)
    mixed ^= mixed >> np.uint64(33)
    return mixed


def shingle(texts: Sequence[str], parameters: ShingleParameters) -> Shingles:
    """Hash the word shingles of a batch of texts."""
    blocks = [_shingle_block(block, parameters.n_words) for block in _blocks(texts)]
    counts = np.concatenate([np.zeros(1, np.int64), *(n_shingles for _, n_shingles in blocks)])
    hashes = np.concatenate([np.empty(0, np.uint64), *(block for block, _ in blocks)])
    return Shingles(hashes, np.cumsum(counts))


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts of about `BLOCK_CHARACTERS` characters; a longer text is a block of its own."""
    start = n_characters = 0
    for index, text in enumerate(texts):
        if index > start and n_characters + len(text) > BLOCK_CHARACTERS:
            yield texts[start:index]
            start, n_characters = index, 0
        n_characters += len(text)
    if start < len(texts):
        yield texts[start:]


@lru_cache
def _word_characters() -> NDArray[np.bool_]:
    """(N_CODE_POINTS,) whether a character belongs to a word."""
    flags = (chr(point).isalnum() for point in range(N_CODE_POINTS))
    table = np.fromiter(flags, np.bool_, N_CODE_POINTS)
    table[ord("_")] = True
    return table


def _word_hashes(texts: Sequence[str]) -> tuple[UInt64Array, Int64Array]:
    """The hashes of all words, text after text, and (n_texts,) how many words each text has."""
    folded = [text.casefold() for text in texts]
    code_points = np.frombuffer("\n".join(folded).encode("utf-32-le", "surrogatepass"), "<u4")
    in_word = _word_characters()[code_points]
    borders = np.flatnonzero(np.diff(in_word.view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    starts, lengths = borders[::2], borders[1::2] - borders[::2]
    text_ends = np.cumsum([len(text) + 1 for text in folded])
    n_words = np.diff(np.searchsorted(starts, text_ends), prepend=0)
    if not len(starts):
        return np.empty(0, np.uint64), n_words
    firsts = np.cumsum(lengths) - lengths
    characters = code_points[in_word].astype(np.uint64)
    place_in_word = np.arange(len(characters)) - np.repeat(firsts, lengths)
    powers = np.multiply.accumulate(np.full(lengths.max(), CHARACTER_MULTIPLIER, np.uint64))
    return mix_bits(np.add.reduceat((characters + np.uint64(1)) * powers[place_in_word], firsts)), n_words


def _shingle_block(texts: Sequence[str], n_words: int) -> tuple[UInt64Array, Int64Array]:
    """The shingle hashes of a few texts, text after text, and (n_texts,) how many each has."""
    words, words_of_text = _word_hashes(texts)
    # A text shorter than a shingle is filled up with zeros, so that all its words are one shingle.
    padded_words_of_text = np.where(words_of_text > 0, np.maximum(words_of_text, n_words), 0)
    padded_firsts = np.cumsum(padded_words_of_text) - padded_words_of_text
    padded = np.zeros(padded_words_of_text.sum(), np.uint64)
    padded[_ranges(padded_firsts, words_of_text)] = words
    n_shingles = np.where(words_of_text > 0, padded_words_of_text - n_words + 1, 0)
    if not len(padded):
        return padded, n_shingles
    sums = np.zeros(len(padded) - n_words + 1, np.uint64)
    for place in range(n_words):
        sums *= np.uint64(WORD_MULTIPLIER)
        sums += padded[place : place + len(sums)]
    return mix_bits(sums[_ranges(padded_firsts, n_shingles)]), n_shingles


def _ranges(starts: Int64Array, lengths: Int64Array) -> Int64Array:
    """The integers of all ranges [start, start + length), one range after the other."""
    skipped = np.cumsum(lengths) - lengths
    ranges: Int64Array = np.arange(lengths.sum()) + np.repeat(starts - skipped, lengths)
    return ranges
