"""Warm-up, stable, decay (Hu et al. 2024, arXiv 2404.06395), or a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983):
a learning rate from the step alone.

A trunk ends at the stable rate, so that any number of branches can go on from it; a branch needs no warm-up
and decays. Checkpoints hold the step alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from warehouse.errors import InvalidConfiguration

Decay = Literal["linear", "cosine"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The shape of a training's learning rate.

    Attributes:
        warmup_steps: steps of linear increase; at most a tenth of all steps is used.
        decay_fraction: share of all steps, at the end, in which the rate falls; at most those after the warm-up.
        decay: the way in which it falls: "linear", or "cosine", which begins and ends slowly.
        final_fraction: share of the stable rate that the last step has, if there is a decay.
    """

    warmup_steps: int = 40
    decay_fraction: float = 0.6
    decay: Decay = "linear"
    final_fraction: float = 0.05

    def __post_init__(self) -> None:
        if self.warmup_steps < 0 or not 0 <= self.decay_fraction <= 1 or not 0 <= self.final_fraction <= 1:
            raise InvalidConfiguration(
                f"{self} is no schedule", "Give a warm-up from 0 up and fractions from 0 to 1"
            )
        if self.decay not in get_args(Decay):
            raise InvalidConfiguration(
                f"A learning rate cannot fall in the way {self.decay!r}",
                f"Choose among {', '.join(get_args(Decay))}",
            )


WHOLE = Schedule()
"""One training from beginning to end."""

COSINE = Schedule(decay_fraction=1.0, decay="cosine")
"""Falls from the end of the warm-up on, along half a cosine."""

TRUNK = Schedule(decay_fraction=0.0)
"""Ends at the stable rate."""

BRANCH = Schedule(warmup_steps=0, decay_fraction=0.9)
"""Goes on from a trunk and decays."""


def learning_rate_factor(step: int, n_steps: int, schedule: Schedule) -> float:
    """Factor in (0, 1] on every learning rate at `step`, one of 0 … n_steps - 1."""
    warmup = min(schedule.warmup_steps, n_steps // 10)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    n_decaying = min(round(schedule.decay_fraction * n_steps), n_steps - warmup)
    remaining = n_steps - step
    if remaining > n_decaying:
        return 1.0
    height = (remaining - 1) / n_decaying
    if schedule.decay == "cosine":
        height = (1.0 - math.cos(math.pi * height)) / 2.0
    return schedule.final_fraction + (1.0 - schedule.final_fraction) * height
