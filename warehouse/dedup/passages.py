"""Paragraphs and lines of texts, each with a hash of what it says: what repetition across documents is found by.

Lines end with a line feed; a carriage return is white space. A paragraph is a run of lines that are not blank. Lines
are passages of their own in paragraphs of several lines only: a paragraph of one line is a paragraph.

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

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from warehouse.dedup.shingles import CHARACTER_MULTIPLIER, N_CODE_POINTS, mix_bits
from warehouse.errors import InvalidConfiguration

UInt64Array = NDArray[np.uint64]
Int64Array = NDArray[np.int64]

BLOCK_CHARACTERS = 1 << 17
"""Characters looked at together: the intermediate arrays (about 60 bytes a character) stay near the processor."""

_LEFT_OUT, _BLANK, _KEPT, _LETTER, _WIDE_LETTER = range(5)
_N_LETTERS = np.array([0, 0, 0, 1, 2], np.int64)
_LINE_FEED = ord("\n")
_WORD_MARK = np.uint64(1 << 21)
"""Added to the first character of a word; above every code point."""


@dataclass(frozen=True)
class PassageParameters:
    """Which passages count.

    Attributes:
        min_paragraph_letters: letters of the shortest paragraph.
        min_line_letters: letters of the shortest line; at least as many, so that every line's paragraph counts.
        version: name of the normalisation and the hash; another one gives other hashes.
    """

    min_paragraph_letters: int = 40
    min_line_letters: int = 40
    version: str = "casefolded-0-1"

    def __post_init__(self) -> None:
        if not 1 <= self.min_paragraph_letters <= self.min_line_letters:
            raise InvalidConfiguration(
                f"Lines of {self.min_line_letters} letters in paragraphs of {self.min_paragraph_letters} make no sense",
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
    is_line: NDArray[np.bool_]
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
    """Runs of texts of about `BLOCK_CHARACTERS` characters, with the number of the first; empty texts too."""
    start = n_characters = 0
    for index, text in enumerate(texts):
        if index > start and n_characters + len(text) > BLOCK_CHARACTERS:
            yield start, texts[start:index]
            start, n_characters = index, 0
        n_characters += len(text)
    if start < len(texts):
        yield start, texts[start:]


def _class_of(character: str) -> int:
    category = unicodedata.category(character)
    if character.isspace():
        return _BLANK
    if category[0] in "PC":
        return _LEFT_OUT
    if category[0] in "LM":
        return _WIDE_LETTER if unicodedata.east_asian_width(character) in "WF" else _LETTER
    return _KEPT


@lru_cache
def _character_classes() -> NDArray[np.uint8]:
    """(N_CODE_POINTS,) what becomes of a character."""
    return np.fromiter((_class_of(chr(point)) for point in range(N_CODE_POINTS)), np.uint8, N_CODE_POINTS)


@lru_cache
def _alike() -> NDArray[np.uint32]:
    """(N_CODE_POINTS,) the character that stands for a character: zero for every decimal digit."""
    points = np.arange(N_CODE_POINTS, dtype=np.uint32)
    digits = [point for point in range(N_CODE_POINTS) if chr(point).isdecimal()]
    points[digits] = ord("0")
    return points


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _sums(values: Int64Array, borders: Int64Array) -> Int64Array:
    """Sum of `values` between each border and the next."""
    totals = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    sums: Int64Array = np.diff(totals[borders])
    return sums


@dataclass(frozen=True)
class _Lines:
    """The lines of a block of texts.

    Attributes:
        start: (n_lines + 1,) where each line begins in the block; the last is one past its end.
        is_blank: (n_lines,) whether it holds white space alone.
        n_letters: (n_lines,) letters, wide ones twice.
        n_kept: (n_lines,) normalised characters.
        sums: (n_lines,) polynomial over these, of base `CHARACTER_MULTIPLIER`.
        powers: (n,) powers of that base, enough for every paragraph.
    """

    start: Int64Array
    is_blank: NDArray[np.bool_]
    n_letters: Int64Array
    n_kept: Int64Array
    sums: UInt64Array
    powers: UInt64Array


def _lines_of(block: str) -> _Lines:
    line_feeds = np.flatnonzero(_code_points(block) == _LINE_FEED)
    start = np.concatenate([np.zeros(1, np.int64), line_feeds + 1, np.array([len(block)])])
    # Case folding makes characters of other lengths, and neither makes nor removes line feeds.
    folded = _code_points(block.casefold())
    borders = np.concatenate(
        [np.zeros(1, np.int64), np.flatnonzero(folded == _LINE_FEED) + 1, np.array([len(folded)])]
    )
    classes = _character_classes()[folded]
    kept = classes >= _KEPT
    n_kept = _sums(kept.astype(np.int64), borders)
    powers = np.multiply.accumulate(np.full(int(n_kept.sum()) + 1, CHARACTER_MULTIPLIER, np.uint64))
    return _Lines(
        start,
        _sums((classes != _BLANK).astype(np.int64), borders) == 0,
        _sums(_N_LETTERS[classes], borders),
        n_kept,
        _polynomials(folded, classes, kept, n_kept, powers),
        powers,
    )


def _polynomials(
    folded: NDArray[np.uint32],
    classes: NDArray[np.uint8],
    kept: NDArray[np.bool_],
    n_kept: Int64Array,
    powers: UInt64Array,
) -> UInt64Array:
    """(n_lines,) the sum of each line's normalised characters times the powers of their places in it."""
    places = np.flatnonzero(kept)
    sums = np.zeros(len(n_kept), np.uint64)
    if not len(places):
        return sums
    blanks = np.cumsum(classes == _BLANK)[places]
    begins_word = np.diff(blanks, prepend=-1) > 0
    values = _alike()[folded[places]].astype(np.uint64) + begins_word * _WORD_MARK
    firsts = (np.cumsum(n_kept) - n_kept)[n_kept > 0]
    place_in_line = np.arange(len(places)) - np.repeat(firsts, n_kept[n_kept > 0])
    # The first character of a line always begins a word, whether or not the text begins with white space.
    values[firsts] |= _WORD_MARK
    sums[n_kept > 0] = np.add.reduceat(values * powers[place_in_line], firsts)
    return sums


