"""How fast this machine trains: real steps for some seconds, uncompiled.

What lives here: measurements, in this process. What does not: what a preset costs by arithmetic (``estimates.py``).
"""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from statistics import median

import torch

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.architecture.transformer import initialised
from fakesmrt_models.training.budget import multiplies_bfloat16
from fakesmrt_models.training.loss import choose_native, loss_function
from fakesmrt_models.training.optimizer import Optimizer
from fakesmrt_models.training.request import OptimizerConfig
from fakesmrt_models.training.utilisation import flops_per_token
from warehouse.errors import InputUnreadable

MEASURED_FLOPS = 3e11
"""Of a measured step: about a second on two cores, so that the largest presets are measured too."""

FEWEST_MEASURED_STEPS = 2

NARROW, WIDE = "1mx", "16mx"
"""Presets by which the speed of all is judged: wider matrices are multiplied faster."""


def tokens_per_second(
    config: ModelConfig, batch_size: int, sequence_length: int, seconds: float, threads: int
) -> float:
    """Median speed of training steps over `seconds`, after one that does not count.

    Of a large model fewer or shorter sequences than asked for make a step, so that some steps fit.

    Args:
        config: of the model, which is made new and forgotten.
        batch_size: sequences of a step, at most.
        sequence_length: their tokens, at most.
        seconds: to measure; two steps at least are measured.
        threads: of the processor.
    """
    torch.set_num_threads(threads)
    dtype = torch.bfloat16 if multiplies_bfloat16() else torch.float32
    model = initialised(config, seed=0).train()
    model.compute_dtype = dtype
    loss = loss_function(model, compiled=False, native=choose_native(config)[0])
    optimizer = Optimizer(model, OptimizerConfig(), dtype)
    batch_size, sequence_length = measured_batch(config, batch_size, sequence_length)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(config.vocab_size, (batch_size, sequence_length + 1), generator=generator)
    durations: list[float] = []
    while len(durations) <= FEWEST_MEASURED_STEPS or sum(durations) < seconds:
        begin = time.perf_counter()
        torch.autograd.backward(loss(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()))
        optimizer.step(1.0)
        durations.append(time.perf_counter() - begin)
    return batch_size * sequence_length / median(durations[1:])


def measured_batch(config: ModelConfig, batch_size: int, sequence_length: int) -> tuple[int, int]:
    """The part of a step that is measured: sequences and their length, at least one of 64 tokens where asked for."""
    n_tokens = int(MEASURED_FLOPS / flops_per_token(config, sequence_length))
    sequence_length = min(sequence_length, max(64, n_tokens))
    return min(batch_size, max(1, n_tokens // sequence_length)), sequence_length


class MachineSpeed:
    """Operations a second of training steps on this machine, measured on a narrow and on a wide model."""

    def __init__(self, seconds: float, threads: int) -> None:
        """Measure for about `seconds` in all."""
        self._rates = {
            PRESETS[name].width: _operations_per_second(PRESETS[name], seconds / 2, threads)
            for name in (NARROW, WIDE)
        }

    def tokens_per_second(self, config: ModelConfig, sequence_length: int) -> float:
        """Expected speed of a model: its width decides what share of the processor it can use."""
        (narrow, slow), (wide, fast) = sorted(self._rates.items())
        place = math.log(config.width / narrow) / math.log(wide / narrow)
        place = min(1.0, max(0.0, place))
        rate = math.exp((1 - place) * math.log(slow) + place * math.log(fast))
        return rate / flops_per_token(config, sequence_length)


def available_bytes() -> int:
    """Memory that a new process could take without swapping (Linux, MemAvailable)."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    if found is None:
        raise InputUnreadable("/proc/meminfo does not say what memory is available", "Use --no-measure")
    return 1024 * int(found.group(1))


def _operations_per_second(config: ModelConfig, seconds: float, threads: int) -> float:
    length = config.context_length
    speed = tokens_per_second(config, 8_192 // length, length, seconds, threads)
    return speed * flops_per_token(config, length)
