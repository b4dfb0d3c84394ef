"""Paragraphs and lines of texts, each with a hash of what it says: what repetition across documents is found by.

Pieces of fenced code blocks are no passages. In paragraphs of several lines the lines that stand for themselves
(`warehouse.dedup.text_lines.Lines`), such as items, menu entries and verses, are passages of their own; pieces of a
wrapped sentence are not.

Two passages are the same where their normalised characters are: case-folded (`str.casefold`), white space collapsed,
decimal digits made alike, punctuation, control and format characters left out (Unicode categories P and C), as CCNet
does (Wenzek et al. 2020, arXiv:1911.00359, section 3.1), which removes accents too. Line breaks are white space, so
that a paragraph equals itself wrapped otherwise.

Short passages are none: they repeat because there is only one way to say them ("CHAPTER I", a closing bracket,
``import numpy as np``). Length is counted in letters, so that rows of numbers and rulers are none either; a wide
letter (Chinese, Japanese, Korean) counts twice.

What lives here: texts to passages. What does not: counting them, and which are left out of training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.dedup.shingles import CHARACTER_MULTIPLIER, mix_bits
from warehouse.dedup.text_lines import (
    BLANK,
    DIGIT,
    SYMBOL,
    BoolArray,
    Characters,
    Int64Array,
    Lines,
    filled_lines,
)
from warehouse.errors import InvalidConfiguration

UInt64Array = NDArray[np.uint64]

BLOCK_CHARACTERS = 1 << 17
"""Characters looked at together: the intermediate arrays (about 60 bytes a character) stay near the processor."""

_BETWEEN_TEXTS = "\n\n"
"""Keeps the last paragraph of a text apart from the first of the next."""

_WORD_MARK = np.uint64(1 << 21)
"""Added to the first character of a word; above every code point."""


@dataclass(frozen=True)
class PassageParameters:
    """Which passages count.

    Attributes:
        min_paragraph_letters: letters of the shortest paragraph.
        min_line_letters: letters of the shortest line; at least as many, so that every line's paragraph counts.
        version: name of the layout, the normalisation and the hash; another one finds other passages.
    """

    min_paragraph_letters: int = 40
    min_line_letters: int = 40
    version: str = "casefolded-digits-alike-1"

    def __post_init__(self) -> None:
        if not 1 <= self.min_paragraph_letters <= self.min_line_letters:
            raise InvalidConfiguration(
                f"Lines from {self.min_line_letters} and paragraphs from {self.min_paragraph_letters} letters on "
                "make no sense",
                "Choose at least one letter for paragraphs, and no less for lines",
            )

    @property
    def rule(self) -> str:
        """The parameters as one name: passages of two texts compare only under the same."""
        return f"{self.version} paragraphs {self.min_paragraph_letters} lines {self.min_line_letters}"


@dataclass(frozen=True)
class Passages:
    """The passages of a batch of texts, text after text, in the order of their beginnings.

    Attributes:
        text: (n_passages,) number of the text.
        hashes: (n_passages,) of the normalised characters; a line and a paragraph that say the same have the same.
        is_line: (n_passages,) whether it is a line of a longer paragraph, and not a paragraph.
        char_start: (n_passages,) first character in the text.
        char_end: (n_passages,) one past the last; the line end after a line is part of it, and so are the blank lines
            after a paragraph. Paragraphs are disjoint, lines are too, and lie within their paragraph.
    """

    text: Int64Array
    hashes: UInt64Array
    is_line: BoolArray
    char_start: Int64Array
    char_end: Int64Array


def find_passages(texts: Sequence[str], parameters: PassageParameters) -> Passages:
    """The paragraphs and lines of a batch of texts that are long enough."""
    blocks = [_block_passages(block, first, parameters) for first, block in _blocks(texts)]
    return Passages(
        np.concatenate([np.empty(0, np.int64), *(block.text for block in blocks)]),
        np.concatenate([np.empty(0, np.uint64), *(block.hashes for block in blocks)]),
        np.concatenate([np.empty(0, np.bool_), *(block.is_line for block in blocks)]),
        np.concatenate([np.empty(0, np.int64), *(block.char_start for block in blocks)]),
        np.concatenate([np.empty(0, np.int64), *(block.char_end for block in blocks)]),
    )


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Runs of texts of about `BLOCK_CHARACTERS` characters, with the number of the first."""
    start = n_characters = 0
    for index, text in enumerate(texts):
        if index > start and n_characters + len(text) > BLOCK_CHARACTERS:
            yield start, texts[start:index]
            start, n_characters = index, 0
        n_characters += len(text)
    if start < len(texts):
        yield start, texts[start:]


@dataclass(frozen=True)
class _Found:
    """Passages of one kind in a block: hash, first and one past the last of its lines."""

    hashes: UInt64Array
    line: Int64Array
    next_line: Int64Array


