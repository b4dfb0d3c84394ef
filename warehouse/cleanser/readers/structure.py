"""Documents inside plain text: books, fortunes, stories and articles that share a file.

What lives here: the evidence for a layout, and the ranges that follow from it. What does not: what a byte means in
which encoding (`line_views.py`), and the lines of Project Gutenberg (`gutenberg.py`).

A layout is a property of the whole file: a first pass over the stream counts, `layout_of` decides by rules that ask
for evidence all over the file, and where there is a layout a second pass finds the documents. Memory does not grow
with the file. docs/plain_text.md states the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from warehouse.cleanser.code_units import STATEFUL, WIDTHS
from warehouse.cleanser.readers import gutenberg
from warehouse.cleanser.readers.gutenberg import GutenbergLine, Part, gutenberg_parts
from warehouse.cleanser.readers.line_views import BLANK, LineView, line_views, seen_at
from warehouse.cleanser.readers.openings import SAMPLE_UNITS, LineEnds, Openings, StoryFinder
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange
from warehouse.cleanser.streams import Stream

SEPARATOR = "separator"

LONGEST_MEAN_FORTUNE = 4_096
"""Characters between two separators on average, at most: the longest of Debian's fortune files have some 600."""

FEWEST_SEPARATORS = 2
FEWEST_HEADINGS = 3
MOST_OTHERS = 0.25
"""Lines that speak against separators (comments, commands of TeX), for each separator, at most."""

MOST_GUTENBERG_LINES = 100_000
PEEKED_UNITS = 1 << 12

_PERCENT = re.compile(rb"(?m)^%[ \t]*\r?(?:\n|\Z)")
_COMMAND = re.compile(rb"(?m)^\\[A-Za-z]")
_END_OF_TEXT = re.compile(rb"(?m)^[ \t]*<\|(?:endoftext|end_of_text)\|>[ \t]*\r?(?:\n|\Z)")
_WIKI_TITLE = re.compile(rb"(?m)^ = (?P<title>[^=\n]*[^=\s]) = ?\r?(?:\n|\Z)")
_WIKI_LINE_ENDS = (b"= \n", b"=\n", b"=\r\n", b"= \r\n")
_WIKI_SECTION = re.compile(rb"(?m)^(?: =){2,6} [^=\n]+(?: =){2,6} ?\r?(?:\n|\Z)")


class Layout(Enum):
    """How documents share a file."""

    WHOLE = "whole"
    FORTUNES = "fortunes"
    STORIES = "stories"
    ARTICLES = "articles"
    OPENINGS = "openings"


@dataclass
class Evidence:
    """What the first pass counted, in lines.

    Attributes:
        n_units: code units looked at.
        percent_signs: ``%`` alone.
        comments: what else begins with ``%``, or with a command of TeX.
        ends_of_text: ``<|endoftext|>`` alone.
        wiki_titles: ``= Title =`` as WikiText has it.
        wiki_sections: ``= = Section = =``.
        gutenberg: lines of Project Gutenberg's; None where there are too many to be real.
        line_ends: how text and blank lines alternate.
        begins_with_title: whether a title comes before anything else.
        ends_with_end_of_text: whether nothing comes after the last end of text.
    """

    n_units: int = 0
    percent_signs: int = 0
    comments: int = 0
    ends_of_text: int = 0
    wiki_titles: int = 0
    wiki_sections: int = 0
    gutenberg: list[GutenbergLine] | None = field(default_factory=list)
    line_ends: LineEnds = field(default_factory=LineEnds)
    begins_with_title: bool = False
    ends_with_end_of_text: bool = False


