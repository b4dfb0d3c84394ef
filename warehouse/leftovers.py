"""Temporary files and folders that processes left in a home when they were killed.

What lives here: telling them from those of living processes. What does not: what is done with them.
"""

from __future__ import annotations

import math
import os
import re
import time
from pathlib import Path

from warehouse.home import Home

CLOCK_SECONDS = 1.0
"""By so much the time of a file and that of a process may differ."""


def _started_at(pid: str) -> float:
    """When a process began (seconds of the clock); infinity if there is none (proc(5): field 22, in ticks)."""
    try:
        ticks = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[19]
    except FileNotFoundError:
        return math.inf
    up = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - up + int(ticks) / os.sysconf("SC_CLK_TCK")


def _modified_at(path: Path) -> float:
    """When a file was last written (seconds of the clock); infinity if a living process has just removed it."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return math.inf


def left_behind(home: Home, alone: bool) -> list[Path]:
    """Temporary files and folders of processes that are gone; where no build can be running, also its workplaces."""
    found = [*home.temporary.iterdir(), *home.models.rglob(".mixed*")] if alone else []
    for path in home.root.rglob(".[0-9]*.*"):
        match = re.match(r"\.(\d+)\.", path.name)
        # A number is given again: what is older than its process was left by an earlier one of that number.
        if match and _modified_at(path) < _started_at(match.group(1)) - CLOCK_SECONDS:
            found.append(path)
    return sorted(found)
