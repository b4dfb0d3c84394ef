"""xz and its predecessor .lzma, which has no magic: its header is checked as liblzma's own guess does."""

from __future__ import annotations

import lzma
from collections.abc import Iterator

from warehouse.cleanser.containers.compression import LARGEST_MEMORY_BYTES, library_frame, lone_member
from warehouse.cleanser.containers.container import Container
from warehouse.cleanser.containers.reading import ByteSource

MAGIC = b"\xfd7zXZ\x00"
UNKNOWN_SIZE = b"\xff" * 8
LARGEST_LZMA_BYTES = 1 << 38
"""Above 256 GiB a stated size is no evidence of the .lzma format (liblzma, ``alone_decoder.c``)."""


def recognises(head: bytes) -> bool:
    """Whether the bytes begin an xz stream."""
    return head[:6] == MAGIC


def recognises_lzma(head: bytes) -> bool:
    """Whether the bytes are a .lzma header: usual properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that
    is unknown or possible, and the zero with which its coder begins."""
    if len(head) < 14 or head[0] != 0x5D or head[13] != 0:
        return False
    dictionary = int.from_bytes(head[1:5], "little")
    size = int.from_bytes(head[5:13], "little")
    usual = dictionary.bit_count() == 1 or (
        dictionary.bit_count() == 2 and dictionary & (dictionary >> 1) != 0
    )
    return usual and dictionary >= 1 << 12 and (head[5:13] == UNKNOWN_SIZE or size < LARGEST_LZMA_BYTES)


def frame(source: ByteSource) -> Iterator[bytes]:
    """One xz stream."""
    return library_frame(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, LARGEST_MEMORY_BYTES), source)


def lzma_frame(source: ByteSource) -> Iterator[bytes]:
    """One .lzma stream; it has no checksum."""
    return library_frame(lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, LARGEST_MEMORY_BYTES), source)


XZ = Container("xz", recognises, lone_member("xz", recognises, frame))
LZMA = Container("lzma", recognises_lzma, lone_member("lzma", recognises_lzma, lzma_frame))