def find_documents_from(
    stream: Stream, byte_start: int, encoding: str
) -> Iterator[DocumentRange | DroppedRange]:
    """The documents from `byte_start` on, and what is dropped between them; the ranges tile the rest of the stream.

    Raises:
        InputUnreadable: if the stream is not the one that was hashed.
    """
    rest = _Rest(stream, byte_start, encoding)
    bounds, evidence = _TextBounds(), Evidence()
    for view in line_views(stream, byte_start, encoding):
        _count(evidence, view, is_first=bounds.start is None)
        evidence.line_ends.add(view)
        bounds.add(view, 0, len(view.data))
    if encoding in STATEFUL:
        # Documents need the shift state before them: only the first one's is known.
        yield from rest.ranges(bounds, byte_start)
        return
    parts = gutenberg_parts(evidence.gutenberg or [], byte_start, stream.n_bytes, rest.width)
    layout = layout_of(evidence)
    openings = _openings(rest) if layout is Layout.WHOLE and evidence.line_ends.may_be_stories() else []
    if any(part.reason is not None for part in parts):
        yield from _gutenberg_ranges(rest, parts)
    elif openings:
        yield from _between(rest, Layout.OPENINGS, StoryFinder(openings))
    elif layout is Layout.WHOLE:
        yield from rest.ranges(bounds, byte_start)
    else:
        yield from _between(rest, layout, partial(_lines, _PATTERNS[layout]))


def layout_of(evidence: Evidence) -> Layout:
    """The layout that the evidence proves; `Layout.WHOLE` without proof."""
    if evidence.ends_of_text >= FEWEST_SEPARATORS or evidence.ends_with_end_of_text:
        return Layout.STORIES
    if (
        evidence.percent_signs >= FEWEST_SEPARATORS
        and evidence.n_units <= LONGEST_MEAN_FORTUNE * (evidence.percent_signs + 1)
        and evidence.comments <= MOST_OTHERS * evidence.percent_signs
    ):
        return Layout.FORTUNES
    if (
        evidence.wiki_titles
        and evidence.wiki_sections
        and evidence.wiki_titles + evidence.wiki_sections >= FEWEST_HEADINGS
        and (evidence.begins_with_title or evidence.wiki_titles >= FEWEST_HEADINGS)
    ):
        return Layout.ARTICLES
    return Layout.WHOLE


def _count(evidence: Evidence, view: LineView, is_first: bool) -> None:
    data = view.data
    evidence.n_units += len(data)
    _count_separators(evidence, view)
    # A single byte is looked for many times faster than several, and most prose has none of these.
    if b"=" in data and any(end in data for end in _WIKI_LINE_ENDS):
        evidence.wiki_titles += _n_lines(_WIKI_TITLE, view)
        evidence.wiki_sections += _n_lines(_WIKI_SECTION, view)
        if is_first:
            first = data[data.rfind(b"\n", 0, len(data) - len(data.lstrip(BLANK))) + 1 :]
            evidence.begins_with_title = _WIKI_TITLE.match(first) is not None
    if evidence.gutenberg is not None and any(needle in data for needle in gutenberg.NEEDLES):
        evidence.gutenberg += [
            gutenberg.line_found(found, view.byte_at(found.start()), view.byte_at(found.end()))
            for found in _lines(gutenberg.LINE, view)
        ]
        if len(evidence.gutenberg) > MOST_GUTENBERG_LINES:
            evidence.gutenberg = None


def _count_separators(evidence: Evidence, view: LineView) -> None:
    data = view.data
    n_percent = 0
    if b"%" in data:
        n_percent = data.count(b"\n%") + (view.begins_line and data.startswith(b"%"))
    if n_percent:
        n_alone = _n_lines(_PERCENT, view)
        evidence.percent_signs += n_alone
        evidence.comments += n_percent - n_alone
    if b"\\" in data:
        evidence.comments += _n_lines(_COMMAND, view)
    if b"|" in data and b"<|end" in data:
        evidence.ends_of_text += _n_lines(_END_OF_TEXT, view)
        last = data.rstrip(BLANK).rpartition(b"\n")[2].strip(BLANK)
        evidence.ends_with_end_of_text = _END_OF_TEXT.fullmatch(last) is not None
    elif not data.isspace():
        evidence.ends_with_end_of_text = False


def _lines(pattern: re.Pattern[bytes], view: LineView) -> Iterator[re.Match[bytes]]:
    """Matches of a pattern for whole lines."""
    return (found for found in pattern.finditer(view.data) if found.start() or view.begins_line)


def _n_lines(pattern: re.Pattern[bytes], view: LineView) -> int:
    return sum(1 for _ in _lines(pattern, view))


