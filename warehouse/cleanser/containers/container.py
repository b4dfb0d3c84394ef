"""What a container is: it tells its format by content, and yields the byte streams in it.

A new format is one file beside this one and one line in ``registry.py``.

A container knows nothing of nesting, spooling, hashing or budgets: the walk over a file (``streams.py``) does
those for all formats alike. What it must do is hold no more than a few megabytes at once, whatever a header
claims, and raise nothing but `DamagedContainer` for bytes that are not as they should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

HEAD_BYTES = 4096
"""Bytes from the start of a stream by which a container's format is told."""


class DamagedContainer(Exception):
    """A container, or one member, cannot be read from here on.

    Attributes:
        reason: one short phrase without a full stop, such as ``gzip ends too early after 1,234 bytes``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """Bounds on what one file may unfold into, for bombs and for files that are no archives at all.

    Attributes:
        max_depth: containers inside each other, the outermost being 1. Apache Tika allows 10.
        max_members: members of all containers in one file together.
        max_ratio: bytes that all containers of one depth may yield together, per byte of the outermost file. Apache
            Tika and Apache POI stop at 100; deflate cannot exceed 1,032, text hardly reaches 50.
        min_bytes_before_ratio: bytes of any file that the ratio does not concern.
    """

    max_depth: int = 8
    max_members: int = 1_000_000
    max_ratio: int = 200
    min_bytes_before_ratio: int = 64 << 20


@dataclass(frozen=True)
class Member:
    """A byte stream in a container.

    Attributes:
        name: as the container calls it: a label, never a path. None for the only stream of a compressed file.
        blocks: its bytes, non-empty, in blocks of at most some megabytes; read once, before the next member is asked
            for, or not at all. Raises `DamagedContainer` where the rest of the member cannot be read; what came before
            is kept, and the walk goes on to the next member.
    """

    name: str | None
    blocks: Iterator[bytes]


@dataclass(frozen=True)
class Container:
    """A container format.

    Attributes:
        name: short, as in column ``container``; a chain of them is joined by ``+``.
        recognises: whether a stream with these first bytes (at most `HEAD_BYTES`; fewer where it is shorter) is of the
            format. Strict: text must not pass for a container because it begins with the same letters.
        members: the members in the order of the container. Gets the open file at its first byte; raises
            `DamagedContainer` where no further member can be found, after having yielded those that could be.
        random_access: whether `members` seeks. If so it gets a seekable file, spooled if need be; if not, a file that
            can only be read forward.
    """

    name: str
    recognises: Callable[[bytes], bool]
    members: Callable[[BinaryIO], Iterator[Member]]
    random_access: bool = False
