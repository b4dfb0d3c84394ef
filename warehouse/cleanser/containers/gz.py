"""gzip (RFC 1952), told by its two magic bytes and the only method there is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from warehouse.cleanser.containers.compression import FrameError, inflated, lone_member
from warehouse.cleanser.containers.container import Container
from warehouse.cleanser.containers.reading import ByteSource

HEADER_CHECKSUM, EXTRA, NAME, COMMENT, RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0


def recognises(head: bytes) -> bool:
    """Whether the bytes begin a gzip member."""
    return head[:3] == b"\x1f\x8b\x08" and len(head) > 3 and not head[3] & RESERVED


def _exactly(source: ByteSource, size: int) -> bytes:
    data = source.exactly(size)
    if len(data) < size:
        raise FrameError("ends too early")
    return data


def _skip_text(source: ByteSource) -> None:
    while piece := source.piece():
        _, end, rest = piece.partition(b"\0")
        if end:
            source.put_back(rest)
            return
    raise FrameError("ends too early")


def _skip_header(source: ByteSource) -> None:
    header = _exactly(source, 10)
    if not recognises(header):
        raise FrameError("is damaged")
    flags = header[3]
    if flags & EXTRA:
        _exactly(source, int.from_bytes(_exactly(source, 2), "little"))
    if flags & NAME:
        _skip_text(source)
    if flags & COMMENT:
        _skip_text(source)
    if flags & HEADER_CHECKSUM:
        _exactly(source, 2)


def frame(source: ByteSource) -> Iterator[bytes]:
    """One gzip member. The checksum is compared here, after its text was given out, so that it costs no text."""
    _skip_header(source)
    checksum = n_bytes = 0
    for block in inflated(source):
        checksum = zlib.crc32(block, checksum)
        n_bytes += len(block)
        yield block
    trailer = _exactly(source, 8)
    if trailer != checksum.to_bytes(4, "little") + (n_bytes & 0xFFFFFFFF).to_bytes(4, "little"):
        raise FrameError("has another checksum than its text")


GZIP = Container("gz", recognises, lone_member("gzip", recognises, frame))
