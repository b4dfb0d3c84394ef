"""``kill -9`` of trainings at random moments: each must end in the bytes in which the undisturbed one ends.

One training of some steps is left undisturbed, for eager and for compiled steps each. Others with the same request are
killed once, at a moment drawn from a seed, and taken up again by the same command:

    outside        by another process, when the metrics show a step
    step           before a step
    accumulation   between two micro-batches of a step
    epoch          after the update that begins a new epoch, before it is noted
    saving         before one of the calls that write, rename or remove the files of checkpoints, metrics and samples

Then weights, moving average, momenta and generator of the last checkpoint, the finished model, the account of tokens,
the samples and the metrics (wall-clock fields apart) are compared byte for byte.

Example: python -m benchmarks.killed_trainings --kills 20 --seed 1
prints one JSON line: trainings that ended equal, of how many, by mode and by moment. Exit status 1 if any did not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.training import run
from fakesmrt_models.training.metrics import METRICS_FILE, WALL_CLOCK_FIELDS, read_metrics
from fakesmrt_models.training.request import REQUEST_FILE, EarlyStop, TrainingRequest
from warehouse.tokens.shards import TOKENIZER_FILE, ChunkTokens, write_shard
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

N_TEXTS = 30
CHUNK_CHARACTERS = 1_000
MOMENTS = ("outside", "step", "accumulation", "epoch", "saving")
N_WRITES = 60
"""Calls that write, rename or remove files, at least, in a training of so few steps."""


def write_tokens(folder: Path) -> Path:
    """Some documentation topics of Python as shards: about 25 steps an epoch."""
    folder.mkdir()
    texts = [text[:3_000] for _, text in sorted(topics.items())][:N_TEXTS]
    data = train_tokenizer(texts, 512)
    (folder / TOKENIZER_FILE).write_bytes(data)
    tokenizer = Tokenizer(data)
    for split, part in (("train", texts[5:]), ("validation", texts[:5])):
        chunks = [
            ChunkTokens(
                chunk_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{number}-{start}"),
                document_id=uuid.uuid5(uuid.NAMESPACE_OID, str(number)),
                corpus="topics",
                weight=1.0,
                tokens=tokenizer.encode(text[start : start + CHUNK_CHARACTERS]),
                n_bytes=len(text[start : start + CHUNK_CHARACTERS].encode()),
            )
            for number, text in enumerate(part)
            for start in range(0, len(text), CHUNK_CHARACTERS)
        ]
        write_shard(
            folder, f"{split}-0", chunks, shard_id=uuid.uuid5(uuid.NAMESPACE_OID, split), split=split,
            tokenizer_sha256=tokenizer.sha256, vocab_size=tokenizer.vocab_size,
        )  # fmt: skip
    return folder


def request_for(tokens: Path, n_steps: int, threads: int, *, compiled: bool) -> TrainingRequest:
    """A training that uses all that a checkpoint must hold."""
    return TrainingRequest(
        tokens=tokens, preset="56kx", config=replace(preset("56kx"), dropout=0.1), steps=n_steps, threads=threads,
        batch_tokens=1_024, accumulation=2, sequence_length=64, bootstrap_seed=1, compiled=compiled, clip_norm=1.0,
        ema_decay=0.95, early_stop=EarlyStop(patience=1_000), evaluation_seconds=0.02, checkpoint_seconds=0.2,
        keep_every=10, sample_prompts=("The ",),
    )  # fmt: skip


def kill_at(moment: str, number: int) -> None:
    """Arrange that this process is killed at a moment of the training that it is about to begin.

    Args:
        moment: one of `MOMENTS` but "outside".
        number: of the step, of the epoch that begins, or of the call.
    """
    from fakesmrt_models.training import loop

    update, step_gradient = loop.Trainer._update, loop.step_gradient
    at_step = [-1]

    def updated(trainer: Any, step: int, cursor: Any, factor: float) -> Any:
        at_step[0] = step
        if moment == "step" and step == number:
            die()
        gradient = update(trainer, step, cursor, factor)
        end = trainer.stream.advanced(cursor, trainer.request.batch_tokens)
        if moment == "epoch" and end.epoch > cursor.epoch and end.epoch == number:
            die()
        return gradient

    def gradient_of(loss: Callable[..., Any], *arguments: Any) -> Any:
        n_calls = 0

        def watched(*batch: Any) -> Any:
            nonlocal n_calls
            n_calls += 1
            if moment == "accumulation" and at_step[0] == number and n_calls == 2:
                die()
            return loss(*batch)

        return step_gradient(watched, *arguments)

    loop.Trainer._update = updated  # type: ignore[method-assign]
    loop.step_gradient = gradient_of
    if moment == "saving":
        _count_writes(number)


def _count_writes(number: int) -> None:
    """Be killed before the call of this number among those that make files durable or remove them."""
    n_calls = 0

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal n_calls
            n_calls += 1
            if n_calls == number:
                die()
            return call(*arguments, **options)

        return counted

    for module, name in ((os, "fsync"), (os, "rename"), (os, "replace"), (shutil, "rmtree")):
        setattr(module, name, watched(getattr(module, name)))


def die() -> None:
    """End this process as the kernel would for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def child(run_dir: Path, moment: str, number: int) -> int:
    """Train in `run_dir` in a process of its own, killed at a moment; "" for none. Returns its status."""
    arguments = ["--child", str(run_dir), "--moment", moment, "--number", str(number)]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.killed_trainings", *arguments])
    while moment == "outside" and process.poll() is None:
        metrics = run_dir / METRICS_FILE
        if metrics.exists() and any(line["step"] >= number for line in read_metrics(metrics)):
            process.kill()
        time.sleep(0.001)
    return process.wait()


def ends_of(run_dir: Path) -> dict[str, str]:
    """The hash of everything that a training leaves and that must not depend on kills."""
    last = sorted((run_dir / "checkpoints").glob("step-*"))[-1]
    paths = [*sorted(last.glob("*.safetensors")), run_dir / "ranges.json", run_dir / "samples.jsonl"]
    paths += [run_dir / "model" / "model.safetensors", run_dir / "model" / "raw.safetensors"]
    ends = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    lines = [
        {key: line[key] for key in line if key not in WALL_CLOCK_FIELDS}
        for line in read_metrics(run_dir / METRICS_FILE)
    ]
    return ends | {"metrics": hashlib.sha256(json.dumps(lines).encode()).hexdigest()}


def begun(request: TrainingRequest, run_dir: Path) -> Path:
    """The folder of a training that has not begun."""
    run_dir.mkdir()
    (run_dir / REQUEST_FILE).write_bytes(request.to_json())
    return run_dir


def killed_training(
    request: TrainingRequest, run_dir: Path, moment: str, draw: random.Random, n_epochs: int
) -> None:
    """Kill a training once and take it up again to its end.

    Raises:
        RuntimeError: it was not killed, or failed otherwise.
    """
    highest = {"epoch": n_epochs, "saving": N_WRITES}.get(moment, (request.steps or 0) - 2)
    number = draw.randint(1, highest)
    begun(request, run_dir)
    if (status := child(run_dir, moment, number)) != -signal.SIGKILL:
        raise RuntimeError(f"{moment} {number}: the training ended with status {status} before it was killed")
    if status := child(run_dir, "", 0):
        raise RuntimeError(f"{moment} {number}: the resumed training ended with status {status}")


def measure(
    n_kills: int, seed: int, n_steps: int, threads: int, modes: list[str], root: Path
) -> dict[str, Any]:
    """Kill trainings in every mode; which ended equal."""
    tokens = write_tokens(root / "tokens")
    draw = random.Random(seed)  # noqa: S311  # moments, not secrets
    equal: Counter[str] = Counter()
    differing: list[str] = []
    for mode in modes:
        request = request_for(tokens, n_steps, threads, compiled=mode == "compiled")
        undisturbed = begun(request, root / mode)
        if child(undisturbed, "", 0):
            raise RuntimeError("the undisturbed training failed")
        expected = ends_of(undisturbed)
        state = json.loads(
            next((undisturbed / "checkpoints").glob(f"step-{n_steps:08d}/state.json")).read_bytes()
        )
        for kill in range(n_kills):
            moment = MOMENTS[kill % len(MOMENTS)]
            run_dir = root / f"{mode}-{kill}"
            killed_training(request, run_dir, moment, draw, state["position"]["cursor"]["epoch"])
            found = ends_of(run_dir)
            equal[mode] += found == expected
            equal[moment] += found == expected
            differing += [f"{mode} {moment} {name}" for name in expected if found.get(name) != expected[name]]
            shutil.rmtree(run_dir)
    return {
        "benchmark": "killed_trainings", "kills": n_kills * len(modes), "steps": n_steps,
        "threads": threads, "seed": seed,
        "equal": sum(equal[mode] for mode in modes), "by": dict(equal), "differing": differing,
    }  # fmt: skip


def main() -> int:
    """Measure, or be one of the trainings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, help="for each mode")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--modes", nargs="+", default=["eager", "compiled"], choices=["eager", "compiled"])
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--moment", default="", help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        if options.moment not in {"", "outside"}:
            kill_at(options.moment, options.number)
        return run.main(["--run-dir", str(options.child)])
    with tempfile.TemporaryDirectory(prefix="killed-") as root:
        figures = measure(
            options.kills, options.seed, options.steps, options.threads, options.modes, Path(root)
        )
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(figures["equal"] != figures["kills"])


if __name__ == "__main__":
    sys.exit(main())
