"""Exponential moving average of the weights (Polyak & Juditsky 1992; Izmailov et al. 2018, arXiv 1803.05407)."""

from __future__ import annotations

import torch

from fakesmrt_models.architecture.transformer import Transformer


def average_decay(step: int, decay: float) -> float:
    """The decay that is used after `step` steps: at most `decay`, and less while the average is young.

    The ramp (1 + step) / (10 + step) keeps the initial weights from weighing on a short training.
    """
    return min(decay, (1 + step) / (10 + step))


def average_copy(model: Transformer) -> Transformer:
    """A model for the average of `model`, which begins at the weights that `model` has."""
    average = Transformer(model.config)
    average.load_state_dict(model.state_dict())
    return average.requires_grad_(False).eval()


@torch.no_grad()
def update_average(average: Transformer, model: Transformer, decay: float) -> None:
    """Move every weight of `average` towards that of `model`: by the share 1 - decay of their distance."""
    for averaged, weight in zip(average.parameters(), model.parameters(), strict=True):
        averaged.lerp_(weight, 1.0 - decay)
