"""zip, by its directory; where that is missing or damaged, by the headers before each member.

Python's ``zipfile`` is not used: it needs the directory, so that a truncated archive yields nothing, keeps an object
per member, and knows fewer methods. Format: PKWARE APPNOTE.TXT 6.3.10, whose section numbers stand in comments.

Folders and symbolic links hold no text and are no members. What lies between members, as deleted ones do, is no part
of the archive.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

from warehouse.cleanser.containers.container import Container, DamagedContainer, Member
from warehouse.cleanser.containers.zip_methods import STORED, Section, unsupported

LOCAL_MAGIC, DIRECTORY_MAGIC, END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
DESCRIPTOR_MAGIC = b"PK\x07\x08"
END64_MAGIC, LOCATOR64_MAGIC = b"PK\x06\x06", b"PK\x06\x07"
SPANNED_MAGICS = (DESCRIPTOR_MAGIC, b"PK00")
LOCAL = struct.Struct("<4s5H3I2H")
DIRECTORY = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
END64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR64 = struct.Struct("<4sIQI")
LONGEST_COMMENT = 0xFFFF
LONGEST_DESCRIPTOR = 24
"""Of the record behind a member whose header knew no size (4.3.9): magic, checksum, two sizes of 64 bits."""
SEARCH_BYTES = 1 << 16
UNKNOWN_32, UNKNOWN_16 = 0xFFFFFFFF, 0xFFFF

ENCRYPTED, HAS_DESCRIPTOR, UTF8_NAME, MASKED = 1 << 0, 1 << 3, 1 << 11, 1 << 13
ZIP64_EXTRA, UNICODE_PATH_EXTRA = 0x0001, 0x7075
UNIX = 3


@dataclass(frozen=True)
class Entry:
    """A member as the directory or its own header describes it.

    Attributes:
        name: its label.
        flags: general purpose bits.
        method: compression method.
        checksum: CRC-32 of its bytes.
        n_compressed: bytes in the archive; None where only its end tells.
        n_bytes: bytes when unpacked; None where only its end tells.
        start: of its header in the file, then of its data.
        has_bytes: false for folders and links.
    """

    name: str
    flags: int
    method: int
    checksum: int
    n_compressed: int | None
    n_bytes: int | None
    start: int
    has_bytes: bool


@dataclass(frozen=True)
class Directory:
    """Where the directory lies.

    Attributes:
        start: first byte.
        end: one past the last.
        n_before: bytes before the archive that are no part of it, by which its offsets are off.
        n_behind: bytes behind it.
    """

    start: int
    end: int
    n_before: int
    n_behind: int


def recognises(head: bytes) -> bool:
    """Whether the bytes begin a zip archive, perhaps an empty or once split one."""
    return head[:4] in (LOCAL_MAGIC, END_MAGIC) or (head[:4] in SPANNED_MAGICS and head[4:8] == LOCAL_MAGIC)


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    if offset < 0:
        return b""
    file.seek(offset)
    return file.read(size)


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    while len(extra) >= 4:
        key, size = struct.unpack_from("<2H", extra)
        fields.setdefault(key, extra[4 : 4 + size])
        extra = extra[4 + size :]
    return fields


def display_label(name: bytes, flags: int, fields: dict[int, bytes]) -> str:
    r"""A name as text: by its Unicode field (4.6.9), as UTF-8 where it is, else as code page 437 (appendix D); what
    claims UTF-8 and is not appears as \xNN."""
    unicode_path = fields.get(UNICODE_PATH_EXTRA, b"")
    if len(unicode_path) > 5 and int.from_bytes(unicode_path[1:5], "little") == zlib.crc32(name):
        name, flags = unicode_path[5:], flags | UTF8_NAME
    try:
        label = name.decode("utf-8")
    except UnicodeDecodeError:
        label = name.decode("utf-8", "backslashreplace") if flags & UTF8_NAME else name.decode("cp437")
    return label.replace("\0", "\\x00")


def _zip64_values(field: bytes, values: list[int]) -> list[int]:
    """The values, each that 32 bits could not hold replaced by the next one of the zip64 field (4.5.3)."""
    found = []
    for value in values:
        if value == UNKNOWN_32 and len(field) >= 8:
            found.append(int.from_bytes(field[:8], "little"))
            field = field[8:]
        else:
            found.append(value)
    return found


def _find_directory(file: BinaryIO, n_file: int) -> Directory | None:
    """The directory by the end record (4.3.16) and its zip64 form (4.3.14); None where there is none.

    Raises:
        DamagedContainer: the archive is one of several parts.
    """
    tail_start = max(0, n_file - END.size - LONGEST_COMMENT)
    tail = _at(file, tail_start, n_file - tail_start)
    at = tail.rfind(END_MAGIC, 0, len(tail) - END.size + len(END_MAGIC))
    if at < 0:
        return None
    _, disk, _, _, _, size, offset, n_comment = END.unpack_from(tail, at)
    n_behind = max(0, len(tail) - at - END.size - n_comment)
    end = tail_start + at
    locator = _at(file, end - LOCATOR64.size, LOCATOR64.size)
    if locator[:4] == LOCATOR64_MAGIC:
        record_start = LOCATOR64.unpack(locator)[2]
        record = _at(file, record_start, END64.size)
        if record[:4] != END64_MAGIC or len(record) < END64.size:
            return None
        *_, size, offset = END64.unpack(record)
        disk = record[16]
        end = record_start
    if disk not in (0, UNKNOWN_16):
        raise DamagedContainer("zip is one part of several")
    start = end - size
    return Directory(start, end, start - offset, n_behind) if 0 <= offset <= start else None


def _entry(record: bytes, file: BinaryIO, start: int) -> tuple[Entry, int]:
    """The directory's entry at `start` and where the next begins (4.3.12).

    Raises:
        ValueError: there is no entry.
    """
    if len(record) < DIRECTORY.size or record[:4] != DIRECTORY_MAGIC:
        raise ValueError("no entry")
    _, made_by, _, flags, method, _, _, checksum, *sizes, _, _, attributes, offset = DIRECTORY.unpack(record)
    n_compressed, n_bytes, n_name, n_extra, n_comment = sizes
    variable = _at(file, start + DIRECTORY.size, n_name + n_extra)
    if len(variable) < n_name + n_extra:
        raise ValueError("no entry")
    fields = _extra_fields(variable[n_name:])
    n_bytes, n_compressed, offset = _zip64_values(
        fields.get(ZIP64_EXTRA, b""), [n_bytes, n_compressed, offset]
    )
    name = display_label(variable[:n_name], flags, fields)
    is_link = made_by >> 8 == UNIX and stat.S_ISLNK(attributes >> 16)
    has_bytes = not is_link and not (name.endswith("/") and n_bytes == 0)
    entry = Entry(name, flags, method, checksum, n_compressed, n_bytes, offset, has_bytes)
    return entry, start + DIRECTORY.size + n_name + n_extra + n_comment


def _entries(file: BinaryIO, directory: Directory) -> Iterator[Entry]:
    """The directory's entries, in its order."""
    position = directory.start
    while position < directory.end:
        entry, position = _entry(_at(file, position, DIRECTORY.size), file, position)
        yield entry
    if position != directory.end:
        raise ValueError("no entry")


