"""What the compression formats share: frames one after the other, and nothing lost before a damage.

A compressed file is one or more frames (gzip members, xz streams); the tools unpack all of them, so do we. The
libraries throw away what one call had decompressed when the call meets damage, so steps are small, and the last one
is repeated byte by byte.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from warehouse.cleanser.containers.container import DamagedContainer, Member
from warehouse.cleanser.containers.reading import ByteSource

STEP_BYTES = 1 << 14
INFLATE_STEP_BYTES = 1 << 18
KEPT_INPUT_BYTES = 1 << 20
"""Compressed bytes of a bzip2 or xz frame kept to repeat its last step; in longer frames damage costs up to
`STEP_BYTES` of readable text."""

LARGEST_MEMORY_BYTES = 128 << 20
"""What a decompressor may take. ``zstd`` by itself refuses windows above this, and ``xz -9`` needs half."""

LIBRARY_ERRORS = (OSError, EOFError, ValueError, lzma.LZMAError)
"""What the libraries raise for damaged bytes; bzip2's is an OSError."""

LibraryDecompressor = bz2.BZ2Decompressor | lzma.LZMADecompressor
Frame = Callable[[ByteSource], Iterator[bytes]]


class FrameError(Exception):
    """A frame cannot be decompressed further; the text completes the sentence that begins with its format."""


def decompressed(
    file: BinaryIO, label: str, recognises: Callable[[bytes], bool], frame: Frame
) -> Iterator[bytes]:
    """The bytes of all frames of a compressed file.

    Args:
        file: read forward.
        label: the format in messages.
        recognises: whether bytes begin a frame.
        frame: decompresses one, leaving the source behind it; raises `FrameError`.

    Raises:
        DamagedContainer: at the first byte that cannot be read.
    """
    source = ByteSource(file)
    n_bytes = 0
    try:
        while True:
            for block in frame(source):
                n_bytes += len(block)
                yield block
            source.skip_zeros()
            following = source.peek(64)
            if not following:
                return
            if not recognises(following):
                raise FrameError("ends and other bytes follow")
    except FrameError as failure:
        raise DamagedContainer(f"{label} {failure} after {n_bytes:,} bytes") from failure


def lone_member(
    label: str, recognises: Callable[[bytes], bool], frame: Frame
) -> Callable[[BinaryIO], Iterator[Member]]:
    """`Container.members` of a compression format, which holds one stream without a name."""

    def members(file: BinaryIO) -> Iterator[Member]:
        yield Member(None, decompressed(file, label, recognises, frame))

    return members


def inflated(source: ByteSource) -> Iterator[bytes]:
    """One raw deflate stream (RFC 1951)."""
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    while not inflater.eof:
        piece = inflater.unconsumed_tail or source.piece()
        if not piece:
            if rest := inflater.flush():
                yield rest
            elif not _has_ended(inflater):
                raise FrameError("ends too early")
            continue
        before = inflater.copy()
        try:
            block = inflater.decompress(piece, INFLATE_STEP_BYTES)
        except zlib.error as failure:
            yield from _until_damage(before, piece)
            raise FrameError("is damaged") from failure
        if block:
            yield block
    source.put_back(inflater.unused_data)


def _has_ended(inflater: zlib._Decompress) -> bool:
    return inflater.eof


def _until_damage(inflater: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    try:
        for position in range(len(piece)):
            if block := inflater.decompress(piece[position : position + 1]):
                yield block
    except zlib.error:
        return


def library_frame(new: Callable[[], LibraryDecompressor], source: ByteSource) -> Iterator[bytes]:
    """One frame of bzip2 or xz, by the library's own decompressor."""
    decompressor = new()
    kept: list[bytes] | None = []
    n_fed = n_bytes = 0
    while not decompressor.eof:
        piece = b""
        if decompressor.needs_input:
            piece = source.piece()
            if not piece:
                raise FrameError("ends too early")
            n_fed += len(piece)
            kept = [*kept, piece] if kept is not None and n_fed <= KEPT_INPUT_BYTES else None
        try:
            block = decompressor.decompress(piece, STEP_BYTES)
        except LIBRARY_ERRORS as failure:
            if "limit" in str(failure):
                raise FrameError(f"needs more than {LARGEST_MEMORY_BYTES >> 20} MiB of memory") from failure
            yield from _repeated(new(), kept or [], n_bytes)
            raise FrameError("is damaged") from failure
        n_bytes += len(block)
        if block:
            yield block
    source.put_back(decompressor.unused_data)


def _repeated(decompressor: LibraryDecompressor, pieces: list[bytes], n_known: int) -> Iterator[bytes]:
    """What the frame yields after its first `n_known` bytes, up to the damage."""
    n_bytes = 0
    waiting = iter(pieces)
    try:
        while not decompressor.eof:
            piece = next(waiting, None) if decompressor.needs_input else b""
            if piece is None:
                return
            step = min(STEP_BYTES, n_known - n_bytes) if n_bytes < n_known else 1
            block = decompressor.decompress(piece, step)
            if block and n_bytes >= n_known:
                yield block
            n_bytes += len(block)
    except LIBRARY_ERRORS:
        return
