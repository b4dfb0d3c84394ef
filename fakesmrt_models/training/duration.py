"""How long a training takes, guessed from its request alone: no torch, and the same guess on every machine."""

from __future__ import annotations

from fakesmrt_models.architecture.config import n_parameters
from fakesmrt_models.training.request import TrainingRequest, budgeted_steps, request_config

EAGER_FLOPS = 1.5e11
"""Operations a second (6 for each parameter and token) of the eager loop on two ordinary cores: 2.4e11 were measured
with AMX (docs/log.md), and less is to be expected without."""

COMPILING_PAYS_SECONDS = 75.0
"""Compiling 1mx takes 16 to 27 s and makes a step 1.5 times as fast (docs/log.md): it breaks even at 50 to 80 s."""


def expected_seconds(request: TrainingRequest) -> float:
    """The time budget, or what the budgeted steps take uncompiled."""
    if request.minutes is not None:
        return 60.0 * request.minutes
    return (budgeted_steps(request) or 0) * expected_step_seconds(request)


def expected_step_seconds(request: TrainingRequest) -> float:
    """What one step takes uncompiled."""
    return 6.0 * n_parameters(request_config(request)) * request.batch_tokens / EAGER_FLOPS
