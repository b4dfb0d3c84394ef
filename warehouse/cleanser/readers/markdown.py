"""Markdown: text as it is written, less the front matter that publishing programs put before it.

What lives here: YAML and TOML front matter as Jekyll and Hugo read it: between two lines ``---`` or ``+++``, the first
of which is the file's first line (https://jekyllrb.com/docs/front-matter/, https://gohugo.io/content-management/front-matter/).
What does not: Markdown's own marks, which are part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from warehouse.cleanser.code_units import STATEFUL, WIDTHS
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.line_views import seen_at
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Reader
from warehouse.cleanser.readers.structure import find_documents_from
from warehouse.cleanser.streams import Stream

FRONT_MATTER = "front_matter"

LONGEST_FRONT_MATTER = 1 << 16
"""Code units; a longer one is text between two rules."""

_BLANK = rb"(?P<blank>(?:[ \t]*\r?\n)*)"
_REMARKS = rb"(?:[ \t]*\r?\n|#[^\n]*\n)*"
_YAML = re.compile(
    _BLANK + rb"---[ \t]*\r?\n" + _REMARKS + rb"[A-Za-z_\"'][^\n:]*:(?:[ \t\r][^\n]*)?\n"
    rb"(?:[^\n]*\n)*?(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)"
)
_TOML = re.compile(
    _BLANK + rb"\+\+\+[ \t]*\r?\n" + _REMARKS + rb"(?:[A-Za-z_\"'][^\n=]*=|\[)[^\n]*\n"
    rb"(?:[^\n]*\n)*?\+\+\+[ \t]*\r?(?:\n|\Z)"
)
_TITLE = re.compile(
    r"^[\"']?title[\"']?[ \t]*[:=][ \t]*(?:\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^']|'')*)'"
    r"|(?P<plain>[^\"'|>&*!{\[\s].*?))[ \t]*(?: #.*)?$",
    re.MULTILINE | re.IGNORECASE,
)


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """The text after the front matter; the ranges tile the stream."""
    encoding = decision.encoding
    if encoding is None:
        if stream.n_bytes:
            yield DroppedRange(0, stream.n_bytes, "binary")
        return
    mark = decision.byte_order_mark_bytes
    if mark:
        yield DroppedRange(0, mark, "byte_order_mark")
    start = end = mark
    if encoding not in STATEFUL:
        width = WIDTHS.get(encoding, 1)
        first, last = front_matter(seen_at(stream, mark, LONGEST_FRONT_MATTER, encoding))
        start, end = mark + first * width, mark + last * width
    title = None
    if start > mark:
        yield DroppedRange(mark, start, "blank")
    if end > start:
        yield DroppedRange(start, end, FRONT_MATTER)
        title = title_in(stream.peek(start, end - start).decode(encoding, "replace"))
    for found in find_documents_from(stream, end, encoding):
        yield replace(found, title=title) if isinstance(found, DocumentRange) and title else found


def front_matter(head: bytes) -> tuple[int, int]:
    """Where the front matter at the beginning of a file begins and ends, in code units; (0, 0) if there is none.

    A rule alone does not make it: the first line after it that is no remark has to name a value.

    Args:
        head: the beginning of a file, as `line_views` shows it.
    """
    found = _YAML.match(head) or _TOML.match(head)
    return (0, 0) if found is None else (found.end("blank"), found.end())


def title_in(front_matter: str) -> str | None:
    """The title that a front matter gives on one line; None if it gives none."""
    found = _TITLE.search(front_matter.replace("\r\n", "\n"))
    if found is None:
        return None
    if found["double"] is not None:
        title = re.sub(r"\\(.)", r"\1", found["double"])
    elif found["single"] is not None:
        title = found["single"].replace("''", "'")
    else:
        title = found["plain"]
    return " ".join(title.split()) or None


MARKDOWN = Reader("markdown", "1", frozenset({".md", ".markdown", ".mdown", ".mkd"}), find_documents)
