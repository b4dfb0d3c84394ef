"""The readers that there are, and which one serves a stream."""

from __future__ import annotations

from warehouse.cleanser.readers.csv_table import CSV
from warehouse.cleanser.readers.html_pages import HTML
from warehouse.cleanser.readers.jats import JATS
from warehouse.cleanser.readers.json_lines import JSON
from warehouse.cleanser.readers.markdown import MARKDOWN
from warehouse.cleanser.readers.mediawiki import MEDIAWIKI
from warehouse.cleanser.readers.parquet_rows import PARQUET
from warehouse.cleanser.readers.plain import PLAIN
from warehouse.cleanser.readers.reader import Reader
from warehouse.cleanser.readers.xml_documents import XML

READERS: tuple[Reader, ...] = (PLAIN, MARKDOWN, JSON, CSV, PARQUET, JATS, MEDIAWIKI, HTML, XML)


def reader_for(name: str, head: str, container: str = "file") -> Reader:
    """The reader for a stream, bound to it: the one that its container or content proves, else the one that its name
    claims and its content does not contradict, else plain text.

    Args:
        name: the stream's own file name.
        head: its first characters, as `stream_head` gives them.
        container: the chain of container formats around it, innermost last.
    """
    for reader in READERS:
        if reader.container is not None and reader.container == container.rpartition("+")[2]:
            return reader.bound_to(head)
    for reader in READERS:
        if reader.proves(head):
            return reader.bound_to(head)
    suffix = "." + name.lower().rpartition(".")[2]
    claimed = (reader for reader in READERS if suffix in reader.suffixes and reader.accepts(head))
    return next(claimed, PLAIN).bound_to(head)


def reader_named(name: str, head: str = "") -> Reader:
    """The reader that column ``reader`` names, bound to a stream.

    Args:
        name: as the column shows it.
        head: the stream's first characters, as `stream_head` gives them.

    Raises:
        KeyError: if there is none of this name.
    """
    return {reader.name: reader for reader in READERS}[name].bound_to(head)
