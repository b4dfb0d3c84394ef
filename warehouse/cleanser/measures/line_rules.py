"""Measures of lines: Gopher's quality rules, FineWeb's and C4's.

Sources: Rae et al. 2021, arXiv:2112.11446, appendix A.1.1; Penedo et al. 2024, arXiv:2406.17557, section 3.6; Raffel
et al. 2020, JMLR 21(140), section 2.2. Counted as datatrove 0.10 counts them. It takes three different things for
a line, and so do these: what `str.splitlines` finds (Gopher's bullets, C4), what lies between newlines (FineWeb) and
between runs of newlines (`repetition`).

What lives here: counts. What does not: thresholds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.measures.characters import TERMINAL_PUNCTUATION
from warehouse.cleanser.measures.text_batch import Lines, TextBatch
from warehouse.cleanser.measures.word_counts import SENTENCE_END, WORD, WordBatch
from warehouse.cleanser.measures.words import count_sentences

SHORT_LINE_CHARACTERS = 30

C4_LONGEST_WORD = 1_000
C4_FEWEST_WORDS = 3
C4_LINE_ENDS = (".", "?", "!", '"', "'")
C4_POLICY_PHRASES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
C4_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")

_C4_PHRASES = tuple(map(str.encode, ("lorem ipsum", "javascript", *C4_POLICY_PHRASES)))
_COOKIE = b"cookie"
_KELVIN_SIGN = "\u212a"
"""The one other character whose lower case is an ASCII letter."""

_BULLETS = np.array(list(map(ord, "•-")), np.uint32)
_FULL_STOP, _ELLIPSIS, _CURLY_BRACKET = map(ord, ".…{")
_C4_LINE_END_POINTS = np.array(list(map(ord, C4_LINE_ENDS)), np.uint32)
_TERMINAL_POINTS = np.array(sorted(map(ord, TERMINAL_PUNCTUATION)), np.uint32)
_LAST_ASCII = 0x7F


@dataclass(frozen=True)
class LineCounts:
    """Lines of each text.

    Attributes:
        n_lines: by `str.splitlines`.
        n_bullet_lines: of these, that begin with a bullet or a hyphen after white space.
        n_ellipsis_lines: of these, that end with an ellipsis before white space.
        n_nonblank_lines: between newlines, that are not blank.
        n_terminated_lines: of these, whose last character is terminal punctuation.
        n_short_lines: of these, of at most 30 characters.
    """

    n_lines: NDArray[np.int64]
    n_bullet_lines: NDArray[np.int64]
    n_ellipsis_lines: NDArray[np.int64]
    n_nonblank_lines: NDArray[np.int64]
    n_terminated_lines: NDArray[np.int64]
    n_short_lines: NDArray[np.int64]


@dataclass(frozen=True)
class C4Counts:
    """What C4's rules find in one text; a line is counted by the first rule that drops it, in this order.

    C4 drops a text at the first line with "lorem ipsum" or a curly bracket. Here such a line is counted on.

    Attributes:
        n_long_word_lines: lines with a word of more than 1,000 characters.
        n_unterminated_lines: without terminal punctuation, or with an ellipsis at the end.
        n_few_word_lines: of fewer than 3 words.
        n_javascript_lines: with that word.
        n_policy_lines: with a phrase of cookie and privacy notices.
        n_sentences: in the lines that are kept.
        n_kept_characters: in these, without citation marks and white space around them.
        has_lorem_ipsum: in a line that comes so far.
        has_curly_bracket: in a line that comes so far.
    """

    n_long_word_lines: int
    n_unterminated_lines: int
    n_few_word_lines: int
    n_javascript_lines: int
    n_policy_lines: int
    n_sentences: int
    n_kept_characters: int
    has_lorem_ipsum: bool
    has_curly_bracket: bool


C4_COUNTS = tuple(field.name for field in fields(C4Counts))


def count_lines(batch: TextBatch) -> LineCounts:
    """Count lines by Gopher's and FineWeb's rules."""
    n_texts = len(batch.texts)
    points = batch.code_points
    lines = batch.broken_lines
    first, last, written = _outer_characters(batch, lines)
    is_bullet = np.isin(points[first], _BULLETS)
    is_ellipsis = (points[last] == _ELLIPSIS) | _ends_with_three_stops(points, last)
    nonblank = _chosen(batch.newline_lines, ~batch.newline_lines.is_blank)
    final = points[nonblank.end - 1]
    is_terminal = np.isin(final, _TERMINAL_POINTS)
    is_short = nonblank.end - nonblank.start <= SHORT_LINE_CHARACTERS
    return LineCounts(
        n_lines=np.bincount(lines.text, minlength=n_texts),
        n_bullet_lines=np.bincount(lines.text[written[is_bullet]], minlength=n_texts),
        n_ellipsis_lines=np.bincount(lines.text[written[is_ellipsis]], minlength=n_texts),
        n_nonblank_lines=np.bincount(nonblank.text, minlength=n_texts),
        n_terminated_lines=np.bincount(nonblank.text[is_terminal], minlength=n_texts),
        n_short_lines=np.bincount(nonblank.text[is_short], minlength=n_texts),
    )


def count_by_c4_rules(batch: TextBatch, words: WordBatch) -> dict[str, NDArray[np.int64]]:
    """The fields of `C4Counts` for each text."""
    n_texts = len(batch.texts)
    lines = batch.broken_lines
    points = batch.code_points
    _, last, written = _outer_characters(batch, lines)
    ends = np.isin(points[last], _C4_LINE_END_POINTS) & ~_ends_with_three_stops(points, last)
    has_end = np.zeros(len(lines.text), bool)
    has_end[written[ends]] = True
    has_words = lines.last_piece - lines.first_piece >= C4_FEWEST_WORDS
    kept = _chosen(lines, has_end & has_words)
    length = batch.piece_ends[kept.last_piece - 1] - batch.piece_starts[kept.first_piece]
    brackets = np.flatnonzero(points == _CURLY_BRACKET)
    has_bracket = np.searchsorted(brackets, kept.end) > np.searchsorted(brackets, kept.start)
    none = np.zeros(n_texts, np.int64)
    counts = {name: none.copy() for name in C4_COUNTS}
    counts["n_unterminated_lines"] += np.bincount(lines.text[~has_end], minlength=n_texts)
    counts["n_few_word_lines"] += np.bincount(lines.text[has_end & ~has_words], minlength=n_texts)
    np.add.at(counts["n_sentences"], kept.text, _sentences(kept, batch, words))
    np.add.at(counts["n_kept_characters"], kept.text, length)
    counts["has_curly_bracket"][kept.text[has_bracket]] = 1
    for index in _texts_for_all_rules(batch):
        exact = c4_counts(batch.texts[index])
        for name in C4_COUNTS:
            counts[name][index] = getattr(exact, name)
    return counts


def c4_counts(text: str) -> C4Counts:
    """C4's rules applied line by line."""
    counts: dict[str, int] = dict.fromkeys(C4_COUNTS, 0)
    for line in map(str.strip, text.splitlines()):
        words = line.split()
        if any(len(word) > C4_LONGEST_WORD for word in words):
            counts["n_long_word_lines"] += 1
            continue
        line = C4_CITATION.sub("", line)
        lowered = line.lower()
        if not line.endswith(C4_LINE_ENDS) or line.endswith("..."):
            counts["n_unterminated_lines"] += 1
            continue
        if len(words) < C4_FEWEST_WORDS:
            counts["n_few_word_lines"] += 1
            continue
        counts["has_lorem_ipsum"] |= "lorem ipsum" in lowered
        if "javascript" in lowered:
            counts["n_javascript_lines"] += 1
            continue
        counts["has_curly_bracket"] |= "{" in line
        if any(phrase in lowered for phrase in C4_POLICY_PHRASES):
            counts["n_policy_lines"] += 1
            continue
        counts["n_sentences"] += count_sentences(line)
        counts["n_kept_characters"] += len(line)
    return C4Counts(
        **{name: counts[name] for name in C4_COUNTS[:-2]},
        has_lorem_ipsum=bool(counts["has_lorem_ipsum"]),
        has_curly_bracket=bool(counts["has_curly_bracket"]),
    )


