"""What of the home holds the contents that are to be forgotten: documents and chunks, of today and of the past.

What lives here: finding rows, in the working database and in every published version. What does not: changing any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa

from warehouse import publishing
from warehouse.database import Connection, Warehouse, query, run_script
from warehouse.forgetting.contents import Content, wanted_table
from warehouse.identity import content_id

DOCUMENTS = "SELECT document_id, stream_id, source_id, byte_start, byte_end, sha256 FROM gone_document"
CHUNKS = "SELECT chunk_id, document_id, source_id, text_file, text_row FROM gone_chunk"

KNOWN_CHUNK = pa.schema({"chunk_id": pa.uuid(), "source_id": pa.uuid()})


@dataclass(frozen=True)
class Extent:
    """What some databases hold of the wanted contents.

    Attributes:
        ranges: where the documents lie that are wanted by their own hash: stream_id, byte_start, byte_end, sha256.
        documents: columns of `DOCUMENTS`.
        chunks: columns of `CHUNKS`.
    """

    ranges: pa.Table
    documents: pa.Table
    chunks: pa.Table


def arrow_rows(connection: Connection, sql: str) -> pa.Table:
    """The rows of a query, ids as Arrow's UUIDs, so that DuckDB takes them back as its own."""
    connection.execute("SET arrow_lossless_conversion = true")
    return connection.sql(sql).to_arrow_table()


def resolve(
    connection: Connection, contents: Sequence[Content], ranges: pa.Table, known_chunks: pa.Table
) -> None:
    """Put what a database holds of the contents into the temporary tables of ``forget_resolve.sql``.

    Args:
        connection: the working database or a published version, of whatever age.
        contents: what is wanted.
        ranges: see `Extent`; from `wanted_ranges`.
        known_chunks: chunks that are known to be forgotten, rows of `KNOWN_CHUNK`.
    """
    connection.register("wanted", wanted_table(contents))
    connection.register("known_range", ranges)
    run_script(connection, "forget_resolve", {})
    connection.register("known_chunk", pa.concat_tables([known_chunks, _attributed_orphans(connection)]))
    connection.execute(query("forget_known_chunks"))


def wanted_ranges(connection: Connection, contents: Sequence[Content]) -> pa.Table:
    """Where the documents lie that are wanted by their own hash, as the working database knows."""
    connection.register("wanted", wanted_table(contents))
    return arrow_rows(connection, query("forget_ranges"))


def known_chunks(connection: Connection) -> pa.Table:
    """Every chunk that was forgotten so far, as rows of `KNOWN_CHUNK`."""
    return arrow_rows(connection, "SELECT DISTINCT chunk_id, source_id FROM corpus.forgotten_chunk")


def survey(warehouse: Warehouse, contents: Sequence[Content]) -> Extent:
    """What the working database and every published version hold of the contents."""
    with warehouse.read() as connection:
        ranges, known = wanted_ranges(connection, contents), known_chunks(connection)
        found = [_resolved(connection, contents, ranges, known)]
    for version in publishing.versions(warehouse.home):
        with warehouse.file(version.path, read_only=True) as connection:
            found.append(_resolved(connection, contents, ranges, known))
    documents, chunks = (pa.concat_tables(tables) for tables in zip(*found, strict=True))
    return Extent(ranges, documents, chunks)


def _resolved(
    connection: Connection, contents: Sequence[Content], ranges: pa.Table, known: pa.Table
) -> tuple[pa.Table, pa.Table]:
    resolve(connection, contents, ranges, known)
    return arrow_rows(connection, DOCUMENTS), arrow_rows(connection, CHUNKS)


def _attributed_orphans(connection: Connection) -> pa.Table:
    """Chunks without a document that were cut from the wanted ranges: an id is a hash of the stream and the place."""
    orphans = connection.execute(query("forget_orphans")).fetchall()
    if not orphans:
        return KNOWN_CHUNK.empty_table()
    ranges = connection.execute(
        "SELECT stream_id, source_id, byte_start, byte_end FROM gone_range"
    ).fetchall()
    sources = {stream_id: source_id for stream_id, source_id, _, _ in ranges}
    rows = [
        {"chunk_id": chunk_id.bytes, "source_id": sources[stream_id].bytes}
        for chunk_id, chunking_id, byte_start, byte_end, *characters in orphans
        for stream_id in sources
        if chunk_id in _possible_ids(stream_id, chunking_id, byte_start, byte_end, *characters)
        and any(
            stream == stream_id and byte_start < end and byte_end > start for stream, _, start, end in ranges
        )
    ]
    return pa.Table.from_pylist(rows, schema=KNOWN_CHUNK)


def _possible_ids(
    stream_id: UUID, chunking_id: UUID, byte_start: int, byte_end: int, char_start: int, char_end: int
) -> tuple[UUID, UUID]:
    """The id of a chunk of plain text, and of one of a record (see ``stages/cutting.py``)."""
    place = (stream_id.bytes, chunking_id.bytes, byte_start, byte_end)
    return content_id(*place), content_id(*place, char_start, char_end)
