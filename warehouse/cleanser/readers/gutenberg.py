"""What Project Gutenberg puts around its books: a header before, a licence after.

What lives here: the lines by which both are known, and which ranges follow from them. What does not: finding the
lines (`structure.py`).

The lines, by the age of the file: ``*** START OF THIS PROJECT GUTENBERG EBOOK ...`` and ``*** END OF ...`` since
2003; before, the header ends with ``*END*THE SMALL PRINT! ...*END*`` and the text with ``End of The Project Gutenberg
Etext of ...`` (forms in https://www.gutenberg.org/help/text_files.html and the files themselves).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

HEADER = "gutenberg_header"
LICENCE = "gutenberg_licence"

LONGEST_HEADER = 1 << 16
"""Characters from the beginning of a header to its last line at most; the longest small print has 15,000."""

LONGEST_LICENCE = 1 << 16
"""Characters after a text's last line at most; the licence has 19,000."""

MOST_LINES = 1_000
"""How many of these lines ahead are looked at: a header or licence has a few."""

NEEDLES = (b"utenberg", b"UTENBERG", b"SMALL PRINT")
"""One of these is in each of the lines."""

_WORK = rb"PROJECT[ \t]+GUTENBERG(?:'S|\x92S)?"
LINE = re.compile(
    rb"(?mi)^[^\S\n]*(?:"
    rb"(?P<start>\*{1,3}[^\S\n]?START[^\S\n]+OF[^\S\n]+TH(?:E|IS)[^\S\n]+"
    + _WORK
    + rb"[^\S\n]+E-?(?:BOOK|TEXT))"
    rb"|(?P<end>\*{1,3}[^\S\n]?END[^\S\n]+OF[^\S\n]+TH(?:E|IS)[^\S\n]+"
    + _WORK
    + rb"[^\S\n]+E-?(?:BOOK|TEXT))"
    rb"|(?P<small_print>\*+[^\S\n]?END[^\S\n]?\*?[^\S\n]?THE[^\S\n]SMALL[^\S\n]PRINT)"
    rb"|(?P<soft_end>\**[^\S\n]?END[^\S\n]+OF[^\S\n]+(?:TH(?:E|IS)[^\S\n]+)?" + _WORK + rb"\b)"
    rb"|(?P<head>(?:\xef\xbb\xbf|\*+[^\S\n]?)?(?:THE[^\S\n]+|THIS[^\S\n]+)?"
    + _WORK
    + rb"[^\S\n]+(?:E-?(?:BOOK|TEXT)[^\S\n]+OF\b|[^\n]*,[^\S\n]BY[^\S\n]))"
    rb")[^\n]*(?:\n|\Z)"
)


class Kind(Enum):
    """What a line says."""

    HEAD = "head"
    START = "start"
    SMALL_PRINT = "small_print"
    END = "end"
    SOFT_END = "soft_end"


@dataclass(frozen=True)
class GutenbergLine:
    """One of these lines, its bounds counted in bytes of the stream.

    Attributes:
        kind: what it says.
        start: its first byte.
        end: one past its line end.
        is_open: whether its last asterisks are on a later line.
    """

    kind: Kind
    start: int
    end: int
    is_open: bool = False


@dataclass(frozen=True)
class Part:
    """A range of bytes.

    Attributes:
        start: its first byte.
        end: one past its last byte.
        reason: why it is dropped; None for a text.
        header: for a text, the header before it; None where there is none.
        header_is_open: whether the last line of that header goes on.
    """

    start: int
    end: int
    reason: str | None = None
    header: tuple[int, int] | None = None
    header_is_open: bool = False


def line_found(found: re.Match[bytes], start: int, end: int) -> GutenbergLine:
    """A line that `LINE` matches, at its place in the stream."""
    kind = Kind(found.lastgroup)
    return GutenbergLine(kind, start, end, kind is Kind.START and not found[0].rstrip().endswith(b"*"))


