"""The Dagster instance of a home: its settings file, and the runs whose process is gone.

Dagster learns that a run's worker died from the server that launched it. A run inside ``fakesmrt build``
has no such server, and the runs of a UI that was killed have lost theirs; left alone they count as running
for ever and block the queue. So a build tags its run with its machine and process, and `fail_lost_runs` closes
what is over on this machine.

What lives here: these. What does not: definitions. Dagster is imported inside the functions, because
``fakesmrt init`` only writes a file.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.errors import InvalidConfiguration
from warehouse.files import write_bytes_whole
from warehouse.home import Home

if TYPE_CHECKING:
    import dagster as dg

PROCESS_TAG = "fakesmrt/process"


class Storage(StrEnum):
    """Where Dagster keeps runs, events and schedules."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class Launcher(StrEnum):
    """What starts the runs that are asked for in the UI or by a schedule."""

    LOCAL = "local"
    KUBERNETES = "kubernetes"
    CELERY = "celery"


@dataclass(frozen=True)
class InstanceLayout:
    """What the settings file of a home's Dagster instance asks for.

    Raises:
        InvalidConfiguration: runs on other machines need a storage that those machines reach.
    """

    storage: Storage = Storage.SQLITE
    launcher: Launcher = Launcher.LOCAL

    def __post_init__(self) -> None:
        if self.launcher is not Launcher.LOCAL and self.storage is Storage.SQLITE:
            raise InvalidConfiguration(
                f"Runs on {self.launcher.title()} cannot keep their events in SQLite",
                "Add: --storage postgres",
            )

    def settings(self) -> bytes:
        """The text of ``dagster.yaml``: what all layouts share, then what is this one's own."""
        shared = (files("fakesmrt_assets") / "dagster.yaml").read_bytes()
        own = [part for part in (self.storage, self.launcher) if part not in (Storage.SQLITE, Launcher.LOCAL)]
        return shared + b"".join(
            (files("fakesmrt_assets") / "instances" / f"{name}.yaml").read_bytes() for name in own
        )


def _shipped_settings() -> set[bytes]:
    layouts = product(Storage, Launcher)
    usable = [pair for pair in layouts if pair[0] is not Storage.SQLITE or pair[1] is Launcher.LOCAL]
    return {InstanceLayout(*pair).settings() for pair in usable}


def install_instance(home: Home, layout: InstanceLayout | None = None) -> Path:
    """Put the settings file into the home's Dagster folder and return its path.

    Args:
        home: where.
        layout: what it should ask for; None leaves a file that is there as it is.

    Raises:
        InvalidConfiguration: if there is a file that somebody has changed, and a layout is asked for.
    """
    path = home.dagster / "dagster.yaml"
    if not path.exists():
        write_bytes_whole(path, (layout or InstanceLayout()).settings())
    elif layout is not None and path.read_bytes() != layout.settings():
        if path.read_bytes() not in _shipped_settings():
            raise InvalidConfiguration(
                f"{path} has settings of your own", "Edit it, or move it away and try again"
            )
        write_bytes_whole(path, layout.settings())
    return path


@contextmanager
def opened_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a home, its settings file installed and checked.

    Raises:
        InvalidConfiguration: if the settings are wrong, name a variable that is not set or a library that is not
            installed, or if the storage does not answer.
    """
    import dagster as dg
    from sqlalchemy.exc import DBAPIError

    path = install_instance(home)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    storage_errors: tuple[type[Exception], ...] = (DBAPIError, *_storage_errors())
    settings_errors: tuple[type[Exception], ...] = (
        dg.DagsterError,
        ImportError,
        ValueError,
        *_launcher_errors(),
    )
    try:
        instance = dg.DagsterInstance.get()
        # Dagster loads the launcher when it is first asked for.
        _ = instance.run_launcher
    except storage_errors as error:
        raise InvalidConfiguration(
            f"Dagster's storage does not answer: {_cause(error)}", f"It is named in {path}"
        ) from error
    except settings_errors as error:
        raise InvalidConfiguration(
            f"The settings of Dagster cannot be used: {_cause(error)}", f"They stand in {path}"
        ) from error
    with instance:
        yield instance


def _storage_errors() -> tuple[type[Exception], ...]:
    """What is raised where PostgreSQL does not answer."""
    try:
        from dagster_postgres.utils import DagsterPostgresException
    except ImportError:
        return ()
    return (DagsterPostgresException,)


def _launcher_errors() -> tuple[type[Exception], ...]:
    """What is raised where there is no Kubernetes cluster."""
    try:
        from kubernetes.config import ConfigException
    except ImportError:
        return ()
    return (ConfigException,)


def _cause(error: Exception) -> str:
    """The first line of what is wrong: of several faults in the settings, of the exception behind a failed retry."""
    import dagster as dg

    if isinstance(error, dg.DagsterInvalidConfigError):
        return "; ".join(fault.message for fault in error.errors)
    return str(error.__cause__ or error).strip().partition("\n")[0]


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
    return {PROCESS_TAG: f"{process_name(os.getpid()) or os.getpid()}@{socket.gethostname()}"}


def _is_lost(tags: dict[str, str], *, untagged_are_lost: bool) -> bool:
    tagged = tags.get(PROCESS_TAG)
    if tagged is None:
        return untagged_are_lost
    process, _, machine = tagged.partition("@")
    # Whether a process of another machine lives cannot be seen from here.
    return machine in ("", socket.gethostname()) and process_name(int(process.partition(":")[0])) != process


def fail_lost_runs(instance: dg.DagsterInstance, *, untagged_are_lost: bool = False) -> list[str]:
    """Mark as failed each started run whose process is gone.

    Args:
        instance: the instance of the home.
        untagged_are_lost: whether a run without a process tag is lost too: true only where no code server
            can be alive, that is before a UI starts. Runs that were launched elsewhere never count as lost:
            Dagster's own monitoring asks Kubernetes or Celery about them.

    Returns:
        The ids of the runs closed.
    """
    import dagster as dg

    started = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    # A launcher that can resume a run has its workers elsewhere.
    untagged_are_lost = untagged_are_lost and not instance.run_launcher.supports_resume_run
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
