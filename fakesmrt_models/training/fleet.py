"""Several trainings side by side, each in a process of its own with its share of the processor.

On two cores, two processes with one thread each took a step of several small models in less time than one process
with two threads that steps each of them in turn, and than one that trains them as a batched model, for which there is
no native code (benchmarks/fleet.py). Only small models and two cores were measured.

What lives here: how many at a time, with how many threads, and for how long. What does not: one training
(``supervisor.py``), and the batched model (``architecture/stacked.py``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from fakesmrt_models.training.machine import usable_cores, usable_memory_bytes
from fakesmrt_models.training.request import TrainingRequest, TrainingResult
from fakesmrt_models.training.supervisor import POLL_SECONDS, Child, begun
from warehouse.progress import Progress, silent

TRAINING_BYTES = 1 << 30
"""What a training of about a million parameters may take (it takes about half of it)."""


@dataclass(frozen=True)
class Fleet:
    """How several trainings of about one length share a machine.

    Attributes:
        n_trainings: in all.
        at_once: of them at a time.
        threads: of each of them; part of a request, because sums depend on it.
    """

    n_trainings: int
    at_once: int
    threads: int

    @property
    def rounds(self) -> int:
        """Trainings one after another."""
        return math.ceil(self.n_trainings / self.at_once)

    def minutes(self, minutes: float) -> float:
        """Wall time for each, so that all end when they would in turn, with `minutes` and all cores for each."""
        return minutes * self.n_trainings / self.rounds


def fleet_of(n_trainings: int, n_cores: int, memory_bytes: int) -> Fleet:
    """The fastest fleet for so many small trainings that fits: few threads each, but no core idle.

    Args:
        n_trainings: at least one.
        n_cores: that the trainings may use.
        memory_bytes: of the machine; one training's worth is left to everything else.
    """
    at_once = max(1, min(n_trainings, n_cores, memory_bytes // TRAINING_BYTES - 1))
    return Fleet(n_trainings=n_trainings, at_once=at_once, threads=max(1, n_cores // at_once))


def machine_fleet(n_trainings: int) -> Fleet:
    """`fleet_of` this machine, as far as this process may use it."""
    return fleet_of(n_trainings, usable_cores(), usable_memory_bytes())


def run_trainings(
    trainings: Sequence[tuple[TrainingRequest, Path]],
    at_once: int,
    progress: Progress = silent,
    ended: Callable[[int], object] = int,
) -> list[TrainingResult]:
    """Carry out trainings, some at a time; resume those that were stopped, take the results that there are.

    Args:
        trainings: each request with a folder of its own.
        at_once: how many work at a time; the next begins when one has ended.
        progress: told trainings done (with fractions), their number, and how the last one that reported stands.
        ended: told the number of each training as it ends.

    Returns:
        Their results, in their order.

    Raises:
        FakesmrtError: as `run_training`, of the first that fails; the others are stopped with a checkpoint.
        KeyboardInterrupt: after all have saved a checkpoint.
    """
    results: dict[int, TrainingResult] = {}
    working: dict[int, Child] = {}
    waiting = list(range(len(trainings)))[::-1]
    shares = _Shares(progress, len(trainings))
    progress(0, len(trainings), "preparing")
    with ExitStack() as stack:
        while waiting or working:
            while waiting and len(working) < at_once:
                number = waiting.pop()
                begin = begun(*trainings[number])
                if isinstance(begin, Child):
                    working[number] = stack.enter_context(begin)
                else:
                    results[number] = begin
                    ended(number)
            if not working:
                continue
            time.sleep(POLL_SECONDS)
            for number, child in list(working.items()):
                child.report(shares.of(number, child.run_dir.name))
                if not child.works():
                    del working[number]
                    results[number] = child.result()
                    ended(number)
    return [results[number] for number in range(len(trainings))]


class _Shares:
    """Progress of all from that of each."""

    def __init__(self, progress: Progress, n_trainings: int) -> None:
        self._progress = progress
        self._done = [0.0] * n_trainings

    def of(self, number: int, name: str) -> Progress:
        """What training `number`, called `name`, reports to."""

        def report(done: float, total: float, note: str) -> None:
            self._done[number] = done / max(total, 1)
            self._progress(sum(self._done), len(self._done), f"{name}: {note}")

        return report
