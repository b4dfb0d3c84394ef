"""Locks between processes: everyone in turn, gone with their holder, never silent about for whom one waits.

A lock is a file. Whoever wants it draws a number, as at a counter, and keeps the kernel's lock on the byte of that
number for as long as it waits or works. The turn of one who wants the lock alone has come when nobody has a lower
number; of one who would share it, when nobody with a lower number wants it alone. So readers go in together, and
nobody overtakes. The kernel gives the byte back when its holder dies, however it dies: there is nothing to clear away.
The file also names the latest who drew a number, for those who wait.

The locks on bytes are Linux's open file description locks (fcntl(2)): they belong to the opened file and not to the
process, so threads exclude each other like processes.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse.errors import LockHeld

FIRST_PAUSE_SECONDS = 0.001
LONGEST_PAUSE_SECONDS = 0.02
SAY_AFTER_SECONDS = 1.0
"""Who waits so long says for whom."""

SAY_AGAIN_SECONDS = 30.0

RECORD_BYTES = 512
N_NAMES = 64
"""Names that the file holds: number n stands in record 1 + n modulo this; record 0 is the counter."""

LONGEST_PURPOSE = 80
"""Characters of a purpose that fit a record whatever they are (4 bytes each in UTF-8)."""

FIRST_TICKET_BYTE = 2
"""Byte 0 guards the counter; byte 1 stays free, because the kernel joins neighbouring locks of one file into one."""

_FLOCK = struct.Struct("hhqqi0q")
"""struct flock of fcntl(2): l_type, l_whence, l_start, l_len, l_pid."""


def say_on_stderr(line: str) -> None:
    """How one who waits says for whom, unless told otherwise."""
    print(f"fakesmrt: {line}", file=sys.stderr, flush=True)  # noqa: T201  # the process may have no console


@dataclass(frozen=True, order=True)
class Holder:
    """One who has a lock or waits for it.

    Attributes:
        number: its place in turn; lower numbers come first.
        pid: its process.
        purpose: what it wants the lock for.
        since: when it drew the number (ISO 8601, UTC).
    """

    number: int
    pid: int
    purpose: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.purpose}, since {self.since})"


@contextmanager
def exclusive(
    path: Path, what: str, purpose: str, timeout: float, say: Callable[[str], object] = say_on_stderr
) -> Iterator[None]:
    """Hold `path` alone.

    Args:
        path: the lock file; made if absent, never removed.
        what: what the lock stands for, for the messages of those who wait.
        purpose: what the holder does with it, for the same.
        timeout: seconds to wait; 0 tries once.
        say: hears a line of one who waits longer than `SAY_AFTER_SECONDS`.

    Raises:
        LockHeld: names the holder.
    """
    with _entered_once(path, what, shared=False), _turn(path, what, purpose, fcntl.F_WRLCK, timeout, say):
        yield


@contextmanager
def shared(
    path: Path,
    what: str,
    timeout: float,
    purpose: str = "reading",
    say: Callable[[str], object] = say_on_stderr,
) -> Iterator[None]:
    """Hold `path` together with others who share it; entering again in the same thread is free.

    Raises:
        LockHeld: after `timeout` seconds behind one who wants it alone.
    """
    with _entered_once(path, what, shared=True) as nested:
        if nested:
            yield
            return
        with _turn(path, what, purpose, fcntl.F_RDLCK, timeout, say):
            yield


def in_turn(path: Path) -> list[Holder]:
    """Those who have or want the lock, in turn; of very many, the latest `N_NAMES`. Who died is not among them."""
    if not path.exists():
        return []
    with _opened(path) as descriptor:
        return _alive(descriptor, fcntl.F_WRLCK)


class _Entered(threading.local):
    """The locks that this thread has, each with the number of times that it entered."""

    def __init__(self) -> None:
        self.shared: dict[Path, int] = {}
        self.exclusive: set[Path] = set()


_entered = _Entered()


@contextmanager
def _entered_once(path: Path, what: str, *, shared: bool) -> Iterator[bool]:
    """Yield whether this thread shares the lock already. One that waited for itself would wait for ever."""
    times, alone = _entered.shared, _entered.exclusive
    if path in alone or (path in times and not shared):
        raise LockHeld(f"{what} is held by this very thread", "Report this: it is a fault of fakesmrt")
    if not shared:
        alone.add(path)
        try:
            yield False
        finally:
            alone.discard(path)
        return
    times[path] = times.get(path, 0) + 1
    try:
        yield times[path] > 1
    finally:
        times[path] -= 1
        if not times[path]:
            del times[path]


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        yield descriptor
    finally:
        # Said, because a forked child may have the same file open for longer.
        _set_lock(descriptor, fcntl.F_UNLCK, 0, 0)
        os.close(descriptor)


@contextmanager
def _turn(
    path: Path, what: str, purpose: str, kind: int, timeout: float, say: Callable[[str], object]
) -> Iterator[None]:
    with _opened(path) as descriptor:
        number = _draw_number(descriptor, kind, purpose)
        _wait(descriptor, number, kind, what, timeout, say)
        yield


def _wait(
    descriptor: int, number: int, kind: int, what: str, timeout: float, say: Callable[[str], object]
) -> None:
    started = time.monotonic()
    say_at, pause = started + SAY_AFTER_SECONDS, FIRST_PAUSE_SECONDS
    while number > 1 and _is_held(descriptor, kind, 1, number - 1):
        now = time.monotonic()
        if now - started >= timeout:
            raise LockHeld(
                f"{what} is held by {_whom(descriptor, number, kind)}",
                "Wait until it has finished, or stop that process",
            )
        if now >= say_at:
            say(f"{what} is held by {_whom(descriptor, number, kind)}; waiting for our turn")
            say_at = now + SAY_AGAIN_SECONDS
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _whom(descriptor: int, number: int, kind: int) -> str:
    """For whom the one with this number waits, in words."""
    ahead = [holder for holder in _alive(descriptor, kind) if holder.number < number]
    if not ahead:
        return "another process"
    others = f" with {len(ahead) - 1} more before us" if len(ahead) > 1 else ""
    return f"{ahead[0]}{others}"


def _draw_number(descriptor: int, kind: int, purpose: str) -> int:
    """The next number, whose byte is locked before anybody can draw a higher one."""
    _set_lock(descriptor, fcntl.F_WRLCK, 0, 1, wait=True)
    try:
        counted = os.pread(descriptor, RECORD_BYTES, 0).strip()
        # A file of another make, or a new one. All of it is written now: then no later name needs space on a full disk.
        if not counted.isdigit():
            os.pwrite(descriptor, b"\n" * RECORD_BYTES * (1 + N_NAMES), 0)
        number = 1 + (int(counted) if counted.isdigit() else 0)
        os.pwrite(descriptor, _record(str(number)), 0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder = Holder(number, os.getpid(), purpose[:LONGEST_PURPOSE], since)
        named = _record(json.dumps(asdict(holder), ensure_ascii=False))
        os.pwrite(descriptor, named, RECORD_BYTES * (1 + number % N_NAMES))
        _set_lock(descriptor, kind, _ticket_byte(number), 1)
    finally:
        _set_lock(descriptor, fcntl.F_UNLCK, 0, 1)
    return number


def _record(text: str) -> bytes:
    return text.encode(errors="replace").ljust(RECORD_BYTES - 1) + b"\n"


def _alive(descriptor: int, kind: int) -> list[Holder]:
    """The named who have or want the lock and hinder one of this kind, in turn."""
    named = []
    for record in range(1, 1 + N_NAMES):
        # A record that is being written over names nobody.
        with contextlib.suppress(ValueError, TypeError):
            named.append(Holder(**json.loads(os.pread(descriptor, RECORD_BYTES, RECORD_BYTES * record))))
    return sorted(holder for holder in named if _is_held(descriptor, kind, holder.number, holder.number))


def _ticket_byte(number: int) -> int:
    return FIRST_TICKET_BYTE + number


def _is_held(descriptor: int, kind: int, first: int, last: int) -> bool:
    """Whether another opened file holds one of these numbers in a way that hinders `kind`."""
    asked = _FLOCK.pack(kind, os.SEEK_SET, _ticket_byte(first), last - first + 1, 0)
    answer: tuple[int, ...] = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))
    return answer[0] != fcntl.F_UNLCK


def _set_lock(descriptor: int, kind: int, start: int, length: int, *, wait: bool = False) -> None:
    """Lock or unlock `length` bytes of the opened file (0: to its end)."""
    command = fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK
    fcntl.fcntl(descriptor, command, _FLOCK.pack(kind, os.SEEK_SET, start, length, 0))


_held_here: dict[Path, int] = {}
_held_here_guard = threading.Lock()


@contextmanager
def build_lock(home_root: Path, purpose: str = "fakesmrt build") -> Iterator[None]:
    """Be the only one who changes what was built in a home; entering again in the same process is free.

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
            else exclusive(path, f"The build of {home_root}", purpose, timeout=0.0)
        ):
            yield
    finally:
        with _held_here_guard:
            _held_here[path] -= 1
