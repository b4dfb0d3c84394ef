"""Child processes that end with the process that started them, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from warehouse.errors import FakesmrtError

PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that the kernel sends when the parent dies."""

EXIT_ORPHANED = 75
"""EX_TEMPFAIL of sysexits.h."""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when `parent`, which started it, dies.

    Raises:
        FakesmrtError: the kernel refused.
        SystemExit: the parent is dead already.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise FakesmrtError(
            f"The kernel refused a parent-death signal ({os.strerror(ctypes.get_errno())})", "Build on Linux"
        )
    if os.getppid() != parent:
        sys.exit(EXIT_ORPHANED)


def start_worker(parent: int) -> None:
    """Initialise a worker of a process pool: it ends with `parent`, and leaves Ctrl-C to it."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
