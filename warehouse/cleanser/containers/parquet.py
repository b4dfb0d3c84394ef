"""Apache Parquet: each row group is a member, and its bytes are JSON lines of the columns that hold strings.

A Parquet file has no byte range that is a row. So its rows become a byte stream that has: UTF-8, one object a row and
line, keys in the order of the schema, no space between tokens, nothing escaped that JSON does not demand. Ranges,
replay and tiling refer to that stream. Values that are no strings are ``null`` in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from warehouse.cleanser.containers.container import Container, DamagedContainer, Member
from warehouse.cleanser.text_keys import TASK_KEYS, TEXT_KEYS, TITLE_KEYS, is_known_key

MAGIC = b"PAR1"
BLOCK_BYTES = 1 << 20
BATCH_BYTES = 1 << 22
"""Rows are decoded in batches of about 4 MiB, by the row group's own account of its size."""
MOST_ROWS = 1 << 10

# What Arrow raises on damaged files; NotImplementedError is its own for types that it cannot read. Each becomes
# `DamagedContainer`.
_FAILURES = (
    pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError,
    NotImplementedError,
)  # fmt: skip


def recognises(head: bytes) -> bool:
    """Whether the bytes begin a Parquet file: after the magic number comes a Thrift structure, which is no text."""
    return head.startswith(MAGIC) and len(head) > len(MAGIC) and not chr(head[len(MAGIC)]).isprintable()


def members(file: BinaryIO) -> Iterator[Member]:
    """The row groups in order.

    Raises:
        DamagedContainer: if the footer cannot be read, or no column holds strings.
    """
    try:
        schema = pq.read_schema(file)
        columns = text_columns(schema)
        flat = [name for name in columns if types.is_string(schema.field(name).type)]
        # One value may stand for a million rows: it is decoded once.
        parquet = pq.ParquetFile(
            file,
            read_dictionary=flat,
            buffer_size=BLOCK_BYTES,
            pre_buffer=False,
            page_checksum_verification=True,
        )
    except _FAILURES as failure:
        raise _damaged(failure) from failure
    if not columns:
        raise DamagedContainer("parquet has no column of strings")
    for index in range(parquet.num_row_groups):
        yield Member(f"row_group_{index}", _blocks(parquet, index, columns))


def text_columns(schema: pa.Schema) -> list[str]:
    """The columns that are read, in the order of the schema: the best of `TEXT_KEYS` and those of `TITLE_KEYS`; without
    it, or if there are `TASK_KEYS`, all that hold strings at any depth.

    Bytes count as strings where the name says that they are text: early writers did not mark strings.
    """
    columns = [
        field.name
        for field in schema
        if _holds_strings(field.type) or (types.is_binary(field.type) and is_known_key(field.name))
    ]
    names = {column.lower(): column for column in columns}
    best = next((names[key] for key in TEXT_KEYS if key in names), None)
    if best is None or TASK_KEYS & names.keys():
        return columns
    kept = {best, *(names[key] for key in TITLE_KEYS if key in names)}
    return [column for column in columns if column in kept]


def _holds_strings(kind: pa.DataType) -> bool:
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return True
    if types.is_dictionary(kind) or _is_list(kind):
        return _holds_strings(kind.value_type)
    if types.is_map(kind):
        return _holds_strings(kind.item_type)
    return types.is_struct(kind) and any(_holds_strings(field.type) for field in kind)


def _is_list(kind: pa.DataType) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _blocks(parquet: pq.ParquetFile, row_group: int, columns: list[str]) -> Iterator[bytes]:
    """The JSON lines of a row group, in blocks of 1 MiB or one line."""
    lines: list[bytes] = []
    n_bytes = 0
    try:
        for batch in parquet.iter_batches(
            batch_size=_batch_rows(parquet, row_group),
            row_groups=[row_group],
            columns=columns,
            use_threads=False,
        ):
            names = batch.schema.names
            for values in zip(*map(_values, batch.columns), strict=True):
                lines.append(_line(names, values))
                n_bytes += len(lines[-1])
                if n_bytes >= BLOCK_BYTES:
                    yield b"".join(lines)
                    lines, n_bytes = [], 0
    except _FAILURES as failure:
        if lines:
            yield b"".join(lines)
        raise _damaged(failure) from failure
    if lines:
        yield b"".join(lines)


def _batch_rows(parquet: pq.ParquetFile, row_group: int) -> int:
    group = parquet.metadata.row_group(row_group)
    bytes_per_row: int = max(1, group.total_byte_size // max(1, group.num_rows))
    return max(1, min(MOST_ROWS, BATCH_BYTES // bytes_per_row))


def _line(names: list[str], values: tuple[object, ...]) -> bytes:
    row = {name: _as_json(value) for name, value in zip(names, values, strict=True)}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _as_json(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): _as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(part) for part in value]
    return None


def _values(column: pa.Array) -> list[object]:
    """A column's values; strings that are not UTF-8, which Parquet forbids and Arrow does not check, as bytes."""
    if types.is_dictionary(column.type):
        distinct = _values(column.dictionary)
        return [None if index is None else distinct[index] for index in column.indices.to_pylist()]
    try:
        return cast(list[object], column.to_pylist())
    except UnicodeDecodeError:
        return cast(list[object], column.cast(_as_binary(column.type)).to_pylist())


def _as_binary(kind: pa.DataType) -> pa.DataType:
    """The type with bytes in place of strings."""
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.large_binary()
    if _is_list(kind):
        return pa.large_list(_as_binary(kind.value_type))
    if types.is_struct(kind):
        return pa.struct([(field.name, _as_binary(field.type)) for field in kind])
    return kind


def _damaged(failure: Exception) -> DamagedContainer:
    first_line = (str(failure).splitlines() or [type(failure).__name__])[0]
    return DamagedContainer(f"parquet cannot be read: {first_line[:200].rstrip('.')}")


PARQUET = Container("parquet", recognises, members, random_access=True)
