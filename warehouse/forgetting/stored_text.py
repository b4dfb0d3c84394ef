"""Forgotten rows go from the Parquet files of ``text/`` and ``index/``, and the rest of each file stays as it is.

A text file keeps its name and its row numbers: a forgotten row is empty, so that every database that names the others
stays right. What lives here: rewriting files. What does not: which chunks are forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from warehouse.errors import CorruptArtefact
from warehouse.files import names, opened, remove, written_whole
from warehouse.textstore import text_file

SEARCH_PREFIX = "search-"
"""Index files of words know chunks by file and row; ``warehouse.retrieval`` rewrites them."""


def empty_text_rows(
    folder: Path, chunk_ids: Collection[bytes], document_ids: Collection[bytes], referenced: Collection[str]
) -> tuple[list[str], list[str]]:
    """Empty the rows of some chunks and documents in every text file, whether or not a database names them.

    A file that no database names is removed: a run that was killed left it, and nobody can say whose text it holds.

    Args:
        folder: the home's ``text/``.
        chunk_ids: the forgotten chunks.
        document_ids: the forgotten documents.
        referenced: names of the files that some database names.

    Returns:
        Names of the files that were rewritten, and of those that were removed.

    Raises:
        CorruptArtefact: if a file is damaged, so that nobody knows what it holds.
    """
    rewritten, removed = [], []
    chunks, documents = _binary(chunk_ids), _binary(document_ids)
    for name in names(folder, "*.parquet"):
        path = text_file(folder, name)
        if name not in referenced:
            remove(path)
            removed.append(name)
        elif _without_text(path, chunks, documents):
            rewritten.append(name)
    return rewritten, removed


def drop_index_rows(folder: Path, chunk_ids: Collection[bytes]) -> list[str]:
    """Take the rows of some chunks out of every index file that has a column chunk_id; returns the files rewritten.

    Raises:
        CorruptArtefact: if a file is damaged.
    """
    chunks = _binary(chunk_ids)
    return [
        name
        for name in names(folder, "*.parquet")
        if not name.startswith(SEARCH_PREFIX) and _without_rows(folder / name, chunks)
    ]


def _binary(ids: Collection[bytes]) -> pa.Array:
    return pa.array(sorted(ids), pa.binary(16))


def _is_in(column: pa.ChunkedArray, ids: pa.Array) -> pa.Array:
    """Which values are among the ids, whether the column says UUID or 16 bytes."""
    flat = column.combine_chunks()
    return compute.is_in(flat.storage if isinstance(flat, pa.ExtensionArray) else flat, value_set=ids)


def _without_text(path: Path, chunks: pa.Array, documents: pa.Array) -> bool:
    """Rewrite a text file with the forgotten rows empty; False where it holds none."""
    try:
        with opened(path) as source, parquet.ParquetFile(source) as file:
            ids = file.read(columns=["chunk_id", "document_id"])
            gone = compute.or_(
                _is_in(ids.column("chunk_id"), chunks), _is_in(ids.column("document_id"), documents)
            ).fill_null(False)
            if not compute.any(gone).as_py():
                return False
            _write_emptied(path, file, gone)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    return True


def _write_emptied(path: Path, file: parquet.ParquetFile, gone: pa.Array) -> None:
    with written_whole(path) as partial:
        writer = parquet.ParquetWriter(partial, file.schema_arrow, compression="zstd")
        start = 0
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            mask = gone.slice(start, group.num_rows)
            start += group.num_rows
            writer.write_table(_emptied(group, mask) if compute.any(mask).as_py() else group)
        writer.close()


def _emptied(group: pa.Table, mask: pa.Array) -> pa.Table:
    """The same rows, those of the mask without any value."""
    gone = mask.to_pylist()
    columns = [
        pa.array(
            [None if empty else value for empty, value in zip(gone, _values(column), strict=True)],
            column.type,
        )
        for column in group.columns
    ]
    return pa.Table.from_arrays(columns, schema=group.schema)


def _values(column: pa.ChunkedArray) -> list[object]:
    """The values as Arrow takes them back: ids as 16 bytes."""
    flat = column.combine_chunks()
    values: list[object] = (flat.storage if isinstance(flat, pa.ExtensionArray) else flat).to_pylist()
    return values


def _without_rows(path: Path, chunks: pa.Array) -> bool:
    """Rewrite an index file without the rows of the chunks; False where it has none."""
    try:
        with opened(path) as source, parquet.ParquetFile(source) as file:
            if "chunk_id" not in file.schema_arrow.names:
                return False
            gone = _is_in(file.read(columns=["chunk_id"]).column("chunk_id"), chunks).fill_null(False)
            if not compute.any(gone).as_py():
                return False
            kept = file.read().filter(compute.invert(gone))
            layout = file.metadata.row_group(0)
            columns = [layout.column(number) for number in range(layout.num_columns)]
        with written_whole(path) as partial:
            parquet.write_table(
                kept,
                partial,
                compression={column.path_in_schema: _compression(column) for column in columns},
                use_dictionary=[column.path_in_schema for column in columns if column.has_dictionary_page],
            )
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    return True


def _compression(column: parquet.ColumnChunkMetaData) -> str:
    """The compression of a column as one asks for it."""
    return "NONE" if column.compression == "UNCOMPRESSED" else str(column.compression)


def _damaged(path: Path, error: Exception) -> CorruptArtefact:
    return CorruptArtefact(
        f"{path} cannot be read ({error}), so nobody knows what it holds",
        "Run: fakesmrt doctor --fix, then the same command again",
    )
