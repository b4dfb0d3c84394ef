"""Choices made once at the start, each with its reason: number type, compilation, number of steps in a time."""

from __future__ import annotations

import json
import math
import os
import shutil
import sysconfig
import time
from pathlib import Path

import torch
from torch._inductor.runtime.cache_dir_utils import cache_dir

from fakesmrt_models.training.duration import COMPILING_PAYS_SECONDS, expected_seconds
from fakesmrt_models.training.request import TrainingRequest, request_config
from warehouse.files import write_bytes_whole
from warehouse.identity import fingerprint

COMPILED_BEFORE_PAYS_SECONDS = 20.0
"""What was compiled before is read from a cache in about 4 s."""

MEASURING_PAYS_SECONDS = 10.0
MEASURED_TOKENS = 2_048
MEASURED_PRODUCTS = 50
"""A few milliseconds for the small models; the least of so many times is not that of another process."""


def choose_dtype(request: TrainingRequest) -> tuple[torch.dtype, str]:
    """bfloat16 where the processor multiplies it faster than float32, else float32, and why."""
    if not multiplies_bfloat16():
        return torch.float32, "the processor does not multiply bfloat16"
    if expected_seconds(request) < MEASURING_PAYS_SECONDS:
        return torch.bfloat16, "the processor multiplies bfloat16"
    gain = _bfloat16_gain(request)
    reason = f"products in bfloat16 take {1 / gain:.2f} times as long as in float32 on this processor"
    return (torch.bfloat16 if gain > 1 else torch.float32), reason


def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16"))


def _bfloat16_gain(request: TrainingRequest) -> float:
    """How many times as fast as in float32 the products of this shape are in bfloat16: measured once on a machine."""
    config = request_config(request)
    shape = (MEASURED_TOKENS, config.width, config.feed_forward_width)
    path = _remembered("bfloat16-gain", *map(str, shape), str(request.threads))
    if not path.exists():
        torch.set_num_threads(request.threads)
        gain = measured_bfloat16_gain(*shape)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_whole(path, json.dumps(gain).encode())
    return float(json.loads(path.read_bytes()))


def measured_bfloat16_gain(n_tokens: int, width: int, feed_forward_width: int) -> float:
    """Least time of the product [n_tokens, width] x [width, feed_forward_width] in float32, over that in bfloat16."""
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(n_tokens, width, generator=generator)
    right = torch.randn(width, feed_forward_width, generator=generator)
    least = dict.fromkeys((torch.float32, torch.bfloat16), math.inf)
    for _ in range(MEASURED_PRODUCTS):
        for dtype in least:
            factors = left.to(dtype), right.to(dtype)
            begin = time.perf_counter()
            torch.mm(*factors)
            least[dtype] = min(least[dtype], time.perf_counter() - begin)
    return least[torch.float32] / least[torch.bfloat16]


def choose_compilation(request: TrainingRequest) -> tuple[bool, str]:
    """Whether to compile the model, and why: of steps or tokens whatever was trained before, for bits depend on it."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        return False, f"there is no C++ compiler {compiler}"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        return False, "the headers of Python are not installed"
    if request.compiled is not None:
        return request.compiled, "as requested"
    expected = expected_seconds(request)
    known = request.minutes is not None and _compiled_marker(request).exists()
    if expected < (COMPILED_BEFORE_PAYS_SECONDS if known else COMPILING_PAYS_SECONDS):
        return False, f"compiling does not pay in a training of about {expected:.0f} s"
    again = ", and this model was compiled before" if known else ""
    return True, f"compiling pays in a training of about {expected:.0f} s{again}"


def note_compiled(request: TrainingRequest) -> None:
    """Remember, where the compiler keeps its results, that the model of `request` is among them."""
    _compiled_marker(request).touch()


def _compiled_marker(request: TrainingRequest) -> Path:
    """A file named by all that the compiler's results depend on."""
    return _remembered(
        "compiled",
        request_config(request).to_json(),
        str(choose_dtype(request)[0]),
        str(request.threads),
        str(request.batch_tokens // request.accumulation // request.processes),
        str(request.sequence_length),
        str(request.gradient_checkpointing),
    )


def _remembered(*what: str) -> Path:
    """A file beside the compiler's results, for what is known of this machine with this version of torch."""
    products = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    name = fingerprint(torch.__version__, json.dumps(dict(torch.cpu.get_capabilities())), products, *what)
    return Path(cache_dir()) / f"fakesmrt-{name}"


def process_start() -> float:
    """When this process was started, on the clock of `time.monotonic`; see proc_pid_stat(5), field 22."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)


def steps_within(seconds_left: float, seconds_a_step: float) -> tuple[int, str]:
    """How many steps fit, at least one, and why."""
    if seconds_left < seconds_a_step:
        return 1, "the set-up took the whole time budget, which is too small: one more step was taken"
    n_steps = math.floor(seconds_left / seconds_a_step)
    return n_steps, f"{seconds_left:.0f} s left at {seconds_a_step:.3f} s a step"
