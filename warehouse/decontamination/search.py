"""Looking evaluation items up in chunks, whole batches at a time.

Rule ``ngram_overlap``: a run of `LONG_WORDS` words of an item stands in the chunk, or the whole passage where it is
shorter. Rule ``near_duplicate``: a piece of an item stands there with some of its words replaced, left out or added.
Seeds of the index that stand in the chunk propose places; there the words are compared one by one, on the diagonal that
the seed gives and on those of other seeds close by. What is left must prove something: letters and words that agree,
and sentence borders around them (`PROVING_EVIDENCE`), because three words of four stand in any book.

What lives here: the search. What does not: what is searched for (``item_index.py``), where chunks come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.decontamination.item_index import (
    SEED_PATTERNS,
    SHORT_SEED_PATTERNS,
    ItemIndex,
)
from warehouse.decontamination.items import LETTERS_PER_WORD, LONG_WORDS, PROVING_EVIDENCE, SENTENCE_WORDS
from warehouse.decontamination.words import (
    BoolArray,
    Int64Array,
    UInt64Array,
    Words,
    pattern_hashes,
    ranges,
)

RULE_VERSION = "passages-2"
"""Name of the rules and of all their constants; another one searches everything again."""

NGRAM_OVERLAP = "ngram_overlap"
NEAR_DUPLICATE = "near_duplicate"

MIN_SCORE = 0.5
"""Least share of a piece's words that is recorded."""

BORDER_EVIDENCE = np.array([0, 5, 13])
"""What it proves that a sentence or line of the chunk begins or ends where the piece does, for none, one and both."""

MAX_SHIFT = 3
"""Words left out or added in a row that an alignment may bridge."""

MAX_CANDIDATES = 1 << 14
"""Places compared at a time, of at most 40 words each: about 20 MB."""

FILTER_BITS_PER_HASH = 32

_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Findings:
    """Items found in a batch of chunks, one row a chunk, item and rule, ascending.

    Attributes:
        chunks: (n,) places of the chunks in the batch.
        items: (n,) places of the items in the index.
        is_near: (n,) whether the rule is ``near_duplicate``; else it is ``ngram_overlap``.
        scores: (n,) share of the item's runs, or of the best piece's words, that was found. Where a piece of fewer than
            `SENTENCE_WORDS` words stands as a sentence of its own, its two borders count as words.
        sizes: (n,) words of the run or piece.
    """

    chunks: Int64Array
    items: Int64Array
    is_near: BoolArray
    scores: NDArray[np.float32]
    sizes: Int64Array


@dataclass(frozen=True)
class Candidates:
    """Places where pieces may stand.

    Attributes:
        starts: (n,) the word of the batch at which the piece would begin, maybe before the chunk.
        pieces: (n,) the pieces.
        chunks: (n,) the chunks.
    """

    starts: Int64Array
    pieces: Int64Array
    chunks: Int64Array

    def rows(self, which: slice | Int64Array | BoolArray) -> Candidates:
        return Candidates(self.starts[which], self.pieces[which], self.chunks[which])

    def distinct(self) -> Candidates:
        """Each place once, piece by piece, chunk by chunk, from the first word to the last."""
        ordered = self.rows(np.lexsort((self.starts, self.chunks, self.pieces)))
        return ordered.rows(ordered.groups() | (np.diff(ordered.starts, prepend=-1) != 0))

    def groups(self) -> BoolArray:
        """(n,) whether a place is the first of its piece in its chunk."""
        first = np.ones(len(self.starts), np.bool_)
        first[1:] = (self.pieces[1:] != self.pieces[:-1]) | (self.chunks[1:] != self.chunks[:-1])
        return first


