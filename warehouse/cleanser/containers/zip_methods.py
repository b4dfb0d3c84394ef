"""How members of zip archives are compressed (APPNOTE.TXT 4.4.5)."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from typing import BinaryIO

from warehouse.cleanser.containers import bzip2, xz, zst
from warehouse.cleanser.containers.compression import (
    LARGEST_MEMORY_BYTES,
    Frame,
    FrameError,
    inflated,
    library_frame,
)
from warehouse.cleanser.containers.container import DamagedContainer
from warehouse.cleanser.containers.reading import PIECE_BYTES, ByteSource, ForwardFile

STORED, DEFLATED, BZIP2, LZMA, ZSTANDARD, XZ = 0, 8, 12, 14, 93, 95
UNSUPPORTED = {1: "Shrink", 6: "Implode", 9: "Deflate64", 98: "PPMd", 99: "AES"}


def _stored(source: ByteSource) -> Iterator[bytes]:
    while piece := source.piece():
        yield piece


def _lzma(source: ByteSource) -> Iterator[bytes]:
    """LZMA as zip stores it (5.8.8): two bytes of version, the length of the properties, the properties. With a size
    that is unknown behind them they are a .lzma header; the member's end is where its input ends."""
    header = source.exactly(9)
    if len(header) < 9 or header[2:4] != b"\x05\x00":
        raise FrameError("is damaged")
    source.put_back(header[4:] + xz.UNKNOWN_SIZE)
    return library_frame(lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, LARGEST_MEMORY_BYTES), source)


METHODS: dict[int, Frame] = {
    STORED: _stored,
    DEFLATED: inflated,
    BZIP2: bzip2.frame,
    LZMA: _lzma,
    ZSTANDARD: zst.frame,
    XZ: xz.frame,
}


def unsupported(method: int) -> str | None:
    """The name of a method that is not supported; None for one that is."""
    return None if method in METHODS else UNSUPPORTED.get(method, f"method {method}")


class Section:
    """The data of one member in a file: its bytes, wherever the file was moved meanwhile.

    Attributes:
        n_bytes: its length; None if it ends where its compression does.
        end: one past its last byte in the file; None while that is not known.
    """

    def __init__(self, file: BinaryIO, start: int, n_bytes: int | None) -> None:
        self._file = file
        self._position = start
        self.n_bytes = n_bytes
        self.end = None if n_bytes is None else start + n_bytes

    def _pieces(self) -> Iterator[bytes]:
        while True:
            left = PIECE_BYTES if self.end is None else self.end - self._position
            self._file.seek(self._position)
            piece = self._file.read(max(0, min(PIECE_BYTES, left)))
            if not piece:
                return
            self._position += len(piece)
            yield piece

    def blocks(self, method: int, n_stated: int | None) -> Iterator[bytes]:
        """The unpacked bytes.

        Args:
            method: a supported one.
            n_stated: how many there should be, where that is known.

        Raises:
            DamagedContainer: at the first byte that cannot be read.
        """
        source = ByteSource(ForwardFile(self._pieces()).as_file())
        n_bytes = 0
        try:
            for block in METHODS[method](source):
                n_bytes += len(block)
                yield block
        except FrameError as failure:
            # Where LZMA has no end mark, the stated size is its end.
            if method != LZMA or n_bytes != n_stated:
                raise DamagedContainer(f"zip member {failure} after {n_bytes:,} bytes") from failure
        if self.end is None:
            self.end = self._position - len(source.ahead)
