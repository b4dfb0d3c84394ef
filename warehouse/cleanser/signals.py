"""Quality signals of a chunk: the measures by which recipes keep or drop text.

What lives here: measures, by their published definitions. What does not: thresholds (recipes hold them, so
that a changed threshold is a query). Sources: Gopher (Rae et al. 2021, arXiv:2112.11446, appendix A.1.1),
FineWeb (Penedo et al. 2024, arXiv:2406.17557, section 3.6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
"""Gopher asks English text for two different ones of these."""

BULLETS = ("•", "‣", "◦", "*", "-", "\u2013")
ELLIPSES = ("...", "…")
TERMINAL_PUNCTUATION = tuple(".!?…。！？।॥؟۔\"'”’»")  # noqa: RUF001  # these marks are meant
"""Marks that end a sentence, in several scripts, and the quotation marks that may follow them."""

SHORT_LINE_CHARACTERS = 30

_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")
_WORD_WITH_LETTER = re.compile(r"(?<!\S)(?:[\d_]|[^\w\s])*[^\W\d_]")


@dataclass(frozen=True)
class Signals:
    """Measures of one chunk; shares lie in [0, 1] and are 0 where there is nothing to count.

    Attributes:
        n_words: words separated by white space.
        n_lines: lines that are not blank.
        mean_word_length: characters a word (Gopher keeps 3 to 10).
        alphabetic_word_share: words with a letter (Gopher: at least 0.8).
        symbol_word_ratio: hash signs or ellipses a word, the larger (Gopher: at most 0.1).
        stop_word_kinds: how many different ones of eight English stop words occur (Gopher: at least 2).
        bullet_line_share: lines that begin with a bullet (Gopher: at most 0.9).
        ellipsis_line_share: lines that end with an ellipsis (Gopher: at most 0.3).
        terminal_punctuation_line_share: lines that end with terminal punctuation (FineWeb: at least 0.12).
        short_line_share: lines of at most 30 characters (FineWeb: at most 0.67).
        duplicate_line_share: lines that repeat an earlier line (Gopher: at most 0.3).
        duplicate_line_character_share: characters of lines in such lines (Gopher: at most 0.2; FineWeb:
            0.01).
        letter_share: letters among the characters.
        digit_share: digits among the characters.
        uppercase_share: upper-case letters among the letters.
    """

    n_words: int
    n_lines: int
    mean_word_length: float
    alphabetic_word_share: float
    symbol_word_ratio: float
    stop_word_kinds: int
    bullet_line_share: float
    ellipsis_line_share: float
    terminal_punctuation_line_share: float
    short_line_share: float
    duplicate_line_share: float
    duplicate_line_character_share: float
    letter_share: float
    digit_share: float
    uppercase_share: float


def measure_signals(text: str) -> Signals:
    """Measure a clean text of at most a few thousand characters."""
    words = text.split()
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    n_words, n_lines = len(words), len(lines)
    n_line_characters = sum(map(len, lines))
    n_repeated, n_repeated_characters = _repeated(lines)
    n_letters, n_digits, n_capitals = _character_counts(text)
    return Signals(
        n_words=n_words,
        n_lines=n_lines,
        mean_word_length=_share(sum(map(len, words)), n_words),
        alphabetic_word_share=_share(len(_WORD_WITH_LETTER.findall(text)), n_words),
        symbol_word_ratio=_share(max(text.count("#"), sum(text.count(mark) for mark in ELLIPSES)), n_words),
        stop_word_kinds=len(STOP_WORDS.intersection(text.lower().split())),
        bullet_line_share=_share(sum(line.startswith(BULLETS) for line in lines), n_lines),
        ellipsis_line_share=_share(sum(line.endswith(ELLIPSES) for line in lines), n_lines),
        terminal_punctuation_line_share=_share(
            sum(line.endswith(TERMINAL_PUNCTUATION) for line in lines), n_lines
        ),
        short_line_share=_share(sum(len(line) <= SHORT_LINE_CHARACTERS for line in lines), n_lines),
        duplicate_line_share=_share(n_repeated, n_lines),
        duplicate_line_character_share=_share(n_repeated_characters, n_line_characters),
        letter_share=_share(n_letters, len(text)),
        digit_share=_share(n_digits, len(text)),
        uppercase_share=_share(n_capitals, n_letters),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _repeated(lines: list[str]) -> tuple[int, int]:
    """Lines equal to an earlier one, and their characters."""
    seen: set[str] = set()
    repeated = []
    for line in lines:
        if line in seen:
            repeated.append(line)
        seen.add(line)
    return len(repeated), sum(map(len, repeated))


def _character_counts(text: str) -> tuple[int, int, int]:
    """Letters, digits and upper-case letters."""
    n_letters = len(text) - len(_LETTERS.sub("", text))
    n_digits = len(text) - len(_DIGITS.sub("", text))
    if text.isascii():
        return n_letters, n_digits, len(text) - len(text.encode().translate(None, _ASCII_CAPITALS))
    return n_letters, n_digits, sum(map(str.isupper, text))


_ASCII_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