def gutenberg_parts(lines: Sequence[GutenbergLine], start: int, end: int, width: int) -> list[Part]:
    """Headers, texts and licences of a stream, which they tile; a single text where nothing is certain.

    A header counts only where it begins the stream or follows a licence, and is no longer than headers are; a
    licence only where the stream or the next header ends it as soon as licences end. So a text that quotes these
    lines in its middle stays whole.

    Args:
        lines: in ascending order.
        start: first byte that is looked at.
        end: one past the last byte.
        width: bytes a code unit.
    """
    parts: list[Part] = []
    index, position = 0, start
    while position < end:
        last = _last_header_line(lines, index, position, width)
        header_end = position if last is None else last.end
        if last is not None:
            parts.append(Part(position, header_end, HEADER))
        index = _first_from(lines, index, header_end)
        text_end, licence_end = _licence(lines, index, end, width)
        if text_end > header_end:
            header = None if last is None else (position, header_end)
            parts.append(Part(header_end, text_end, None, header, last is not None and last.is_open))
        if licence_end > text_end:
            parts.append(Part(text_end, licence_end, LICENCE))
        index = _first_from(lines, index, licence_end)
        position = licence_end
    return parts


def _first_from(lines: Sequence[GutenbergLine], index: int, position: int) -> int:
    while index < len(lines) and lines[index].start < position:
        index += 1
    return index


def _last_header_line(
    lines: Sequence[GutenbergLine], index: int, position: int, width: int
) -> GutenbergLine | None:
    """The last line of the header that begins at `position`; None if there is none."""
    last = None
    for line in lines[index : index + MOST_LINES]:
        if line.start - position > LONGEST_HEADER * width or line.kind in (Kind.END, Kind.SOFT_END):
            break
        if line.kind in (Kind.START, Kind.SMALL_PRINT):
            last = line
    return last


def _licence(lines: Sequence[GutenbergLine], index: int, end: int, width: int) -> tuple[int, int]:
    """Where the text before a licence ends, and where that ends; twice `end` if there is none."""
    for number in range(index, len(lines)):
        line = lines[number]
        if line.kind in (Kind.END, Kind.SOFT_END):
            heads = (
                other.start
                for other_number, other in enumerate(lines[number + 1 : number + MOST_LINES], number + 1)
                if other.kind is Kind.START
                or (
                    other.kind is Kind.HEAD
                    and _last_header_line(lines, other_number, other.start, width) is not None
                )
            )
            licence_end = next(heads, end)
            if licence_end - line.start <= LONGEST_LICENCE * width:
                return line.start, licence_end
    return end, end


def after_header(following: bytes, is_open: bool) -> int:
    """Code units of a header that follow its last known line: the rest of that line, and who made the book.

    Args:
        following: what follows, as `line_views` shows it.
        is_open: whether that line goes on.
    """
    n_units = 0
    if is_open and (rest := _REST_OF_LINE.match(following)) is not None:
        n_units = rest.end()
    while (credit := _CREDITS.match(following, n_units)) is not None:
        n_units = credit.end()
    return n_units


_REST_OF_LINE = re.compile(rb"(?:[^\n*]+\n){0,3}?[^\n*]*\*{3}[ \t\r]*\n")
_CREDITS = re.compile(
    rb"(?i)\s*(?:produced by|e-?text prepared by|transcribed from the|"
    rb"this (?:e-?text|ebook|file) was (?:prepared|produced|scanned|typed|transcribed))"
    # To the end of the paragraph, which has to be in sight.
    rb"[^\n]*\n(?:[^\n]*[^\s][^\n]*\n)*(?=[^\S\n]*\n)"
)
_TITLE = re.compile(r"^Title:[ \t]*(.+(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_TITLE_OF_OLD = re.compile(
    r"Project Gutenberg(?:'s| E-?(?:book|text) of) (.+?)(?:, by .*|\s+by .*)?$", re.MULTILINE | re.IGNORECASE
)


def title_in(header: str) -> str | None:
    """The title that a header names; None if it names none."""
    named = _TITLE.search(header) or _TITLE_OF_OLD.search(header)
    return None if named is None else " ".join(named[1].split()) or None