@dataclass
class _TextBounds:
    """The lines of a range that are not blank, from the first to the last."""

    start: int | None = None
    end: int = 0

    def add(self, view: LineView, first: int, last: int) -> None:
        """Look at some more of the range."""
        data = view.data[first:last]
        text = data.rstrip(BLANK)
        if not text:
            return
        if self.start is None:
            n_blank = len(text) - len(text.lstrip(BLANK))
            self.start = view.byte_at(first + data.rfind(b"\n", 0, n_blank) + 1)
        line_end = data.find(b"\n", len(text))
        self.end = view.byte_at(first + (len(data) if line_end < 0 else line_end + 1))


@dataclass(frozen=True)
class _Rest:
    """A stream from a byte on."""

    stream: Stream
    byte_start: int
    encoding: str

    @property
    def width(self) -> int:
        """Bytes a code unit."""
        return WIDTHS.get(self.encoding, 1)

    def ranges(
        self, bounds: _TextBounds, start: int, end: int | None = None, title: str | None = None
    ) -> Iterator[DocumentRange | DroppedRange]:
        """A range as a document with the blank lines around it; to the end of the stream without `end`."""
        text_start, text_end = bounds.start, bounds.end
        if end is None:
            end = self.stream.n_bytes
            # Bytes that are no code unit, and escape sequences after the last line, are not blank.
            n_odd = (end - self.byte_start) % self.width
            if text_start is None and n_odd:
                text_start = end - n_odd
            if n_odd or self.encoding in STATEFUL:
                text_end = end
        if text_start is None:
            text_start = text_end = end
        if text_start > start:
            yield DroppedRange(start, text_start, "blank")
        if text_end > text_start:
            yield DocumentRange(text_start, text_end, title)
        if end > text_end:
            yield DroppedRange(text_end, end, "blank")

    def decoded(self, start: int, end: int) -> str:
        """Some bytes as text with line feeds at line ends."""
        raw = self.stream.peek(start, min(end - start, gutenberg.LONGEST_HEADER * self.width))
        return raw.decode(self.encoding, "replace").replace("\r\n", "\n")


Finder = Callable[[LineView], Iterator[re.Match[bytes]]]
"""Finds the lines between documents in views that follow each other."""

_PATTERNS = {Layout.FORTUNES: _PERCENT, Layout.STORIES: _END_OF_TEXT, Layout.ARTICLES: _WIKI_TITLE}


def _openings(rest: _Rest) -> list[bytes]:
    openings = Openings()
    for view in line_views(rest.stream, rest.byte_start, rest.encoding):
        openings.add(view)
        if openings.n_units >= SAMPLE_UNITS:
            break
    return openings.of_stories()


def _between(rest: _Rest, layout: Layout, finder: Finder) -> Iterator[DocumentRange | DroppedRange]:
    """The documents between separators, or from first line to first line."""
    start, title = rest.byte_start, None
    bounds = _TextBounds()
    for view in line_views(rest.stream, start, rest.encoding):
        first = 0
        for found in finder(view):
            bounds.add(view, first, found.start())
            end, after = view.byte_at(found.start()), view.byte_at(found.end())
            yield from rest.ranges(bounds, start, end, title)
            bounds = _TextBounds()
            first, start = found.start(), end
            if layout is Layout.ARTICLES:
                title = rest.decoded(end, after).strip(" =\r\n")
            elif layout is not Layout.OPENINGS:
                yield DroppedRange(end, after, SEPARATOR)
                first, start = found.end(), after
        bounds.add(view, first, len(view.data))
    yield from rest.ranges(bounds, start, title=title)


def _gutenberg_ranges(rest: _Rest, parts: list[Part]) -> Iterator[DocumentRange | DroppedRange]:
    for part in parts:
        if part.reason is not None:
            yield DroppedRange(part.start, part.end, part.reason)
            continue
        start, title = part.start, None
        if part.header is not None:
            n_units = min((part.end - start) // rest.width, PEEKED_UNITS)
            following = seen_at(rest.stream, start, n_units, rest.encoding)
            start += gutenberg.after_header(following, part.header_is_open) * rest.width
            title = gutenberg.title_in(rest.decoded(*part.header))
        if start > part.start:
            yield DroppedRange(part.start, start, gutenberg.HEADER)
        bounds = _TextBounds()
        for view in line_views(rest.stream, start, rest.encoding, part.end):
            bounds.add(view, 0, len(view.data))
        end = None if part.end == rest.stream.n_bytes else part.end
        yield from rest.ranges(bounds, start, end, title)
