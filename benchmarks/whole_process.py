"""Seconds and peak memory of a command with all its child processes; prints one JSON line (Linux).

    python benchmarks/whole_process.py fakesmrt build

Memory is the proportional set size summed over the process tree, sampled twice a second: pages that processes share
are counted once, which the largest single process (``/usr/bin/time -v``) leaves out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

SAMPLE_SECONDS = 0.5


def process_tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children[parent].append(int(folder.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children[process]
    return found


def proportional_bytes(process: int) -> int:
    """Proportional set size of a process; 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def main(command: list[str]) -> int:
    """Run the command; its own output goes to stderr, the figures to stdout."""
    started = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, stdout=sys.stderr) as child:
        while child.poll() is None:
            peak = max(peak, sum(map(proportional_bytes, process_tree(child.pid))))
            time.sleep(SAMPLE_SECONDS)
        status = child.wait()
    seconds = time.perf_counter() - started
    figures = {
        "command": command,
        "seconds": round(seconds, 1),
        "peak_memory_bytes": peak,
        "exit_status": status,
    }
    print(json.dumps(figures))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
