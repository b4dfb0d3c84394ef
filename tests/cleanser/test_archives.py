"""What zip and tar archives may hold, in all their dialects."""

from __future__ import annotations

import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import pytest

from tests.cleanser.packing import (
    TEXT,
    VERSE,
    Found,
    tarred,
    zipped,
    zstd,
)
from warehouse.cleanser.containers.container import Limits


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_zip_methods(unpacked: Callable[..., Found], method: int) -> None:
    assert unpacked(zipped({"a.txt": TEXT, "b.txt": b""}, method)) == [
        ("zip", "a.txt", TEXT, None),
        ("zip", "b.txt", b"", None),
    ]


def with_method(archive: bytes, method: int, data: bytes) -> bytes:
    """A zip archive of one stored member `data`, said to be compressed by another method."""
    header, directory = archive.index(b"PK\x03\x04"), archive.index(b"PK\x01\x02")
    changed = bytearray(archive)
    struct.pack_into("<H", changed, header + 8, method)
    struct.pack_into("<H", changed, directory + 10, method)
    for at in (header + 14, directory + 16):
        struct.pack_into("<I", changed, at, zlib.crc32(data))
    for at in (header + 22, directory + 24):
        struct.pack_into("<I", changed, at, len(data))
    return bytes(changed)


def test_zip_methods_that_python_does_not_write(unpacked: Callable[..., Found]) -> None:
    for method, packed in ((93, zstd(TEXT)), (95, lzma.compress(TEXT))):
        archive = zipped({"a.txt": packed}, zipfile.ZIP_STORED)
        assert unpacked(with_method(archive, method, TEXT)) == [("zip", "a.txt", TEXT, None)]
    archive = with_method(zipped({"a.txt": b"?"}, zipfile.ZIP_STORED), 9, TEXT)
    refusal = "zip member is compressed by Deflate64, which is not supported"
    assert unpacked(archive) == [("zip", "a.txt", b"", refusal)]


def test_an_encrypted_member_does_not_stop_the_others(unpacked: Callable[..., Found]) -> None:
    archive = bytearray(zipped({"a.txt": TEXT, "b.txt": VERSE}))
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    assert unpacked(bytes(archive)) == [
        ("zip", "a.txt", b"", "zip member is encrypted"),
        ("zip", "b.txt", VERSE, None),
    ]


@pytest.mark.parametrize(
    ("raw", "label"),
    [(b"caf\x82.txt", "café.txt"), ("cafè.txt".encode(), "cafè.txt"), (b"nul\0.txt", "nul\\x00.txt")],
)
def test_zip_names_without_a_stated_encoding(unpacked: Callable[..., Found], raw: bytes, label: str) -> None:
    archive = zipped({"n" * len(raw): TEXT}).replace(b"n" * len(raw), raw)
    assert unpacked(archive) == [("zip", label, TEXT, None)]


def test_zip64_and_streamed_members(unpacked: Callable[..., Found]) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    for sink in (io.BytesIO(), Pipe()):
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("a.txt", "b.txt"):
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(TEXT)
        data = sink.getvalue()
        whole = [("zip", "a.txt", TEXT, None), ("zip", "b.txt", TEXT, None)]
        assert unpacked(data) == whole
        without_directory = data[: data.index(b"PK\x01\x02")]
        assert unpacked(without_directory) == [
            *whole,
            ("zip", None, b"", f"zip ends too early after {len(without_directory):,} bytes"),
        ]


def test_links_and_folders_in_a_zip_hold_no_text(unpacked: Callable[..., Found]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "target.txt")
        archive.writestr("a/", "")
        archive.writestr("a/b.txt", TEXT)
    assert unpacked(file.getvalue()) == [("zip", "a/b.txt", TEXT, None)]


