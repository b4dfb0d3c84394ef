"""The fastest way to train several models of one shape on this machine's cores, at equal tokens for each model.

    python benchmarks/fleet.py --preset 1mx --models 4 --steps 20 --rounds 3

Three ways, each in processes of its own, with the loss and the optimiser of the trainer:

- in_turn: one process with all cores takes a step of each model in turn, not one training after another;
- side_by_side: a process with one thread for each core, the models shared out among them, each taking steps in turn;
- stacked: one process with all cores trains all models as one batched model (architecture/stacked.py), with torch's
  attention and loss, because native code knows no batched model. `native` tells which way has it; with --torch-only
  none has, which compares the ways alone.

Every process first takes two steps (compilation), then waits until all of its way are ready. Ways are timed in turn,
in every round each of them; the wall time of a way is that from the start signal to its last process's last step. The
batches are random tokens: their content costs no time. One line of JSON at the end, medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

Step = Callable[[], None]


@dataclass(frozen=True)
class Work:
    """What one process does."""

    preset: str
    models: int
    steps: int
    batch_tokens: int
    threads: int
    stacked: bool
    compiled: bool
    native: bool


class Worker:
    """A process that is ready to train when it has been made."""

    def __init__(self, work: Work) -> None:
        command = [sys.executable, __file__, "--work", json.dumps(work.__dict__)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(work.threads)},
        )

    def say(self, line: str) -> None:
        """Send a line; the worker acts when it has come."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """Wait for the worker's next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"A worker ended with status {self._process.wait()}")
        return line

    def end(self) -> None:
        """Let it go."""
        self.say("end")
        self._process.wait()


def work_here(work: Work) -> None:
    """Be a worker: take two steps, then `steps` for every "go"."""
    import torch

    torch.set_num_threads(work.threads)
    step = stacked_step(work) if work.stacked else separate_step(work)
    step()
    step()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        if line.strip() != "go":
            return
        for _ in range(work.steps):
            step()
        sys.stdout.write("done\n")
        sys.stdout.flush()


def separate_step(work: Work) -> Step:
    """A step of one model after another."""
    import torch

    from fakesmrt_models.training.loss import loss_function

    models, optimizers, batch = _models(work)
    # Models of one shape share what is compiled, because only their parameters differ.
    losses = [loss_function(model, compiled=work.compiled, native=work.native) for model in models]

    def step() -> None:
        for number, (loss, optimizer) in enumerate(zip(losses, optimizers, strict=True)):
            torch.autograd.backward(loss(batch[number], batch[number]))
            optimizer.step(1.0)

    return step


def stacked_step(work: Work) -> Step:
    """A step of all models at once."""
    import torch
    from torch import Tensor
    from torch.nn import functional as F

    from fakesmrt_models.architecture.stacked import stacked_logits

    models, optimizers, batch = _models(work)

    def loss(tokens: Tensor) -> Tensor:
        logits = stacked_logits(models, tokens).float()
        return F.cross_entropy(logits.flatten(0, 2), tokens.flatten()) * len(models)

    chosen = torch.compile(loss, dynamic=False) if work.compiled else loss

    def step() -> None:
        torch.autograd.backward(chosen(batch))
        for optimizer in optimizers:
            optimizer.step(1.0)

    return step


def _models(work: Work) -> tuple[list[Any], list[Any], Any]:
    import torch

    from fakesmrt_models.architecture.presets import preset
    from fakesmrt_models.architecture.transformer import initialised
    from fakesmrt_models.training.budget import multiplies_bfloat16
    from fakesmrt_models.training.optimizer import Optimizer
    from fakesmrt_models.training.request import OptimizerConfig

    config, dtype = preset(work.preset), torch.bfloat16 if multiplies_bfloat16() else torch.float32
    models = [initialised(config, seed) for seed in range(work.models)]
    for model in models:
        model.compute_dtype = dtype
    optimizers = [Optimizer(model, OptimizerConfig(), dtype) for model in models]
    shape = (work.models, work.batch_tokens // config.context_length, config.context_length)
    generator = torch.Generator().manual_seed(0)
    return models, optimizers, torch.randint(0, config.vocab_size, shape, generator=generator)


def ways(options: argparse.Namespace, cores: int) -> dict[str, list[Work]]:
    """The processes of each way."""

    def work(models: int, threads: int, stacked: bool) -> Work:
        return Work(
            options.preset,
            models,
            options.steps,
            options.batch_tokens,
            threads,
            stacked,
            not options.eager,
            not options.torch_only and not stacked,
        )

    shares = [len(range(number, options.models, cores)) for number in range(cores)]
    every = {
        "in_turn": [work(options.models, cores, False)],
        "side_by_side": [work(share, 1, False) for share in shares if share],
        "stacked": [work(options.models, cores, True)],
    }
    return {name: every[name] for name in options.ways}


def timed(works: list[Work]) -> tuple[list[Worker], Callable[[], float]]:
    """The started workers of a way, all ready, and a function that lets them train once: wall seconds."""
    workers = [Worker(work) for work in works]
    for worker in workers:
        worker.answer()

    def run() -> float:
        begin = time.perf_counter()
        for worker in workers:
            worker.say("go")
        for worker in workers:
            worker.answer()
        return time.perf_counter() - begin

    return workers, run


def main() -> None:
    """Time every way and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--preset", default="1mx")
    parser.add_argument("--models", type=int, default=4)
    parser.add_argument("--steps", type=int, default=20, help="steps of each model in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-tokens", type=int, default=8_192)
    parser.add_argument("--eager", action="store_true", help="compile nothing")
    parser.add_argument("--torch-only", action="store_true", help="without the native kernels")
    parser.add_argument(
        "--ways", nargs="+", default=["in_turn", "side_by_side", "stacked"], help="which of the three"
    )
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work_here(Work(**json.loads(options.work)))
        return
    cores = len(os.sched_getaffinity(0))
    chosen = ways(options, cores)
    prepared = {name: timed(works) for name, works in chosen.items()}
    seconds: dict[str, list[float]] = {name: [] for name in prepared}
    for _ in range(options.rounds):
        for name, (_, run) in prepared.items():
            seconds[name].append(run())
    for workers, _ in prepared.values():
        for worker in workers:
            worker.end()
    n_tokens = options.models * options.steps * options.batch_tokens
    speeds = {name: n_tokens / median(taken) for name, taken in seconds.items()}
    facts = {
        "benchmark": "fleet",
        "preset": options.preset,
        "models": options.models,
        "steps": options.steps,
        "batch_tokens": options.batch_tokens,
        "cores": cores,
        "compiled": not options.eager,
        "native": {name: works[0].native for name, works in chosen.items()},
        "tokens_per_second": {name: round(speed) for name, speed in speeds.items()},
        "seconds": {name: [round(value, 2) for value in taken] for name, taken in seconds.items()},
        "fastest": max(speeds, key=lambda name: speeds[name]),
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
