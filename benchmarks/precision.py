"""The ways to multiply in bfloat16 on a processor, beside float32: tokens a second of forward and backward passes.

    float32    everything in float32
    onednn     float32 tensors, which oneDNN multiplies in bfloat16 (`torch.backends.mkldnn.matmul.fp32_precision`)
    autocast   `torch.autocast`
    cast       weights cast at their use, activations in bfloat16: what the trainer does
    native     the same, with attention and loss in native code

All take the same batch in turns, and the best time of each counts. `gradient_error` is the distance of a way's
gradient from that of float32, as a share of the latter's norm.

Example: python -m benchmarks.precision --preset 1mx --seconds 20
prints one JSON line. ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 imitates a processor without AMX.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.loss import choose_native, loss_function

SEED = 0


@contextlib.contextmanager
def onednn_bfloat16() -> Iterator[None]:
    """Let oneDNN multiply float32 tensors in bfloat16."""
    before = torch.backends.mkldnn.matmul.fp32_precision
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    try:
        yield
    finally:
        torch.backends.mkldnn.matmul.fp32_precision = before


@dataclass
class Way:
    """A way to multiply, with a model of its own.

    Attributes:
        model: all ways have equal weights.
        step: forward and backward pass of a batch.
        around: what the passes run in.
        seconds: of each step that was taken.
    """

    model: Transformer
    step: Callable[[Tensor, Tensor], Tensor]
    around: Callable[[], AbstractContextManager[object]]
    seconds: list[float] = field(default_factory=list)

    def take(self, inputs: Tensor, targets: Tensor) -> None:
        """Take a step and its time."""
        self.model.zero_grad()
        begin = time.perf_counter()
        with self.around():
            self.step(inputs, targets).backward()
        self.seconds.append(time.perf_counter() - begin)

    def gradient(self) -> Tensor:
        """The last gradient as one vector."""
        return torch.cat([p.grad.flatten() for p in self.model.parameters() if p.grad is not None])


def ways_of(name: str, *, compiled: bool) -> dict[str, Way]:
    """Every way, the model called `name` in each."""

    def way(
        dtype: torch.dtype = torch.float32,
        around: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
        *,
        native: bool = False,
    ) -> Way:
        model = initialised(preset(name), SEED)
        # Projections that are zero at first would hide half of the gradient.
        generator = torch.Generator().manual_seed(SEED)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, 0.0, 0.05, generator=generator)
        model.compute_dtype = dtype
        return Way(model, loss_function(model, compiled=compiled, native=native), around)

    ways = {
        "float32": way(),
        "onednn": way(around=onednn_bfloat16),
        "autocast": way(around=lambda: torch.autocast("cpu", torch.bfloat16)),
        "cast": way(torch.bfloat16),
    }
    if choose_native(preset(name))[0]:
        ways["native"] = way(torch.bfloat16, native=True)
        ways["native_float32"] = way(native=True)
    return ways


def measure(name: str, n_sequences: int, seconds: float, *, compiled: bool) -> dict[str, object]:
    """Take turns for `seconds` after a first step of each."""
    config = preset(name)
    generator = torch.Generator().manual_seed(SEED)
    stream = torch.randint(
        0, config.vocab_size, (n_sequences, config.context_length + 1), generator=generator
    )
    inputs, targets = stream[:, :-1].contiguous(), stream[:, 1:].contiguous()
    ways = ways_of(name, compiled=compiled)
    errors = {}
    for label, way in ways.items():
        way.take(inputs, targets)
        way.seconds.clear()
        exact = ways["float32"].gradient()
        errors[label] = float((way.gradient() - exact).norm() / exact.norm())
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds or not ways["float32"].seconds:
        for way in ways.values():
            way.take(inputs, targets)
    return {
        "benchmark": "precision",
        "preset": name,
        "tokens": inputs.numel(),
        "threads": torch.get_num_threads(),
        "compiled": compiled,
        "tokens_per_second": {label: inputs.numel() / min(way.seconds) for label, way in ways.items()},
        "gradient_error": errors,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="1mx")
    parser.add_argument("--sequences", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    figures = measure(options.preset, options.sequences, options.seconds, compiled=options.compiled)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
