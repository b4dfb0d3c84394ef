"""Where a text is cut: after a paragraph, else after a sentence, a line or a word, else between characters.

What lives here: the rule, for text in memory. What does not: bytes (`segmenting.py`) and clean text
(`repair.py`).

The end of a chunk follows from the characters after its start alone, and from a bounded number of them. So a
document is cut the same however it is read, and the same in every encoding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.code_units import EBCDIC
from warehouse.cleanser.repair import repair_chunk, repair_text

MINIMUM_FILL = 0.25
"""A boundary is preferred for its rank only where it leaves a chunk at least a quarter full: a heading alone
is none."""

MOST_MARKS = 8
"""Combining marks that are kept with their letter where there is no better place to cut."""

LIKELY_CHARACTERS_A_TOKEN = 8
"""How far tokens are looked for at first; English has four or five characters to a token."""

_CLOSING = "[\"'”’»)\\]」』）*_]*"  # noqa: RUF001  # quotation marks of several scripts
_PARAGRAPH = re.compile(r".*\n[^\S\n]*\n", re.DOTALL)
_SENTENCE = re.compile(
    # One set of characters first: the search for it is what takes time.
    "[.!?…।॥؟۔։።。！？｡](?:"  # noqa: RUF001  # as above
    rf"(?<=[。！？｡]){_CLOSING}\s*|"  # noqa: RUF001  # as above
    # A full stop after fewer than three letters may be an abbreviation's: "Mr.", "e.g.", "J.".
    rf"(?:(?<![.。！？｡])|(?<=[^\W\d_]{{3}}\.)|(?<=\d{{4}}\.)|(?<=[\"'”’»)\]]\.)){_CLOSING}\s+"  # noqa: RUF001  # as above
    # A sentence does not begin with a small letter.
    r")(?=[^\sa-zß-öø-ÿα-ωа-яё])"
)
_WORD = re.compile(r".*[\s、，；]", re.DOTALL)  # noqa: RUF001  # as above


def cut_text(text: str, chunking: Chunking) -> Iterator[tuple[int, int]]:
    """Where to cut text that is already extracted: by the same rule as documents are cut in their bytes.

    Yields:
        Ranges of characters that tile [0, len(text)). A range is blank only where a chunk is filled by white
        space, or at the end: its reader drops it.
    """
    yield from ends_of_rest(text, Cutter(chunking))


def ends_of_rest(text: str, cutter: Cutter) -> Iterator[tuple[int, int]]:
    """Starts and ends of the chunks of a text that nothing follows."""
    start = 0
    while start < len(text):
        end = cutter.end(text, start, is_last=True)
        yield start, end
        start = end


class Cutter:
    """Finds the ends of chunks.

    Attributes:
        reach: characters after a chunk's start that decide on its end; fewer suffice at the end of a text.
    """

    def __init__(self, chunking: Chunking, encoding: str | None = None) -> None:
        """Cut by `chunking` text that was decoded from `encoding`, broken UTF-8 by ``surrogateescape``; None for
        text that was extracted."""
        self.reach = 2 * chunking.max_characters + 2
        self._chunking = chunking
        self._next_lines = encoding in EBCDIC
        self._is_escaped = encoding == "utf-8"
        self._token_ends = chunking.token_ends()

    def end(self, text: str, start: int, is_last: bool) -> int:
        """The end of the chunk that begins at `start`, which is before the end of `text`.

        Args:
            text: decoded text, not yet repaired; a line end of two characters counts once.
            start: where the chunk begins.
            is_last: whether nothing follows `text`; else it holds `reach` characters from `start` on.
        """
        window = text[start : start + self.reach]
        is_rest = is_last and start + len(window) == len(text)
        lines = window.replace("\x85", "\n") if self._next_lines else window
        if "\r" not in lines:
            return start + self._end(lines, is_rest)
        end = self._end(lines.replace("\r\n", "\n").replace("\r", "\n"), is_rest)
        return start + _with_pairs(lines, end)

    def _end(self, window: str, is_rest: bool) -> int:
        limit = self._chunking.max_characters
        if self._token_ends is not None:
            return self._token_end(window, limit, is_rest)
        if is_rest and limit >= len(window):
            return len(window)
        return _best_end(window, limit)

    def _token_end(self, window: str, limit: int, is_rest: bool) -> int:
        """As `_best_end`, for a chunk whose stored text has no more tokens than allowed."""
        most = self._chunking.max_tokens or 0
        ends = self._ends(window[: min(limit, LIKELY_CHARACTERS_A_TOKEN * most)])
        if len(ends) <= most:
            ends = self._ends(window[:limit])
        if len(ends) > most:
            limit = max(1, min(limit, ends[most - 1]))
            is_rest = False
        while True:
            end = len(window) if is_rest and limit >= len(window) else _best_end(window, limit)
            n_tokens = len(self._ends(self._stored(window[:end])))
            if n_tokens <= most or end == 1:
                return end
            limit, is_rest = max(1, min(end - 1, end * most // n_tokens)), False

    def _stored(self, text: str) -> str:
        if self._is_escaped:
            raw = text.encode("utf-8", "surrogateescape")
            return repair_chunk(raw, "utf-8", None, self._chunking.repair_mojibake).text
        return repair_text(text, self._chunking.repair_mojibake).text

    def _ends(self, text: str) -> list[int]:
        # Tokenizers take no surrogates; "?" has as many characters.
        return [] if self._token_ends is None else self._token_ends(text.encode("utf-8", "replace").decode())


def _with_pairs(window: str, n_characters: int) -> int:
    """How many characters of `window` are `n_characters` if line ends of two count once."""
    n_all = n_characters
    while (longer := n_characters + window.count("\r\n", 0, n_all)) > n_all:
        n_all = longer
    return n_all + 1 if window[n_all - 1 : n_all + 1] == "\r\n" else n_all


def _best_end(window: str, limit: int) -> int:
    """The end of the best chunk of at most `limit` characters, at least one."""
    smallest = max(1, int(limit * MINIMUM_FILL))
    paragraph = _PARAGRAPH.match(window, 0, limit)
    if paragraph is not None and paragraph.end() >= smallest:
        return paragraph.end()
    if sentence := _last_sentence(window, smallest, limit):
        return sentence
    line = window.rfind("\n", smallest - 1, limit) + 1
    if line:
        return line
    word = _WORD.match(window, limit // 2, limit)
    return _whole(window, word.end() if word is not None else limit)


def _last_sentence(window: str, smallest: int, limit: int) -> int:
    """Where the last sentence ends that a line ends with, else the last one; 0 if none does."""
    at_line_end = last = 0
    # What follows a sentence is looked at, so the character at the limit has to be in sight.
    for found in _SENTENCE.finditer(window, max(0, smallest - 8), limit + 1):
        if found.end() < smallest:
            continue
        last = found.end()
        line = window.rfind("\n", found.start(), last) + 1
        if line >= smallest:
            at_line_end = line
    return at_line_end or last


def _whole(window: str, end: int) -> int:
    """`end`, or a little before it where it would part a letter from its marks."""
    for candidate in range(end, max(0, end - MOST_MARKS), -1):
        if not _parts(window[candidate - 1 : candidate + 1]):
            return candidate
    return end


def _parts(neighbours: str) -> bool:
    if len(neighbours) < 2 or neighbours.isascii():
        return False
    before, after = neighbours[0], neighbours[1]
    return (
        unicodedata.combining(after) != 0
        or after in "\u200d\ufe0e\ufe0f\ufeff"
        or before == "\u200d"
        # The bytes of one broken character, as `surrogateescape` shows them.
        or "\udc80" <= after <= "\udcbf"
    )
