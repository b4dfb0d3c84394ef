"""Byte streams: what the cleanser reads, block by block, and proves to be what was found.

What lives here: opening, hashing and reading. What does not: any idea of what the bytes mean.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from warehouse.errors import InputUnreadable
from warehouse.files import BLOCK_BYTES


def display_name(path: Path | str) -> str:
    r"""The path as text that any terminal and table takes; bytes that are not UTF-8 appear as \xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Stream:
    """A byte stream in a file: the file itself, or later one member of a container.

    Attributes:
        path: the file.
        n_bytes: length of the stream.
        sha256: hash that its bytes must have.
        container: ``file``, or the container format.
        member: name in the container; None for the file itself.
    """

    path: Path
    n_bytes: int
    sha256: bytes
    container: str = "file"
    member: str | None = None

    def open(self) -> BinaryIO:
        """Open the stream at its first byte.

        Raises:
            InputUnreadable: if there is no such file, or it may not be read.
        """
        return _opened(self.path)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, in blocks of at most 1 MiB.

        Raises:
            InputUnreadable: after the last block, if the bytes read are not those that were hashed.
        """
        digest = hashlib.sha256()
        with self.open() as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
                yield block
        if digest.digest() != self.sha256:
            raise _changed(self.path)

    def range_blocks(self, byte_start: int, byte_end: int) -> Iterator[bytes]:
        """The bytes [byte_start, byte_end), in blocks of at most 1 MiB.

        The whole stream is read, because a hash proves nothing about a part.

        Raises:
            InputUnreadable: after the last block, if the stream is not the one that was hashed.
        """
        position = 0
        for block in self.blocks():
            part = block[max(0, byte_start - position) : max(0, byte_end - position)]
            position += len(block)
            if part:
                yield part

    def peek(self, byte_start: int, n_bytes: int) -> bytes:
        """At most `n_bytes` bytes from `byte_start` on, unproven: for looks ahead and samples."""
        with self.open() as file:
            file.seek(byte_start)
            return file.read(n_bytes)


def open_streams(path: Path, sha256: bytes | None = None) -> list[Stream]:
    """The streams of a file.

    Args:
        path: the file; its name need not be UTF-8.
        sha256: the hash that the file had when it was found; None hashes it now.

    Raises:
        InputUnreadable: if the file cannot be read.
    """
    if sha256 is not None:
        with _opened(path) as file:
            return [Stream(path, os.fstat(file.fileno()).st_size, sha256)]
    digest = hashlib.sha256()
    n_bytes = 0
    with _opened(path) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            n_bytes += len(block)
    return [Stream(path, n_bytes, digest.digest())]


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():
            raise InputUnreadable(
                f"{display_name(path)} is no regular file", "Name files; a shell pattern names many at once"
            )
        return path.open("rb")
    except OSError as failure:
        cause = f"{display_name(path)} cannot be read: {failure.strerror or failure}"
        raise InputUnreadable(
            cause, "Check its name and permissions, then run the command again"
        ) from failure


def _changed(path: Path) -> InputUnreadable:
    return InputUnreadable(
        f"{display_name(path)} changed while it was read", "Run the command again when nothing writes to it"
    )