def _is_whole(file: BinaryIO, directory: Directory) -> bool:
    try:
        for _ in _entries(file, directory):
            pass
    except ValueError:
        return False
    return True


def _local_header(file: BinaryIO, start: int) -> tuple[Entry, int] | None:
    """The header before a member's data, and where the data begins (4.3.7); None where there is none."""
    record = _at(file, start, LOCAL.size)
    if len(record) < LOCAL.size or record[:4] != LOCAL_MAGIC:
        return None
    _, _, flags, method, _, _, checksum, n_compressed, n_bytes, n_name, n_extra = LOCAL.unpack(record)
    variable = _at(file, start + LOCAL.size, n_name + n_extra)
    if len(variable) < n_name + n_extra:
        return None
    fields = _extra_fields(variable[n_name:])
    n_bytes, n_compressed = _zip64_values(fields.get(ZIP64_EXTRA, b""), [n_bytes, n_compressed])
    name = display_label(variable[:n_name], flags, fields)
    data_start = start + LOCAL.size + n_name + n_extra
    has_bytes = not (name.endswith("/") and n_bytes == 0)
    entry = Entry(name, flags, method, checksum, n_compressed, n_bytes, data_start, has_bytes)
    if flags & HAS_DESCRIPTOR and n_compressed == 0:
        entry = replace(entry, n_compressed=None, n_bytes=None)
    return entry, data_start


