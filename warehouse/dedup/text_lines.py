"""Lines and paragraphs of a batch of texts: where they are, how long, and which lines stand for themselves.

Lines end with a line feed; a carriage return is white space. A paragraph is a run of lines that are not blank.

What lives here: the layout of text, over all its characters at once. What does not: what a passage is and what it says
(``passages.py``).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.dedup.shingles import N_CODE_POINTS

Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

IGNORED, BLANK, SYMBOL, DIGIT, LETTER, WIDE_LETTER = range(6)
"""Classes of characters: punctuation, control and format characters; white space; symbols and other numbers; decimal
digits; letters and their marks; letters of the width of two."""

LETTER_COUNTS = np.array([0, 0, 0, 0, 1, 2], np.int64)
"""What a character of each class counts for the length of a passage."""

_ASSIGNED = 0x40000
"""Beyond the first four planes Unicode has format characters, variation selectors and private use alone."""

_LINE_FEED = ord("\n")
_SENTENCE_ENDS = np.array(
    [
        *map(
            ord,
            ".!?:\u2026\u203c\u2047\u2048\u2049\u3002\uff01\uff1f\uff1a\uff61\u0589\u061f\u06d4\u0964\u0965\u1362",
        )
    ],
    np.uint32,
)
"""Full stops, question and exclamation marks, colons, ellipses: of European scripts and of Chinese, Japanese, Armenian,
Arabic, Urdu, the scripts of India, Ethiopic."""

_CLOSING = np.array([*map(ord, "\"')]}>\u201d\u2019\u00bb*_`\u300d\u300f\uff09")], np.uint32)
"""What may close a sentence after its end: quotation marks, brackets, marks of emphasis."""

_FENCES = np.array([ord("`"), ord("~")], np.uint32)
_FENCE_LENGTH = 3
_QUOTED = ord(">")


def _class_of(character: str) -> int:
    category = unicodedata.category(character)
    if character.isspace():
        return BLANK
    if category[0] in "PC":
        return IGNORED
    if category == "Nd":
        return DIGIT
    if category[0] in "LM":
        return WIDE_LETTER if unicodedata.east_asian_width(character) in "WF" else LETTER
    return SYMBOL


@lru_cache
def _character_classes() -> NDArray[np.uint8]:
    """(N_CODE_POINTS,) the class of each character."""
    table = np.full(N_CODE_POINTS, IGNORED, np.uint8)
    table[:_ASSIGNED] = [_class_of(chr(point)) for point in range(_ASSIGNED)]
    return table


@dataclass(frozen=True)
class Characters:
    """The characters of a block of text.

    Attributes:
        points: (n,) code points.
        classes: (n,) their classes.
        line_start: (n_lines + 1,) where each line begins; the last is n.
    """

    points: NDArray[np.uint32]
    classes: NDArray[np.uint8]
    line_start: Int64Array

    @classmethod
    def of(cls, block: str) -> Characters:
        points = np.frombuffer(block.encode("utf-32-le", "surrogatepass"), "<u4")
        ends = np.flatnonzero(points == _LINE_FEED) + 1
        return cls(points, _character_classes()[points], np.concatenate([[0], ends, [len(points)]]))

    def per_line(self, values: NDArray[Any]) -> Int64Array:
        """(n_lines,) sums of a value a character."""
        sums: Int64Array = np.diff(_running_sums(values)[self.line_start])
        return sums


def _running_sums(values: NDArray[Any]) -> Int64Array:
    """(n + 1,) sums of the values before each place, and of all."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])


