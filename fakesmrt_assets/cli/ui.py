"""``fakesmrt ui``: the Dagster web server and daemon of one home, started and stopped together.

Both run in a process group of their own with default signal handlers, so that one signal to the group reaches
their code servers and run workers too. If this process is killed, the kernel signals both (Linux).

What lives here: processes. What does not: what the UI shows.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from warehouse import locks
from warehouse.database import Warehouse
from warehouse.errors import FakesmrtError, InvalidConfiguration, LockHeld
from warehouse.home import Home, default_home

DEFINITIONS_MODULE = "fakesmrt_assets.definitions"
START_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.2
PR_SET_PDEATHSIG = 1


class _StopRequestedError(Exception):
    """SIGINT or SIGTERM arrived."""


def ui(
    port: Annotated[int, typer.Option(help="Port of the web server.", min=1, max=65535)] = 3000,
    host: Annotated[
        str, typer.Option(help="Address to listen on. The UI asks for no password: keep it on loopback.")
    ] = "127.0.0.1",
) -> None:
    """Open the Dagster UI of this home, with its schedules and sensors running, until Ctrl-C.

    Example: fakesmrt ui --port 3001
    """
    home = Home(default_home())
    Warehouse(home).upgrade()
    if not host.startswith("127.") and host not in ("localhost", "::1"):
        typer.echo(f"Anyone who reaches {host}:{port} can start runs: the UI asks for no password.", err=True)
    with (
        locks.exclusive(home.dagster / "ui.lock", f"The UI of {home.root}", "fakesmrt ui", timeout=0.0),
        _stopping_on_signals(),
        contextlib.suppress(_StopRequestedError),
    ):
        _require_free(host, port)
        _prepare_instance(home)
        with _services(home, host, port) as services:
            _wait_until_it_answers(services, host, port, home)
            typer.echo(f"The UI is at http://{host}:{port} (stop it with Ctrl-C)")
            _watch(services, home)


@contextlib.contextmanager
def _stopping_on_signals() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        # A second signal must not interrupt the stopping.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _StopRequestedError

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_free(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise InvalidConfiguration(
            f"There is no address {host}: {error.strerror}", "Use --host 127.0.0.1"
        ) from error
    except OSError as error:
        raise LockHeld(
            f"Port {port} on {host} cannot be used: {error.strerror}",
            f"Try: fakesmrt ui --port {port % 65535 + 1}",
        ) from error


def _prepare_instance(home: Home) -> None:
    """Install the settings where they lack, and close the runs that an earlier UI or build left behind."""
    from fakesmrt_assets.instance import fail_lost_runs, opened_instance

    os.environ["FAKESMRT_HOME"] = str(home.root)
    with opened_instance(home) as instance:
        fail_lost_runs(instance, untagged_are_lost=True)


def _before_exec() -> None:
    """In the child: default signals, whatever was inherited, and SIGTERM when the parent dies (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def _services(home: Home, host: str, port: int) -> Iterator[tuple[subprocess.Popen[bytes], ...]]:
    """The web server and the daemon; both are gone, with all that they started, when the block ends."""
    target = ["--module-name", DEFINITIONS_MODULE]
    commands = (
        ["-m", "dagster_webserver", "--host", host, "--port", str(port), *target],
        ["-m", "dagster._daemon", "run", *target],
    )
    started: list[subprocess.Popen[bytes]] = []
    with _log(home).open("wb") as log:
        try:
            for command in commands:
                started.append(
                    subprocess.Popen(
                        [sys.executable, *command],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        cwd=home.dagster,
                        process_group=started[0].pid if started else 0,
                        preexec_fn=_before_exec,
                    )
                )
            yield tuple(started)
        finally:
            _stop(started)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the whole group: politely, and after `STOP_TIMEOUT_SECONDS` for certain."""
    if not processes:
        return
    group = processes[0].pid
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < deadline:
            for process in processes:
                process.poll()
            os.killpg(group, 0)  # raises once nobody is left
            time.sleep(POLL_SECONDS)
        os.killpg(group, signal.SIGKILL)
    for process in processes:
        process.wait()


def _log(home: Home) -> Path:
    return home.dagster / "ui.log"


def _require_running(services: tuple[subprocess.Popen[bytes], ...], home: Home) -> None:
    if any(service.poll() is not None for service in services):
        raise FakesmrtError("A process of the UI ended by itself", f"Read why in {_log(home)}")


def _wait_until_it_answers(
    services: tuple[subprocess.Popen[bytes], ...], host: str, port: int, home: Home
) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        _require_running(services, home)
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://{host}:{port}/server_info", timeout=5).close()
            return
        time.sleep(POLL_SECONDS)
    raise FakesmrtError("The UI does not answer", f"Read why in {_log(home)}")


def _watch(services: tuple[subprocess.Popen[bytes], ...], home: Home) -> None:
    while True:
        _require_running(services, home)
        time.sleep(1.0)
