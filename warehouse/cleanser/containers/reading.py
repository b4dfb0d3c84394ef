"""Reading forward: what containers read from, and what a nested container reads instead of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, cast

from warehouse.cleanser.containers.container import DamagedContainer

PIECE_BYTES = 1 << 16


class ForwardFile:
    """Blocks of bytes as a file that is read forward once; `read` may return less than was asked for.

    A failure comes where it arose, after all bytes before it, and again at every later read: nobody takes a
    broken stream for one that ended.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._ahead = b""
        self._failure: DamagedContainer | None = None

    def _fill(self) -> bool:
        """Append the next block to what lies ahead; false at the end and at the failure."""
        if self._failure is None:
            try:
                block = next(self._blocks, b"")
            except DamagedContainer as failure:
                self._failure = failure
            else:
                self._ahead = self._ahead + block if self._ahead else block
                return bool(block)
        return False

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, or all that are left, without moving on."""
        while len(self._ahead) < size and self._fill():
            pass
        return self._ahead[:size]

    def read(self, size: int = PIECE_BYTES, /) -> bytes:
        """At most `size` bytes; none at the end.

        Raises:
            DamagedContainer: the stream is broken from here on.
        """
        if not self._ahead and not self._fill() and self._failure is not None:
            raise self._failure
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def blocks(self) -> Iterator[bytes]:
        """All bytes that are left, as they come."""
        while block := self.read(max(len(self._ahead), PIECE_BYTES)):
            yield block

    def as_file(self) -> BinaryIO:
        """Itself, typed as what containers that only read forward take: of a file they use `read` alone."""
        return cast(BinaryIO, self)


class ByteSource:
    """A file that is read forward in pieces of any size, with bytes that can be put back.

    Attributes:
        ahead: what was read from the file and not taken yet.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.ahead = b""

    def piece(self) -> bytes:
        """The next bytes, as many as are at hand; none at the end."""
        piece, self.ahead = self.ahead, b""
        return piece or self._file.read(PIECE_BYTES)

    def put_back(self, data: bytes) -> None:
        """Let `data` be read next."""
        self.ahead = data + self.ahead

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        parts: list[bytes] = []
        missing = size
        while missing and (piece := self.piece()):
            parts.append(piece[:missing])
            self.put_back(piece[missing:])
            missing -= len(parts[-1])
        return b"".join(parts)

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without moving on; fewer only at the end."""
        head = self.exactly(size)
        self.put_back(head)
        return head

    def skip_zeros(self) -> None:
        """Move to the next byte that is not NUL: devices and tapes pad with them."""
        while piece := self.piece():
            if rest := piece.lstrip(b"\0"):
                self.put_back(rest)
                return
