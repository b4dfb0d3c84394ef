"""What a person asks to be forgotten: contents, named by their hash.

What lives here: from an id or a path to hashes. What does not: what of the home holds them (``extent.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from warehouse.database import Connection, query, read_rows
from warehouse.errors import InputUnreadable, InvalidConfiguration

SHORTEST_PREFIX = 4
"""Hexadecimal digits of an id that are enough to look for it, as for ``fakesmrt trace``."""

WANTED = pa.schema({"sha256": pa.binary(), "scope": pa.string(), "subject": pa.string()})


@dataclass(frozen=True)
class Content:
    """Bytes that must never come back.

    Attributes:
        sha256: their hash.
        scope: ``file`` (a file, or a stream in one) or ``document`` (the raw bytes of a document).
        subject: an id that stands for them: of a source file, or of a document.
        name: what a person calls them: the path, and of a document its bytes there.
    """

    sha256: bytes
    scope: str
    subject: str
    name: str


def find_contents(connection: Connection, identifiers: Iterable[str]) -> list[Content]:
    """The contents that some identifiers stand for, each once.

    Args:
        connection: the working database.
        identifiers: ids of source files or documents, or their first digits (four or more); paths of source files,
            or ends of paths. A path stands for everything that was ever read there.

    Raises:
        InvalidConfiguration: if nothing has that identifier, more than one thing has, or what has it is a chunk.
        InputUnreadable: if it has no hash yet.
    """
    found: dict[tuple[bytes, str], Content] = {}
    for identifier in identifiers:
        for content in _contents_of(connection, *_meant(connection, identifier)):
            found.setdefault((content.sha256, content.scope), content)
    return list(found.values())


def _meant(connection: Connection, identifier: str) -> tuple[str, str]:
    """The one thing that an identifier means: its kind, and its id or path."""
    digits = identifier.replace("-", "").lower()
    is_id = SHORTEST_PREFIX <= len(digits) <= 32 and re.fullmatch("[0-9a-f]+", digits) is not None
    matches = connection.execute(
        query("forget_find"),
        {
            "low": digits.ljust(32, "0") if is_id else None,
            "high": digits.ljust(32, "f") if is_id else None,
            "name": identifier or None,
        },
    ).fetchall()
    if not matches:
        raise InvalidConfiguration(
            f"No source file and no document is called {identifier!r}",
            "Give an id or its first four digits, or a path: fakesmrt sql 'FROM corpus.source_file'",
        )
    if len(matches) > 1:
        listed = ", ".join(f"{kind} {found}" for kind, found in matches)
        raise InvalidConfiguration(
            f"{identifier!r} may mean {listed}", "Give more of its digits, or the whole path"
        )
    return str(matches[0][0]), str(matches[0][1])


def _contents_of(connection: Connection, kind: str, identifier: str) -> list[Content]:
    if kind == "chunk":
        document = connection.execute(
            "SELECT document_id FROM corpus.chunk WHERE chunk_id = CAST(? AS UUID)", [identifier]
        ).fetchall()[0][0]
        raise InvalidConfiguration(
            f"{identifier} is a chunk, a piece of the document {document}",
            f"Forget the whole document: fakesmrt forget {document}",
        )
    name = "forget_document_contents" if kind == "document" else "forget_file_contents"
    rows = connection.execute(query(name), {"identifier": identifier}).fetchall()
    if not rows:
        raise InputUnreadable(
            f"{identifier} was never read, so there is nothing of it to forget",
            "See: fakesmrt sql --query failed_files",
        )
    if any(sha256 is None for sha256, *_ in rows):
        raise InputUnreadable(
            f"The document {identifier} was recorded by an earlier fakesmrt, without a hash of its own",
            "Run: fakesmrt build corpus (its file must be there), or forget the whole file",
        )
    return [Content(bytes(sha256), scope, subject, text) for sha256, scope, subject, text in rows]


@dataclass(frozen=True)
class _Unfinished:
    sha256: bytes
    scope: str
    subject: str


def unfinished_contents(connection: Connection) -> list[Content]:
    """The contents whose forgetting has begun and not ended."""
    rows = read_rows(
        connection,
        "SELECT sha256, scope, subject FROM corpus.unfinished_forget ORDER BY sha256, scope",
        [],
        _Unfinished,
    )
    return [Content(bytes(row.sha256), row.scope, row.subject, row.subject) for row in rows]


def wanted_table(contents: Sequence[Content]) -> pa.Table:
    """The contents as the relation ``wanted`` of the queries."""
    return pa.Table.from_pylist(
        [{"sha256": c.sha256, "scope": c.scope, "subject": c.subject} for c in contents], schema=WANTED
    )