def _block_passages(texts: Sequence[str], first: int, parameters: PassageParameters) -> Passages:
    # A blank line between two texts keeps their paragraphs apart.
    lines = _lines_of("\n\n".join(texts))
    lengths = np.array([len(text) for text in texts])
    text_start = np.cumsum(lengths + 2) - lengths - 2
    filled = np.flatnonzero(~lines.is_blank)
    begins = filled[np.diff(filled, prepend=-2) > 1]
    paragraph_of_line = np.cumsum(np.diff(filled, prepend=-2) > 1) - 1
    n_lines = np.bincount(paragraph_of_line, minlength=len(begins))
    paragraph_letters = np.bincount(paragraph_of_line, lines.n_letters[filled], len(begins)).astype(np.int64)
    long_paragraphs = np.flatnonzero(paragraph_letters >= parameters.min_paragraph_letters)
    long_lines = np.flatnonzero(
        (lines.n_letters[filled] >= parameters.min_line_letters) & (n_lines[paragraph_of_line] > 1)
    )
    next_begin = np.append(lines.start[begins[1:]], lines.start[-1])
    start = np.concatenate([lines.start[begins[long_paragraphs]], lines.start[filled[long_lines]]])
    end = np.concatenate([next_begin[long_paragraphs], lines.start[filled[long_lines] + 1]])
    hashes = np.concatenate(
        [_paragraph_sums(lines, filled, paragraph_of_line)[long_paragraphs], lines.sums[filled[long_lines]]]
    )
    is_line = np.arange(len(start)) >= len(long_paragraphs)
    text = np.searchsorted(text_start, start, side="right") - 1
    order = np.lexsort((is_line, start))
    return Passages(
        (text + first)[order],
        mix_bits(hashes)[order],
        is_line[order],
        (start - text_start[text])[order],
        np.minimum(end - text_start[text], lengths[text])[order],
    )


def _paragraph_sums(lines: _Lines, filled: Int64Array, paragraph_of_line: Int64Array) -> UInt64Array:
    """(n_paragraphs,) the polynomial over each paragraph's characters, from those of its lines."""
    if not len(filled):
        return np.empty(0, np.uint64)
    n_kept = lines.n_kept[filled]
    before = np.cumsum(n_kept) - n_kept
    begins = np.flatnonzero(np.diff(paragraph_of_line, prepend=-1))
    place = before - before[begins][paragraph_of_line]
    # The powers begin with the first, so a shift by n is the power n - 1, and by none is one.
    shifts = np.where(place > 0, lines.powers[place - 1], np.uint64(1))
    return np.add.reduceat(lines.sums[filled] * shifts, begins)
