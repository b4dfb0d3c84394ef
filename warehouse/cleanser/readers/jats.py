"""Journal articles in JATS or its elder, the NLM journal publishing DTD: title, abstracts, sections, captions.

Left out: everything about the article (authors, licences, history), the reference list, footnotes, the cells of
tables (rows of numbers are no prose; a table's caption stays), supplementary files. A formula is written on a line, as
its MathML reads: ``x^2``, ``a/b``; its TeX source and picture are left out. Numbers of references that stand raised,
outside the sentence, are left out; those in brackets belong to it and stay.

The names of elements are those of the Journal Article Tag Suite 1.3 (NISO Z39.96-2021) and of MathML 3.

One stream is one article, so the record is the whole stream.
"""

# ruff: noqa: RUF001  # signs of formulas are the subject

from __future__ import annotations

import re
from dataclasses import dataclass

from warehouse.cleanser.readers.markup_ranges import whole_stream
from warehouse.cleanser.readers.markup_text import Paragraphs
from warehouse.cleanser.readers.markup_tokens import (
    Token,
    attribute,
    balanced,
    declared_entities,
    decoder,
    local_name,
    names,
    root_of,
    tokens,
)
from warehouse.cleanser.readers.reader import Extracted, NoTextError, Reader

_LEFT_OUT = names(
    """table table-wrap-foot fn fn-group ref-list supplementary-material media tex-math graphic inline-graphic
    object-id alt-text long-desc attrib annotation annotation-xml permissions private-char"""
)
_OF_FRONT = frozenset({"article-meta", "title-group", "article-title", "subtitle", "abstract"})
_OF_BACK = frozenset({"app-group", "app", "title"})
_ONLY = {
    "front": _OF_FRONT,
    "front-stub": _OF_FRONT,
    "article-meta": _OF_FRONT,
    "title-group": _OF_FRONT,
    "back": _OF_BACK,
}
"""What is read of elements that hold mostly other things than prose."""

_BLOCKS = names(
    """p title article-title subtitle abstract sec disp-quote boxed-text list list-item def-list def-item def term fig
    table-wrap caption disp-formula statement verse-group verse-line speech body app sub-article preformat
    code"""
)
_PREFORMATTED = frozenset({"preformat", "code"})
_SECTIONS = frozenset({"sec", "abstract", "app", "back", "boxed-text"})
_BETWEEN = {
    "mfrac": "/",
    "msup": "^",
    "msub": "_",
    "msubsup": "_^",
    "munder": "_",
    "munderover": "_^",
}
"""What stands before the second and third part of a formula's element when it is written on a line."""

_AROUND = {"mfenced": ("(", ")"), "msqrt": ("√(", ")"), "mtd": ("", " ")}
_MATHS = names(
    """math mrow mstyle semantics mfenced mpadded mphantom msqrt mroot mover munder munderover msub msup msubsup mfrac
    mtable mtr mtd mi mo mn alternatives inline-formula disp-formula"""
)
"""Elements in which blank space is layout."""

_OPERATOR = re.compile(r"[+−/=·×∑∫*-]")
LOOK_PARTS = 64
"""A label, exponent or part of a formula is looked at where it has no more parts, none with more characters."""

_SCHOLARLY = re.compile(r"JATS|NLM//DTD|journalpublishing|archivearticle", re.IGNORECASE)
_EXPONENT = re.compile(r"[−–+-]?\d+(?:\.\d+)?")


def is_jats(head: str) -> bool:
    """Whether a document that begins so is an article of this kind (DocBook and HTML have ``article``, too)."""
    root = root_of(head)
    if root.name == "pmc-articleset":
        return True
    return root.name == "article" and (
        _SCHOLARLY.search(root.doctype + root.attributes) is not None
        or attribute(root.attributes, "article-type") is not None
        or "<front>" in head
    )


@dataclass
class _Element:
    name: str
    start: int
    n_parts: int = 0