def test_bytes_around_a_zip_are_told(unpacked: Callable[..., Found]) -> None:
    archive = zipped({"a.txt": TEXT})
    *found, (_, _, _, error) = unpacked(archive + b"garbage")
    assert found == [("zip", "a.txt", TEXT, None)]
    assert error == "zip stands among 7 bytes that are no part of it"
    *found, (_, _, _, error) = unpacked(zipped({"b.txt": VERSE}) + archive)
    assert found == [("zip", "a.txt", TEXT, None)]
    assert error is not None
    assert error.startswith("zip stands among ")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_dialects_and_long_names(unpacked: Callable[..., Found], form: int) -> None:
    long = "folder" * 15 + "/" + "name" * 22 + ".txt"
    longer = "/".join([long] * 3)
    names = [long] if form == tarfile.USTAR_FORMAT else [long, longer, "naïve.txt"]
    found = unpacked(tarred({name: name.encode() * 100 for name in names}, form))
    assert found == [("tar", name, name.encode() * 100, None) for name in names]


def test_tar_before_posix_had_no_magic(unpacked: Callable[..., Found]) -> None:
    header = bytearray(512)
    header[:5] = b"a.txt"
    for at, value in ((100, b"0000644"), (108, b"0000000"), (116, b"0000000"), (136, b"00000000000")):
        header[at : at + len(value)] = value
    header[124:135] = b"%011o" % len(VERSE)
    header[148:156] = b"        "
    header[148:155] = b"%06o\0" % sum(header)
    padding = bytes(-len(VERSE) % 512)
    assert unpacked(bytes(header) + VERSE + padding + bytes(1024)) == [("tar", "a.txt", VERSE, None)]


def test_links_devices_and_folders_in_a_tar_hold_no_text(unpacked: Callable[..., Found]) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"kind {kind!r}")
            info.type = kind
            info.linkname = "a.txt"
            archive.addfile(info)
        info = tarfile.TarInfo(os.fsdecode(b"caf\xe9.txt"))
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT))
    assert unpacked(file.getvalue()) == [("tar", "caf\\xe9.txt", TEXT, None)]


def sparse_tar(pax: dict[str, str], data: bytes) -> bytes:
    """A tar archive of one file with such extended headers."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("GNUSparseFile.0/holes.txt")
        info.size = len(data)
        info.pax_headers = pax
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def test_sparse_files_have_zeros_in_their_holes(unpacked: Callable[..., Found]) -> None:
    whole = bytes(1000) + VERSE + bytes(500) + TEXT + bytes(99)
    first, second = 1000, 1500 + len(VERSE)
    extents = [first, len(VERSE), second, len(TEXT)]
    table = b"".join(b"%d\n" % number for number in [2, *extents])
    version_1_0 = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "holes.txt",
        "GNU.sparse.realsize": str(len(whole)),
    }
    version_0_1 = {
        "GNU.sparse.size": str(len(whole)),
        "GNU.sparse.name": "holes.txt",
        "GNU.sparse.map": ",".join(map(str, extents)),
    }
    for pax, before in ((version_1_0, table + bytes(-len(table) % 512)), (version_0_1, b"")):
        assert unpacked(sparse_tar(pax, before + VERSE + TEXT)) == [("tar", "holes.txt", whole, None)]


def test_a_lying_sparse_map_is_damage(unpacked: Callable[..., Found]) -> None:
    for numbers in ("5,10,3,10", "0,9999", "0", "-5,3"):
        pax = {"GNU.sparse.size": "20", "GNU.sparse.map": numbers}
        assert all("tar is damaged" in str(error) for *_, error in unpacked(sparse_tar(pax, VERSE)))


def test_an_endless_hole_ends_at_the_limit(unpacked: Callable[..., Found]) -> None:
    archive = sparse_tar({"GNU.sparse.size": str(10**18), "GNU.sparse.map": "0,10"}, VERSE)
    ((_, _, data, error),) = unpacked(archive, limits=Limits(min_bytes_before_ratio=1 << 20, max_ratio=1))
    assert 1 << 20 <= len(data) <= 2 << 20
    assert error == "unfolds to more than 1 times the size of its file; the rest is not read"


def test_behind_a_damaged_header_the_next_member_is_found(unpacked: Callable[..., Found]) -> None:
    archive = bytearray(tarred({"a.txt": TEXT, "b.txt": VERSE, "c.txt": TEXT}))
    archive[archive.index(b"b.txt") + 110] ^= 1
    *found, (_, member, _, error) = unpacked(bytes(archive))
    assert [member for _, member, _, _ in found] == ["a.txt", "c.txt"]
    assert (member, str(error).startswith("tar is damaged after ")) == (None, True)