def _refusal(entry: Entry) -> str | None:
    if entry.flags & (ENCRYPTED | MASKED):
        return "zip member is encrypted"
    name = unsupported(entry.method)
    if name is not None:
        return f"zip member is compressed by {name}, which is not supported"
    return (
        "zip member has no stated length" if entry.method == STORED and entry.n_compressed is None else None
    )


def _blocks(entry: Entry, section: Section) -> Iterator[bytes]:
    """The member's bytes, compared with its size and checksum at the end."""
    refusal = _refusal(entry)
    if refusal:
        raise DamagedContainer(refusal)
    checksum = n_bytes = 0
    for block in section.blocks(entry.method, entry.n_bytes):
        checksum = zlib.crc32(block, checksum)
        n_bytes += len(block)
        yield block
    if entry.n_bytes is not None and n_bytes != entry.n_bytes:
        raise DamagedContainer(f"zip member ends after {n_bytes:,} of {entry.n_bytes:,} bytes")
    if entry.n_bytes is not None and checksum != entry.checksum:
        raise DamagedContainer(f"zip member has another checksum than its text after {n_bytes:,} bytes")


def _listed_blocks(file: BinaryIO, entry: Entry, n_before: int) -> Iterator[bytes]:
    found = _local_header(file, entry.start + n_before)
    if found is None:
        raise DamagedContainer("zip member is not where the directory says")
    yield from _blocks(entry, Section(file, found[1], entry.n_compressed))


def _listed_members(file: BinaryIO, directory: Directory) -> Iterator[Member]:
    for entry in _entries(file, directory):
        if entry.has_bytes:
            yield Member(entry.name, _listed_blocks(file, entry, directory.n_before))
    n_foreign = directory.n_before + directory.n_behind
    if n_foreign:
        raise DamagedContainer(f"zip stands among {n_foreign:,} bytes that are no part of it")


def _find_header(file: BinaryIO, position: int) -> int | None:
    """Where the next member's header begins."""
    while block := _at(file, position, SEARCH_BYTES):
        found = block.find(LOCAL_MAGIC)
        if found >= 0:
            return position + found
        position += max(1, len(block) - len(LOCAL_MAGIC) + 1)
    return None


def _unlisted_members(file: BinaryIO, n_file: int) -> Iterator[Member]:
    """Members by their own headers; after damage from the next header on."""
    end = 0
    while (position := _find_header(file, end)) is not None:
        found = _local_header(file, position)
        if found is None:
            end = position + 1
            continue
        entry, start = found
        section = Section(file, start, entry.n_compressed)
        blocks = _blocks(entry, section)
        if entry.has_bytes:
            yield Member(entry.name, blocks)
        if section.end is None:
            with suppress(DamagedContainer):
                for _ in blocks:
                    pass
        end = start if section.end is None else section.end
    if DIRECTORY_MAGIC in _at(file, end, LONGEST_DESCRIPTOR + len(DIRECTORY_MAGIC)):
        raise DamagedContainer("zip has a damaged directory")
    raise DamagedContainer(f"zip ends too early after {n_file:,} bytes")


def members(file: BinaryIO) -> Iterator[Member]:
    """The files of a zip archive."""
    n_file = file.seek(0, 2)
    directory = _find_directory(file, n_file)
    if directory is not None and _is_whole(file, directory):
        yield from _listed_members(file, directory)
    else:
        yield from _unlisted_members(file, n_file)


ZIP = Container("zip", recognises, members, random_access=True)
