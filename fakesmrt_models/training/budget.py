"""Choices made once at the start, each with its reason: number type, compilation, number of steps in a time."""

from __future__ import annotations

import math
import os
import shutil
import sysconfig
import time
from pathlib import Path

import torch
from torch._inductor.runtime.cache_dir_utils import cache_dir

from fakesmrt_models.architecture.config import n_parameters
from fakesmrt_models.training.request import TrainingRequest, budgeted_steps, request_config
from warehouse.identity import fingerprint

EAGER_FLOPS = 9e10
"""Operations a second of the eager loop on two ordinary cores: only to guess if compiling pays."""

COMPILING_PAYS_SECONDS = 150.0
"""Compiling 1mx takes about 40 s and makes a step 1.4 times as fast (measured): it breaks even at 140 s."""

COMPILED_BEFORE_PAYS_SECONDS = 20.0
"""What was compiled before is read from a cache in about 4 s."""


def choose_dtype() -> tuple[torch.dtype, str]:
    """bfloat16 where the processor multiplies it, else float32, and why."""
    capabilities = torch.cpu.get_capabilities()
    native = [name for name in ("amx_bf16", "avx512_bf16") if capabilities.get(name)]
    if native:
        return torch.bfloat16, f"the processor has {native[0]}"
    return torch.float32, "the processor does not multiply bfloat16"


def choose_compilation(request: TrainingRequest) -> tuple[bool, str]:
    """Whether to compile the model, and why."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        return False, f"there is no C++ compiler {compiler}"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        return False, "the headers of Python are not installed"
    if request.compiled is not None:
        return request.compiled, "as requested"
    expected = expected_seconds(request)
    known = _compiled_marker(request).exists()
    if expected < (COMPILED_BEFORE_PAYS_SECONDS if known else COMPILING_PAYS_SECONDS):
        return False, f"compiling does not pay in a training of about {expected:.0f} s"
    again = ", and this model was compiled before" if known else ""
    return True, f"compiling pays in a training of about {expected:.0f} s{again}"


def note_compiled(request: TrainingRequest) -> None:
    """Remember, where the compiler keeps its results, that the model of `request` is among them."""
    _compiled_marker(request).touch()


def _compiled_marker(request: TrainingRequest) -> Path:
    """A file beside the compiler's results, named by all that they depend on."""
    name = fingerprint(
        torch.__version__,
        request_config(request).to_json(),
        str(choose_dtype()[0]),
        request.threads,
        request.batch_tokens // request.accumulation // request.processes,
        request.sequence_length,
        request.gradient_checkpointing,
    )
    return Path(cache_dir()) / f"fakesmrt-{name}"


def expected_seconds(request: TrainingRequest) -> float:
    """The time budget, or a guess of what the steps take uncompiled (6 operations a parameter and token)."""
    if request.minutes is not None:
        return 60.0 * request.minutes
    n_tokens = (budgeted_steps(request) or 0) * request.batch_tokens
    return 6.0 * n_parameters(request_config(request)) * n_tokens / EAGER_FLOPS


def process_start() -> float:
    """When this process was started, on the clock of `time.monotonic`; see proc_pid_stat(5), field 22."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)


def steps_within(seconds_left: float, seconds_a_step: float) -> tuple[int, str]:
    """How many steps fit, at least one, and why."""
    n_steps = max(1, math.floor(seconds_left / seconds_a_step))
    return n_steps, f"{seconds_left:.0f} s left at {seconds_a_step:.3f} s a step"
