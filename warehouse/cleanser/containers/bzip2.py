"""bzip2, told by its magic and that of its first block (the digits of pi) or of its end (those of its root)."""

from __future__ import annotations

import bz2
from collections.abc import Iterator

from warehouse.cleanser.containers.compression import library_frame, lone_member
from warehouse.cleanser.containers.container import Container
from warehouse.cleanser.containers.reading import ByteSource

BLOCK_MAGIC = bytes.fromhex("314159265359")
END_MAGIC = bytes.fromhex("177245385090")


def recognises(head: bytes) -> bool:
    """Whether the bytes begin a bzip2 stream."""
    return head[:3] == b"BZh" and head[3:4] in b"123456789" and head[4:10] in (BLOCK_MAGIC, END_MAGIC)


def frame(source: ByteSource) -> Iterator[bytes]:
    """One bzip2 stream."""
    return library_frame(bz2.BZ2Decompressor, source)


BZIP2 = Container("bz2", recognises, lone_member("bzip2", recognises, frame))
