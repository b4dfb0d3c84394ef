"""Start a training as a child process, follow it, and take its result: no torch in this process.

The child dies with this process and leaves a checkpoint behind; the next call with the same request and
folder goes on from there, or returns at once if the result is there.

What lives here: one training. What does not: several at a time (``fleet.py``).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import warehouse.errors
from fakesmrt_models.training.duration import expected_step_seconds
from fakesmrt_models.training.launch import launch
from fakesmrt_models.training.metrics import METRICS_FILE
from fakesmrt_models.training.prerequisites import require_prerequisites
from fakesmrt_models.training.progress import training_progress
from fakesmrt_models.training.request import (
    TrainingRequest,
    TrainingResult,
    another_training,
    finished_result,
    request_fingerprint,
)
from fakesmrt_models.training.run import ATTEMPTS_FILE, EXIT_FOLLOWED, EXIT_STOPPED
from warehouse.errors import FakesmrtError, InvalidConfiguration, TrainingFailed
from warehouse.progress import Progress, silent

LOG_FILE = "log.txt"
LOG_LINES = 5
WARNING = "fakesmrt: "
"""How the lines of a child begin that its user should see."""

POLL_SECONDS = 0.2
ALLOCATION = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"
    ":glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2147483647"
}
"""What one step frees the next one takes again, in large pages, and no page goes back to the kernel to be cleared:
5 to 8 % more tokens a second (measured). What the user has set himself goes before."""

STOP_SECONDS = 15.0
"""How long an interrupted child may take to save its checkpoint, after the step at which it is."""

SLOWEST_MACHINE = 3.0
"""A step may take so many times as long as is expected of two ordinary cores."""


def run_training(request: TrainingRequest, run_dir: Path, progress: Progress = silent) -> TrainingResult:
    """Carry out a training in a child process; resume it, or take its result, where there is one.

    Args:
        request: what to train.
        run_dir: folder of this training alone; made if absent.
        progress: told steps done and in all, and a note with loss, speed and time left.

    Raises:
        InputUnreadable: there are no tokens, or no model to start from.
        InvalidConfiguration: `run_dir` holds another training.
        LockHeld: another process trains there.
        TrainingFailed: the child died; with the last lines of its log.
        KeyboardInterrupt: after the child has saved a checkpoint.
    """
    begin = begun(request, run_dir)
    if isinstance(begin, TrainingResult):
        return begin
    progress(0, 1, "preparing")
    with _terminated_like_interrupted(), begin as child:
        while child.works():
            time.sleep(POLL_SECONDS)
            child.report(progress)
    return child.result()


def begun(request: TrainingRequest, run_dir: Path) -> TrainingResult | Child:
    """The result of a training, if it is there, or a process that begins it or goes on with it.

    Raises:
        InputUnreadable: there are no tokens, or no model to start from.
        InvalidConfiguration: `run_dir` holds the result of another training.
    """
    # A request that cannot be met is refused here, before anything is written.
    _require_processes(request)
    require_prerequisites(request)
    fingerprint = request_fingerprint(request)
    _require_same_training(request, run_dir, fingerprint)
    done = finished_result(request, run_dir)
    # Where there are other processes they wait to be told that it is done.
    if done is not None and launch().world_size == 1:
        return done
    run_dir.mkdir(parents=True, exist_ok=True)
    return Child(request, run_dir)


def join_training(request: TrainingRequest) -> int:
    """Be one of the processes of a training whose folder the process of rank 0 owns (torchrun).

    Returns:
        Exit status: 0, or 1 for a failure that the process of rank 0 names.

    Raises:
        FakesmrtError: a failure of this process alone.
    """
    _require_processes(request)
    require_prerequisites(request)
    request_fingerprint(request)
    with tempfile.TemporaryDirectory(prefix="fakesmrt-") as scratch:
        with _terminated_like_interrupted(), Child(request, Path(scratch)) as child:
            while child.works():
                time.sleep(POLL_SECONDS)
        if child.status in (0, EXIT_FOLLOWED):
            return 0 if child.status == 0 else 1
        raise child.failure()


class Child:
    """A process that trains; as a context, it is stopped in the end, with a checkpoint, if it still works."""

    def __init__(self, request: TrainingRequest, run_dir: Path) -> None:
        """Start it in `run_dir`, which exists; it goes on from the last checkpoint there."""
        self.request = request
        self.run_dir = run_dir
        self._metrics_size = -1
        # In memory: the disk that the log lies on may be full.
        self._report = os.fdopen(os.memfd_create("report"), "rb")
        self._reported = b""
        with (run_dir / LOG_FILE).open("ab") as log, os.fdopen(os.memfd_create("request"), "wb") as asked:
            # Handed over, not left in the folder, where another command's may lie in a moment.
            asked.write(request.to_json())
            asked.seek(0)
            self._log_begin = log.tell()
            self._process = self._started(asked.fileno(), log.fileno())

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        self.stop()
        # What ended the child by itself says more than that it was to be stopped.
        named = self._named_failure()
        self._report.close()
        if kind is KeyboardInterrupt and named is not None:
            raise named

    def _started(self, asked: int, log: int) -> subprocess.Popen[bytes]:
        """The process, in a session of its own, so that Ctrl-C reaches its parent alone."""
        command = [sys.executable, "-m", "fakesmrt_models.training.run", "--run-dir", str(self.run_dir)]
        return subprocess.Popen(
            [*command, "--stdin", "--parent", str(os.getpid()), "--report", str(self._report.fileno())],
            pass_fds=[self._report.fileno()],
            stdin=asked,
            stdout=log,
            stderr=log,
            env=ALLOCATION | os.environ | {"OMP_NUM_THREADS": str(self.request.threads)},
            start_new_session=True,
        )

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it works."""
        return self._process.poll()

    def works(self) -> bool:
        """Whether it still runs."""
        return self.status is None

    def report(self, progress: Progress) -> None:
        """Tell `progress` of the last line of metrics, if there is a new one."""
        metrics = self.run_dir / METRICS_FILE
        if metrics.exists() and metrics.stat().st_size != self._metrics_size:
            self._metrics_size = metrics.stat().st_size
            if (so_far := training_progress(metrics)) is not None:
                progress(*so_far)

    def stop(self) -> None:
        """If it still runs, ask it for a checkpoint; kill it if that takes too long."""
        if not self.works():
            return
        self._process.terminate()
        try:
            self._process.wait(stop_seconds(self.request))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def result(self) -> TrainingResult:
        """The result of a child that has ended; raises what it failed by."""
        if self.status:
            raise self.failure()
        result = finished_result(self.request, self.run_dir)
        if result is None:
            raise TrainingFailed(
                f"The training in {self.run_dir} ended without a result", "Run the same command again"
            )
        for line in self._lines():
            if line.startswith(WARNING):
                sys.stderr.write(f"{line}\n")
        return result

    def failure(self) -> FakesmrtError:
        """The error that the child reported, or what its log ends with."""
        named = self._named_failure()
        if named is not None:
            return named
        how = "was stopped" if self.status == EXIT_STOPPED else f"ended with status {self.status}"
        end = " | ".join(self._lines()[-LOG_LINES:])
        return TrainingFailed(
            f"The training {how}; its log {self.run_dir / LOG_FILE} ends with: {end}",
            "Run the same command again to go on from the last checkpoint",
        )

    def _named_failure(self) -> FakesmrtError | None:
        if not self._report.closed:
            self._report.seek(0)
            self._reported = self._report.read()
        try:
            named = json.loads(self._reported)
            return getattr(warehouse.errors, named["error"], TrainingFailed)(named["cause"], named["remedy"])
        except (ValueError, KeyError, TypeError):
            return None

    def _lines(self) -> list[str]:
        """What this child wrote into its log; earlier attempts stand before it."""
        with (self.run_dir / LOG_FILE).open("rb") as log:
            log.seek(self._log_begin)
            return log.read().decode(errors="replace").splitlines()


def stop_seconds(request: TrainingRequest) -> float:
    """How long an interrupted child may take to end its step and save; torchrun itself kills after half a minute."""
    return STOP_SECONDS + SLOWEST_MACHINE * expected_step_seconds(request)


def _require_processes(request: TrainingRequest) -> None:
    there = launch().world_size
    if request.processes != there:
        raise InvalidConfiguration(
            f"The training wants {request.processes} processes, and {there} are there",
            f"Start it by torchrun with {request.processes} processes in all, or ask for {there}",
        )


def _require_same_training(request: TrainingRequest, run_dir: Path, fingerprint: str) -> None:
    """Raise `InvalidConfiguration` where checkpoints of another training lie, before its request is written over."""
    attempts = run_dir / ATTEMPTS_FILE
    begun_before = attempts.exists() and any(run_dir.glob("checkpoints/step-*"))
    if begun_before and fingerprint not in json.loads(attempts.read_bytes()):
        raise another_training(run_dir, request)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Where torchrun started this process: its SIGTERM leaves time for a checkpoint, as Ctrl-C does."""
    if launch().world_size == 1:
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    # torchrun says it more than once; the child is being stopped already.
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
