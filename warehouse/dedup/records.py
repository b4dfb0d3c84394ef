"""Rows of anybody's JSON Lines: one object a line with ``id`` and ``text``, read once in order and then by place.

::

    FILE.jsonl -> write_rows -> bands-*.parquet  (band keys, see candidates.py)
                             -> rows-*.parquet   (`ROW_SCHEMA`: ids, hashes and places, no text)
    keys -> text_batches -> texts

Nothing is kept in memory but a batch: a row's key tells where it stands.

What lives here: reading such files. What does not: which rows resemble each other (``jsonl.py``).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.dedup.candidates import CHUNK_ID, write_band_file
from warehouse.dedup.minhash import SketchParameters
from warehouse.dedup.verification import ChunkIds
from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.progress import Progress

RecordId = str | int

BATCH_CHARACTERS = 1 << 22
"""Text held at a time while band keys are made."""

BATCH_ROWS = 1 << 14
"""Rows held at a time, for files of very short texts."""

KEY_ID_BYTES, KEY_SOURCE_BYTES, KEY_OFFSET_BYTES = 8, 2, 6

ROW_SCHEMA = pa.schema(
    [
        ("chunk_id", CHUNK_ID),
        ("text_sha256", pa.binary(32)),
        ("source", pa.int32()),
        ("start_byte", pa.int64()),
        ("line_number", pa.int64()),
        ("n_characters", pa.int64()),
        ("id", pa.binary()),
    ]
)
"""What is stored of a row. chunk_id: its `row_key`. id: sortable bytes, see `encode_id`."""

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
"""What a file's name says of how it is packed."""


@dataclass(frozen=True)
class Source:
    """A file of rows.

    Attributes:
        path: as it was named.
        number: 0 for the file that is searched, then the older files in their order.
        rows: where its lines can be read at any place: the file itself, or a copy, unpacked.
        stamp: size and modification time of `rows`, to notice a change.
    """

    path: Path
    number: int
    rows: Path
    stamp: tuple[int, int]

    def require_unchanged(self) -> None:
        """Raises InputUnreadable if the file is another one than when it was opened."""
        if _stamp(self.rows) != self.stamp:
            raise InputUnreadable(
                f"{self.path} changed while it was read", "Run the command again when it is complete"
            )


@dataclass(frozen=True)
class Record:
    """One row. line_number: from 1. start_byte: bytes before its line."""

    id: RecordId
    text: str
    line_number: int
    start_byte: int


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def open_source(path: Path, number: int, folder: Path) -> Source:
    """Find a file; copy it into `folder` if it is a pipe, or unpacked if its name ends in .gz, .zst or .bz2.

    Raises:
        InputUnreadable: if there is no such file, or it cannot be unpacked.
        InvalidConfiguration: if there are more files than a key can number.
    """
    if path.is_dir() or not path.exists():
        cause = f"{path} is a folder" if path.is_dir() else f"There is no file {path}"
        raise InputUnreadable(cause, "Name a JSON Lines file with the keys id and text")
    if number >= 1 << 8 * KEY_SOURCE_BYTES:
        raise InvalidConfiguration("There are too many files", "Put the older rows into fewer files")
    rows = path
    if path.suffix in COMPRESSIONS or not path.is_file():
        rows = folder / f"copy-{number}.jsonl"
        _unpack(path, rows)
    return Source(path, number, rows, _stamp(rows))


def _unpack(path: Path, target: Path) -> None:
    try:
        with (
            path.open("rb") as packed,
            pa.input_stream(packed, compression=COMPRESSIONS.get(path.suffix)) as source,
            target.open("wb") as unpacked,
        ):
            shutil.copyfileobj(source, unpacked, 1 << 20)
    except OSError as error:
        if error.errno is not None:
            raise
        raise InputUnreadable(f"{path} cannot be unpacked ({error})", "Fetch the file again") from error


def encode_id(record_id: RecordId) -> bytes:
    """An id as bytes that sort as ids do: numbers before strings, each among their own."""
    if isinstance(record_id, str):
        return b"s" + record_id.encode("utf-8", "surrogatepass")
    n_bytes = (abs(record_id).bit_length() + 7) // 8
    magnitude = n_bytes.to_bytes(4, "big") + abs(record_id).to_bytes(n_bytes, "big")
    # The larger a negative number's magnitude, the earlier it sorts: all its bits are turned over.
    return b"n+" + magnitude if record_id >= 0 else b"n" + b"\x00" + bytes(255 - byte for byte in magnitude)


def decode_id(encoded: bytes) -> RecordId:
    """The id that `encode_id` encoded."""
    if encoded[:1] == b"s":
        return encoded[1:].decode("utf-8", "surrogatepass")
    if encoded[1:2] == b"+":
        return int.from_bytes(encoded[6:], "big")
    return -int.from_bytes(bytes(255 - byte for byte in encoded[6:]), "big")


def row_key(encoded_id: bytes, source: int, start_byte: int) -> bytes:
    """16 bytes: 8 of the id's hash, so that keys sort alike for any order of rows, then file and place."""
    return (
        hashlib.blake2b(encoded_id, digest_size=KEY_ID_BYTES).digest()
        + source.to_bytes(KEY_SOURCE_BYTES, "big")
        + start_byte.to_bytes(KEY_OFFSET_BYTES, "big")
    )


