"""Makes containers for tests, and looks into them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import zstandard

from warehouse.cleanser.streams import walk_streams

VERSE = b"Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\n"
TEXT = b"".join(b"%d. %s" % (number, VERSE) for number in range(200))
Found = list[tuple[str, str | None, bytes, str | None]]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    """A Zstandard frame with a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zst": zstd,
}
ARCHIVERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {"zip": zipped, "tar": tarred}
WRAPPERS: dict[str, Callable[[bytes], bytes]] = {
    **COMPRESSORS,
    **{name: lambda data, pack=pack: pack({"a.txt": data}) for name, pack in ARCHIVERS.items()},
}
WORDS = {
    "gz": "gzip", "bz2": "bzip2", "xz": "xz", "lzma": "lzma", "zst": "zstd", "zip": "zip", "tar": "tar"
}  # fmt: skip


def found_in(path: Path, **options: object) -> Found:
    """Container, member, bytes and error of each stream."""
    return [
        (stream.container, stream.member, b"".join(stream.blocks()), stream.error)
        for stream in walk_streams(path, **options)  # type: ignore[arg-type] # options of different types
    ]
