"""Quality signals of chunks: the measures by which recipes keep or drop text, for many texts at once.

    texts -> `TextBatch` -> words, lines, n-grams, languages -> a column for each of SIGNALS

What lives here: which signals there are, and their columns. What does not: thresholds (recipes hold them, so that a
changed threshold is a query), and how single things are counted (`word_counts`, `repetition`, `line_rules`,
`character_kinds`, `language`, `privacy`).

The measures of Gopher (Rae et al. 2021, arXiv:2112.11446, appendix A.1.1), C4 (Raffel et al. 2020, JMLR 21(140),
section 2.2) and FineWeb (Penedo et al. 2024, arXiv:2406.17557, section 3.6) have the values that datatrove 0.10
computes inside its filters for English, whatever the language; where it stops or divides by zero, a value is still
defined: shares of nothing are 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.language import identify_languages
from warehouse.cleanser.measures.character_kinds import character_shares
from warehouse.cleanser.measures.line_rules import count_by_c4_rules, count_lines
from warehouse.cleanser.measures.repetition import (
    RepeatedLines,
    ngram_characters,
    repeated_lines,
    texts_with_repeated_lines,
)
from warehouse.cleanser.measures.text_batch import TextBatch
from warehouse.cleanser.measures.word_counts import WordBatch, words_of
from warehouse.cleanser.privacy import PrivateRange, count_private

Column = NDArray[np.generic]

LANGUAGE_CHARACTERS = 1_000
"""A chunk's language is told from so many of its first characters: for prose the verdict is that on the whole chunk, at
half of the time."""

BATCH_CHARACTERS = 1 << 19
"""Characters that are measured at once; bounds the memory."""


@dataclass(frozen=True)
class Signal:
    """One measure.

    Attributes:
        name: of the column in `corpus.chunk`.
        dtype: int32, int16, float32, bool or str.
        description: what its value is.
    """

    name: str
    dtype: str
    description: str


def _part_of(whole: str, name: str, part: str) -> Signal:
    return Signal(name, "float32", f"Share of {whole} {part}.")


SIGNALS = (
    Signal("n_words", "int32", "Words: tokens of spaCy's English rules, as datatrove counts them."),
    Signal("n_non_symbol_words", "int32", "Words that are not punctuation alone (Gopher)."),
    Signal("n_lines", "int32", "Lines that are not blank."),
    Signal("mean_word_length", "float32", "Mean characters of a non-symbol word (Gopher)."),
    Signal("hash_word_ratio", "float32", "Hash signs per word (Gopher)."),
    Signal("ellipsis_word_ratio", "float32", "Ellipses per word (Gopher)."),
    _part_of("words", "alphabetic_word_share", "with a letter (Gopher)"),
    Signal("stop_word_kinds", "int16", "How many of the, be, to, of, and, that, have, with occur (Gopher)."),
    _part_of("lines", "bullet_line_share", "that begin with a bullet or a hyphen (Gopher)"),
    _part_of("lines", "ellipsis_line_share", "that end with an ellipsis (Gopher)"),
    _part_of("lines", "duplicate_line_share", "that repeat an earlier line (Gopher)"),
    _part_of("characters", "duplicate_line_character_share", "in such lines (Gopher)"),
    _part_of("paragraphs", "duplicate_paragraph_share", "that repeat an earlier one (Gopher)"),
    _part_of("characters", "duplicate_paragraph_character_share", "in such paragraphs (Gopher)"),
    *(
        _part_of(
            "characters", f"top_{n}gram_character_share", f"in the most frequent {n}-gram of words (Gopher)"
        )
        for n in range(2, 5)
    ),
    *(
        _part_of(
            "characters", f"duplicate_{n}gram_character_share", f"in repeated {n}-grams of words (Gopher)"
        )
        for n in range(5, 11)
    ),
    _part_of(
        "non-blank lines", "terminal_punctuation_line_share", "with terminal punctuation at the end (FineWeb)"
    ),
    _part_of("non-blank lines", "short_line_share", "of at most 30 characters (FineWeb)"),
    _part_of(
        "characters",
        "fineweb_duplicate_line_character_share",
        "in non-blank lines that repeat an earlier one (FineWeb)",
    ),
    Signal("newline_word_ratio", "float32", "Newlines per word (FineWeb)."),
    Signal("c4_n_sentences", "int32", "Sentences in the lines that C4's rules keep."),
    _part_of("characters", "c4_kept_character_share", "in the lines that C4's rules keep"),
    Signal("c4_n_long_word_lines", "int32", "Lines with a word of more than 1,000 characters (C4)."),
    Signal(
        "c4_n_unterminated_lines", "int32", "Further lines that end in none of . ! ? \" ' or in ... (C4)."
    ),
    Signal("c4_n_few_word_lines", "int32", "Further lines of fewer than 3 words (C4)."),
    Signal("c4_n_javascript_lines", "int32", "Further lines with the word javascript (C4)."),
    Signal("c4_n_policy_lines", "int32", "Further lines with a phrase of cookie and privacy notices (C4)."),
    Signal("c4_has_lorem_ipsum", "bool", "Whether a line that comes so far holds lorem ipsum (C4)."),
    Signal("c4_has_curly_bracket", "bool", "Whether a line that comes so far holds a curly bracket (C4)."),
    Signal(
        "language", "str", "ISO 639-1 code by py3langid of the first 1,000 characters; und below 20 letters."
    ),
    Signal("language_score", "float32", "Probability of the language."),
    Signal("script", "str", "Unicode script of most letters; Common where there are none or only rare ones."),
    _part_of("letters", "script_share", "in that script"),
    _part_of("characters", "letter_share", "that are letters"),
    _part_of("characters", "digit_share", "that are decimal digits of any script"),
    _part_of("characters", "symbol_share", "that are symbols (Unicode S)"),
    _part_of("characters", "punctuation_share", "that are punctuation (Unicode P)"),
    _part_of("letters", "uppercase_share", "that are upper case"),
    _part_of("characters", "whitespace_share", "that are white space"),
    Signal("n_emails", "int32", "E-mail addresses."),
    Signal("n_phones", "int32", "Phone numbers."),
    Signal("n_public_ips", "int32", "Public IP addresses."),
    Signal("n_cards", "int32", "Card numbers with a valid check digit."),
    Signal("n_ibans", "int32", "Account numbers (IBAN) with valid check digits."),
    Signal("n_urls", "int32", "URLs."),
)
"""Every signal, in the order of the columns."""

_DTYPES: Mapping[str, type[np.generic] | type[object]] = {
    "int32": np.int32,
    "int16": np.int16,
    "float32": np.float32,
    "bool": np.bool_,
    "str": object,
}


def measure_signals(
    texts: Sequence[str], private_ranges: Sequence[Sequence[PrivateRange]] | None = None
) -> dict[str, Column]:
    """Measure clean texts.

    Args:
        texts: of any length; memory grows with the longest and with 2**19 characters.
        private_ranges: what `find_private_ranges` gave for them, where that is there; else it is asked.

    Returns:
        For each of SIGNALS, in that order, the values of the texts. No value depends on the other texts, and
        none is missing or NaN.
    """
    parts = []
    for start, end in _batches(texts):
        ranges = private_ranges[start:end] if private_ranges is not None else None
        parts.append(_measure(TextBatch.of(texts[start:end]), ranges))
    columns: dict[str, Column] = {}
    for signal in SIGNALS:
        dtype = _DTYPES[signal.dtype]
        columns[signal.name] = np.concatenate(
            [np.empty(0, dtype), *(part[signal.name].astype(dtype) for part in parts)]
        )
    return columns


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    start, n_characters = 0, 0
    for index, text in enumerate(texts):
        if index > start and n_characters + len(text) > BATCH_CHARACTERS:
            yield start, index
            start, n_characters = index, 0
        n_characters += len(text)
    if start < len(texts):
        yield start, len(texts)


def _measure(batch: TextBatch, ranges: Sequence[Sequence[PrivateRange]] | None) -> dict[str, Column]:
    words = words_of(batch)
    return {
        **_word_signals(batch, words),
        **_line_signals(batch, words),
        **_ngram_signals(batch, words),
        **_c4_signals(batch, words),
        **_language_signals(batch),
        **character_shares(batch.kind_counts, batch.lengths),
        **count_private(batch.texts, ranges),
    }


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)


def _counted(batch: TextBatch, *marks: str) -> NDArray[np.int64]:
    occurring = [mark for mark in marks if mark in batch.joined]
    if not occurring:
        return np.zeros(len(batch.texts), np.int64)
    return np.array([sum(map(text.count, occurring)) for text in batch.texts], np.int64)


def _word_signals(batch: TextBatch, words: WordBatch) -> dict[str, Column]:
    return {
        "n_words": words.n_words,
        "n_non_symbol_words": words.n_non_symbol_words,
        "mean_word_length": _share(words.n_word_characters, words.n_non_symbol_words),
        "hash_word_ratio": _share(_counted(batch, "#"), words.n_words),
        "ellipsis_word_ratio": _share(_counted(batch, "...", "…"), words.n_words),
        "alphabetic_word_share": _share(words.n_alphabetic_words, words.n_words),
        "stop_word_kinds": words.stop_word_kinds,
        "newline_word_ratio": _share(batch.n_newlines, words.n_words),
    }


def _line_signals(batch: TextBatch, words: WordBatch) -> dict[str, Column]:
    lines = count_lines(batch)
    # Where no line is repeated there is nothing to count: every share is 0.
    repeated = np.zeros((len(batch.texts), len(RepeatedLines._fields)), np.int64)
    for index in texts_with_repeated_lines(batch, words):
        repeated[index] = repeated_lines(batch.texts[index])

    def column(name: str) -> NDArray[np.int64]:
        return repeated[:, RepeatedLines._fields.index(name)]

    n_without_newlines = batch.lengths - batch.n_newlines
    return {
        "n_lines": lines.n_nonblank_lines,
        "bullet_line_share": _share(lines.n_bullet_lines, lines.n_lines),
        "ellipsis_line_share": _share(lines.n_ellipsis_lines, lines.n_lines),
        "terminal_punctuation_line_share": _share(lines.n_terminated_lines, lines.n_nonblank_lines),
        "short_line_share": _share(lines.n_short_lines, lines.n_nonblank_lines),
        "duplicate_line_share": _share(column("n_duplicate_lines"), column("n_lines")),
        "duplicate_line_character_share": _share(column("n_duplicate_line_characters"), batch.lengths),
        "duplicate_paragraph_share": _share(column("n_duplicate_paragraphs"), column("n_paragraphs")),
        "duplicate_paragraph_character_share": _share(
            column("n_duplicate_paragraph_characters"), batch.lengths
        ),
        "fineweb_duplicate_line_character_share": _share(
            column("n_duplicate_nonblank_line_characters"), n_without_newlines
        ),
    }


def _ngram_signals(batch: TextBatch, words: WordBatch) -> dict[str, Column]:
    counts = ngram_characters(words)
    return {
        **{f"top_{n}gram_character_share": _share(found, batch.lengths) for n, found in counts.top.items()},
        **{
            f"duplicate_{n}gram_character_share": _share(found, batch.lengths)
            for n, found in counts.duplicate.items()
        },
    }


def _c4_signals(batch: TextBatch, words: WordBatch) -> dict[str, Column]:
    counts = count_by_c4_rules(batch, words)
    kept = counts.pop("n_kept_characters")
    return {
        "c4_kept_character_share": _share(kept, batch.lengths),
        **{f"c4_{name}": values for name, values in counts.items()},
    }


def _language_signals(batch: TextBatch) -> dict[str, Column]:
    found = identify_languages([text[:LANGUAGE_CHARACTERS] for text in batch.texts])
    return {
        "language": np.array([language for language, _ in found], dtype=object),
        "language_score": np.array([score for _, score in found]),
    }