def _block_passages(texts: Sequence[str], first: int, parameters: PassageParameters) -> Passages:
    block = _BETWEEN_TEXTS.join(texts)
    # Case folding changes lengths, and neither makes nor removes a line feed: lines keep their numbers.
    characters = Characters.of(block.casefold())
    lines = filled_lines(characters)
    sums, n_kept, powers = _line_polynomials(characters)
    own = (sums[lines.number], n_kept[lines.number])
    line_start = Characters.of(block).line_start
    lengths = np.array([len(text) for text in texts])
    text_start = np.cumsum(lengths + len(_BETWEEN_TEXTS)) - lengths - len(_BETWEEN_TEXTS)
    is_code = _in_code(
        lines.is_fence, np.searchsorted(text_start, line_start[lines.number], side="right") - 1
    )
    paragraphs = _long_paragraphs(
        lines, is_code, _paragraph_sums(lines, *own, powers), len(n_kept), parameters
    )
    single = _long_lines(lines, is_code, own[0], parameters)
    start = line_start[np.concatenate([paragraphs.line, single.line])]
    end = line_start[np.concatenate([paragraphs.next_line, single.next_line])]
    is_line = np.arange(len(start)) >= len(paragraphs.line)
    text = np.searchsorted(text_start, start, side="right") - 1
    order = np.lexsort((is_line, start))
    return Passages(
        (text + first)[order],
        mix_bits(np.concatenate([paragraphs.hashes, single.hashes]))[order],
        is_line[order],
        (start - text_start[text])[order],
        np.minimum(end - text_start[text], lengths[text])[order],
    )


def _in_code(is_fence: BoolArray, text: Int64Array) -> BoolArray:
    """(n_lines,) whether each line of some texts lies in a fenced code block; none where a text holds half a block."""
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(is_fence)])
    of_text = before[np.searchsorted(text, text)]
    is_paired = (before[np.searchsorted(text, text, side="right")] - of_text) % 2 == 0
    in_code: BoolArray = is_paired & ((before[:-1] - of_text) % 2 == 1)
    return in_code


def _long_paragraphs(
    lines: Lines, is_code: BoolArray, sums: UInt64Array, n_all_lines: int, parameters: PassageParameters
) -> _Found:
    begins = lines.number[lines.begins]
    chosen = lines.per_paragraph(lines.n_letters) >= parameters.min_paragraph_letters
    chosen &= (lines.per_paragraph(lines.is_fence) % 2 == 0) & ~is_code[lines.begins]
    return _Found(sums[chosen], begins[chosen], np.append(begins[1:], n_all_lines)[: len(begins)][chosen])


def _long_lines(lines: Lines, is_code: BoolArray, sums: UInt64Array, parameters: PassageParameters) -> _Found:
    n_lines = lines.per_paragraph(np.ones(len(lines.number)))[lines.paragraph]
    chosen = lines.stands_alone & ~is_code & (n_lines > 1) & (lines.n_letters >= parameters.min_line_letters)
    return _Found(sums[chosen], lines.number[chosen], lines.number[chosen] + 1)


def _line_polynomials(characters: Characters) -> tuple[UInt64Array, Int64Array, UInt64Array]:
    """A polynomial over the normalised characters of each line, of base `CHARACTER_MULTIPLIER`.

    Returns:
        (n_lines,) the sums of characters times the powers of their places in the line; (n_lines,) how many normalised
        characters each line has; the powers, from the first on, enough for the longest passage.
    """
    kept = characters.classes >= SYMBOL
    n_kept = characters.per_line(kept)
    powers = np.multiply.accumulate(np.full(int(n_kept.sum()) + 1, CHARACTER_MULTIPLIER, np.uint64))
    sums = np.zeros(len(n_kept), np.uint64)
    filled = n_kept > 0
    if not filled.any():
        return sums, n_kept, powers
    places = np.flatnonzero(kept)
    firsts = (np.cumsum(n_kept) - n_kept)[filled]
    begins_word = np.diff(np.cumsum(characters.classes == BLANK)[places], prepend=-1) > 0
    # The first character of a line always begins a word, also that of the block.
    begins_word[firsts] = True
    values = np.where(characters.classes[places] == DIGIT, ord("0"), characters.points[places])
    place_in_line = np.arange(len(places)) - np.repeat(firsts, n_kept[filled])
    sums[filled] = np.add.reduceat((values + begins_word * _WORD_MARK) * powers[place_in_line], firsts)
    return sums, n_kept, powers


def _paragraph_sums(lines: Lines, sums: UInt64Array, n_kept: Int64Array, powers: UInt64Array) -> UInt64Array:
    """(n_paragraphs,) the same polynomial over each paragraph's characters, from those of its lines."""
    if not len(sums):
        return sums
    before = np.cumsum(n_kept) - n_kept
    place = before - before[lines.begins][lines.paragraph]
    # The powers begin with the first, so a shift by n is the power n - 1, and by none is one.
    shifts = np.where(place > 0, powers[place - 1], np.uint64(1))
    return np.add.reduceat(sums * shifts, lines.begins)
