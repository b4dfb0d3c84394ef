"""What of the home holds the contents that are to be forgotten: documents and chunks, of today and of the past.

What lives here: finding rows, in the working database and in every published version. What does not: changing any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa

from warehouse import publishing
from warehouse.database import Connection, Warehouse, query, run_script, scalar
from warehouse.errors import InputUnreadable
from warehouse.forgetting.contents import Content, wanted_table
from warehouse.identity import content_id

DOCUMENTS = "SELECT document_id, stream_id, source_id, byte_start, byte_end, sha256 FROM gone_document"
CHUNKS = "SELECT chunk_id, document_id, source_id, text_file, text_row FROM gone_chunk"

KNOWN_CHUNK = pa.schema({"chunk_id": pa.uuid(), "source_id": pa.uuid(), "sha256": pa.binary()})
PLAIN_STREAM = pa.schema({"stream_id": pa.uuid(), "source_id": pa.uuid()})


@dataclass(frozen=True)
class Extent:
    """What some databases hold of the wanted contents.

    Attributes:
        ranges: where the contents lie: stream_id, source_id, byte_start, byte_end, sha256.
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
    _add_chunks(connection, pa.concat_tables([known_chunks, _attributed_orphans(connection)]))
    run_script(connection, "forget_copies", {})
    if scalar(connection, "SELECT count(*) FROM gone_copy"):
        _add_chunks(connection, _attributed_orphans(connection))


def _add_chunks(connection: Connection, known_chunks: pa.Table) -> None:
    connection.register("known_chunk", known_chunks)
    connection.execute(query("forget_known_chunks"))


def wanted_ranges(connection: Connection, contents: Sequence[Content]) -> pa.Table:
    """Where the contents lie, as the working database knows: see `Extent`."""
    connection.register("wanted", wanted_table(contents))
    sources = [source_id for (source_id,) in connection.execute(query("forget_sources")).fetchall()]
    rows = [
        {"stream_id": content_id(source_id.bytes, "").bytes, "source_id": source_id.bytes}
        for source_id in sources
    ]
    connection.register("plain_stream", pa.Table.from_pylist(rows, schema=PLAIN_STREAM))
    return arrow_rows(connection, query("forget_ranges"))


def known_chunks(connection: Connection) -> pa.Table:
    """Every chunk that was forgotten so far, as rows of `KNOWN_CHUNK`."""
    return arrow_rows(
        connection,
        "SELECT DISTINCT chunk_id, source_id, CAST(NULL AS BLOB) AS sha256 FROM corpus.forgotten_chunk",
    )


def survey(warehouse: Warehouse, contents: Sequence[Content]) -> Extent:
    """What the working database and every published version hold of the contents.

    Raises:
        InputUnreadable: if chunks remain of which nobody can tell whether they are of a wanted file.
    """
    with warehouse.read() as connection:
        ranges, known = wanted_ranges(connection, contents), known_chunks(connection)
        found = [_resolved(connection, contents, ranges, known)]
        _require_attributable(connection)
    for version in publishing.versions(warehouse.home):
        with warehouse.published_file(version.path) as connection:
            found.append(_resolved(connection, contents, ranges, known))
    documents, chunks = (pa.concat_tables(tables) for tables in zip(*found, strict=True))
    return Extent(ranges, documents, chunks)


def _resolved(
    connection: Connection, contents: Sequence[Content], ranges: pa.Table, known: pa.Table
) -> tuple[pa.Table, pa.Table]:
    resolve(connection, contents, ranges, known)
    return arrow_rows(connection, DOCUMENTS), arrow_rows(connection, CHUNKS)


def _attributed_orphans(connection: Connection) -> pa.Table:
    """Chunks without a document that were cut from the gone ranges: an id is a hash of the stream and the place."""
    orphans = connection.execute(query("forget_orphans")).fetchall()
    if not orphans:
        return KNOWN_CHUNK.empty_table()
    ranges = connection.execute(
        "SELECT stream_id, source_id, byte_start, byte_end, sha256 FROM gone_range"
    ).fetchall()
    streams = {stream_id for stream_id, *_ in ranges}
    rows = [
        {"chunk_id": chunk_id.bytes, "source_id": source_id.bytes, "sha256": sha256}
        for chunk_id, _, chunking_id, byte_start, byte_end, *characters in orphans
        for stream_id in streams
        if chunk_id in _possible_ids(stream_id, chunking_id, byte_start, byte_end, *characters)
        for stream, source_id, start, end, sha256 in ranges
        if stream == stream_id and byte_start < end and byte_end > start
    ]
    return pa.Table.from_pylist(rows, schema=KNOWN_CHUNK)


def _require_attributable(connection: Connection) -> None:
    """Refuse where text of a wanted file may remain untold: an earlier fakesmrt did not keep the ids of streams that it
    gave up, and no chunk without a document says of which file it is."""
    unread = [path for (path,) in connection.execute(query("forget_unread_sources")).fetchall()]
    orphans = connection.execute(query("forget_orphans")).fetchall() if unread else []
    if not orphans:
        return
    streams = [stream_id for (stream_id,) in connection.execute(query("forget_all_streams")).fetchall()]
    # Chunks of one document are of one stream.
    one_each = {document_id: (chunk_id, *place) for chunk_id, document_id, *place in orphans}
    for chunk_id, *place in one_each.values():
        if not any(chunk_id in _possible_ids(stream_id, *place) for stream_id in streams):
            raise InputUnreadable(
                f"{len(orphans):,} chunks of earlier examinations remain, and nobody can tell whether they are of "
                f"{unread[0]}, which was not read to its end since",
                "Bring the file back to where it was, run: fakesmrt build corpus, then the same command again",
            )


def _possible_ids(
    stream_id: UUID, chunking_id: UUID, byte_start: int, byte_end: int, char_start: int, char_end: int
) -> tuple[UUID, UUID]:
    """The id of a chunk of plain text, and of one of a record (see ``stages/cutting.py``)."""
    place = (stream_id.bytes, chunking_id.bytes, byte_start, byte_end)
    return content_id(*place), content_id(*place, char_start, char_end)
