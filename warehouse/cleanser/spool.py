"""Where an unpacked member lies while it is read: in memory if it is small, else in a temporary file.

A spool file has a name, so that worker processes can open it. Its maker holds a lock on it: a file without one was left
by a process that was killed, and the next walk that spools removes it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from warehouse.errors import explained

LARGEST_IN_MEMORY_BYTES = 8 << 20
PREFIX = "fakesmrt-spool-"


def sweep(folder: Path) -> None:
    """Remove the spool files in `folder` whose makers are dead."""
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _new_file(folder: Path) -> tuple[BinaryIO, Path]:
    """A locked, empty spool file; another one if a sweep took it before it was locked."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=folder)
        file = os.fdopen(descriptor, "wb", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return file, Path(name)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            file.close()
            raise
        file.close()


class Spool:
    """Bytes that are written once and then read, until it is closed.

    Attributes:
        n_bytes: written so far.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[bytes] = []
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self.n_bytes = 0

    def write(self, block: bytes) -> None:
        """Append a block.

        Raises:
            FakesmrtError: the disk is full, or the folder cannot be written to.
        """
        self.n_bytes += len(block)
        self._parts.append(block)
        if self._file is None and self.n_bytes <= LARGEST_IN_MEMORY_BYTES:
            return
        try:
            if self._file is None:
                sweep(self._folder)
                self._file, self._path = _new_file(self._folder)
            for part in self._parts:
                _write_all(self._file, part)
        except OSError as failure:
            raise explained(failure) from failure
        self._parts.clear()

    def data(self) -> bytes | Path:
        """What was written, or the file in which it lies."""
        if self._path is not None:
            return self._path
        self._parts = [b"".join(self._parts)]
        return self._parts[0]

    def open(self) -> BinaryIO:
        """What was written as a file at its first byte."""
        data = self.data()
        return BytesIO(data) if isinstance(data, bytes) else data.open("rb")

    def close(self) -> None:
        """Forget what was written."""
        self._parts.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


@contextmanager
def spooling(folder: Path) -> Iterator[Spool]:
    """A spool that is gone after the block, however it ends."""
    spool = Spool(folder)
    try:
        yield spool
    finally:
        spool.close()
