"""What is decided when a training begins and binds every later attempt at it; each choice with its reason."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, replace
from typing import cast

import torch

from fakesmrt_models.architecture.config import n_parameters
from fakesmrt_models.training.budget import (
    choose_compilation,
    choose_dtype,
    multiplies_bfloat16,
)
from fakesmrt_models.training.duration import expected_seconds
from fakesmrt_models.training.loss import choose_native
from fakesmrt_models.training.request import TrainingRequest, budgeted_steps, request_config
from fakesmrt_models.training.utilisation import matmul_peak
from warehouse.errors import TrainingFailed

ORDINARY_FLOPS = 1.5e11
"""Operations a second (6 for each parameter and token) of the compiled loop on two ordinary cores."""

LOGGED_LINES = 200
"""Lines of metrics that a training leaves behind, about."""


@dataclass(frozen=True)
class Plan:
    """What binds all attempts.

    Attributes:
        request: fingerprint of what was asked.
        n_steps: of the whole training; 0 while a time budget has not been turned into steps.
        n_steps_reason: how that number came about.
        evaluate_every: steps from one measurement on the validation sample to the next; the last step is
            measured too.
        dtype: of the matrix products.
        dtype_reason: why.
        compiled: whether the step is compiled.
        compiled_reason: why.
        native: whether attention and loss go through native code.
        native_reason: why.
        matmul_peak: operations a second of a large product at the start; None in a short training.
        processor: `processor()` where the training was begun.
    """

    request: str
    n_steps: int
    n_steps_reason: str
    evaluate_every: int
    dtype: str
    dtype_reason: str
    compiled: bool
    compiled_reason: str
    native: bool
    native_reason: str
    matmul_peak: float | None
    processor: str

    @property
    def torch_dtype(self) -> torch.dtype:
        """`dtype` as torch's."""
        return cast(torch.dtype, getattr(torch, self.dtype))

    def is_evaluated(self, step: int) -> bool:
        """Whether the model is measured after `step` steps."""
        return step % self.evaluate_every == 0 or step == self.n_steps

    def is_logged(self, step: int) -> bool:
        """Whether a line of metrics is written after `step` steps: a function of the step alone."""
        return step % max(1, self.n_steps // LOGGED_LINES) == 0 or self.is_evaluated(step)


def first_plan(request: TrainingRequest, fingerprint: str) -> Plan:
    """What can be decided before the first step; a time budget has no number of steps yet."""
    dtype, dtype_reason = choose_dtype(request)
    compiled, compiled_reason = choose_compilation(request)
    native, native_reason = choose_native(request_config(request))
    plan = Plan(
        request=fingerprint,
        n_steps=0,
        n_steps_reason="as requested",
        evaluate_every=1,
        dtype=str(dtype).removeprefix("torch."),
        dtype_reason=dtype_reason,
        compiled=compiled,
        compiled_reason=compiled_reason,
        native=native,
        native_reason=native_reason,
        matmul_peak=matmul_peak(dtype, expected_seconds(request)),
        processor=processor(),
    )
    n_steps = budgeted_steps(request)
    if n_steps is None:
        return plan
    flops_per_step = 6.0 * n_parameters(request_config(request)) * request.batch_tokens
    interval = request.evaluation_seconds / (flops_per_step / ORDINARY_FLOPS)
    return with_steps(plan, n_steps, plan.n_steps_reason, interval)


def processor() -> str:
    """What the last bits of a sum depend on: the processor's name, instructions and caches, and torch's version."""
    known = {
        **torch.cpu.get_capabilities(),
        "torch": torch.__version__,
        "ONEDNN_MAX_CPU_ISA": os.environ.get("ONEDNN_MAX_CPU_ISA", False),
    }
    return ", ".join(
        name if value is True else f"{name}={value}"
        for name, value in sorted(known.items())
        if value is not False and not name.startswith("num_")
    )


def require_same_processor(plan: Plan, request: TrainingRequest) -> None:
    """Raise `TrainingFailed` where this machine cannot go on in the way in which the training was begun.

    Where it can, but with other last bits, that is said on the standard error.
    """
    if plan.torch_dtype == torch.bfloat16 and not multiplies_bfloat16():
        raise TrainingFailed(
            "The training was begun in bfloat16, and this processor does not multiply it",
            "Go on where it was begun, or begin anew",
        )
    native, native_reason = choose_native(request_config(request))
    if plan.native and not native:
        raise TrainingFailed(
            f"The training was begun with native code, but {native_reason}",
            "Go on where it was begun, or begin anew",
        )
    if differences := set(plan.processor.split(", ")) ^ set(processor().split(", ")):
        sys.stderr.write(
            "fakesmrt: The training was begun on another processor, or with another torch: it goes on, but not to the "
            f"same bytes. They differ in {', '.join(sorted(differences))}.\n"
        )


def with_steps(plan: Plan, n_steps: int, reason: str, evaluation_interval: float) -> Plan:
    """The plan with its number of steps, and evaluations about `evaluation_interval` steps apart.

    They are spread evenly, so that the last interval, which ends with the training, is not much shorter.
    """
    n_evaluations = max(1, round(n_steps / evaluation_interval))
    evaluate_every = math.ceil(n_steps / n_evaluations)
    return replace(plan, n_steps=n_steps, n_steps_reason=reason, evaluate_every=evaluate_every)
