"""Word shingles as 64-bit hashes: what similarity is measured on.

A text is case-folded (`str.casefold`) and split into words:

- In scripts with spaces a word is a longest run of characters that `str.isalnum` accepts and underscores: what the
  regular expression ``\\w+`` finds.
- Where words are not set apart (Han, kana, Bopomofo, Thai, Lao, Khmer, Myanmar and their kin: `UNSPACED_SCRIPTS`)
  each letter is a word of its own, wherever it stands. Digits stay together as numbers.
- Combining marks (Unicode Mn and Mc: vowel signs, tone marks, accents that are characters of their own) belong to
  the word that they follow; ``\\w+`` would break the word there. After anything else they count for nothing, and
  so do variation selectors and their like everywhere, which only choose a glyph.

A shingle is `n_words` words in a row, in the order in which they are stored, from right to left or not. A text with
fewer words is one shingle of all its words; a text without words has no shingle and resembles nothing.

The hashes depend on the text alone: not on the process, the machine or the other texts of a batch.

What lives here: texts to shingle hashes. What does not: signatures (``minhash.py``), similarity
(``verification.py``).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import InvalidConfiguration

UInt64Array = NDArray[np.uint64]
Int64Array = NDArray[np.int64]

N_CODE_POINTS = 0x110000
N_CODE_POINTS_OF_SCRIPTS = 0x40000
"""Planes 0 to 3; above them Unicode has no letters, only selectors, tags and what is private."""

BLOCK_CHARACTERS = 1 << 16
"""Characters hashed at a time: the intermediate arrays (about 20 bytes a character) stay near the
processor."""

SEPARATOR = "\n"
"""Stands before, between and after the texts of a block; belongs to no word."""

OTHER, LETTER, LETTER_ALONE, MARK = range(4)
"""Kinds of characters: of no word; of a run that is a word; a word by itself; of the word before it."""

UNSPACED_SCRIPTS = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Myanmar
    range(0x1780, 0x1800),  # Khmer
    range(0x1950, 0x19E0),  # Tai Le, New Tai Lue
    range(0x1A20, 0x1AB0),  # Tai Tham
    range(0x1B00, 0x1B80),  # Balinese
    range(0x3005, 0x3008),  # Han: iteration mark, closing mark, zero
    range(0x3021, 0x302A),  # Han: Hangzhou numerals
    range(0x3031, 0x303D),  # kana repeat marks, Hangzhou tens, vertical iteration mark
    range(0x3040, 0x3130),  # Hiragana, Katakana, Bopomofo
    range(0x31A0, 0x31C0),  # Bopomofo
    range(0x31F0, 0x3200),  # Katakana
    range(0x3400, 0x4DC0),  # Han
    range(0x4E00, 0xA000),  # Han
    range(0xA980, 0xAA00),  # Javanese, Myanmar
    range(0xAA60, 0xAAE0),  # Myanmar, Tai Viet
    range(0xF900, 0xFB00),  # Han
    range(0xFF66, 0xFFA0),  # Katakana at half width
    range(0x1AFF0, 0x1B170),  # kana
    range(0x20000, 0x323B0),  # Han
)
"""Code points of scripts that do not set words apart; of these the letters are words."""

GLYPH_SELECTORS = (
    range(0x034F, 0x0350),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0xFE00, 0xFE10),
    range(0xE0100, 0xE01F0),
)
"""Marks by their category that nobody reads: joiners, inherent vowels, variation selectors."""

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
    version: str = "casefolded-words-2"

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
        ordered = np.sort(self.hashes[self.offsets[text] : self.offsets[text + 1]])
        is_first = np.ones(len(ordered), np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
        return ordered[is_first]


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
    blocks = [_shingle_block(block, parameters.n_words) for block in text_blocks(texts, BLOCK_CHARACTERS)]
    counts = np.concatenate([np.zeros(1, np.int64), *(n_shingles for _, n_shingles in blocks)])
    hashes = np.concatenate([np.empty(0, np.uint64), *(block for block, _ in blocks)])
    return Shingles(hashes, np.cumsum(counts))


def text_blocks(texts: Sequence[str], block_characters: int) -> Iterator[Sequence[str]]:
    """Runs of texts of about `block_characters` characters; a longer text is a block of its own."""
    start = n_characters = 0
    for index, text in enumerate(texts):
        if index > start and n_characters + len(text) > block_characters:
            yield texts[start:index]
            start, n_characters = index, 0
        n_characters += len(text)
    if start < len(texts):
        yield texts[start:]


@lru_cache
def character_kinds() -> NDArray[np.uint8]:
    """(N_CODE_POINTS,) the kind of each character."""
    kinds = np.full(N_CODE_POINTS, OTHER, np.uint8)
    characters = [chr(point) for point in range(N_CODE_POINTS_OF_SCRIPTS)]
    kinds[: len(characters)] = np.fromiter(map(str.isalnum, characters), np.bool_, len(characters))
    kinds[ord("_")] = LETTER
    categories = list(map(unicodedata.category, characters))
    for script in UNSPACED_SCRIPTS:
        letters = [point for point in script if categories[point][0] == "L" or categories[point] == "Nl"]
        kinds[letters] = LETTER_ALONE
    kinds[[point for point, category in enumerate(categories) if category in ("Mn", "Mc")]] = MARK
    for points in GLYPH_SELECTORS:
        kinds[points.start : points.stop] = OTHER
    return kinds


def _word_bounds(kinds: NDArray[np.uint8]) -> tuple[Int64Array, Int64Array]:
    """Where words start and end in a row of characters that begins and ends with one of no word."""
    if kinds.max() <= LETTER:
        changes = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
        return changes[::2], changes[1::2]
    is_mark = kinds == MARK
    last_letter = np.maximum.accumulate(np.where(is_mark, 0, np.arange(len(kinds))))
    owners = kinds[last_letter]
    in_word, before = owners != OTHER, owners[:-1]
    starts = np.zeros(len(kinds), np.bool_)
    starts[1:] = (kinds[1:] == LETTER_ALONE) | ((kinds[1:] == LETTER) & (before != LETTER))
    return np.flatnonzero(starts), np.flatnonzero(in_word[:-1] & (starts[1:] | ~in_word[1:])) + 1


@lru_cache(maxsize=4)
def _powers(n_powers: int) -> tuple[UInt64Array, UInt64Array, UInt64Array]:
    """Powers 1 to n of `CHARACTER_MULTIPLIER` modulo 2^64, their sums (from the empty one), and powers 0 to n - 1 of
    its inverse."""
    powers = np.multiply.accumulate(np.full(n_powers, CHARACTER_MULTIPLIER, np.uint64))
    inverse = np.full(n_powers, pow(CHARACTER_MULTIPLIER, -1, 1 << 64), np.uint64)
    inverse[0] = 1
    return (
        powers,
        np.concatenate([np.zeros(1, np.uint64), np.cumsum(powers)]),
        np.multiply.accumulate(inverse),
    )


def _hash_words(code_points: NDArray[np.uint32], starts: Int64Array, ends: Int64Array) -> UInt64Array:
    """For each word the sum of (code point + 1) times the multiplier to the power of its place, from 1; mixed.

    Differences of one running sum: places are counted from the first word, and the inverse of the multiplier takes
    each word back to its own start.
    """
    first, last = starts[0], ends[-1]
    # Rounded up, so that blocks of about the same length share the powers.
    powers, sums_of_powers, inverses = _powers(-(-int(last - first) // BLOCK_CHARACTERS) * BLOCK_CHARACTERS)
    running = np.zeros(last - first + 1, np.uint64)
    np.multiply(code_points[first:last], powers[: last - first], out=running[1:])
    np.cumsum(running[1:], out=running[1:])
    running += sums_of_powers[: len(running)]
    return mix_bits((running[ends - first] - running[starts - first]) * inverses[starts - first])


def _word_hashes(texts: Sequence[str]) -> tuple[UInt64Array, Int64Array]:
    """The hashes of all words, text after text, and (n_texts,) how many words each text has."""
    folded = [text.casefold() for text in texts]
    joined = SEPARATOR.join(["", *folded, ""])
    code_points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
    starts, ends = _word_bounds(character_kinds().take(code_points, mode="clip"))
    text_ends = np.cumsum([len(text) + 1 for text in folded])
    n_words = np.diff(np.searchsorted(starts, text_ends), prepend=0)
    # Groups of words keep the powers to about a block's, however long a text is.
    groups = np.split(np.arange(len(starts)), np.flatnonzero(np.diff(starts // BLOCK_CHARACTERS)) + 1)
    hashes = [_hash_words(code_points, starts[group], ends[group]) for group in groups if len(group)]
    return np.concatenate([np.empty(0, np.uint64), *hashes]), n_words


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
