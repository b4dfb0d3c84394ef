"""Locks between processes that die with their holder and say who holds them.

A lock is ``flock`` on a file, so the kernel releases it when the holder dies, however it dies. The exclusive
holder writes its name into the file; whoever gives up waiting reads it there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from warehouse.errors import LockHeld

POLL_SECONDS = 0.05


def _holder(path: Path) -> str:
    """Who wrote its name into the lock file last, in words."""
    try:
        written = json.loads(path.read_text())
        return f"process {written['pid']} ({written['purpose']}, since {written['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process that reads"


def _acquire(stream: TextIO, mode: int, path: Path, what: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(stream, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockHeld(
                    f"{what} is held by {_holder(path)}", "Wait until it has finished, or stop that process"
                ) from None
            time.sleep(POLL_SECONDS)
        else:
            return


@contextmanager
def exclusive(path: Path, what: str, purpose: str, timeout: float) -> Iterator[None]:
    """Hold `path` alone.

    Args:
        path: the lock file; made if absent, never removed.
        what: what the lock stands for, for the message of those who wait in vain.
        purpose: what the holder does with it; written into the file.
        timeout: seconds to wait; 0 tries once.

    Raises:
        LockHeld: names the holder.
    """
    with _opened(path) as stream:
        _acquire(stream, fcntl.LOCK_EX, path, what, timeout)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        stream.seek(0)
        stream.truncate()
        json.dump({"pid": os.getpid(), "purpose": purpose, "since": since}, stream)
        stream.flush()
        try:
            yield
        finally:
            stream.seek(0)
            stream.truncate()
            stream.flush()


@contextmanager
def shared(path: Path, what: str, timeout: float) -> Iterator[None]:
    """Hold `path` together with other readers. Raises `LockHeld` after `timeout` seconds behind a writer."""
    with _opened(path) as stream:
        _acquire(stream, fcntl.LOCK_SH, path, what, timeout)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    path.touch(exist_ok=True)
    with path.open("r+") as stream:
        yield stream


_held_here: dict[Path, int] = {}
_held_here_guard = threading.Lock()


@contextmanager
def build_lock(home_root: Path) -> Iterator[None]:
    """Be the only builder of a home; entering again in the same process is free.

    Raises:
        LockHeld: names the process that builds already.
    """
    path = home_root / "build.lock"
    with _held_here_guard:
        nested = _held_here.get(path, 0) > 0
        _held_here[path] = _held_here.get(path, 0) + 1
    try:
        with (
            contextlib.nullcontext()
            if nested
            else exclusive(path, f"The build of {home_root}", "fakesmrt build", timeout=0.0)
        ):
            yield
    finally:
        with _held_here_guard:
            _held_here[path] -= 1
