"""Resume tokens: where a stream stands, in a hundred characters.

A token is a header (which published version, selection, seed and order), a position in that order, and a checksum.
A stream states its header once and a position with every item, so a token for any item is put together from both.

What lives here: their bytes. What does not: what an order is (``order.py``).
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import InvalidConfiguration
from warehouse.serving.order import MAX_BITS, MAX_TURNS

FORMAT_VERSION = 1
IDENTITY_BYTES = 8

POSITION = np.dtype(
    [
        ("epoch", "<u4"),
        ("turn", "<u2"),
        ("step", "<u4"),
        ("key", "<u8"),
        ("high", "<u8"),
        ("low", "<u8"),
        ("offset", "<u4"),
    ]
)
"""A place in an order: the item with this key and id (its two halves), of which `offset` parts are done: tokens of a
token stream, 1 for a chunk that was delivered. The item need not be there any more."""

_HEADER = struct.Struct(f"<BI{IDENTITY_BYTES}s{IDENTITY_BYTES}sqHHBH")
_CHECKSUM = struct.Struct("<I")

REMEDY = "Give the token as the stream stated it, or begin anew without one"


@dataclass(frozen=True)
class Header:
    """What a position counts in.

    Attributes:
        version: number of the published version.
        stamp: identity of that version: another home, or another copy of that number, has another.
        selection: `StreamRequest.identity`.
        seed: of the order.
        world_size: number of streams.
        rank: which of them.
        bits: the order has 2^bits buckets.
        turns: turns of an epoch.
    """

    version: int
    stamp: bytes
    selection: bytes
    seed: int
    world_size: int
    rank: int
    bits: int
    turns: int

    @property
    def is_possible(self) -> bool:
        """Whether a stream can have it: a checksum keeps nobody from making one up."""
        return self.bits <= MAX_BITS and 1 <= self.turns <= MAX_TURNS and self.rank < self.world_size

    def pack(self) -> bytes:
        return _HEADER.pack(FORMAT_VERSION, *astuple(self))


@dataclass(frozen=True)
class Position:
    """One `POSITION`; the start of a stream by default."""

    epoch: int = 0
    turn: int = 0
    step: int = 0
    key: int = 0
    high: int = 0
    low: int = 0
    offset: int = 0

    def pack(self) -> bytes:
        return np.array(astuple(self), POSITION).tobytes()


def resume_token(header: bytes, position: bytes) -> str:
    """The token of a stream with that packed header, behind the item with that packed position."""
    data = header + position
    return base64.urlsafe_b64encode(data + _CHECKSUM.pack(zlib.crc32(data))).decode()


def read_token(token: str) -> tuple[Header, Position]:
    """Take a token apart.

    Raises:
        InvalidConfiguration: if it is none, or one of another version of fakesmrt.
    """
    try:
        data = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidConfiguration(f"{token[:20]!r} is no resume token", REMEDY) from error
    if data[:1] and data[0] != FORMAT_VERSION and _is_whole(data):
        raise InvalidConfiguration(
            f"The resume token has format version {data[0]}, not {FORMAT_VERSION}", "Begin anew without it"
        )
    if len(data) != _HEADER.size + POSITION.itemsize + _CHECKSUM.size or not _is_whole(data):
        raise InvalidConfiguration(f"{token[:20]!r} is no resume token", REMEDY)
    _, *values = _HEADER.unpack_from(data)
    header = Header(*values)
    if not header.is_possible:
        raise InvalidConfiguration(f"The resume token {token[:20]!r} states an impossible order", REMEDY)
    return header, last_position(np.frombuffer(data, POSITION, count=1, offset=_HEADER.size))


def last_position(positions: NDArray[np.void]) -> Position:
    """The last of some `POSITION`s."""
    return Position(*(int(positions[name][-1]) for name in POSITION.names or ()))


def _is_whole(data: bytes) -> bool:
    body, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
    return len(checksum) == _CHECKSUM.size and _CHECKSUM.unpack(checksum)[0] == zlib.crc32(body)