@dataclass(frozen=True)
class Lines:
    """The lines of a block of text that are not blank.

    Attributes:
        number: (n_lines,) of each among all lines.
        paragraph: (n_lines,) number of its paragraph.
        n_letters: (n_lines,) letters, wide ones twice.
        is_fence: (n_lines,) whether a fenced code block begins or ends here.
        stands_alone: (n_lines,) whether the line breaks before and after it were made on purpose: after the end of a
            sentence, before an item's mark or a tag, or although the next word would have fitted into the paragraph's
            widest line.
    """

    number: Int64Array
    paragraph: Int64Array
    n_letters: Int64Array
    is_fence: BoolArray
    stands_alone: BoolArray

    @property
    def begins(self) -> Int64Array:
        """(n_paragraphs,) the first line of each paragraph."""
        return _begins(self.paragraph)

    def per_paragraph(self, values: NDArray[Any]) -> Int64Array:
        """(n_paragraphs,) sums of a value a line."""
        sums: Int64Array = np.diff(_running_sums(values)[np.append(self.begins, len(values))])
        return sums


def _begins(paragraph: Int64Array) -> Int64Array:
    return np.flatnonzero(np.diff(paragraph, prepend=-1))


def filled_lines(characters: Characters) -> Lines:
    """The lines of a block that are not blank."""
    number = np.flatnonzero(characters.per_line(characters.classes != BLANK))
    paragraph = np.cumsum(np.diff(number, prepend=-2) > 1) - 1
    n_letters = characters.per_line(LETTER_COUNTS[characters.classes])[number]
    if not len(number):
        return Lines(number, paragraph, n_letters, np.empty(0, np.bool_), np.empty(0, np.bool_))
    filled = np.flatnonzero(characters.classes != BLANK)
    first = filled[np.searchsorted(filled, characters.line_start[number])]
    last = filled[np.searchsorted(filled, characters.line_start[number + 1]) - 1]
    return Lines(
        number,
        paragraph,
        n_letters,
        _are_fences(characters, first),
        _stand_alone(characters, number, paragraph, first, last),
    )


def _are_fences(characters: Characters, first: Int64Array) -> BoolArray:
    """(n_lines,) whether three marks of a fenced code block stand at the first character of each line."""
    marks = characters.points[first]
    is_fence = np.isin(marks, _FENCES)
    for place in range(1, _FENCE_LENGTH):
        is_fence &= characters.points[np.minimum(first + place, len(characters.points) - 1)] == marks
    return is_fence


def _stand_alone(
    characters: Characters, number: Int64Array, paragraph: Int64Array, first: Int64Array, last: Int64Array
) -> BoolArray:
    """(n_lines,) whether the breaks on both sides of each line, from `first` to `last`, were made on purpose."""
    points, classes = characters.points, characters.classes
    word, word_end = _first_words(characters, first, last)
    width = last + 1 - characters.line_start[number]
    widest = np.maximum.reduceat(width, _begins(paragraph))[paragraph]
    n_letters, n_digits = _running_sums(classes >= LETTER), _running_sums(classes == DIGIT)
    has_mark = (points[word] == ord("<")) | (
        (n_letters[word_end] == n_letters[word]) & (n_digits[word_end] - n_digits[word] < word_end - word)
    )
    ends_sentence = np.isin(points[last], _SENTENCE_ENDS) | (
        np.isin(points[last], _CLOSING) & np.isin(points[last - 1], _SENTENCE_ENDS)
    )
    would_fit = width[:-1] + 1 + (word_end - word)[1:] <= widest[:-1]
    on_purpose = ends_sentence[:-1] | has_mark[1:] | would_fit | (np.diff(paragraph) > 0)
    stand_alone: BoolArray = np.append(True, on_purpose) & np.append(on_purpose, True)
    return stand_alone


def _first_words(
    characters: Characters, first: Int64Array, last: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """(n_lines,) where the first word of each line begins and ends; the mark of a quotation is none."""
    blanks = np.append(np.flatnonzero(characters.classes == BLANK), len(characters.points))
    filled = np.flatnonzero(characters.classes != BLANK)
    word_end = blanks[np.searchsorted(blanks, first)]
    is_quoted = (characters.points[first] == _QUOTED) & (word_end == first + 1) & (last > first)
    after_mark = filled[np.searchsorted(filled, word_end).clip(max=len(filled) - 1)]
    word = np.where(is_quoted, after_mark, first)
    return word, blanks[np.searchsorted(blanks, word)]
