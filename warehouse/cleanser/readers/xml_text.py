"""The text of XML of any kind: what stands in its elements, in order.

Which elements are paragraphs and which are parts of a sentence is told by what is around them: an element is part of a
sentence where an element around it holds text directly (XML 1.0 §3.2.2 calls that mixed content), unless there is a
block between them, by the names of the common vocabularies (DocBook, TEI, Atom, RSS, XHTML). All others are paragraphs
of their own.

Attributes, comments, scripts, index entries and binary data are no text. Of feeds (RSS, Atom) only titles and
descriptions are read, not their addresses, dates and names; they carry HTML as escaped text, whose tags are taken off.

What lives here: extraction from one document. What does not: finding documents in a stream.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from warehouse.cleanser.readers.html_visible import visible_text
from warehouse.cleanser.readers.markup_text import Paragraphs
from warehouse.cleanser.readers.markup_tokens import (
    Token,
    balanced,
    declared_entities,
    decoder,
    local_name,
    names,
    tokens,
)
from warehouse.cleanser.readers.reader import Extracted, NoTextError

_LEFT_OUT = names("script style binary binary-data indexterm remark")
_BLOCKS = names(
    """article section sect1 sect2 sect3 sect4 sect5 chapter part book preface appendix para simpara formalpara
    title subtitle head p div div1 div2 div3 div4 div5 body front back text lg l sp speaker stage ab quote blockquote
    list item itemizedlist orderedlist listitem variablelist varlistentry term table row tr td th tbody thead tgroup
    entry figure caption note footnote warning caution tip important example programlisting screen literallayout
    synopsis eg verse stanza poem subhead h1 h2 h3 h4 h5 h6 ul ol li dl dt dd pre channel description summary
    content lb"""
)
_PREFORMATTED = names("programlisting screen literallayout pre synopsis eg")
FEEDS = names("rss feed RDF")
_PROSE_OF_FEEDS = names("title subtitle tagline description summary content encoded")
_LEFT_OUT_OF_FEEDS = names("image textInput generator")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")


@dataclass
class _Element:
    name: str
    is_mixed: bool = False
    places: list[int] = field(default_factory=list)
    deeper_places: list[int] = field(default_factory=list)


class _Document:
    """A document's text as parts, and between them the places at which a paragraph ends (True) or perhaps ends
    (False): that is decided when the element around them ends, because text may still follow in it.
    """

    def __init__(self, entities: Mapping[str, str], is_feed: bool) -> None:
        self.parts: list[str | bool] = []
        self.preformatted: set[int] = set()
        self.title: str | None = None
        self._decode = decoder(entities)
        self._open: list[_Element] = [_Element("")]
        self._n_left_out = 0
        self._n_prose_of_feed = 0
        self._title_start: int | None = None
        self._is_feed = is_feed

    def read(self, token: Token) -> None:
        """Take the next token."""
        kind, content, _ = token
        if kind == "start":
            self._start(local_name(content))
        elif kind == "end":
            self._end()
        elif kind == "doctype":
            self._decode = decoder(declared_entities(content))
        elif not self._n_left_out:
            self._add(content if kind == "literal" else self._decode(content))

    def _add(self, text: str) -> None:
        element = self._open[-1]
        if self._is_feed and not self._n_prose_of_feed:
            return
        if self._is_feed and element.name in _PROSE_OF_FEEDS and _TAG.search(text):
            for paragraph in visible_text(text).text.split("\n\n"):
                self.parts += [paragraph, True]
            return
        if not element.is_mixed and not text.isspace():
            element.is_mixed = True
        self.parts.append(text)

    def _start(self, name: str) -> None:
        if self._n_left_out or name in _LEFT_OUT or (self._is_feed and name in _LEFT_OUT_OF_FEEDS):
            self._n_left_out += 1
            return
        if len(self._open) == 1:
            self._is_feed = self._is_feed or name in FEEDS
        self._break(name)
        if name == "title" and self.title is None and self._title_start is None:
            self._title_start = len(self.parts)
        self._open.append(_Element(name))
        self._n_prose_of_feed += name in _PROSE_OF_FEEDS

    def _end(self) -> None:
        if self._n_left_out:
            self._n_left_out -= 1
            return
        element = self._open.pop()
        self._n_prose_of_feed -= element.name in _PROSE_OF_FEEDS
        if element.is_mixed:
            self._join(element.places, "")
            self._join(element.deeper_places, " ")
        elif element.name not in _BLOCKS:
            around = self._open[-1]
            for places in (element.places, element.deeper_places):
                shorter, longer = sorted((around.deeper_places, places), key=len)
                longer += shorter
                around.deeper_places = longer
        if element.name == "title" and self._title_start is not None:
            words = "".join(
                part or " " for part in self.parts[self._title_start :] if part is not True
            ).split()
            self.title, self._title_start = " ".join(words) or None, None
        self._break(element.name)
        if element.name in _PREFORMATTED:
            self.preformatted.add(len(self.parts) - 1)

    def _join(self, places: list[int], between: str) -> None:
        for place in places:
            if self.parts[place] is False:
                self.parts[place] = between

    def _break(self, name: str) -> None:
        is_known = name in _BLOCKS
        if self.parts and isinstance(self.parts[-1], bool):
            self.parts[-1] = self.parts[-1] or is_known
            return
        if not is_known:
            self._open[-1].places.append(len(self.parts))
        self.parts.append(is_known)


def xml_text(text: str, entities: Mapping[str, str] | None = None, is_feed: bool = False) -> Extracted:
    """The text of a document, or of an element of one.

    Args:
        text: its characters.
        entities: what the document around an element declares.
        is_feed: whether the document around it is a feed.

    Raises:
        NoTextError: ``no_text`` if its elements hold none.
    """
    document = _Document(entities or {}, is_feed)
    for token in balanced(tokens(text)):
        document.read(token)
    paragraphs = Paragraphs()
    for place, part in enumerate(document.parts):
        if isinstance(part, str):
            paragraphs.pending.append(part)
        elif place in document.preformatted:
            paragraphs.write(paragraphs.take_preformatted())
        else:
            paragraphs.write(paragraphs.take())
    paragraphs.write(paragraphs.take())
    if not paragraphs.text:
        raise NoTextError("no_text")
    return Extracted(paragraphs.text, document.title)
