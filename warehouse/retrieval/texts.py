"""Random access: any chunk by its id, with its text and the bytes that it came from.

What lives here: from an id, or its first digits, to a text. What does not: the proof that the text follows from the
bytes (``lineage/token_proof.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from warehouse.database import Connection, query, scalar
from warehouse.errors import InvalidConfiguration
from warehouse.home import Home
from warehouse.lineage.token_place import ChunkOrigin, find_chunk
from warehouse.stages.feeding import explained_reading, filesystem_path, stream_in
from warehouse.textstore import read_rows, read_rows_left, text_file

MOST_MATCHES = 5
"""Ids named where the first digits fit several."""


class ForgottenChunk(InvalidConfiguration):
    """A chunk of which nothing is kept but its id."""

    def __init__(self, digits: str) -> None:
        super().__init__(f"The chunk {digits} was forgotten", "Nothing of it is kept but its id")


@dataclass(frozen=True)
class StoredChunk:
    """A chunk, where it comes from, and its stored text."""

    chunk_id: UUID
    origin: ChunkOrigin
    text: str


def id_range(digits: str) -> tuple[UUID, UUID] | None:
    """The smallest and the largest id that begin with these hexadecimal digits, dashes not minded; None where none
    can."""
    plain = digits.replace("-", "").lower()
    if not plain or len(plain) > 32 or not set(plain) <= set("0123456789abcdef"):
        return None
    return UUID(hex=plain.ljust(32, "0")), UUID(hex=plain.ljust(32, "f"))


def find_chunk_id(connection: Connection, digits: str) -> UUID:
    """The chunk whose id begins so.

    Args:
        connection: a published copy.
        digits: an id, or its first digits.

    Raises:
        InvalidConfiguration: if there is no such chunk, or several.
    """
    bounds = id_range(digits)
    rows = connection.execute(
        query("chunk_ids_between"),
        {"low": bounds and bounds[0], "high": bounds and bounds[1], "n": MOST_MATCHES + 1},
    ).fetchall()
    if len(rows) == 1:
        return UUID(str(rows[0][0]))
    if rows:
        shown = ", ".join(str(chunk_id) for (chunk_id,) in rows[:MOST_MATCHES])
        raise InvalidConfiguration(
            f"Several chunks begin with {digits}: {shown}{' …' if len(rows) > MOST_MATCHES else ''}",
            "Give more digits",
        )
    if bounds and scalar(connection, query("token_forgotten"), {"chunk_id": bounds[0]}):
        raise ForgottenChunk(digits)
    raise InvalidConfiguration(
        f"There is no chunk {digits!r}", "fakesmrt search finds chunks; fakesmrt trace follows other ids"
    )


def stored_chunk(connection: Connection, home: Home, chunk_id: UUID) -> StoredChunk:
    """A chunk with its text.

    Raises:
        InvalidConfiguration: if the database does not hold it.
        ForgottenChunk: if its text is gone and a version that holds it is not yet rewritten.
        CorruptArtefact: if its text file is missing or damaged.
    """
    origin = find_chunk(connection, chunk_id)
    if origin is None:
        raise InvalidConfiguration(
            f"There is no chunk {str(chunk_id)!r}", "Find one with: fakesmrt search WORDS"
        )
    (text,) = read_rows_left(text_file(home.text, origin.text_file), [origin.text_row])
    if text is None:
        raise ForgottenChunk(str(chunk_id))
    return StoredChunk(chunk_id, origin, text)


def chunk_texts(connection: Connection, home: Home, chunk_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The texts of some chunks by their ids, and nothing else of them; each text file is opened once.

    Raises:
        InvalidConfiguration: if the published copy does not hold one of them.
        CorruptArtefact: if a text file is missing or damaged.
    """
    rows = connection.execute(query("chunk_text_places"), {"chunk_ids": list(chunk_ids)}).fetchall()
    by_file: dict[str, list[tuple[UUID, int]]] = {}
    for chunk_id, name, row in rows:
        by_file.setdefault(name, []).append((chunk_id, row))
    texts: dict[UUID, str] = {}
    for name, there in by_file.items():
        read = read_rows(text_file(home.text, name), [row for _, row in there])
        texts.update(zip((chunk_id for chunk_id, _ in there), read, strict=True))
    if missing := set(chunk_ids) - texts.keys():
        raise InvalidConfiguration(
            f"There is no chunk {str(min(missing))!r}", "Find one with: fakesmrt search WORDS"
        )
    return texts


def raw_bytes(home: Home, origin: ChunkOrigin) -> bytes:
    """The bytes of the source that a chunk was cut from, as they stand there.

    Raises:
        FakesmrtError: if the file is gone or has changed.
    """
    if origin.file_sha256 is None:
        raise InvalidConfiguration(f"{origin.path} could not be read when it was found", "Build again")
    with (
        explained_reading(),
        stream_in(filesystem_path(origin.path), origin.file_sha256, origin.member, home.temporary) as stream,
    ):
        return b"".join(stream.range_blocks(origin.byte_start, origin.byte_end))
