"""Sparse files in tar archives: where the data lies, and the file with its holes as zeros.

Formats: GNU tar manual, appendix "Storing Sparse Files": the old one in the header, and pax 0.0, 0.1 and 1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

Extent = tuple[int, int]
"""Offset and length of data in the unfolded file."""

BLOCK = 512
LARGEST_MAP = 100_000
"""Extents of one file, for maps that never end."""
ZEROS = bytes(1 << 16)


def _octal(digits: bytes) -> int:
    if digits[:1] == b"\x80":
        return int.from_bytes(digits[1:], "big")
    return int(digits.strip(b" \0") or b"0", 8)


def _entries(area: bytes) -> list[Extent]:
    found = []
    for start in range(0, len(area) - 23, 24):
        entry = area[start : start + 24]
        if not entry[0]:
            break
        found.append((_octal(entry[:12]), _octal(entry[12:])))
    return found


def old_sparse_extents(header: bytes, next_block: Callable[[], bytes]) -> list[Extent]:
    """The map of GNU's own sparse type: four extents in the header, then 21 a block.

    Raises:
        ValueError: if it is none.
    """
    extents = _entries(header[386:482])
    is_extended = header[482]
    while is_extended:
        block = next_block()
        if not block or len(extents) > LARGEST_MAP:
            raise ValueError("no map")
        extents += _entries(block[:504])
        is_extended = block[504]
    return extents


def pax_extents(records: Sequence[tuple[bytes, bytes]]) -> tuple[list[Extent] | None, int] | None:
    """The map and the real size that extended headers state; no map if it stands before the data; None if
    the file is not sparse.

    Raises:
        ValueError: if the headers are not as they should be.
    """
    values = dict(records)
    if b"GNU.sparse.major" in values:
        if values[b"GNU.sparse.major"] != b"1":
            raise ValueError("unknown sparse format")
        return None, int(values.get(b"GNU.sparse.realsize", b""))
    size = values.get(b"GNU.sparse.size")
    if size is None:
        return None
    if b"GNU.sparse.map" in values:
        numbers = [int(digits) for digits in values[b"GNU.sparse.map"].split(b",") if digits]
    else:
        numbers = [
            int(value) for key, value in records if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
        ]
    return list(zip(numbers[::2], numbers[1::2], strict=True)), int(size)


def read_extents(next_block: Callable[[], bytes]) -> list[Extent]:
    """The map that stands before the data (pax 1.0): decimal lines, the first with the number of extents, padded to
    whole blocks.

    Raises:
        ValueError: if it is none.
    """
    lines: list[bytes] = []
    unfinished = b""
    while not lines or len(lines) < 1 + 2 * int(lines[0]):
        block = next_block()
        if not block or len(lines) > 2 * LARGEST_MAP or len(unfinished) > BLOCK:
            raise ValueError("no map")
        *whole, unfinished = (unfinished + block).split(b"\n")
        lines += whole
    numbers = [int(line) for line in lines[1 : 1 + 2 * int(lines[0])]]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _zeros(size: int) -> Iterator[bytes]:
    while size > 0:
        yield ZEROS[:size]
        size -= len(ZEROS)


def unfolded(data: Iterator[bytes], extents: Sequence[Extent], real_size: int) -> Iterator[bytes]:
    """The file with its holes.

    Raises:
        ValueError: if the extents overlap, go backwards or pass the end.
    """
    bounds = [(start, start + size) for start, size in extents]
    ordered = all(one[1] <= other[0] for one, other in pairwise(bounds))
    if not ordered or any(start < 0 or end < start or end > real_size for start, end in bounds):
        raise ValueError("extents out of order")
    position = 0
    ahead = b""
    for start, end in bounds:
        yield from _zeros(start - position)
        position = start
        while position < end:
            ahead = ahead or next(data, b"")
            if not ahead:
                raise ValueError("less data than extents")
            part, ahead = ahead[: end - position], ahead[end - position :]
            position += len(part)
            yield part
    yield from _zeros(real_size - position)
