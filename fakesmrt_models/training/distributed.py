"""Several processes that train one model: each takes its part of every batch, the gradients are averaged.

What lives here: what the training loop needs of the other processes, over gloo. What does not: who starts them
(``launch.py``, torchrun).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed
from torch import Tensor

from fakesmrt_models.training.launch import Launch
from fakesmrt_models.training.resume import latest_state, saved_folders
from warehouse.errors import InvalidConfiguration, TrainingFailed
from warehouse.files import write_bytes_whole

TIMEOUT = timedelta(minutes=10)
"""The longest that a process may keep the others waiting; a process that ended is noticed at once."""

Json = TypeVar("Json")


class PeerLost(TrainingFailed):
    """Another process of the training ended or does not answer."""


@dataclass(frozen=True)
class Processes:
    """The processes of a training as one of them sees them; the process of rank 0 owns the run's folder.

    Attributes:
        rank: number of this process, 0 … world_size - 1.
        world_size: how many there are.

    Every method but `part` must be called by all of them in the same order, and raises `PeerLost` in each that is
    left when one has ended.
    """

    rank: int = 0
    world_size: int = 1

    def average(self, gradients: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over all processes, in place; the result is the same in each of them."""
        if self.world_size == 1:
            return
        with _naming_the_lost(self):
            sums = [torch.distributed.all_reduce(gradient, async_op=True) for gradient in gradients]
            for pending in sums:
                if pending is not None:
                    pending.wait()
        for gradient in gradients:
            gradient.div_(self.world_size)

    def part(self, batch: Tensor) -> Tensor:
        """The rows of `batch` that this process takes: of all parts the same number, in order of rank.

        Raises:
            InvalidConfiguration: they cannot be the same number.
        """
        n_rows = batch.shape[0] // self.world_size
        if n_rows * self.world_size != batch.shape[0]:
            raise InvalidConfiguration(
                f"{batch.shape[0]} sequences cannot be shared out among {self.world_size} processes",
                f"Choose batch_tokens so that their number is a multiple of {self.world_size}",
            )
        return batch[self.rank * n_rows : (self.rank + 1) * n_rows]

    def agreed(self, value: Json) -> Json:
        """What the process of rank 0 gave as `value`, which JSON can express."""
        agreed: Json = json.loads(self.received(json.dumps(value).encode()))
        return agreed

    def received(self, data: bytes) -> bytes:
        """What the process of rank 0 gave as `data`."""
        if self.world_size == 1:
            return data
        length = torch.tensor([len(data)])
        with _naming_the_lost(self):
            torch.distributed.broadcast(length, src=0)
            buffer = torch.frombuffer(bytearray(data if self.rank == 0 else int(length)), dtype=torch.uint8)
            torch.distributed.broadcast(buffer, src=0)
        return buffer.numpy().tobytes()

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true in at least one process."""
        if self.world_size == 1:
            return flag
        raised = torch.tensor([int(flag)])
        with _naming_the_lost(self):
            torch.distributed.all_reduce(raised, torch.distributed.ReduceOp.MAX)
        return bool(raised.item())


def single() -> Processes:
    """A training in one process."""
    return Processes()


@contextmanager
def joined(place: Launch, fingerprint: str) -> Iterator[Processes]:
    """Meet the other processes of the training, where torchrun started several.

    Args:
        place: of this process.
        fingerprint: of the request; each process has its own copy of the data and of the model to start from.

    Raises:
        InvalidConfiguration: the processes were asked for different trainings.
        PeerLost: they do not all come, or one of them ends.
    """
    if place.world_size == 1:
        yield single()
        return
    processes = Processes(place.rank, place.world_size)
    with _naming_the_lost(processes):
        torch.distributed.init_process_group("gloo", timeout=TIMEOUT)
    try:
        if processes.any(processes.agreed(fingerprint) != fingerprint):
            raise InvalidConfiguration(
                "The processes were asked for different trainings: other arguments, other tokens or another model",
                "Copy the same tokens to each machine and give the same command",
            )
        yield processes
    finally:
        torch.distributed.destroy_process_group()


def share_checkpoint(processes: Processes, run_dir: Path, fingerprint: str) -> None:
    """Copy the newest sound checkpoint of rank 0's `run_dir` into that of every other process, if there is one.

    Raises:
        InvalidConfiguration: the folder of rank 0 holds another training.
        CorruptArtefact: it holds checkpoints, and none is sound.
    """
    if processes.world_size == 1:
        return
    files = _newest_files(run_dir, fingerprint) if processes.rank == 0 else []
    for name in processes.agreed([str(path.relative_to(run_dir)) for path in files]):
        path = run_dir / name
        data = processes.received(path.read_bytes() if processes.rank == 0 else b"")
        if processes.rank:
            write_bytes_whole(path, data)


def _newest_files(run_dir: Path, fingerprint: str) -> list[Path]:
    state = latest_state(run_dir, fingerprint)
    names = {f"step-{state.position.step:08d}"} if state else set()
    return sorted(
        path for folder in saved_folders(run_dir) if folder.name in names for path in folder.iterdir()
    )


@contextmanager
def _naming_the_lost(processes: Processes) -> Iterator[None]:
    """Turn what gloo says of a broken connection into one line."""
    try:
        yield
    except RuntimeError as error:
        raise PeerLost(
            f"One of the {processes.world_size} processes of this training ended or does not answer",
            "Run the same command again to go on from the last checkpoint",
        ) from error
