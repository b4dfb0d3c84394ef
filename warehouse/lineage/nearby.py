"""The verdicts of recipes on a few chunks, without judging the whole corpus.

A recipe judges a chunk by itself and by what is like it: its cluster, its verified pairs, the held-out chunks that
share a passage with it, and what is like those. Applied to these chunks alone, the views say of them what they say
when applied to all; for one file of two hundred thousand that is a hundred times less work.

What lives here: finding these chunks, and a database beside with what decides on them. What does not: the verdicts
(``views/corpus_training_chunk.sql``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from warehouse.database import Connection, query, run_script, scalar

VIEWS = ("corpus_training_chunk", "lineage_chunk_source", "lineage_chunk_decision")


@contextmanager
def judged_nearby(connection: Connection, kind: str, identifier: str) -> Iterator[None]:
    """Inside the block the tables ``corpus.*`` and the views `VIEWS` hold what decides on the chunks of one thing.

    Args:
        connection: an open Training Database, which may be read-only, in no transaction; nothing in it is changed.
        kind: chunk, document or source_file.
        identifier: its id.
    """
    home = str(scalar(connection, "SELECT current_database()"))
    # A read-only connection attaches in-memory databases only if told that they are written to.
    connection.execute("ATTACH ':memory:' AS nearby (READ_WRITE)")
    try:
        _find_nearby(connection, kind, identifier)
        run_script(connection, "nearby_tables", {})
        connection.execute("USE nearby")
        for view in VIEWS:
            connection.execute((files("warehouse") / "views" / f"{view}.sql").read_text())
        yield
    finally:
        connection.execute('USE "{}"'.format(home.replace('"', '""')))
        connection.execute("DETACH nearby")


def _find_nearby(connection: Connection, kind: str, identifier: str) -> None:
    """Fill the temporary tables nearby_chunk and nearby_row."""
    connection.execute("CREATE OR REPLACE TEMP TABLE nearby_chunk (chunk_id UUID)")
    n_found = scalar(connection, query(f"nearby_{kind}"), {"id": identifier})
    while n_found:
        n_found = scalar(connection, query("nearby_alike"))
    has_place = scalar(connection, query("has_chunk_place"))
    run_script(connection, "nearby_rows_placed" if has_place else "nearby_rows_scanned", {})
