"""Zstandard (RFC 8878).

Its frames are taken apart here and the library gets one block (at most 128 KiB of text) at a time: so a bomb is
met in small steps, a truncated frame is noticed and keeps every block before its end, and a wrong checksum costs no
text. Arrow's own decompressor loses up to a megabyte before damage, all of a small file.
"""

from __future__ import annotations

from collections.abc import Iterator

import zstandard

from warehouse.cleanser.containers.compression import LARGEST_MEMORY_BYTES, FrameError, lone_member
from warehouse.cleanser.containers.container import Container
from warehouse.cleanser.containers.reading import PIECE_BYTES, ByteSource

MAGIC = bytes.fromhex("28b52ffd")
SKIPPABLE_MAGIC = bytes.fromhex("2a4d18")
"""Behind a byte from 0x50 to 0x5F it begins a frame that holds no text."""
RAW_BLOCK, RUN_LENGTH_BLOCK, COMPRESSED_BLOCK = range(3)
LARGEST_BLOCK_BYTES = 1 << 17
DICTIONARY_FIELD_BYTES = (0, 1, 2, 4)
SIZE_FIELD_BYTES = (0, 2, 4, 8)


def _is_skippable(head: bytes) -> bool:
    return head[1:4] == SKIPPABLE_MAGIC and head[0] >> 4 == 5


def _begins_frame(head: bytes) -> bool:
    return head[:4] == MAGIC or _is_skippable(head)


def recognises(head: bytes) -> bool:
    """Whether the bytes begin a Zstandard file. LZ4 has the same skippable frames, so what follows them counts."""
    while _is_skippable(head):
        size = int.from_bytes(head[4:8], "little")
        if len(head) <= 8 + size:
            return False
        head = head[8 + size :]
    return head[:4] == MAGIC


def _exactly(source: ByteSource, size: int) -> bytes:
    data = source.exactly(size)
    if len(data) < size:
        raise FrameError("ends too early")
    return data


def _skip(source: ByteSource, size: int) -> None:
    while size:
        size -= len(_exactly(source, min(size, PIECE_BYTES)))


def _frame_header(source: ByteSource) -> tuple[bytes, bool]:
    """A frame's header, and whether a checksum follows its blocks (RFC 8878, 3.1.1.1)."""
    start = _exactly(source, 5)
    descriptor = start[4]
    single_segment = bool(descriptor & 0x20)
    n_rest = (
        (0 if single_segment else 1)
        + DICTIONARY_FIELD_BYTES[descriptor & 3]
        + (SIZE_FIELD_BYTES[descriptor >> 6] or int(single_segment))
    )
    return start + _exactly(source, n_rest), bool(descriptor & 4)


def _block(source: ByteSource) -> tuple[bytes, bool]:
    """A block with its header, and whether it is the frame's last."""
    header = _exactly(source, 3)
    fields = int.from_bytes(header, "little")
    kind, size = fields >> 1 & 3, fields >> 3
    if kind not in (RAW_BLOCK, RUN_LENGTH_BLOCK, COMPRESSED_BLOCK) or size > LARGEST_BLOCK_BYTES:
        raise FrameError("is damaged")
    return header + _exactly(source, 1 if kind == RUN_LENGTH_BLOCK else size), bool(fields & 1)


def _decompressed_frame(source: ByteSource) -> Iterator[bytes]:
    header, has_checksum = _frame_header(source)
    if zstandard.get_frame_parameters(header).window_size > LARGEST_MEMORY_BYTES:
        raise FrameError(f"needs more than {LARGEST_MEMORY_BYTES >> 20} MiB of memory")
    decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_MEMORY_BYTES).decompressobj()
    decompressor.decompress(header)
    is_last = False
    while not is_last:
        block, is_last = _block(source)
        if text := decompressor.decompress(block):
            yield text
    if has_checksum:
        checksum = _exactly(source, 4)
        try:
            decompressor.decompress(checksum)
        except zstandard.ZstdError as failure:
            raise FrameError("has another checksum than its text") from failure


def frame(source: ByteSource) -> Iterator[bytes]:
    """One Zstandard frame, perhaps one without text."""
    head = source.peek(8)
    if _is_skippable(head):
        _exactly(source, 8)
        _skip(source, int.from_bytes(head[4:8], "little"))
        return
    try:
        yield from _decompressed_frame(source)
    except zstandard.ZstdError as failure:
        raise FrameError("is damaged") from failure


ZSTANDARD = Container("zst", recognises, lone_member("zstd", _begins_frame, frame))
