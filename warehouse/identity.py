"""Identities: content hashes as UUIDs, and the portable draw that SQL and Python compute alike.

What lives here: pure functions from bytes to names. What does not: reading files (``files.py``).
"""

from __future__ import annotations

import hashlib
import uuid

DRAW_HEX_DIGITS = 13
"""52 bits: as many as a double holds exactly, so SQL and Python compare the same numbers."""


def content_id(*parts: str | bytes | int) -> uuid.UUID:
    """Name something by what it is made of.

    Args:
        parts: the identifying values; each is prefixed by its length, so ("ab", "c") and ("a", "bc") differ.

    Returns:
        A 128-bit BLAKE2b hash in the form that DuckDB stores as UUID.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return uuid.UUID(bytes=digest.digest())


def fingerprint(*parts: str | bytes | int) -> str:
    """The same hash as `content_id`, as 32 hexadecimal digits: for file names and data versions."""
    return content_id(*parts).hex


def uniform_draw(subject: str, seed: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments.

    The SQL macro ``meta.uniform_draw`` computes the same value; a test compares them.
    """
    hexadecimal = hashlib.sha256(f"{subject}:{seed}".encode()).hexdigest()[:DRAW_HEX_DIGITS]
    return int(hexadecimal, 16) / float(16**DRAW_HEX_DIGITS)