class Searcher:
    """Searches chunks for the items of an index."""

    def __init__(self, index: ItemIndex) -> None:
        self._index = index
        self._seeds = HashSet(index.seeds)
        self._grams = HashSet(index.grams)
        self._patterns = SEED_PATTERNS + (SHORT_SEED_PATTERNS if index.has_short_pieces else ())

    def search(self, words: Words) -> Findings:
        """What of the index stands in some chunks; a chunk's findings depend on its words alone."""
        of_word = words.text_of_word
        parts = [self._long_runs(words, of_word)]
        for places in self._candidates(words, of_word):
            parts += self._compare(words, of_word, places)
        return _best(parts)

    def _long_runs(self, words: Words, of_word: Int64Array) -> Findings:
        index = self._index
        hashes = pattern_hashes(words.hashes, range(LONG_WORDS))
        at, low, n_found = self._grams.look_up(hashes)
        same = of_word[at] == of_word[at + LONG_WORDS - 1]
        at, low, n_found = at[same], low[same], n_found[same]
        grams = ranges(low, n_found)
        # A run that stands twice in a chunk counts once.
        keys = np.unique(np.stack([np.repeat(of_word[at], n_found), index.gram_items[grams], grams]), axis=1)
        pairs, counts = np.unique(keys[:2], axis=1, return_counts=True)
        scores = (counts / index.n_item_grams[pairs[1]]).astype(np.float32)
        sizes = np.full(len(scores), LONG_WORDS)
        return Findings(pairs[0], pairs[1], np.zeros(len(scores), np.bool_), scores, sizes)

    def _candidates(self, words: Words, of_word: Int64Array) -> Iterator[Candidates]:
        """Where pieces may stand, a slice at a time; all places of a piece in a chunk come together."""
        starts, pieces, chunks = [_NONE], [_NONE], [_NONE]
        for pattern in self._patterns:
            at, low, n_found = self._seeds.look_up(pattern_hashes(words.hashes, pattern))
            same = of_word[at] == of_word[at + pattern[-1]]
            at, low, n_found = np.repeat(at[same], n_found[same]), low[same], n_found[same]
            seeds = ranges(low, n_found)
            starts.append(at - self._index.seed_places[seeds])
            pieces.append(self._index.seed_pieces[seeds].astype(np.int64))
            chunks.append(of_word[at])
        found = Candidates(np.concatenate(starts), np.concatenate(pieces), np.concatenate(chunks)).distinct()
        group_ends = np.append(np.flatnonzero(found.groups()[1:]) + 1, len(found.starts))
        first = 0
        while first < len(found.starts):
            end = group_ends[np.searchsorted(group_ends, min(first + MAX_CANDIDATES, len(found.starts)))]
            yield found.rows(slice(first, end))
            first = end

    def _compare(self, words: Words, of_word: Int64Array, places: Candidates) -> list[Findings]:
        index, rows = self._index, np.arange(len(places.starts))
        firsts = index.piece_starts[places.pieces]
        sizes = index.piece_starts[places.pieces + 1] - firsts
        width = np.arange(sizes.max())
        of_piece = np.minimum(firsts[:, None] + width, len(index.words) - 1)
        wanted = places.starts[:, None] + width
        in_text = np.clip(wanted, 0, len(words.hashes) - 1)
        compared = (width < sizes[:, None]) & (in_text == wanted)
        compared &= of_word[in_text] == places.chunks[:, None]
        equal = compared & (index.words[of_piece] == words.hashes[in_text])
        aligned = _aligned(equal, places)
        n_equal = aligned.sum(axis=1)
        letters = (index.letters[of_piece] * aligned).sum(axis=1)
        opens = compared[:, 0] & words.opens[in_text[:, 0]]
        closes = compared[rows, sizes - 1] & words.closes[in_text[rows, sizes - 1]]
        n_borders = opens.astype(np.int64) + closes
        # Borders of a short sentence are as telling as two words more.
        whole = (n_borders == 2) & (sizes < SENTENCE_WORDS)
        scores = ((n_equal + 2 * whole) / (sizes + 2 * whole)).astype(np.float32)
        proof = letters + LETTERS_PER_WORD * n_equal + BORDER_EVIDENCE[n_borders]
        verbatim = equal.sum(axis=1) == sizes
        items = index.piece_items[places.pieces].astype(np.int64)
        near = verbatim | ((scores >= MIN_SCORE) & (proof >= PROVING_EVIDENCE))
        return [
            Findings(
                places.chunks[found], items[found], np.full(found.sum(), is_near), scores[found], sizes[found]
            )
            for found, is_near in ((near, True), (verbatim & (sizes < LONG_WORDS), False))
        ]


class HashSet:
    """Ascending hashes that are looked up by the million, most of them in vain.

    A bit for each value of a hash's upper bits says which are not there (Bloom 1970, with one hash function); only the
    others are searched for.
    """

    def __init__(self, hashes: UInt64Array) -> None:
        self._distinct, self._firsts, self._counts = np.unique(hashes, return_index=True, return_counts=True)
        n_bits = max(10, int(len(self._distinct) * FILTER_BITS_PER_HASH).bit_length())
        self._shift = np.uint64(64 - n_bits)
        bits = np.zeros(1 << n_bits, np.bool_)
        bits[hashes >> self._shift] = True
        self._bits = np.packbits(bits, bitorder="little")

    def look_up(self, hashes: UInt64Array) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Which of some hashes are in the set.

        Returns:
            Their places among `hashes`, where their equals begin in the set, and how many those are.
        """
        slots = hashes >> self._shift
        bits = self._bits[slots >> np.uint64(3)] >> (slots & np.uint64(7)).astype(np.uint8)
        maybe = np.flatnonzero(bits & np.uint8(1))
        if not len(self._distinct):
            maybe = maybe[:0]
        at = np.minimum(np.searchsorted(self._distinct, hashes[maybe]), len(self._distinct) - 1)
        found = self._distinct[at] == hashes[maybe]
        return maybe[found], self._firsts[at[found]], self._counts[at[found]]


def _aligned(equal: BoolArray, places: Candidates) -> BoolArray:
    """Words that agree on a place's own diagonal, or two and more in a row on a near one of the same group."""
    pairs = np.zeros_like(equal)
    pairs[:, 1:] = equal[:, 1:] & equal[:, :-1]
    pairs[:, :-1] |= pairs[:, 1:]
    aligned = equal.copy()
    group = np.cumsum(places.groups())
    for step in range(1, min(MAX_SHIFT, len(group) - 1) + 1):
        near = (group[step:] == group[:-step]) & (places.starts[step:] - places.starts[:-step] <= MAX_SHIFT)
        aligned[step:] |= pairs[:-step] & near[:, None]
        aligned[:-step] |= pairs[step:] & near[:, None]
    return aligned


def _best(parts: Sequence[Findings]) -> Findings:
    """One row a chunk, item and rule: that of the highest score, of the longest piece where several have it."""
    chunks = np.concatenate([part.chunks for part in parts])
    items = np.concatenate([part.items for part in parts])
    is_near = np.concatenate([part.is_near for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    sizes = np.concatenate([part.sizes for part in parts])
    order = np.lexsort((-sizes, -scores, is_near, items, chunks))
    chunks, items, is_near = chunks[order], items[order], is_near[order]
    first = np.ones(len(chunks), np.bool_)
    first[1:] = (chunks[1:] != chunks[:-1]) | (items[1:] != items[:-1]) | (is_near[1:] != is_near[:-1])
    best = order[first]
    return Findings(chunks[first], items[first], is_near[first], scores[best], sizes[best])
