"""Texts as sequences of hashed words, with what tells a sentence's borders.

A text is case-folded and split into words: the longest runs of characters that `str.isalnum` accepts, and
underscores. In scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) every character is a
word, because a whole sentence would be one otherwise. Punctuation tells only where a sentence may begin or end.

What lives here: texts to words. What does not: which words are looked for (``item_index.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from warehouse.dedup.shingles import mix_bits, text_blocks

UInt64Array = NDArray[np.uint64]
Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

N_CODE_POINTS = 0x110000
BLOCK_CHARACTERS = 1 << 17
"""Characters split at a time: the intermediate arrays stay near the processor."""

MAX_LETTERS = 255
"""Longer words count as this long."""

CHARACTER_MULTIPLIER = 0x9E3779B97F4A7C15
"""Base of the polynomial over a word's characters: 2^64 divided by the golden ratio (Knuth, TAOCP 3, §6.4)."""

WORD_MULTIPLIER: Final = np.uint64(0xD1342543DE82EF95)
"""Base of the polynomial over words (Steele and Vigna 2021, "Computationally easy, spectrally good
multipliers")."""

IN_WORD, A_WORD, BORDER = 1, 2, 3
"""What a character can be: part of a word, a word of its own, the border of a sentence; else 0."""

BORDERS = "\n\r.?!:;…\u3002\uff01\uff1f\uff1b\u0964\u061f\u06d4"
"""Full stop, exclamation mark, question mark and semicolon as Chinese and Japanese write them, the danda, and the
Arabic question mark and full stop."""

UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
"""Thai and Lao, Burmese, Khmer, kana, Han: first and last code points."""


@dataclass(frozen=True)
class Words:
    """The words of a batch of texts, one text after the other.

    Attributes:
        hashes: (n_words,) 64-bit hashes.
        letters: (n_words,) characters of each word, at most `MAX_LETTERS`; a digit counts twice, because it is drawn
            from ten as a word is from many, not guessed from the letters before it.
        opens: (n_words,) whether a sentence or line may begin with the word.
        closes: (n_words,) whether one may end with it.
        offsets: (n_texts + 1,) where each text's words begin.
    """

    hashes: UInt64Array
    letters: NDArray[np.uint8]
    opens: BoolArray
    closes: BoolArray
    offsets: Int64Array

    @property
    def n_texts(self) -> int:
        return len(self.offsets) - 1

    @property
    def text_of_word(self) -> Int64Array:
        """(n_words,) the text that each word stands in."""
        return np.repeat(np.arange(self.n_texts), np.diff(self.offsets))


@lru_cache
def _kinds() -> NDArray[np.uint8]:
    """(N_CODE_POINTS,) what each character can be."""
    flags = (chr(point).isalnum() for point in range(N_CODE_POINTS))
    kinds = np.fromiter(flags, np.uint8, N_CODE_POINTS)
    for first, last in UNSPACED:
        kinds[first : last + 1] *= A_WORD
    kinds[ord("_")] = IN_WORD
    kinds[[ord(character) for character in BORDERS]] = BORDER
    return kinds


def split_words(texts: Sequence[str]) -> Words:
    """The words of some texts; nothing depends on the other texts of the batch."""
    blocks = [_split_block(block) for block in text_blocks(texts, BLOCK_CHARACTERS)]
    counts = np.concatenate([np.zeros(1, np.int64), *(np.diff(block.offsets) for block in blocks)])
    return Words(
        np.concatenate([np.empty(0, np.uint64), *(block.hashes for block in blocks)]),
        np.concatenate([np.empty(0, np.uint8), *(block.letters for block in blocks)]),
        np.concatenate([np.empty(0, np.bool_), *(block.opens for block in blocks)]),
        np.concatenate([np.empty(0, np.bool_), *(block.closes for block in blocks)]),
        np.cumsum(counts),
    )


def _split_block(texts: Sequence[str]) -> Words:
    folded = [text.casefold() for text in texts]
    code_points = np.frombuffer(("\n".join(folded) + "\n").encode("utf-32-le", "surrogatepass"), "<u4")
    kinds = _kinds()[code_points]
    in_word = (kinds == IN_WORD) | (kinds == A_WORD)
    alone = kinds == A_WORD
    # The character before the first one is the line end after the last.
    starts = np.flatnonzero(in_word & (~np.roll(in_word, 1) | alone | np.roll(alone, 1)))
    text_ends = np.cumsum([len(text) + 1 for text in folded])
    offsets = np.concatenate([np.zeros(1, np.int64), np.searchsorted(starts, text_ends)])
    if not len(starts):
        nothing = np.empty(0, np.bool_)
        return Words(np.empty(0, np.uint64), np.empty(0, np.uint8), nothing, nothing, offsets)
    n_borders = np.cumsum(kinds == BORDER)
    closes = np.diff(n_borders[starts], append=n_borders[-1]) > 0
    opens = np.concatenate([np.ones(1, np.bool_), closes[:-1]])
    opens[offsets[:-1][np.diff(offsets) > 0]] = True
    characters = code_points[in_word].astype(np.uint64)
    firsts = np.cumsum(in_word)[starts] - 1
    lengths = np.diff(firsts, append=len(characters))
    place_in_word = np.arange(len(characters)) - np.repeat(firsts, lengths)
    powers = np.multiply.accumulate(np.full(lengths.max(), CHARACTER_MULTIPLIER, np.uint64))
    hashes = mix_bits(np.add.reduceat((characters + np.uint64(1)) * powers[place_in_word], firsts))
    n_digits = np.add.reduceat(characters - np.uint64(ord("0")) < np.uint64(10), firsts, dtype=np.int64)
    letters = np.minimum(lengths + n_digits, MAX_LETTERS).astype(np.uint8)
    return Words(hashes, letters, opens, closes, offsets)


def pattern_hashes(words: UInt64Array, places: Sequence[int]) -> UInt64Array:
    """(max(0, n - places[-1]),) hashes of the words at `places` behind every word, borders of texts not minded.

    The words' own hashes have random bits already, so sums of their products do too, the upper ones above all.

    Args:
        words: (n,) hashes of words.
        places: ascending, from 0; (0, 1, 3) hashes three of every four words in a row.
    """
    n_hashes = max(0, len(words) - places[-1])
    # The pattern is hashed too, so that one pattern's words never look like another's.
    sums = np.full(n_hashes, sum(1 << place for place in places), np.uint64)
    for place in places:
        sums *= WORD_MULTIPLIER
        sums += words[place : place + n_hashes]
    return sums


def ranges(starts: Int64Array, lengths: Int64Array) -> Int64Array:
    """The integers of all ranges [start, start + length), one range after the other."""
    skipped = np.cumsum(lengths) - lengths
    places: Int64Array = np.arange(lengths.sum()) + np.repeat(starts - skipped, lengths)
    return places
