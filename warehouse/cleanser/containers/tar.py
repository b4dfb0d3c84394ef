"""tar: v7, ustar, GNU and pax, read forward, a header at a time.

Python's ``tarfile`` is not used: it ends without a word at a damaged header, reads an extended header as long as the
archive claims, and keeps every header. Formats: POSIX.1-2017 ``pax`` (ustar, pax), the GNU tar manual, "Basic
Tar Format" and "Storing Sparse Files".

Links, devices, pipes and folders hold no bytes and are no members.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from warehouse.cleanser.containers.container import Container, DamagedContainer, Member
from warehouse.cleanser.containers.reading import ByteSource
from warehouse.cleanser.containers.sparse import (
    Extent,
    old_sparse_extents,
    pax_extents,
    read_extents,
    unfolded,
)

BLOCK = 512
LARGEST_EXTENSION_BYTES = 1 << 20
"""Of a pax header or a long name; POSIX sets no limit, real ones hold a path and some numbers."""

WITHOUT_BYTES = b"123456"
"""Types of hard and symbolic links, devices, folders and pipes: whatever size they state, no data follows."""
LONG_NAME, LONG_LINK, SPARSE = b"L", b"K", b"S"
PAX, SOLARIS_PAX, GLOBAL_PAX = b"x", b"X", b"g"
ASCII = bytes(range(128))
NUMBER_FIELDS = ((100, 108), (108, 116), (116, 124), (124, 136), (136, 148))


def number(digits: bytes) -> int | None:
    """A numeric field: octal digits, or GNU's base 256 behind a byte 0x80; None for anything else, also for numbers
    below zero (base 256 behind 0xFF), which no size can be."""
    if digits[:1] == b"\x80":
        return int.from_bytes(digits[1:], "big")
    text = digits.split(b"\0", 1)[0].strip(b" ")
    if not text:
        return 0
    return int(text, 8) if all(digit in b"01234567" for digit in text) else None


def _checksum_fits(header: bytes) -> bool:
    """Whether the header's sum of bytes is the stated one; old writers summed signed bytes."""
    stated = number(header[148:156])
    summed = header[:148] + b" " * 8 + header[156:]
    total = sum(summed)
    return stated == total or stated == total - 256 * len(summed.translate(None, ASCII))


def recognises(head: bytes) -> bool:
    """Whether the bytes begin with a tar header: one with ``ustar`` in its place, or with the right checksum. Both hold
    NULs, and no text does."""
    header = head[:BLOCK]
    if len(header) < BLOCK or not header[0] or b"\0" not in header[:257]:
        return False
    if header[257:262] == b"ustar" and header[262] in b"\0 ":
        return True
    has_numbers = all(number(header[start:end]) is not None for start, end in NUMBER_FIELDS)
    return has_numbers and _checksum_fits(header)


def display_label(name: bytes) -> str:
    r"""A name as text; bytes that are not UTF-8, and NUL, appear as \xNN."""
    return name.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _field(header: bytes, start: int, end: int) -> bytes:
    return header[start:end].split(b"\0", 1)[0]


def _plain_name(header: bytes) -> bytes:
    prefix = _field(header, 345, 500) if header[257:263] == b"ustar\0" else b""
    name = _field(header, 0, 100)
    return prefix + b"/" + name if prefix else name


def pax_records(data: bytes) -> list[tuple[bytes, bytes]]:
    """Keyword and value of each record of an extended header, in order (``17 path=a.txt`` and a newline).

    Raises:
        ValueError: if it is not made of such records.
    """
    records = []
    while data:
        digits, _, _ = data.partition(b" ")
        length = int(digits)
        record, data = data[:length], data[length:]
        if length <= len(digits) + 1 or len(record) < length or record[-1:] != b"\n":
            raise ValueError("no record")
        keyword, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not equals:
            raise ValueError("no record")
        records.append((keyword, value))
    return records


@dataclass
class _Extensions:
    """What extended headers say about the next member; `everywhere` holds for all that follow."""

    everywhere: list[tuple[bytes, bytes]] = field(default_factory=list)
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    long_name: bytes | None = None

    def all(self) -> list[tuple[bytes, bytes]]:
        return self.everywhere + self.records

    def value(self, keyword: bytes) -> bytes | None:
        return next((value for key, value in reversed(self.all()) if key == keyword), None)

    def forget_member(self) -> None:
        self.records = []
        self.long_name = None


