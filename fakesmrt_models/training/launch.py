"""How torchrun started this process: as the only one of a training, or as one of several.

    torchrun --nproc-per-node 2 --no-python fakesmrt train --tokens DIR --preset 1mx --steps 1000 --output DIR

What lives here: what torchrun says in the environment (torch 2.13, "torchrun (Elastic Launch)", section Environment
Variables). What does not: the processes at work (``distributed.py``), which need torch.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from fakesmrt_models.training.machine import usable_cores


@dataclass(frozen=True)
class Launch:
    """The place of this process among those of its training.

    Attributes:
        rank: its number, 0 … world_size - 1; 0 owns the folder of the training.
        world_size: processes on all machines.
        local_world_size: processes on this machine.
    """

    rank: int = 0
    world_size: int = 1
    local_world_size: int = 1

    @property
    def owns_folder(self) -> bool:
        """Whether this process writes the training's folder and speaks to the user."""
        return self.rank == 0

    def default_threads(self) -> int:
        """This process's share of the processor cores that it may use."""
        return max(1, usable_cores() // self.local_world_size)


def launch(environment: Mapping[str, str] = os.environ) -> Launch:
    """The place that torchrun gave to this process; the only one where it was started in another way."""
    return Launch(
        rank=int(environment.get("RANK", "0")),
        world_size=int(environment.get("WORLD_SIZE", "1")),
        local_world_size=int(environment.get("LOCAL_WORLD_SIZE", "1")),
    )
