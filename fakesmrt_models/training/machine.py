"""What of this machine the process may use: its cores and memory, less what its control groups take away.

A container has the limits of a control group (cgroups(7)), of version 1 or 2; those of all groups above it count too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CONTROL_GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def usable_cores(mounted: Path = CONTROL_GROUPS, membership: Path = MEMBERSHIP) -> int:
    """Whole processor cores, at least one: of the affinity, or of the smallest quota of time."""
    cores = float(len(os.sched_getaffinity(0)))
    for group in _groups("cpu", mounted, membership):
        version_1 = _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
        for words in (_words(group / "cpu.max"), version_1):
            # Without a quota its place is taken by "max" or -1.
            if len(words) == 2 and words[0].isdigit():
                cores = min(cores, int(words[0]) / int(words[1]))
    return max(1, int(cores))


def usable_memory_bytes(mounted: Path = CONTROL_GROUPS, membership: Path = MEMBERSHIP) -> int:
    """Memory of the machine, or the smallest limit."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for group in _groups("memory", mounted, membership):
        for word in (*_words(group / "memory.max"), *_words(group / "memory.limit_in_bytes")):
            memory = min(memory, int(word)) if word.isdigit() else memory
    return memory


def _groups(controller: str, mounted: Path, membership: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in, and of those above; some may not be visible."""
    if not membership.exists():
        return
    for line in membership.read_text().splitlines():
        _, controllers, name = line.split(":", 2)
        # Version 2 has one tree for all controllers, and names none.
        if not controllers or controller in controllers.split(","):
            own = PurePosixPath(name.lstrip("/"))
            for path in (own, *own.parents):
                yield (mounted / controller if controllers else mounted) / path


def _words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []
