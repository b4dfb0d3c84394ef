"""Estimated against measured peak memory of trainings, each a few steps in a process of its own (Linux).

Every training is the one that ``fakesmrt train`` starts, from reading the tokens to writing the model, with the
same settings of glibc's memory, on random text made for it. Measured is the high-water mark of its resident memory
(VmHWM), estimated is what ``fakesmrt presets`` says of the same preset, batch and length.

Example: python benchmarks/memory_estimates.py --cases 1mx:32:256 1mx:32:256:eager 8mx:16:512 --steps 3
A case is PRESET:BATCH:LENGTH, with :eager for a training that is not compiled and :checkpointing for one that keeps
no activations of the blocks. Prints one JSON line: for each case both figures in bytes and their ratio, and the
largest departure of a ratio from 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

CASES = (
    "56kx:32:64:eager", "1mx:8:256:eager", "1mx:32:256:eager", "1mx:64:256:eager", "1mx:32:256",
    "1mx:128:256", "1mx-relu2:32:256", "4mx:32:256", "16mx:16:512", "16mx:16:512:checkpointing", "25m:8:512",
)  # fmt: skip
N_TEXTS = 40
TEXT_TOKENS = 4_096


def write_tokens(folder: Path) -> None:
    """A folder of random tokens under a tokenizer of 512, which every preset can read."""
    import numpy as np

    from warehouse.tokens.shards import ChunkTokens, write_shard
    from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

    source = np.random.default_rng(0)
    words = ["".join(map(chr, source.integers(97, 123, 6))) for _ in range(500)]
    tokenizer = Tokenizer(train_tokenizer([" ".join(words)], 512))
    (folder / "tokenizer.json").write_bytes(tokenizer.data)
    rows = [
        ChunkTokens(
            uuid.UUID(bytes=source.bytes(16)), uuid.UUID(bytes=source.bytes(16)), "random", 1.0,
            source.integers(1, tokenizer.vocab_size, TEXT_TOKENS).astype(np.uint16), 4 * TEXT_TOKENS,
        )
        for _ in range(N_TEXTS)
    ]  # fmt: skip
    for split, part in (("train", rows[:-8]), ("validation", rows[-8:])):
        write_shard(
            folder, split, part, shard_id=uuid.UUID(bytes=source.bytes(16)), split=split,
            tokenizer_sha256=tokenizer.sha256, vocab_size=tokenizer.vocab_size,
        )  # fmt: skip


def high_water_bytes() -> int:
    """Largest resident memory that this process ever had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024


def train(run_dir: Path) -> None:
    """Carry out the request in `run_dir` in this process, and print its peak."""
    from fakesmrt_models.training.run import main as run

    status = run(["--run-dir", str(run_dir)])
    print(json.dumps({"status": status, "peak_bytes": high_water_bytes()}))


def compare(case: str, tokens: Path, run_dir: Path, n_steps: int, threads: int) -> dict[str, Any]:
    """Train one case in a child process and estimate it here."""
    from fakesmrt_models.architecture.presets import preset
    from fakesmrt_models.training.budget import multiplies_bfloat16
    from fakesmrt_models.training.estimates import StepShape, estimate
    from fakesmrt_models.training.loss import choose_native
    from fakesmrt_models.training.request import TrainingRequest
    from fakesmrt_models.training.supervisor import ALLOCATION

    name, batch, length, *options = case.split(":")
    batch_size, sequence_length = int(batch), int(length)
    request = TrainingRequest(
        tokens=tokens, preset=name, steps=n_steps, threads=threads, batch_tokens=batch_size * sequence_length,
        sequence_length=sequence_length, compiled="eager" not in options,
        gradient_checkpointing="checkpointing" in options,
    )  # fmt: skip
    run_dir.mkdir()
    (run_dir / "request.json").write_bytes(request.to_json())
    command = [sys.executable, __file__, "--child", str(run_dir)]
    environment = ALLOCATION | os.environ | {"OMP_NUM_THREADS": str(threads)}
    finished = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    child = json.loads(finished.stdout.splitlines()[-1])
    assert child["status"] == 0, finished.stdout + finished.stderr
    shape = StepShape(
        batch_size=batch_size, sequence_length=sequence_length, compiled="eager" not in options,
        native=choose_native(preset(name))[0], gradient_checkpointing="checkpointing" in options,
        product_bytes=2 if multiplies_bfloat16() else 4, threads=threads,
    )  # fmt: skip
    expected = estimate(preset(name), shape)
    return {
        "case": case,
        "measured_bytes": child["peak_bytes"],
        "estimated_bytes": expected.memory_bytes,
        "ratio": round(expected.memory_bytes / child["peak_bytes"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=list(CASES), metavar="PRESET:BATCH:LENGTH")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        train(arguments.child)
        return
    results = []
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens"
        tokens.mkdir()
        write_tokens(tokens)
        for number, case in enumerate(arguments.cases):
            run_dir = Path(folder) / str(number)
            results.append(compare(case, tokens, run_dir, arguments.steps, arguments.threads))
            print(json.dumps(results[-1]), file=sys.stderr)
    largest = max(abs(result["ratio"] - 1) for result in results)
    print(
        json.dumps(
            {"benchmark": "memory_estimates", "cases": results, "largest_departure": round(largest, 3)}
        )
    )


if __name__ == "__main__":
    main()
