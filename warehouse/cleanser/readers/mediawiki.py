"""Dumps of MediaWiki sites (``<mediawiki>``, the export format of Wikipedia and its sisters): each page is a document.

Pages are found by their tags while the dump streams by, so it may have any size. What lies between pages (the
description of the site, blank space) is dropped as ``markup``. Kept is the newest revision of pages in namespace 0, the
articles; redirects, talk, templates, categories and pages of programs are dropped with their reason. The wiki's markup
is taken off by `mediawiki_wikitext.py`.

Format: https://www.mediawiki.org/wiki/Help:Export, schema versions 0.3 to 0.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warehouse.cleanser.code_units import code_units
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.markup_ranges import ascii_blocks, whole_stream, with_rest_dropped
from warehouse.cleanser.readers.markup_tokens import balanced, decoder, root_of, tokens
from warehouse.cleanser.readers.mediawiki_wikitext import plain_text
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Extracted, NoTextError, Reader
from warehouse.cleanser.streams import Stream

LONGEST_TAG = len(b"</page>")
_PAGE = re.compile(rb"<(/?)page>")
_NAMESPACES = frozenset(
    [
        "Talk",
        "User",
        "Wikipedia",
        "Project",
        "File",
        "Image",
        "MediaWiki",
        "Template",
        "Help",
        "Category",
        "Portal",
    ]
)
_decode = decoder({})
_REDIRECTING_TEXT = re.compile(r"\s*#\s*[^\W\d_]{5,20}\s*:?\s*\[\[")
"""A redirect in the text: the magic word is translated (REDIRECT, WEITERLEITUNG, ПЕРЕНАПРАВЛЕНИЕ) and long."""


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """Each page, and as ``markup`` what lies between them; the ranges tile the stream."""
    if decision.encoding is None:
        yield from whole_stream(stream, decision)
        return
    mark, width = decision.byte_order_mark_bytes, code_units(decision.encoding).width
    if mark:
        yield DroppedRange(0, mark, "byte_order_mark")
    pages = (
        (mark + start * width, mark + end * width)
        for start, end in _pages(ascii_blocks(stream, decision, decision.encoding))
    )
    yield from with_rest_dropped(pages, mark, stream.n_bytes, "markup")


def _pages(blocks: Iterator[bytes]) -> Iterator[tuple[int, int]]:
    """Start and end of each page, counted in code units; one that is cut off ends where the next begins or the dump
    ends."""
    start: int | None = None
    rest, position = b"", 0
    for block in blocks:
        window = rest + block
        searched = max(0, len(window) - LONGEST_TAG + 1)
        for found in _PAGE.finditer(window):
            if start is not None:
                yield start, position + (found.end() if found[1] else found.start())
            start = None if found[1] else position + found.start()
            searched = max(searched, found.end())
        rest = window[searched:]
        position += searched
    if start is not None:
        yield start, position + len(rest)


def extract(text: str) -> Extracted:
    """The plain text of a page's newest revision.

    Raises:
        NoTextError: ``redirect``; ``not_an_article`` for other namespaces and content that is no wikitext;
            ``no_text``.
    """
    fields: dict[str, list[str]] = {}
    inside: list[str] = []
    for kind, content, _ in balanced(tokens(text)):
        if kind == "start":
            inside.append(content)
            fields[content] = []
        elif kind == "end":
            inside.pop()
        elif inside and kind != "doctype":
            fields[inside[-1]].append(content if kind == "literal" else _decode(content))
    page = {name: "".join(parts) for name, parts in fields.items()}
    title, wikitext = page.get("title", "").strip(), page.get("text", "")
    if not is_article(title, page.get("ns"), page.get("model")):
        raise NoTextError("not_an_article")
    if "redirect" in page or _REDIRECTING_TEXT.match(wikitext):
        raise NoTextError("redirect")
    plain = plain_text(wikitext)
    if not plain:
        raise NoTextError("no_text")
    return Extracted(plain, title or None)


def is_article(title: str, namespace: str | None, model: str | None) -> bool:
    """Whether a page is of the main namespace, by its number or (in exports before 0.6) its title, and wikitext."""
    if model is not None and model.strip() != "wikitext":
        return False
    if namespace is not None:
        return namespace.strip() == "0"
    return title.partition(":")[0].removesuffix(" talk") not in _NAMESPACES


def is_mediawiki(head: str) -> bool:
    """Whether a stream that begins so is a dump."""
    return root_of(head).name == "mediawiki"


MEDIAWIKI = Reader(
    "mediawiki",
    "1",
    frozenset({".xml"}),
    find_documents,
    accepts=is_mediawiki,
    proves=is_mediawiki,
    extract=extract,
)