class _Archive:
    """A tar file that is read forward; knows how many bytes it has read."""

    def __init__(self, file: BinaryIO) -> None:
        self._source = ByteSource(file)
        self.n_bytes = 0

    def damaged(self, what: str) -> DamagedContainer:
        return DamagedContainer(f"tar {what} after {self.n_bytes:,} bytes")

    def header(self) -> bytes:
        """The next block; empty at the end, and shorter than a block where the archive was cut."""
        block = self._source.exactly(BLOCK)
        self.n_bytes += len(block)
        return block

    def blocks(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes."""
        while size > 0:
            piece = self._source.piece()
            if not piece:
                raise self.damaged("ends too early")
            part = piece[:size]
            self._source.put_back(piece[size:])
            self.n_bytes += len(part)
            size -= len(part)
            yield part

    def extension(self, size: int) -> bytes:
        """The data of an extended header, with its padding taken off."""
        if size > LARGEST_EXTENSION_BYTES:
            raise self.damaged("is damaged")
        data = b"".join(self.blocks(size))
        self.skip(-size % BLOCK)
        return data

    def skip(self, size: int) -> None:
        for _ in self.blocks(size):
            pass


class _Data:
    """The data of one member: given out at most once, and skipped where it was not."""

    def __init__(self, archive: _Archive, size: int) -> None:
        self._archive = archive
        self._end = archive.n_bytes + size

    @property
    def n_left(self) -> int:
        return self._end - self._archive.n_bytes

    def blocks(self) -> Iterator[bytes]:
        return self._archive.blocks(self.n_left)

    def sparse_blocks(self, extents: list[Extent] | None, real_size: int) -> Iterator[bytes]:
        """The data with its holes; without extents they stand before the data (GNU sparse 1.0)."""
        try:
            if extents is None:
                extents = read_extents(self._archive.header)
            yield from unfolded(self.blocks(), extents, real_size)
        except ValueError as failure:
            raise self._archive.damaged("is damaged") from failure


def _read_extension(archive: _Archive, kind: bytes, size: int, extensions: _Extensions) -> bool:
    """Read the header if it is one about the next member; false if it is a member itself."""
    if kind in (PAX, SOLARIS_PAX):
        extensions.records += pax_records(archive.extension(size))
    elif kind == GLOBAL_PAX:
        extensions.everywhere = pax_records(archive.extension(size))
    elif kind == LONG_NAME:
        extensions.long_name = archive.extension(size).split(b"\0", 1)[0]
    elif kind == LONG_LINK:
        archive.extension(size)
    else:
        return False
    return True


def _member(
    archive: _Archive, header: bytes, size: int, extensions: _Extensions
) -> tuple[Member | None, int]:
    """A header's member, if it has bytes, and the end of its data in the archive."""
    name = extensions.value(b"GNU.sparse.name") or extensions.value(b"path") or extensions.long_name
    label = display_label(_plain_name(header) if name is None else name)
    old_extents = old_sparse_extents(header, archive.header) if header[156:157] == SPARSE else None
    size = int(extensions.value(b"size") or size)
    if size < 0:
        raise ValueError("a size below zero")
    end = archive.n_bytes + size + -size % BLOCK
    if header[156] in WITHOUT_BYTES:
        return None, archive.n_bytes
    if header[156] in b"\x000" and label.endswith("/"):
        return None, end
    data = _Data(archive, size)
    if old_extents is not None:
        real_size = number(header[483:495])
        if real_size is None:
            raise ValueError("no size")
        return Member(label, data.sparse_blocks(old_extents, real_size)), end
    sparse = pax_extents(extensions.all())
    if sparse is not None:
        extents, real_size = sparse
        return Member(label, data.sparse_blocks(extents, real_size)), end
    return Member(label, data.blocks()), end


def _next_members(archive: _Archive, extensions: _Extensions, header: bytes) -> Iterator[Member]:
    """The member that the header describes, if it is no header about the next one.

    Raises:
        ValueError: if it is no header at all.
    """
    size = number(header[124:136])
    if size is None or len(header) < BLOCK or not _checksum_fits(header):
        raise ValueError("no header")
    if _read_extension(archive, header[156:157], size, extensions):
        return
    member, end = _member(archive, header, size, extensions)
    if member is not None:
        yield member
    archive.skip(end - archive.n_bytes)
    extensions.forget_member()


def members(file: BinaryIO) -> Iterator[Member]:
    """The files of a tar archive. Behind a damaged header it goes on at the next whole one, as GNU tar does."""
    archive = _Archive(file)
    extensions = _Extensions()
    damage: DamagedContainer | None = None
    ended = False
    while header := archive.header():
        if not header.strip(b"\0") and (ended or len(header) == BLOCK):
            ended = True
            continue
        try:
            yield from _next_members(archive, extensions, header)
            ended = False
        except ValueError:
            extensions.forget_member()
            what = "ends too early" if len(header) < BLOCK else "is damaged"
            damage = damage or archive.damaged("ends and other bytes follow" if ended else what)
    if damage is not None:
        raise damage
    if not ended:
        raise archive.damaged("ends without its end mark")


TAR = Container("tar", recognises, members)
