"""What only a published copy has: which copy it is, where each chunk's row lies, and the views that name files.

What lives here: making these relations in a copy. What does not: making the copy (``publishing.py``).
"""

from __future__ import annotations

from warehouse.database import Connection, literal, query, run_script
from warehouse.files import address
from warehouse.home import Home


def add_published_relations(connection: Connection, home: Home, number: int) -> None:
    """Put into a copy what only a copy has: what it is, where each chunk's row lies, and the text view.

    Args:
        connection: the copy, to be written.
        home: where the text files lie.
        number: the copy's version.
    """
    run_script(connection, "published_relations", {"version": number, "home": str(home.root)})
    connection.execute(query("place_chunks"))
    add_file_views(connection, home)


def add_file_views(connection: Connection, home: Home) -> None:
    """Put into a copy, or replace, the views that name files of the home by where these lie now."""
    connection.execute(text_view(connection, home))
    connection.execute(word_index_view(connection, home))
    connection.execute(query("search_ranking"))


def text_view(connection: Connection, home: Home) -> str:
    """SQL of a view over the text files that the chunks name, by absolute path (by URL where an object store holds
    them) and never by glob."""
    names = [name for (name,) in connection.execute(query("text_files")).fetchall()]
    listed = ", ".join(literal(address(home.text / name)) for name in names)
    source = (
        f"read_parquet([{listed}])"
        if names
        else "(SELECT NULL::BLOB AS chunk_id, NULL::VARCHAR AS text LIMIT 0)"
    )
    return query("chunk_text_view").replace("$source", source)


def word_index_view(connection: Connection, home: Home) -> str:
    """SQL of a view over the segments of the word index, named as the text files are."""
    names = [name for (name,) in connection.execute(query("search_index_files")).fetchall()]
    listed = ", ".join(literal(address(home.index / name)) for name in names)
    source = f"read_parquet([{listed}])" if names else f"({query('search_no_postings').rstrip().rstrip(';')})"
    return query("search_posting_view").replace("$source", source)
