"""Repeated lines, paragraphs and word n-grams of a batch of texts: Gopher's measures of repetition.

Source: Rae et al. 2021, arXiv:2112.11446, appendix A.1.1, table A1, as datatrove 0.10 counts them. Of the longer
n-grams only those are looked at that hold shorter ones which occur more than once, so there is little to sort.

What lives here: counts. What does not: thresholds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.measures.spellings import BASE
from warehouse.cleanser.measures.text_batch import Positions, TextBatch
from warehouse.cleanser.measures.word_counts import WordBatch

TOP_NGRAMS = (2, 3, 4)
DUPLICATE_NGRAMS = (5, 6, 7, 8, 9, 10)

_PARAGRAPH_BREAK = re.compile(r"\n{2,}")

_MULTIPLIERS = np.array([pow(BASE, step + 1, 1 << 64) for step in range(TOP_NGRAMS[-1])], np.uint64)
_MIXER = np.uint64(0xD6E8FEB86659FD93)
"""Odd numbers, which lose no bit of what they multiply."""
_HALF = np.uint64(32)

_POSITION_BITS = 32
_LAST_POSITION = (1 << _POSITION_BITS) - 1
"""A count and a position in one number: the largest has the highest count, then the earliest position."""


@dataclass(frozen=True)
class RepeatedNgrams:
    """The n-grams of a batch that occur more than once in their text.

    Attributes:
        n: words of each.
        positions: first token of each occurrence, n-gram by n-gram, in each by position.
        is_first: whether an n-gram begins there.
    """

    n: int
    positions: Positions
    is_first: NDArray[np.bool]


@dataclass(frozen=True)
class NgramCharacters:
    """Characters in repeated n-grams, of each text by n.

    Attributes:
        top: of the most frequent n-gram, with the blanks between its words, times how often it occurs; the
            earliest of equally frequent ones counts.
        duplicate: in n-grams that occurred before, without blanks, none counted twice.
    """

    top: dict[int, NDArray[np.int64]]
    duplicate: dict[int, NDArray[np.int64]]


def ngram_characters(words: WordBatch) -> NgramCharacters:
    """Count the characters in the repeated n-grams of a batch."""
    characters = words.spellings.characters
    text = np.repeat(np.arange(len(words.n_words)), words.n_words)
    salts = np.repeat(_salts(len(words.n_words)), words.n_words)
    return NgramCharacters(
        {
            repeated.n: _top_characters(repeated, words, characters)
            for repeated in _repeated_sequences(words, salts)
        },
        {
            repeated.n: _duplicate_characters(repeated, words, characters)
            for repeated in _repeated_spellings(words, text, salts)
        },
    )


def _top_characters(
    repeated: RepeatedNgrams, words: WordBatch, characters: NDArray[np.int64]
) -> NDArray[np.int64]:
    n = repeated.n
    starts = np.flatnonzero(repeated.is_first)
    counts = np.diff(np.append(starts, len(repeated.positions)))
    earliest = repeated.positions[starts]
    best = (1 << _POSITION_BITS) + _LAST_POSITION - words.token_bounds[:-1]
    np.maximum.at(best, _text_of(earliest, words), (counts << _POSITION_BITS) + _LAST_POSITION - earliest)
    has_ngram = words.n_words >= n
    position = np.where(has_ngram, _LAST_POSITION - (best & _LAST_POSITION), 0)
    end = np.where(has_ngram, position + n, 0)
    length = characters[end] - characters[position] + n - 1
    return np.where(has_ngram, length * (best >> _POSITION_BITS), 0)


def _duplicate_characters(
    repeated: RepeatedNgrams, words: WordBatch, characters: NDArray[np.int64]
) -> NDArray[np.int64]:
    n = repeated.n
    order = np.argsort(repeated.positions)
    ngrams = np.cumsum(repeated.is_first)[order].tolist()
    seen: set[int] = set()
    duplicates: list[int] = []
    free = 0
    for position, ngram in zip(repeated.positions[order].tolist(), ngrams, strict=True):
        if position < free:
            continue
        if ngram in seen:
            duplicates.append(position)
            free = position + n
        else:
            seen.add(ngram)
    found = np.zeros(len(words.n_words), np.int64)
    at = np.array(duplicates, np.int64)
    np.add.at(found, _text_of(at, words), characters[at + n] - characters[at])
    return found


def _text_of(tokens: Positions, words: WordBatch) -> Positions:
    return np.searchsorted(words.token_bounds, tokens, side="right") - 1


def _repeated_sequences(words: WordBatch, salts: NDArray[np.uint64]) -> Iterator[RepeatedNgrams]:
    """The repeated n-grams for n = 2 to 4: the same words in the same order."""
    n_tokens = len(words.token_hash)
    left = _tokens_left(words)
    # What is repeated grows by a token from one n to the next, and so do the hashes of what is left.
    hash_at = words.token_hash * _MULTIPLIERS[0] + salts
    is_repeated = np.zeros(n_tokens + 1, bool)
    is_repeated[:-1] = True
    for n in TOP_NGRAMS:
        candidates = np.flatnonzero(is_repeated[:-1] & is_repeated[1:] & (left >= n))
        hashes = hash_at.take(candidates)
        hashes += words.token_hash.take(candidates + (n - 1)) * _MULTIPLIERS[n - 1]
        positions, is_first, hash_at = _grouped(hashes, candidates, n_tokens)
        is_repeated[:] = False
        is_repeated[positions] = True
        yield RepeatedNgrams(n, positions, is_first)


def _repeated_spellings(
    words: WordBatch, text: Positions, salts: NDArray[np.uint64]
) -> Iterator[RepeatedNgrams]:
    """The repeated n-grams for n = 5 to 10: the same characters, even if they are parted into words otherwise.

    That is how datatrove compares them. Where
    characters are parted otherwise, an n-gram may be repeated though no shorter one is; it takes words like the
    rules of a table ("--- ----", "---- ---"), so in texts with such every n-gram is looked at.
    """
    n_tokens = len(words.token_hash)
    left = _tokens_left(words)
    is_ruled = _has_runs_of_two_lengths(words, text)[text]
    is_candidate = np.ones(n_tokens, bool)
    for n in DUPLICATE_NGRAMS:
        candidates = np.flatnonzero(is_candidate & (left >= n))
        hashes = words.spellings.hashes(candidates, candidates + n)
        hashes = (hashes ^ (hashes >> _HALF)) * _MIXER + salts.take(candidates)
        positions, is_first, _ = _grouped(hashes, candidates, n_tokens)
        is_candidate[:] = is_ruled
        is_candidate[positions] = True
        is_candidate[np.maximum(positions - 1, 0)] = True
        yield RepeatedNgrams(n, positions, is_first)


def _has_runs_of_two_lengths(words: WordBatch, text: Positions) -> NDArray[np.bool]:
    """Of each text."""
    runs = np.flatnonzero(words.token_is_run)
    longest = np.zeros(len(words.n_words), np.int64)
    np.maximum.at(longest, text[runs], words.token_length[runs])
    shortest = longest.copy()
    np.minimum.at(shortest, text[runs], words.token_length[runs])
    return shortest < longest


def _tokens_left(words: WordBatch) -> Positions:
    """Tokens from each to the end of its text."""
    return np.repeat(words.token_bounds[1:], words.n_words) - np.arange(len(words.token_hash))


def _salts(n_texts: int) -> NDArray[np.uint64]:
    """For each text what is added to its hashes to keep them apart from another's."""
    return _mixed(np.arange(1, n_texts + 1, dtype=np.uint64))


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same with every bit spread over all: what is compared are the highest ones."""
    for _ in range(2):
        hashes = (hashes ^ (hashes >> _HALF)) * _MIXER
    return hashes


def _grouped(
    hashes: NDArray[np.uint64], positions: Positions, n_positions: int
) -> tuple[Positions, NDArray[np.bool], NDArray[np.uint64]]:
    """Positions whose hash occurs more than once, ordered by hash, then position; where a hash is first; and the hash
    at each of the positions.

    Args:
        hashes: of the positions.
        positions: ascending.
        n_positions: more than the largest of them.
    """
    bits = np.uint64(max(1, n_positions.bit_length()))
    mask = (np.uint64(1) << bits) - np.uint64(1)
    packed = hashes & ~mask | positions.astype(np.uint64)
    packed.sort()
    heads = packed >> bits
    same = np.zeros(len(packed) + 1, bool)
    same[1:-1] = heads[1:] == heads[:-1]
    chosen = np.flatnonzero(same[1:] | same[:-1])
    found = (packed[chosen] & mask).astype(np.int64)
    is_first = ~same[:-1][chosen]
    hash_at = np.empty(n_positions, np.uint64)
    hash_at[positions] = hashes
    whole = hash_at[found]
    if np.any(whole[1:][~is_first[1:]] != whole[:-1][~is_first[1:]]):
        return *_grouped_by_whole_hash(hashes, positions), hash_at
    return found, is_first, hash_at


def _grouped_by_whole_hash(
    hashes: NDArray[np.uint64], positions: Positions
) -> tuple[Positions, NDArray[np.bool]]:
    """The same where two hashes differ only in the bits that make room for the position."""
    order = np.argsort(hashes, kind="stable")
    sorted_hashes = hashes[order]
    same = np.zeros(len(order) + 1, bool)
    same[1:-1] = sorted_hashes[1:] == sorted_hashes[:-1]
    chosen = np.flatnonzero(same[1:] | same[:-1])
    return positions[order][chosen], ~same[:-1][chosen]


class RepeatedLines(NamedTuple):
    """What repeats earlier lines or paragraphs of a text, as counts of them and of their characters.

    Attributes:
        n_lines: parts of the text between runs of newlines; an empty one where it begins or ends with one.
        n_duplicate_lines, n_duplicate_line_characters: of these.
        n_paragraphs: parts between blank lines.
        n_duplicate_paragraphs, n_duplicate_paragraph_characters: of these.
        n_duplicate_nonblank_line_characters: in lines that are not blank (FineWeb).
    """

    n_lines: int
    n_duplicate_lines: int
    n_duplicate_line_characters: int
    n_paragraphs: int
    n_duplicate_paragraphs: int
    n_duplicate_paragraph_characters: int
    n_duplicate_nonblank_line_characters: int


def texts_with_repeated_lines(batch: TextBatch, words: WordBatch) -> list[int]:
    """The texts in which lines or paragraphs may be repeated; in the others none is.

    Equal lines have equal spellings, and equal paragraphs have equal lines. A text that begins and ends with a newline
    has two empty lines, by the rule of `RepeatedLines`.
    """
    lines = batch.newline_lines
    filled = np.flatnonzero(lines.end > lines.start)
    text = lines.text[filled]
    first = words.first_token[lines.first_piece[filled]]
    end = words.first_token[lines.last_piece[filled]]
    hashes = _mixed(words.spellings.hashes(first, end)) + _salts(len(batch.texts))[text]
    order = np.argsort(hashes)
    is_repeated = hashes[order[1:]] == hashes[order[:-1]]
    edged = [index for index, own in enumerate(batch.texts) if own[:1] == "\n" and own[-1:] == "\n"]
    return sorted({*text[order[1:][is_repeated]].tolist(), *edged})


def repeated_lines(text: str) -> RepeatedLines:
    """Repeated lines and paragraphs of one text."""
    if not text:
        return RepeatedLines(0, 0, 0, 0, 0, 0, 0)
    lines = list(filter(None, text.split("\n")))
    begins, ends = text[0] == "\n", text[-1] == "\n"
    distinct = len(set(lines))
    n_duplicates = len(lines) - distinct + (begins and ends)
    n_characters = n_nonblank_characters = 0
    if distinct < len(lines):
        n_characters = duplicate_characters(lines)
        n_nonblank_characters = duplicate_characters([line for line in lines if not line.isspace()])
    stripped = text.strip()
    n_paragraphs, n_duplicate_paragraphs, n_paragraph_characters = 1, 0, 0
    if "\n\n" in stripped:
        paragraphs = _PARAGRAPH_BREAK.split(stripped) if "\n\n\n" in stripped else stripped.split("\n\n")
        n_paragraphs = len(paragraphs)
        n_duplicate_paragraphs = n_paragraphs - len(set(paragraphs))
        if n_duplicate_paragraphs:
            n_paragraph_characters = duplicate_characters(paragraphs)
    return RepeatedLines(
        len(lines) + begins + ends,
        n_duplicates,
        n_characters,
        n_paragraphs,
        n_duplicate_paragraphs,
        n_paragraph_characters,
        n_nonblank_characters,
    )


def duplicate_characters(parts: Sequence[str]) -> int:
    """Characters of parts that are equal to an earlier one."""
    return sum(map(len, parts)) - sum(map(len, set(parts)))
