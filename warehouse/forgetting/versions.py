"""Forgotten rows go from every published version that is kept, and each is written anew.

What lives here: changing published versions. What does not: how one is replaced (``warehouse/publishing.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from warehouse import publishing
from warehouse.database import Connection, Warehouse, migrate, query, run_script
from warehouse.forgetting.contents import Content
from warehouse.forgetting.extent import arrow_rows, known_chunks, resolve

COPIED_TABLES = (
    "corpus.forgotten",
    "corpus.forgotten_document",
    "corpus.forgotten_chunk",
    "corpus.forgotten_likeness",
    "corpus.broken_pin",
    "models.stale_checkpoint",
    "tokens.replaced_shard",
)
"""What a published version is told of forgetting."""


def rewrite_versions(warehouse: Warehouse, contents: Sequence[Content]) -> list[int]:
    """Write every published version anew without the forgotten rows, save those that an interrupted call has done.

    Returns:
        Their numbers.

    Raises:
        FakesmrtError: if one is damaged, or the disk is full.
    """
    with warehouse.read() as connection:
        known = known_chunks(connection)
        ranges = arrow_rows(
            connection,
            "SELECT stream_id, source_id, byte_start, byte_end, sha256 FROM corpus.forgotten_document",
        )
        sharded = arrow_rows(connection, query("forget_chunks_of_replaced"))
        copied = {table: arrow_rows(connection, f"FROM {table}") for table in COPIED_TABLES}

    def change(connection: Connection) -> None:
        if not connection.execute(query("forget_is_known")).fetchall():
            # An earlier fakesmrt published it, without some of the tables. Migrations have transactions of their own.
            connection.commit()
            migrate(connection)
            connection.begin()
        resolve(connection, contents, ranges, known)
        run_script(connection, "forget_rows", {})
        for table, rows in copied.items():
            connection.register("copied", rows)
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  # names from this file only
            connection.execute(f"INSERT INTO {table} BY NAME FROM copied")
            connection.unregister("copied")
        connection.register("sharded", sharded)
        connection.execute(query("forget_take_chunks_over"))
        connection.unregister("sharded")
        run_script(connection, "forget_replaced_shards", {})
        connection.execute("DELETE FROM corpus.unfinished_forget")

    rewritten = []
    for version in publishing.versions(warehouse.home):
        if not _is_rewritten(warehouse, version.path, contents):
            publishing.rewrite_version(warehouse, version.path, change)
            rewritten.append(version.number)
    return rewritten


def _is_rewritten(warehouse: Warehouse, path: Path, contents: Sequence[Content]) -> bool:
    """Whether a version knows of the contents and of nothing unfinished. A copy of the working database that was
    published in the middle knows that something is."""
    with warehouse.published_file(path) as connection:
        if not connection.execute(query("forget_is_known")).fetchall():
            return False
        rows = connection.execute(
            "SELECT sha256, scope FROM corpus.forgotten WHERE NOT EXISTS (FROM corpus.unfinished_forget)"
        ).fetchall()
    there = {(bytes(sha256), scope) for sha256, scope in rows}
    return all((content.sha256, content.scope) in there for content in contents)