class _Article:
    """What has been read of an article."""

    def __init__(self) -> None:
        self.paragraphs = Paragraphs()
        self.title: str | None = None
        self._decode = decoder({})
        self._open: list[_Element] = []
        self._n_left_out = 0
        self._headings: list[tuple[int, str]] = []
        self._is_labelled = False

    def read(self, token: Token) -> None:
        """Take the next token."""
        kind, content, attributes = token
        if kind == "doctype":
            self._decode = decoder(declared_entities(content))
        elif kind == "start":
            self._start(local_name(content), attributes)
        elif kind == "end":
            self._end()
        elif not self._n_left_out:
            self._add(content if kind == "literal" else self._decode(content))

    def _add(self, text: str) -> None:
        if text.isspace():
            if self._open and self._open[-1].name in _MATHS:
                return
        else:
            self._is_labelled = False
        self.paragraphs.pending.append(text)

    def _start(self, name: str, attributes: str) -> None:
        if self._n_left_out or self._is_left_out(name, attributes):
            self._n_left_out += 1
            return
        self._write_between_parts()
        if name in _BLOCKS and not self._is_labelled:
            self._end_paragraph(None)
        self._open.append(_Element(name, len(self.paragraphs.pending)))
        if name in _AROUND:
            self.paragraphs.pending.append(_AROUND[name][0])

    def _is_left_out(self, name: str, attributes: str) -> bool:
        around = self._open[-1].name if self._open else ""
        if name in _LEFT_OUT or (around in _ONLY and name not in _ONLY[around]):
            return True
        return name == "xref" and around == "sup" and attribute(attributes, "ref-type") == "bibr"

    def _write_between_parts(self) -> None:
        if not self._open or (around := self._open[-1]).name not in _BETWEEN:
            return
        between = _BETWEEN[around.name]
        if 0 < around.n_parts <= len(between):
            self.paragraphs.pending.append(between[around.n_parts - 1])
        around.n_parts += 1

    def _end(self) -> None:
        if self._n_left_out:
            self._n_left_out -= 1
            return
        element = self._open.pop()
        if element.name in _BLOCKS:
            self._end_paragraph(element.name)
        elif element.name == "label":
            self._end_label(element)
        elif element.name == "sup":
            self._end_sup(element)
        elif element.name in _AROUND:
            self.paragraphs.pending.append(_AROUND[element.name][1])
        elif element.name == "break":
            self.paragraphs.pending.append(" ")
        if self._open and self._open[-1].name in _BETWEEN:
            self._enclose(element)
        while self._headings and self._headings[-1][0] > len(self._open):
            self._headings.pop()

    def _short(self, element: _Element) -> str:
        """The element's text; "" where it is long, so that elements a million deep are not read a million times."""
        parts = self.paragraphs.pending[element.start : element.start + LOOK_PARTS + 1]
        is_short = len(parts) <= LOOK_PARTS and all(len(part) <= LOOK_PARTS for part in parts)
        return "".join(parts) if is_short else ""

    def _enclose(self, part: _Element) -> None:
        """Put a part of a formula into parentheses where it would read otherwise without."""
        text = self._short(part)
        if len(text) > 1 and _OPERATOR.search(text) and not text.endswith(")"):
            self.paragraphs.pending[part.start :] = ["(", text, ")"]

    def _end_label(self, label: _Element) -> None:
        text = self._short(label).strip()
        around = self._open[-1].name if self._open else ""
        if text and around == "disp-formula":
            self.paragraphs.pending.insert(label.start, " ")
        elif text and around != "xref":
            self.paragraphs.pending.append(". " if text[-1].isalnum() else " ")
            self._is_labelled = True

    def _end_sup(self, sup: _Element) -> None:
        """An exponent after a number is told from the number; what raised references leave behind is left out."""
        pending = self.paragraphs.pending
        text = self._short(sup)
        if text and not any(map(str.isalnum, text)) and not set(text) & set("+−-–*′″"):
            del pending[sup.start :]
        elif _EXPONENT.fullmatch(text) and sup.start and pending[sup.start - 1][-1:].isdigit():
            pending.insert(sup.start, "^")

    def _end_paragraph(self, name: str | None) -> None:
        """Write what is pending; a section's title waits until the section proves to have text."""
        is_preformatted = name in _PREFORMATTED
        paragraphs = self.paragraphs
        text = paragraphs.take_preformatted() if is_preformatted else paragraphs.take()
        self._is_labelled = False
        if not text:
            return
        around = self._open[-1].name if self._open else ""
        if name == "title" and around in _SECTIONS:
            self._headings.append((len(self._open), text))
            return
        if name == "article-title" and self.title is None:
            self.title = text
        for _, heading in self._headings:
            paragraphs.write(heading)
        self._headings.clear()
        paragraphs.write(text)


def extract(text: str) -> Extracted:
    """The article's text.

    Raises:
        NoTextError: ``no_text`` if there is neither a title nor an abstract, section or caption.
    """
    article = _Article()
    for token in balanced(tokens(text)):
        article.read(token)
    if not article.paragraphs.text:
        raise NoTextError("no_text")
    return Extracted(article.paragraphs.text, article.title)


JATS = Reader(
    "jats",
    "1",
    frozenset({".nxml", ".xml"}),
    whole_stream,
    accepts=is_jats,
    proves=is_jats,
    extract=extract,
)
