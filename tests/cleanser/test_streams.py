"""Streams are proved to be what was found."""

import hashlib
import os
from pathlib import Path

import pytest

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.cleansing import cut_document, examine_stream
from warehouse.cleanser.streams import display_name, walk_streams
from warehouse.errors import InputUnreadable

TEXT = b"It was the best of times, it was the worst of times.\n" * 10


def test_a_stream_knows_its_hash_and_length(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    (stream,) = walk_streams(path)
    assert (stream.container, stream.member, stream.n_bytes) == ("file", None, len(TEXT))
    assert stream.sha256 == hashlib.sha256(TEXT).digest()
    assert b"".join(stream.blocks()) == TEXT
    assert b"".join(stream.range_blocks(7, 60)) == TEXT[7:60]


@pytest.mark.parametrize(
    "change", [lambda text: text[:-9], lambda text: text + b"!", lambda text: text[::-1]]
)
def test_a_file_that_changed_since_it_was_found_is_noticed(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def] # a one-line change
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    (stream,) = walk_streams(path)
    document = examine_stream(stream).documents[0]
    path.write_bytes(change(TEXT))
    with pytest.raises(InputUnreadable, match="changed while it was read"):
        next(walk_streams(path, stream.sha256))
    with pytest.raises(InputUnreadable, match="changed while it was read"):
        examine_stream(stream)
    with pytest.raises(InputUnreadable, match="changed while it was read"):
        list(cut_document(stream, document, Chunking()))


def test_a_file_that_changes_while_it_is_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT * 5_000)
    (stream,) = walk_streams(path)
    parts = cut_document(stream, examine_stream(stream).documents[0], Chunking())
    next(parts)
    with path.open("r+b") as file:
        file.seek(2_000_000)
        file.write(b"#")
    with pytest.raises(InputUnreadable, match="changed while it was read"):
        list(parts)


def test_names_need_not_be_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(TEXT)
    assert examine_stream(next(walk_streams(path))).documents
    assert display_name(path).endswith("caf\\xe9.txt")
    with pytest.raises(InputUnreadable, match=r"caf\\xe8.txt cannot be read: No such file"):
        next(walk_streams(tmp_path / os.fsdecode(b"caf\xe8.txt")))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="no regular file"):
        next(walk_streams(tmp_path))
