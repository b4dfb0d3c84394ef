"""Files of evaluation items: JSON Lines, JSON, CSV, TSV, Parquet, and plain text with an item a line or paragraph.

What lives here: files to records. What does not: which of a record's strings are looked for (``items.py``).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.corpora import find_files
from warehouse.decontamination.items import Item, read_items
from warehouse.errors import InputUnreadable

PARAGRAPH_END = re.compile(r"\n\s*\n")
MAX_CELL_CHARACTERS = 1 << 27


def _json_lines(path: Path) -> Iterator[object]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise InputUnreadable(
                    f"Line {number} of {path} is no JSON: {error}",
                    "Mend the file, or name it .txt if it is text",
                ) from error


def _json(path: Path) -> Iterator[object]:
    try:
        value = json.loads(_text(path))
    except ValueError as error:
        raise InputUnreadable(f"{path} is no JSON: {error}", "Mend the file") from error
    if isinstance(value, dict):
        lists = [inner for inner in value.values() if isinstance(inner, list) and inner]
        records = [inner for inner in lists if isinstance(inner[0], dict)]
        value = max(records, key=len) if records else [value]
    yield from value if isinstance(value, list) else [value]


def _table(path: Path, delimiter: str) -> Iterator[object]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        yield from csv.DictReader(io.StringIO(_text(path), newline=""), delimiter=delimiter, restkey="rest")
    except csv.Error as error:
        raise InputUnreadable(f"{path} is no table: {error}", "Mend the file") from error


def _parquet(path: Path) -> Iterator[object]:
    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InputUnreadable(f"{path} is no Parquet file: {error}", "Mend the file") from error


def _plain(path: Path) -> Iterator[object]:
    text = _text(path)
    paragraphs = [part for part in PARAGRAPH_END.split(text) if part.strip()]
    lines = [line for line in text.splitlines() if line.strip()]
    yield from paragraphs if 1 < len(paragraphs) < len(lines) else lines


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputUnreadable(
            f"{path} is no UTF-8 text: {error.reason} at byte {error.start}",
            "Make it UTF-8: fakesmrt decode FILE --output FOLDER",
        ) from error
    except OSError as error:
        raise InputUnreadable(f"{path} cannot be read: {error.strerror}", "Put the file back") from error


READERS: dict[str, Callable[[Path], Iterator[object]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".csv": lambda path: _table(path, ","),
    ".tsv": lambda path: _table(path, "\t"),
    ".parquet": _parquet,
    ".txt": _plain,
    ".md": _plain,
}
"""By the end of a file's name."""


def evaluation_files(location: str) -> list[Path]:
    """The files of items at a file, a folder or a glob, in the order of their names.

    A file that is named is read whatever its name; in folders those count whose names end as in `READERS`.

    Raises:
        InputUnreadable: if there is none.
    """
    if Path(location).is_file():
        return [Path(location)]
    paths = [Path(path) for path in find_files(location) if Path(path).suffix.lower() in READERS]
    if not paths:
        raise InputUnreadable(
            f"There is no file of evaluation items at {location}",
            f"Put it back, or: fakesmrt evaluation remove NAME (read are {', '.join(READERS)})",
        )
    return sorted(paths)


def read_file(path: Path, fields: Sequence[str] = ()) -> list[Item]:
    """The items of a file.

    Args:
        path: the file; by its name's end it is read, as plain text where that is unknown.
        fields: names of the fields that hold the items' texts; empty: they are chosen.

    Raises:
        InputUnreadable: if the file is not there, is not what its name says, or holds no text in these fields.
    """
    items = read_items(READERS.get(path.suffix.lower(), _plain)(path), fields)
    if not any(item.texts for item in items):
        named = f" in {', '.join(fields)}" if fields else ""
        raise InputUnreadable(f"{path} holds no text{named}", "Name another file, or its fields with --field")
    return items
