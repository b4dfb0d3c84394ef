"""Warm-up, stable, decay (Hu et al. 2024, arXiv 2404.06395): a learning rate from the step alone.

A trunk ends at the stable rate, so that any number of branches can go on from it; a branch needs no warm-up
and decays. Checkpoints hold the step alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.errors import InvalidConfiguration


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The shape of a training's learning rate.

    Attributes:
        warmup_steps: steps of linear increase; at most a tenth of all steps is used.
        decay_fraction: share of all steps, at the end, in which the rate falls linearly.
        final_fraction: share of the stable rate that the last step has, if there is a decay.
    """

    warmup_steps: int = 40
    decay_fraction: float = 0.6
    final_fraction: float = 0.05

    def __post_init__(self) -> None:
        if self.warmup_steps < 0 or not 0 <= self.decay_fraction <= 1 or not 0 <= self.final_fraction <= 1:
            raise InvalidConfiguration(
                f"{self} is no schedule", "Give a warm-up from 0 up and fractions from 0 to 1"
            )


WHOLE = Schedule()
"""One training from beginning to end."""

TRUNK = Schedule(decay_fraction=0.0)
"""Ends at the stable rate."""

BRANCH = Schedule(warmup_steps=0, decay_fraction=0.9)
"""Goes on from a trunk and decays."""


def learning_rate_factor(step: int, n_steps: int, schedule: Schedule) -> float:
    """Factor in (0, 1] on every learning rate at `step`, one of 0 … n_steps - 1."""
    warmup = min(schedule.warmup_steps, n_steps // 10)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    decay = round(schedule.decay_fraction * n_steps)
    remaining = n_steps - step
    if remaining > decay:
        return 1.0
    return schedule.final_fraction + (1.0 - schedule.final_fraction) * (remaining - 1) / decay
