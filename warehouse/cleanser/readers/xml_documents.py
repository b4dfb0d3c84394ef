"""XML of any kind (DocBook, TEI, RSS, Atom, home-made catalogues): the text of its elements, in order.

A stream that can be read as a whole is one record. Of a larger one the elements at some depth are the records.

XML that is source code (style sheets, schemas, drawings) is no document: it is read as plain text, tags included, like
any other program.

Malformed XML is read as far as its tags go; nothing is thrown away because of an error (`markup_tokens.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from warehouse.cleanser.code_units import STATEFUL
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.markup_ranges import whole_stream
from warehouse.cleanser.readers.markup_tokens import declared_entities, local_name, names, root_of
from warehouse.cleanser.readers.reader import (
    LARGEST_RECORD_BYTES,
    DocumentRange,
    DroppedRange,
    Extracted,
    Reader,
)
from warehouse.cleanser.readers.xml_records import find_records
from warehouse.cleanser.readers.xml_text import FEEDS, xml_text
from warehouse.cleanser.streams import Stream

_PROGRAMS = names("stylesheet transform schema svg project Project wsdl definitions grammar")
"""Roots of XSLT, XML Schema, SVG, build files, WSDL and RELAX NG."""


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """One document, or records where the stream is too large for one; the ranges tile the stream."""
    size = stream.n_bytes - decision.byte_order_mark_bytes
    if decision.encoding is None or decision.encoding in STATEFUL or size <= LARGEST_RECORD_BYTES:
        return whole_stream(stream, decision)
    return find_records(stream, decision, decision.encoding)


def is_xml(head: str) -> bool:
    """Whether a document that begins so may be XML to be read for its text."""
    root = root_of(head)
    return bool(root.name) and local_name(root.name) not in _PROGRAMS


def is_declared_xml(head: str) -> bool:
    """Whether it says so itself, by an XML declaration."""
    return root_of(head).declared and is_xml(head)


def bind(head: str) -> Reader:
    """The reader for one stream: what its head says about entities and feeds holds for every record of it."""
    root = root_of(head)
    entities, is_feed = declared_entities(root.doctype), local_name(root.name) in FEEDS

    def extract(text: str) -> Extracted:
        return xml_text(text, entities, is_feed)

    return replace(XML, extract=extract, bind=None)


XML = Reader(
    "xml",
    "1",
    frozenset({".xml", ".rss", ".atom", ".tei", ".dbk", ".docbook", ".fb2"}),
    find_documents,
    accepts=is_xml,
    proves=is_declared_xml,
    extract=xml_text,
    bind=bind,
)
