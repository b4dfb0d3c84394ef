"""Where the tasks of a stage run: processes of this machine, or the workers of a Dask cluster (DESIGN §13).

What lives here: both, as one kind of executor. What does not: any task. A task is a function of its arguments that
writes files by name and returns rows, so it gives the same wherever it runs, and once more after a worker has died.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from packaging.requirements import Requirement

from warehouse.code_versions import code_version
from warehouse.errors import FakesmrtError, InvalidConfiguration
from warehouse.processes import start_worker

if TYPE_CHECKING:
    from distributed import Client

P = ParamSpec("P")
T = TypeVar("T")

DASK_SCHEDULER = "FAKESMRT_DASK_SCHEDULER"
"""Environment variable: address of a Dask scheduler, ``tcp://host:port`` or ``tls://host:port``."""

CONNECT_SECONDS = 10


class Workers(Executor):
    """An executor that knows how many tasks it does at a time."""

    n_workers: int


class LocalWorkers(ProcessPoolExecutor, Workers):
    """Fresh interpreters on this machine, without this one's locks and connections; they end with it."""

    def __init__(self, n_workers: int) -> None:
        super().__init__(
            n_workers, mp_context=get_context("spawn"), initializer=start_worker, initargs=(os.getpid(),)
        )
        self.n_workers = n_workers


class DaskWorkers(Workers):
    """The workers of a Dask cluster. They see the home under the same path, and run the same code as this process."""

    def __init__(self, client: Client) -> None:
        self._client = client
        # Tasks write files, so a result that Dask remembers is no reason to leave one out.
        self._executor = client.get_executor(pure=False)
        self.n_workers = sum(client.nthreads().values())

    def submit(self, task: Callable[P, T], /, *arguments: P.args, **options: P.kwargs) -> Future[T]:
        future: Future[T] = self._executor.submit(task, *arguments, **options)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)


def tasks_in_flight(executor: Executor) -> int:
    """How many tasks to hand out before taking a result: enough to keep every worker busy while results are stored."""
    return 2 * (executor.n_workers if isinstance(executor, Workers) else 1) + 1


@contextmanager
def open_workers(home_root: Path, n_workers: int | None) -> Iterator[Workers]:
    """Workers for one stage; what they have not begun when the block raises is cancelled.

    Args:
        home_root: folder of the home, which every worker must see.
        n_workers: processes on this machine, None for one a core; a cluster has as many as it has.

    Raises:
        InvalidConfiguration: if the cluster named by `DASK_SCHEDULER` cannot be used.
        FakesmrtError: if its workers keep dying.
    """
    scheduler = os.environ.get(DASK_SCHEDULER)
    if scheduler:
        with _dask_workers(scheduler, home_root) as workers:
            yield workers
        return
    local = LocalWorkers(n_workers or os.cpu_count() or 1)
    try:
        yield local
    finally:
        local.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _dask_workers(scheduler: str, home_root: Path) -> Iterator[DaskWorkers]:
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise InvalidConfiguration(
            f"{DASK_SCHEDULER} is set, and Dask is not installed", "Run: pip install 'fakesmrt[dask]'"
        ) from error
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidConfiguration(
            f"No Dask scheduler answers at {scheduler}",
            f"Start one with: dask scheduler, or unset {DASK_SCHEDULER}",
        ) from error
    with client:
        _require_alike(client, scheduler, home_root)
        workers = DaskWorkers(client)
        try:
            yield workers
        except KilledWorker as error:
            raise FakesmrtError(
                f"The Dask workers at {scheduler} keep dying, most likely for want of memory",
                "Give them more memory, or fewer threads each; what was finished is kept",
            ) from error
        finally:
            workers.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Surroundings:
    """What of a process decides the bytes that its tasks give.

    Attributes:
        python: version of the interpreter, major and minor.
        code: hash of fakesmrt's own code.
        libraries: version of each library that fakesmrt requires.
        sees_home: whether the home's folder is there.
    """

    python: str
    code: str
    libraries: Mapping[str, str]
    sees_home: bool


def surroundings(home_root: str) -> Surroundings:
    """Those of this process; runs on every worker of a cluster."""
    named = [Requirement(text) for text in requires("fakesmrt") or []]
    names = [it.name for it in named if it.marker is None or it.marker.evaluate({"extra": ""})]
    return Surroundings(
        f"{sys.version_info.major}.{sys.version_info.minor}",
        code_version("warehouse", "fakesmrt_models"),
        {name: found for name in sorted(names) if (found := _version(name)) is not None},
        Path(home_root).is_dir(),
    )


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def difference(here: Surroundings, there: Surroundings) -> str | None:
    """Why a worker would not give the same bytes; None where it would."""
    if not there.sees_home:
        return "does not see the home"
    if there.python != here.python:
        return f"has Python {there.python}, this machine {here.python}"
    if there.code != here.code:
        return "has another version of fakesmrt"
    for name in sorted(here.libraries.keys() & there.libraries.keys()):
        if here.libraries[name] != there.libraries[name]:
            return f"has {name} {there.libraries[name]}, this machine {here.libraries[name]}"
    return None


def _require_alike(client: Client, scheduler: str, home_root: Path) -> None:
    here = surroundings(str(home_root))
    found: dict[str, Surroundings] = client.run(surroundings, str(home_root))
    if not found:
        raise InvalidConfiguration(
            f"The Dask scheduler at {scheduler} has no workers", f"Start some: dask worker {scheduler}"
        )
    for address, there in sorted(found.items()):
        if reason := difference(here, there):
            raise InvalidConfiguration(
                f"The Dask worker {address} {reason}",
                f"Give every worker the same folder under {home_root} and the same installation",
            )
