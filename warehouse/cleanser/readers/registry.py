"""The readers that there are, and which one serves a file."""

from __future__ import annotations

from pathlib import Path

from warehouse.cleanser.readers.plain import PLAIN
from warehouse.cleanser.readers.reader import Reader

READERS: tuple[Reader, ...] = (PLAIN,)


def reader_for(path: Path) -> Reader:
    """The reader for a file by its name; plain text where no other claims it."""
    suffix = path.suffix.lower()
    return next((reader for reader in READERS if suffix in reader.suffixes), PLAIN)
