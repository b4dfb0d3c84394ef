"""Containers are undone whatever they are called."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cleanser.packing import (
    ARCHIVERS,
    COMPRESSORS,
    TEXT,
    VERSE,
    WORDS,
    Found,
    zipped,
    zstd,
)
from warehouse.cleanser.streams import Stream, stream_of_bytes, walk_streams


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_compressed_file_is_one_stream_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path = tmp_path / "poem.txt"
    path.write_bytes(COMPRESSORS[name](TEXT))
    (stream,) = walk_streams(path)
    assert (stream.container, stream.member, stream.name, stream.error) == (name, None, "poem.txt", None)
    assert b"".join(stream.blocks()) == TEXT
    assert b"".join(stream.range_blocks(50, 1_000)) == TEXT[50:1_000]
    assert stream.peek(6, 5) == TEXT[6:11]


def test_a_name_alone_makes_no_container(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt.gz"
    path.write_bytes(TEXT)
    (stream,) = walk_streams(path)
    assert (stream.container, stream.member, stream.data) == ("file", None, None)
    assert b"".join(stream.blocks()) == TEXT


@pytest.mark.parametrize(
    "text",
    [b"PK is the code of Pakistan", b"BZh9 is a magic number", b"PAR1 starts it", b"]\n", b"", b"\x1f\x8b"],
)
def test_text_that_begins_like_a_container_is_text(unpacked: Callable[..., Found], text: bytes) -> None:
    assert unpacked(text) == [("file", None, text, None)]


@pytest.mark.parametrize("name", sorted(COMPRESSORS.keys() - {"lzma"}))
def test_frames_one_behind_the_other_are_one_stream(unpacked: Callable[..., Found], name: str) -> None:
    pack = COMPRESSORS[name]
    assert unpacked(pack(TEXT) + pack(b"") + pack(VERSE)) == [(name, None, TEXT + VERSE, None)]
    assert unpacked(pack(TEXT) + bytes(512)) == [(name, None, TEXT, None)]
    ((_, _, text, error),) = unpacked(pack(TEXT) + b"and now for something else")
    assert text == TEXT
    assert error == f"{WORDS[name]} ends and other bytes follow after {len(TEXT):,} bytes"


def test_skippable_frames_of_zstandard_hold_no_text(unpacked: Callable[..., Found]) -> None:
    skippable = b"\x55\x2a\x4d\x18" + (7).to_bytes(4, "little") + b"nothing"
    assert unpacked(skippable + zstd(TEXT) + skippable) == [("zst", None, TEXT, None)]


@pytest.mark.parametrize("name", ARCHIVERS)
def test_archives_keep_their_order_and_what_they_nest(unpacked: Callable[..., Found], name: str) -> None:
    inner = zipped({"x/y.txt": b"deep", "z.txt.gz": gzip.compress(b"deeper")})
    archive = ARCHIVERS[name](
        {"b.txt": TEXT, "a/": b"", "a/b.zip": inner, "empty.txt": b"", "a/c.txt": VERSE}
    )
    assert unpacked(archive) == [
        (name, "b.txt", TEXT, None),
        (f"{name}+zip", "a/b.zip/x/y.txt", b"deep", None),
        (f"{name}+zip+gz", "a/b.zip/z.txt.gz", b"deeper", None),
        (name, "empty.txt", b"", None),
        (name, "a/c.txt", VERSE, None),
    ]
    assert next(found[:2] for found in unpacked(gzip.compress(archive))) == (f"gz+{name}", "b.txt")


@pytest.mark.parametrize("name", ARCHIVERS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_are_labels_and_unique(unpacked: Callable[..., Found], name: str) -> None:
    file = io.BytesIO()
    names = ["/etc/passwd", "../../up.txt", "a.txt", "a.txt", "a.txt#2", "a.txt"]
    if name == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            for member in names:
                archive.writestr(member, member)
    else:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for member in names:
                info = tarfile.TarInfo(member)
                info.size = len(member)
                tar.addfile(info, io.BytesIO(member.encode()))
    found = unpacked(file.getvalue())
    assert [member for _, member, _, _ in found] == [
        "/etc/passwd", "../../up.txt", "a.txt", "a.txt#2", "a.txt#2#2", "a.txt#3"
    ]  # fmt: skip
    assert [data.decode() for _, _, data, _ in found] == names


@pytest.mark.parametrize(
    ("path", "member", "name"),
    [
        ("a.txt", None, "a.txt"),
        ("a.TXT.GZ", None, "a.TXT"),
        ("a.tgz", None, "a.tar"),
        ("a.zip", "b/c.json.zst", "c.json"),
        ("a.zip", "c.csv#2", "c.csv"),
        ("a.tar", "inner.zip/d.md", "d.md"),
    ],
)
def test_the_name_that_chooses_a_reader(path: str, member: str | None, name: str) -> None:
    assert Stream(Path(path), 0, b"", member=member).name == name


def test_bytes_in_memory_are_a_stream() -> None:
    stream = stream_of_bytes(TEXT, "poem.md")
    assert (stream.name, stream.n_bytes, b"".join(stream.blocks())) == ("poem.md", len(TEXT), TEXT)