def _texts_for_all_rules(batch: TextBatch) -> list[int]:
    """Texts that hold what the rules for lines of ordinary text say nothing of."""
    long_pieces = np.flatnonzero(batch.piece_ends - batch.piece_starts > C4_LONGEST_WORD)
    chosen = set((np.searchsorted(batch.piece_bounds, long_pieces, side="right") - 1).tolist())
    if "[" in batch.joined:
        chosen.update(
            index for index, text in enumerate(batch.texts) if "[" in text and C4_CITATION.search(text)
        )
    lowered = _lowered(batch.joined)
    # Most text has none of these, and a search takes its time: half of the phrases are of cookies.
    has_cookies = _COOKIE in lowered
    marks = [mark for mark in _C4_PHRASES if (has_cookies or _COOKIE not in mark) and mark in lowered]
    if marks:
        chosen.update(
            index
            for index, text in enumerate(map(_lowered, batch.texts))
            if any(mark in text for mark in marks)
        )
    return sorted(chosen)


def _lowered(text: str) -> bytes:
    """The text in lower case as far as ASCII letters are concerned: bytes are lowered in a fraction of the time."""
    return text.replace(_KELVIN_SIGN, "k").encode("utf-8", "surrogatepass").lower()


def _sentences(kept: Lines, batch: TextBatch, words: WordBatch) -> NDArray[np.int64]:
    """Sentences of each line by spaCy's rule, as `words.count_sentences` counts them.

    After a sentence's end, the next word begins another, and so does white space other than a single blank.
    """
    n_tokens = len(words.token_kind)
    ends_before = np.zeros(n_tokens + 1, np.int64)
    np.cumsum(words.token_kind == SENTENCE_END, out=ends_before[1:])
    begins = np.zeros(2 * n_tokens + 2, bool)
    begins[1 : 2 * n_tokens : 2] = words.token_kind == WORD
    begins[2 * words.first_token[:-1][batch.piece_follows_blanks]] = True
    first = words.first_token[kept.first_piece]
    last = words.first_token[kept.last_piece]
    begins[2 * first] = False
    events = np.flatnonzero(begins)
    seen = ends_before[events >> 1]
    from_event = np.searchsorted(events, 2 * first)
    to_event = np.searchsorted(events, 2 * last)
    later = np.zeros(len(events) + 1, np.int64)
    later[1:][1:] = np.cumsum(seen[1:] > seen[:-1])
    has_event = to_event > from_event
    event = from_event[has_event]
    n_sentences = np.ones(len(first), np.int64)
    n_sentences[has_event] += (
        later[to_event[has_event]] - later[event + 1] + (seen[event] > ends_before[first[has_event]])
    )
    return n_sentences


def _outer_characters(
    batch: TextBatch, lines: Lines
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the first and the last written character of the lines that are not blank, and which these
    are."""
    written = np.flatnonzero(~lines.is_blank)
    return (
        batch.piece_starts[lines.first_piece[written]],
        batch.piece_ends[lines.last_piece[written] - 1] - 1,
        written,
    )


def _ends_with_three_stops(points: NDArray[np.uint32], last: NDArray[np.int64]) -> NDArray[np.bool]:
    stops = np.equal(points[last], _FULL_STOP)
    for step in (1, 2):
        stops &= (last >= step) & (points[last - step] == _FULL_STOP)
    return stops


def _chosen(lines: Lines, which: NDArray[np.bool]) -> Lines:
    at = np.flatnonzero(which)
    return Lines(lines.text[at], lines.start[at], lines.end[at], lines.first_piece[at], lines.last_piece[at])
