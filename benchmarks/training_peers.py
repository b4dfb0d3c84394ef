"""nanoGPT beside our trainer: its own train.py and model.py, from a checkout that the benchmarks are given.

What lives here: the tokens in the form that it reads, a run of its loop, and its model in the form that our count of
bits per byte asks. Nothing of it is changed, but for one line where bfloat16 is asked for on a processor: its loop
turns autocast off there, and that condition is taken out. Its process has the settings of memory that ours has.
"""

from __future__ import annotations

import importlib.util
import os
import pickle  # the only form in which nanoGPT is told a vocabulary
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.training.supervisor import ALLOCATION

SETTLING_STEPS = 5
"""Not counted: the first steps compile and fill caches."""

PROBE_STEPS = 40

LAUNCH = """
import sys
source = open("train.py").read()
condition = "nullcontext() if device_type == 'cpu' else"
assert source.count(condition) == 1
if sys.argv.pop(1) == "autocast":
    source = source.replace(condition, "")
sys.path.insert(0, ".")
exec(compile(source, "train.py", "exec"), {"__name__": "__main__"})
"""

SMALL_RECIPE: dict[str, Any] = {
    "gradient_accumulation_steps": 1, "dropout": 0.0, "learning_rate": 1e-3, "min_lr": 1e-4, "beta2": 0.99,
    "warmup_iters": 100,
}  # fmt: skip
"""Of its own configuration for small models on a processor (config/train_shakespeare_char.py and the README)."""


def nanogpt_shape(config: ModelConfig, sequence_length: int) -> dict[str, Any]:
    """As many layers, heads and units as `config` has; its feed-forward has two matrices of four times the width."""
    return {
        "n_layer": config.n_layers, "n_head": config.n_heads, "n_embd": config.width, "block_size": sequence_length,
    }  # fmt: skip


def write_nanogpt_tokens(
    folder: Path, train: NDArray[np.uint16], validation: NDArray[np.uint16], vocab_size: int
) -> Path:
    """Write a data set as nanoGPT reads it; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    train.tofile(folder / "train.bin")
    validation.tofile(folder / "val.bin")
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": vocab_size}))
    return folder


def run_nanogpt(
    checkout: Path,
    data: Path,
    n_steps: int,
    options: Mapping[str, Any],
    *,
    autocast: bool,
    threads: int,
    out: Path,
) -> list[float]:
    """Run its train.py for `n_steps` iterations; returns the seconds of each after the first five.

    A checkpoint of the last iteration lies in `out`. It measures its loss on one batch at begin and end.
    """
    flags = {
        "dataset": data.resolve(), "out_dir": out.resolve(), "device": "cpu", "max_iters": n_steps,
        "lr_decay_iters": n_steps, "eval_interval": n_steps, "eval_iters": 1, "log_interval": 1,
        "always_save_checkpoint": True, "dtype": "bfloat16", **options,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, "autocast" if autocast else "as it is"]
        + [f"--{name}={value}" for name, value in flags.items()],
        cwd=checkout, env=ALLOCATION | os.environ | {"OMP_NUM_THREADS": str(threads)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"nanoGPT ended with status {done.returncode}: {done.stderr[-2_000:]}")
    seconds = [
        float(found) / 1e3 for found in re.findall(r"^iter \d+:.* time ([\d.]+)ms", done.stdout, re.MULTILINE)
    ]
    return seconds[SETTLING_STEPS:]


def nanogpt_step_seconds(
    checkout: Path, data: Path, options: Mapping[str, Any], *, autocast: bool, threads: int, out: Path
) -> float:
    """Median seconds of an iteration in a short run."""
    return median(
        run_nanogpt(checkout, data, PROBE_STEPS, options, autocast=autocast, threads=threads, out=out)
    )


class NanoGpt:
    """A checkpoint of nanoGPT with the methods by which `chunk_nats` asks a model."""

    def __init__(self, checkout: Path, out: Path) -> None:
        """Load `out`/ckpt.pt with the checkout's model.py."""
        specification = importlib.util.spec_from_file_location("nanogpt_model", checkout / "model.py")
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        saved = torch.load(out / "ckpt.pt", map_location="cpu", weights_only=True)
        # It prints its size, and a benchmark's output is one line.
        with redirect_stdout(sys.stderr):
            self.model: Any = module.GPT(module.GPTConfig(**saved["model_args"]))
        self.model.load_state_dict(
            {name.removeprefix("_orig_mod."): tensor for name, tensor in saved["model"].items()}
        )
        self.n_parameters = sum(parameter.numel() for parameter in self.model.parameters())

    def eval(self) -> None:
        """Measure, do not train."""
        self.model.eval()

    def hidden(self, inputs: Tensor) -> Tensor:
        """Its logits at every position: it gives them only where targets are given, which change nothing else."""
        inputs = inputs.contiguous()
        logits: Tensor = self.model(inputs, inputs)[0]
        return logits

    def logits(self, hidden: Tensor) -> Tensor:
        """What `hidden` gave."""
        return hidden
