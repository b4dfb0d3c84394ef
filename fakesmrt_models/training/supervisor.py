"""Start a training as a child process, follow it, and take its result: no torch in this process.

The child dies with this process and leaves a checkpoint behind; the next call with the same request and
folder goes on from there, or returns at once if the result is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import warehouse.errors
from fakesmrt_models.training.metrics import METRICS_FILE
from fakesmrt_models.training.request import (
    TrainingRequest,
    TrainingResult,
    finished_result,
    request_fingerprint,
)
from fakesmrt_models.training.run import EXIT_STOPPED, REQUEST_FILE
from warehouse.errors import FakesmrtError, TrainingFailed
from warehouse.files import write_bytes_whole
from warehouse.progress import Progress, silent

LOG_FILE = "log.txt"
LOG_LINES = 5
POLL_SECONDS = 0.2
STOP_SECONDS = 15.0
"""How long an interrupted child may take to save its checkpoint; the last one is half a minute old at most."""


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
    # A request that cannot be met is refused here, before anything is written.
    request_fingerprint(request)
    done = finished_result(request, run_dir)
    if done is not None:
        return done
    run_dir.mkdir(parents=True, exist_ok=True)
    # The process that holds the folder has read its request already.
    write_bytes_whole(run_dir / REQUEST_FILE, request.to_json())
    with (run_dir / LOG_FILE).open("ab") as log:
        child = _started(request, run_dir, log.fileno())
        try:
            _follow(child, run_dir / METRICS_FILE, progress)
        finally:
            _stopped(child)
    if child.returncode:
        raise _failure(child.returncode, run_dir / LOG_FILE)
    result = finished_result(request, run_dir)
    if result is None:
        raise TrainingFailed(
            f"The training in {run_dir} ended without a result", "Run the same command again"
        )
    return result


def _started(request: TrainingRequest, run_dir: Path, log: int) -> subprocess.Popen[bytes]:
    """The child, in a session of its own, so that Ctrl-C reaches this process alone."""
    command = [sys.executable, "-m", "fakesmrt_models.training.run", "--run-dir", str(run_dir)]
    return subprocess.Popen(
        [*command, "--parent", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=os.environ | {"OMP_NUM_THREADS": str(request.threads)},
        start_new_session=True,
    )


def _follow(child: subprocess.Popen[bytes], metrics: Path, progress: Progress) -> None:
    """Report new metrics until the child ends."""
    progress(0, 1, "preparing")
    size = -1
    while child.poll() is None:
        time.sleep(POLL_SECONDS)
        if metrics.exists() and metrics.stat().st_size != size:
            size = metrics.stat().st_size
            last = _last_metric(metrics)
            if last is not None:
                progress(last["step"], last["n_steps"], _note(last))


def _last_metric(metrics: Path) -> dict[str, Any] | None:
    """The last whole line of a metrics file."""
    lines = metrics.read_bytes().split(b"\n")[:-1]
    return json.loads(lines[-1]) if lines else None


def _note(metric: dict[str, Any]) -> str:
    left = metric["seconds"] / metric["step"] * (metric["n_steps"] - metric["step"])
    return (
        f"{metric['train_bits_per_byte']:.3f} bits a byte, {metric['tokens_per_second']:,.0f} tokens/s, "
        f"{left:.0f} s left"
    )


def _stopped(child: subprocess.Popen[bytes]) -> None:
    """Ask a child that still runs for a checkpoint; kill it if that takes too long."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _failure(status: int, log: Path) -> FakesmrtError:
    """The error that the child named in its last line, or what its log ends with."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    try:
        named = json.loads(lines[-1])
        return getattr(warehouse.errors, named["error"], TrainingFailed)(named["cause"], named["remedy"])
    except (ValueError, KeyError, IndexError, TypeError):
        how = "was stopped" if status == EXIT_STOPPED else f"ended with status {status}"
        return TrainingFailed(
            f"The training {how}; its log {log} ends with: {' | '.join(lines)}",
            "Run the same command again to go on from the last checkpoint",
        )
