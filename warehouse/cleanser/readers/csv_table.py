"""Delimited tables (CSV, TSV): each row is a record, and the header tells which of its cells are text.

The reader is bound to a stream's head, which tells delimiter and column names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.csv_dialect import dialect_of
from warehouse.cleanser.readers.csv_rows import Dialect, scan_rows, split_row
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Extracted, Reader, stream_head
from warehouse.cleanser.readers.syntax import Span, record_ranges
from warehouse.cleanser.readers.text_fields import Value, text_of_record
from warehouse.cleanser.streams import Stream


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """A record for each row of a stream whose head tells its dialect; the header row is dropped as ``header``."""
    return find_rows(stream, decision, _dialect(stream_head(stream, decision.encoding)))


def find_rows(
    stream: Stream, decision: EncodingDecision, dialect: Dialect
) -> Iterator[DocumentRange | DroppedRange]:
    """A record for each row."""
    return record_ranges(stream, decision, partial(_scan, dialect=dialect))


def _scan(blocks: Iterator[bytes], dialect: Dialect) -> Iterator[Span]:
    is_header = dialect.columns is not None
    for end, reason in scan_rows(blocks, dialect):
        if is_header and reason is None:
            is_header, reason = False, "header"
        yield end, reason


def extract_row(row: str, dialect: Dialect) -> Extracted:
    """The text of one row: by the rule of `text_fields.py`, as if it were an object whose keys are the column names.

    Raises:
        NoTextError: ``no_text_field``.
    """
    cells = split_row(row, dialect)
    if dialect.columns is None:
        return text_of_record(list[Value](cells))
    names = [*dialect.columns, *("" for _ in cells[len(dialect.columns) :])]
    record: dict[str, Value] = {}
    # A row may leave out its last cells: then there are more names.
    for index, (name, cell) in enumerate(zip(names, cells, strict=False)):
        record[name if name not in record else f"{name} {index}"] = cell
    return text_of_record(record)


def accepts(head: str) -> bool:
    """Whether a stream may be a table: its first rows have equally many cells."""
    return dialect_of(head) is not None


def bind(head: str) -> Reader:
    """The reader for the table that begins with `head`."""
    dialect = _dialect(head)
    return replace(
        CSV,
        find_documents=partial(find_rows, dialect=dialect),
        extract=partial(extract_row, dialect=dialect),
    )


def _dialect(head: str) -> Dialect:
    return dialect_of(head) or Dialect(",")


CSV = Reader(
    "csv",
    "1",
    frozenset({".csv", ".tsv", ".tab"}),
    find_documents,
    accepts,
    extract=partial(extract_row, dialect=Dialect(",")),
    bind=bind,
)
