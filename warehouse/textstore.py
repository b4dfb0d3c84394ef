"""The Parquet files that hold text: immutable, named by what they were made from, read back by file and row.

What lives here: the layout of ``text/``. What does not: which chunk lies where, which the database knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.errors import CorruptArtefact, InputUnreadable
from warehouse.files import opened

ROW_GROUP_ROWS = 512
"""About 1 MB of text: what one random read has to decompress."""


def stored_value(value: object) -> object:
    """A value as Arrow takes it: ids as 16 bytes."""
    return value.bytes if isinstance(value, UUID) else value


class TextWriter:
    """Writes rows of a text file in row groups, so that memory does not grow with the file."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = parquet.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._rows: list[dict[str, object]] = []
        self.n_rows = 0

    def add(self, row: dict[str, object]) -> int:
        """Append a row and return its number in the file."""
        self._rows.append(row)
        self.n_rows += 1
        if len(self._rows) == ROW_GROUP_ROWS:
            self._flush()
        return self.n_rows - 1

    def _flush(self) -> None:
        if self._rows:
            columns = [
                pa.array([stored_value(row[field.name]) for row in self._rows], field.type)
                for field in self._schema
            ]
            self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
            self._rows = []

    def close(self) -> None:
        self._flush()
        self._writer.close()


def read_rows(path: Path, rows: Sequence[int]) -> list[str]:
    """The texts in the given rows of a text file, in the order asked for; only their row groups are read.

    Raises:
        CorruptArtefact: if the file is missing, damaged or has no such row.
        InputUnreadable: if one of the texts was forgotten.
    """
    texts = [text for text in read_rows_left(path, rows) if text is not None]
    if len(texts) < len(rows):
        raise InputUnreadable(
            f"A text of {path} was forgotten", "When fakesmrt forget has ended run the same command again"
        )
    return texts


def read_rows_left(path: Path, rows: Sequence[int]) -> list[str | None]:
    """As `read_rows`, but a text that was forgotten is None.

    Raises:
        CorruptArtefact: if the file is missing, damaged or has no such row.
    """
    wanted: dict[int, list[int]] = {}
    for row in rows:
        wanted.setdefault(row // ROW_GROUP_ROWS, []).append(row)
    texts: dict[int, str | None] = {}
    try:
        with opened(path) as source:
            file = parquet.ParquetFile(source)
            for group, there in sorted(wanted.items()):
                column = file.read_row_group(group, columns=["text"]).column("text")
                start = group * ROW_GROUP_ROWS
                texts.update((row, column[row - start].as_py()) for row in there)
        return [texts[row] for row in rows]
    except (OSError, pa.ArrowException, IndexError) as error:
        raise CorruptArtefact(
            f"The text file {path} cannot be read: {error}", "Run: fakesmrt doctor --fix"
        ) from error


def number_of_rows(path: Path) -> int:
    """Rows of a text file, read from its end.

    Raises:
        CorruptArtefact: if the file is missing or damaged.
    """
    try:
        with opened(path) as source:
            return int(parquet.read_metadata(source).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise CorruptArtefact(
            f"The text file {path} cannot be read: {error}", "Run: fakesmrt doctor --fix"
        ) from error


def text_file(folder: Path, name: str) -> Path:
    """Path of a text file by its name in the database, which is never a path itself.

    Raises:
        CorruptArtefact: if the name would lead out of the folder.
    """
    if Path(name).name != name:
        raise CorruptArtefact(f"{name!r} is no name of a text file", "Run: fakesmrt doctor")
    return folder / name


def read_texts(path: Path, batch_rows: int) -> Iterator[pa.Array]:
    """The texts of a whole text file in their order, some rows at a time.

    Raises:
        CorruptArtefact: if the file is missing or damaged.
    """
    try:
        with opened(path) as source:
            for batch in parquet.ParquetFile(source).iter_batches(batch_rows, columns=["text"]):
                yield batch.column("text")
    except (OSError, pa.ArrowException) as error:
        raise CorruptArtefact(
            f"The text file {path} cannot be read: {error}", "Run: fakesmrt doctor --fix"
        ) from error
