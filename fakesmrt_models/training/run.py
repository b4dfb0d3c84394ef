"""The process of one training: ``python -m fakesmrt_models.training.run --run-dir DIR``.

It reads the request, from standard input or ``request.json``, is the only one in the folder (`exclusive` lock),
dies with the process that started it, and leaves ``model/``, ``ranges.json`` and ``result.json``. Exit status:
0 done, 1 failed (the last line of its output is the cause as JSON), 75 stopped by SIGTERM with a checkpoint saved
(EX_TEMPFAIL of sysexits.h), 76 lost another process of the training, which rank 0 names.

Under torchrun each process has a folder of its own; that of rank 0 is the training's, the others are scratch.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from fakesmrt_models.training.launch import launch
from fakesmrt_models.training.request import (
    REQUEST_FILE,
    TrainingRequest,
    finished_result,
    request_fingerprint,
)
from warehouse.errors import FakesmrtError, TrainingFailed
from warehouse.files import write_bytes_whole
from warehouse.locks import exclusive
from warehouse.processes import die_with_parent

if TYPE_CHECKING:
    from fakesmrt_models.training.distributed import Processes

ATTEMPTS_FILE = "attempts.json"
LOCK_FILE = "lock"
EXIT_STOPPED = 75
EXIT_FOLLOWED = 76


def main(arguments: list[str]) -> int:
    """Run or resume the training in a folder; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fakesmrt_models.training.run")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--parent", type=int, help="process id whose death ends this process too")
    parser.add_argument(
        "--report", type=int, help="open file that a failure is written to as well as to the output"
    )
    parser.add_argument("--stdin", action="store_true", help="read the request there, not in the folder")
    options = parser.parse_args(arguments)
    if options.parent is not None:
        die_with_parent(options.parent)
    try:
        return train_in(options.run_dir, sys.stdin.buffer.read() if options.stdin else None)
    except FakesmrtError as error:
        report_failure(error, options.report)
    except OSError as error:
        report_failure(
            TrainingFailed(
                f"The training in {options.run_dir} could not read or write: {error}",
                "Mend that (free some space?) and run the same command again; the last checkpoint is kept",
            ),
            options.report,
        )
    return 1


def report_failure(error: FakesmrtError, report: int | None) -> None:
    """Write the error, which the supervisor makes again, to the open file `report`, then as last line of the log."""
    failure = {"error": type(error).__name__, "cause": error.cause, "remedy": error.remedy}
    line = json.dumps(failure) + "\n"
    if report is not None:
        os.write(report, line.encode())
    sys.stdout.write(line)


def train_in(run_dir: Path, asked: bytes | None = None) -> int:
    """Carry out a request in `run_dir`; returns the exit status.

    Args:
        run_dir: folder of the training.
        asked: the request as JSON; None for that in the folder.

    Raises:
        LockHeld: another process trains there.
        InvalidConfiguration: the folder holds another training.
        TrainingFailed: the loss is not finite, or another process of the training ended.
    """
    stop = StopRequest()
    with exclusive(run_dir / LOCK_FILE, f"The training in {run_dir}", "fakesmrt train", timeout=0.0):
        # torch is loaded only by the process that trains.
        from fakesmrt_models.training.distributed import PeerLost, joined

        request = TrainingRequest.from_json((run_dir / REQUEST_FILE).read_bytes() if asked is None else asked)
        with joined(launch(), request_fingerprint(request)) as processes:
            try:
                return _train(request, run_dir, processes, stop)
            except PeerLost:
                if processes.rank == 0:
                    raise
                return EXIT_FOLLOWED


def _train(request: TrainingRequest, run_dir: Path, processes: Processes, stop: StopRequest) -> int:
    from fakesmrt_models.training.budget import process_start
    from fakesmrt_models.training.distributed import share_checkpoint
    from fakesmrt_models.training.loop import Trainer

    if processes.agreed(finished_result(request, run_dir) is not None):
        return 0
    fingerprint = request_fingerprint(request)
    share_checkpoint(processes, run_dir, fingerprint)
    trainer = Trainer(request, run_dir, processes, begin=process_start())
    # Only now: whoever was refused has changed nothing.
    write_bytes_whole(run_dir / REQUEST_FILE, request.to_json())
    attempts = count_attempt(run_dir, fingerprint)
    if not trainer.run(lambda: processes.any(stop.asked())):
        return EXIT_STOPPED
    if processes.rank == 0:
        trainer.finish(attempts)
    return 0


class StopRequest:
    """Whether SIGTERM has come; from then on it no longer ends the process by itself."""

    def __init__(self) -> None:
        self._came = False
        signal.signal(signal.SIGTERM, self._note)

    def asked(self) -> bool:
        """Whether the training should save and leave."""
        return self._came

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._came = True


def count_attempt(run_dir: Path, fingerprint: str) -> int:
    """Note one more attempt at the request with this fingerprint; returns the number of attempts so far."""
    path = run_dir / ATTEMPTS_FILE
    earlier = json.loads(path.read_bytes()) if path.exists() else {}
    attempts = int(earlier.get(fingerprint, 0)) + 1
    write_bytes_whole(path, json.dumps({fingerprint: attempts}).encode())
    return attempts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