def _parse(path: Path, line: bytes, line_number: int) -> tuple[RecordId, str]:
    remedy = 'Each line has to be a JSON object such as {"id": "a", "text": "..."}, in UTF-8'
    try:
        value = json.loads(line.decode("utf-8-sig" if line_number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputUnreadable(f"{path}, line {line_number}: no JSON ({error})", remedy) from error
    if not isinstance(value, dict):
        raise InputUnreadable(f"{path}, line {line_number}: no JSON object", remedy)
    for key, kinds, wanted in (("id", (str, int), "a string or an integer"), ("text", (str,), "a string")):
        if key not in value:
            raise InputUnreadable(f'{path}, line {line_number}: there is no "{key}"', remedy)
        if not isinstance(value[key], kinds) or isinstance(value[key], bool):
            raise InputUnreadable(f'{path}, line {line_number}: "{key}" is not {wanted}', remedy)
    return value["id"], value["text"]


def read_records(source: Source) -> Iterator[Record]:
    """The rows of a file; blank lines are passed over.

    Raises:
        InputUnreadable: names the first line that is no JSON object with ``id`` and ``text``.
        OSError: if the file cannot be read.
    """
    with source.rows.open("rb") as stream:
        start_byte = 0
        for line_number, line in enumerate(stream, start=1):
            if line.strip():
                record_id, text = _parse(source.path, line, line_number)
                yield Record(record_id, text, line_number, start_byte)
            start_byte += len(line)


def _batches(source: Source) -> Iterator[list[Record]]:
    batch: list[Record] = []
    n_characters = 0
    for record in read_records(source):
        batch.append(record)
        n_characters += len(record.text)
        if n_characters > BATCH_CHARACTERS or len(batch) >= BATCH_ROWS:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch


@dataclass(frozen=True)
class RowFiles:
    """Parquet files of band keys and of `ROW_SCHEMA`."""

    bands: list[Path]
    rows: list[Path]


def write_rows(
    sources: Sequence[Source], folder: Path, parameters: SketchParameters, progress: Progress
) -> RowFiles:
    """Read files once and write the band keys and the places of their rows, two Parquet files a batch.

    Args:
        sources: the files.
        folder: where to write.
        parameters: the sketch.
        progress: told of bytes read.

    Raises:
        InputUnreadable: names the first line that is broken.
    """
    written = RowFiles([], [folder / "rows.parquet"])
    # Files without rows are none to DuckDB: this one says what a row is.
    pq.write_table(ROW_SCHEMA.empty_table(), written.rows[0])
    n_bytes, n_done = sum(source.rows.stat().st_size for source in sources), 0
    for source in sources:
        for batch in _batches(source):
            number = len(written.bands)
            table = _row_table(batch, source.number)
            keys = table.column("chunk_id").to_pylist()
            written.bands.append(folder / f"bands-{number}.parquet")
            write_band_file(written.bands[-1], keys, [record.text for record in batch], parameters)
            written.rows.append(folder / f"rows-{number}.parquet")
            pq.write_table(table, written.rows[-1], compression="none")
            progress(n_done + batch[-1].start_byte, n_bytes, "bytes read")
        source.require_unchanged()
        n_done += source.rows.stat().st_size
    return written


def _row_table(batch: Sequence[Record], source: int) -> pa.Table:
    ids = [encode_id(record.id) for record in batch]
    starts = [record.start_byte for record in batch]
    return pa.table(
        [
            [row_key(encoded, source, start) for encoded, start in zip(ids, starts, strict=True)],
            [hashlib.sha256(record.text.encode("utf-8", "surrogatepass")).digest() for record in batch],
            [source] * len(batch),
            starts,
            [record.line_number for record in batch],
            [len(record.text) for record in batch],
            ids,
        ],
        schema=ROW_SCHEMA,
    )


def text_batches(sources: Sequence[Source], keys: ChunkIds) -> Iterator[tuple[list[bytes], list[str]]]:
    """The texts of some rows, read where they stand, in the order of the files.

    Args:
        sources: the files that the keys were made of.
        keys: distinct.

    Yields:
        Keys and as many texts, about `BATCH_CHARACTERS` at a time.

    Raises:
        InputUnreadable: if a file changed since it was opened.
    """
    batch: dict[bytes, str] = {}
    n_characters = 0
    for source, in_source in _by_source(sources, keys):
        source.require_unchanged()
        with source.rows.open("rb") as stream:
            for key in in_source:
                batch[key] = _read_text(source, stream, key)
                n_characters += len(batch[key])
                if n_characters > BATCH_CHARACTERS or len(batch) >= BATCH_ROWS:
                    yield list(batch), list(batch.values())
                    batch, n_characters = {}, 0
        source.require_unchanged()
    if batch:
        yield list(batch), list(batch.values())


def _by_source(sources: Sequence[Source], keys: ChunkIds) -> Iterator[tuple[Source, Iterator[bytes]]]:
    """Each file with its keys, in the order of its lines."""
    places = keys.view(np.uint8).reshape(-1, 16)[:, KEY_ID_BYTES:].copy().view(">u8").ravel()
    order = np.argsort(places)
    first_places = [source.number << 8 * KEY_OFFSET_BYTES for source in sources]
    starts = np.searchsorted(places, np.array([*first_places, 2**64 - 1], np.uint64), sorter=order)
    for source, start, end in zip(sources, starts[:-1], starts[1:], strict=True):
        # numpy cuts zeros off the end of bytes.
        yield source, (bytes(keys[place]).ljust(16, b"\0") for place in order[start:end])


def _read_text(source: Source, stream: BinaryIO, key: bytes) -> str:
    start_byte = int.from_bytes(key[-KEY_OFFSET_BYTES:], "big")
    stream.seek(start_byte)
    # A byte order mark can only stand at the very beginning.
    return _parse(source.path, stream.readline(), 1 if start_byte == 0 else 2)[1]
