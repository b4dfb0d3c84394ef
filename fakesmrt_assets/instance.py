"""The Dagster instance of a home: its settings file, and the runs whose process is gone.

Dagster learns that a run's worker died from the server that launched it. A run inside ``fakesmrt build``
has no such server, and the runs of a UI that was killed have lost theirs; left alone they count as running
for ever and block the queue. So a build tags its run with its process, and `fail_lost_runs` closes what is
over.

What lives here: these. What does not: definitions. Dagster is imported inside the functions, because
``fakesmrt init`` only copies a file.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.files import write_bytes_whole
from warehouse.home import Home

if TYPE_CHECKING:
    import dagster as dg

PROCESS_TAG = "fakesmrt/process"


def install_instance(home: Home) -> Path:
    """Put the settings file into the home's Dagster folder, unless one is there; return its path."""
    path = home.dagster / "dagster.yaml"
    if not path.exists():
        write_bytes_whole(path, (files("fakesmrt_assets") / "dagster.yaml").read_bytes())
    return path


def process_name(pid: int) -> str | None:
    """``pid:start`` of a living process, None of one that is gone.

    The start time, in clock ticks since boot, tells a process from a later one with the same number;
    it is empty where the system has no ``/proc``.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # It lives, as somebody else's.
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return f"{pid}:"
    # The command in parentheses may hold spaces: the start time is field 22, the 20th after it.
    return f"{pid}:{status.rpartition(')')[2].split()[19]}"


def process_tags() -> dict[str, str]:
    """Run tags by which others see whether this process, which executes the run, still lives."""
    return {PROCESS_TAG: process_name(os.getpid()) or str(os.getpid())}


def _is_lost(tags: dict[str, str], *, untagged_are_lost: bool) -> bool:
    tagged = tags.get(PROCESS_TAG)
    if tagged is None:
        return untagged_are_lost
    return process_name(int(tagged.partition(":")[0])) != tagged


def fail_lost_runs(instance: dg.DagsterInstance, *, untagged_are_lost: bool = False) -> list[str]:
    """Mark as failed each started run whose process is gone.

    Args:
        instance: the instance of the home.
        untagged_are_lost: whether a run without a process tag is lost too: true only where no code server
            can be alive, that is before a UI starts.

    Returns:
        The ids of the runs closed.
    """
    import dagster as dg

    started = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    lost = [
        run
        for run in instance.get_runs(filters=dg.RunsFilter(statuses=started))
        if _is_lost(dict(run.tags), untagged_are_lost=untagged_are_lost)
    ]
    for run in lost:
        instance.report_run_failed(run, "The process of this run is gone; its work goes on in the next run.")
    return [run.run_id for run in lost]


def run_in_progress(instance: dg.DagsterInstance) -> str | None:
    """Id of a run that waits or works, None if there is none. Lost runs are closed first."""
    import dagster as dg

    fail_lost_runs(instance)
    unfinished = [
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=unfinished), limit=1)
    return runs[0].run_id if runs else None
