"""Tokens a second of training 1mx, beside a plain loop, nanoGPT and the Trainer of transformers, in one run.

    python benchmarks/training_speed.py --texts corpora/prose/classic_books --nanogpt ../nanoGPT \\
        --transformers-python PYTHON
    python benchmarks/training_speed.py --texts … --isa AVX512_CORE_BF16    # as on a processor without AMX

Whole loops over the same tokens, 32 sequences of 256 a step, data and optimiser included, evaluation and the first
five steps (compilation) not. Every side runs in a process of its own, one after the other, in several rounds, so that
all meet the same machine; the figure is the median over all steps of all rounds. Every process, also those of the peers
and of the matrix products, has the settings of glibc's memory that ``fakesmrt train`` gives its own.

    ours                   ``fakesmrt train`` as it chooses for a long training: number type, native code, compiled
    eager_float32          the plain loop: our module in torch alone, eager, float32, torch's AdamW, the same tokens
    nanogpt                its train.py, compiled, as it is on a processor (float32): as many layers, heads and units
    nanogpt_bfloat16       the same with the autocast to bfloat16 that it has for accelerators
    transformers           its Trainer on Qwen3 of the same shape, as it is (float32, eager)
    transformers_bfloat16  the same with bf16=True

A ratio divides by the faster of a peer's two number types. The utilisation is that of the fastest product of two
2,048 x 2,048 matrices in bfloat16 in the same run (and, beside it, in float32), at the operations that
utilisation.py counts for a token. The time by component is the processor's own in a few steps under torch's profiler;
the product with the output matrix counts as loss where native code does both. Prints one JSON line. PYTHON is one that
finds torch, transformers and accelerate; a side whose option is not given is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

SEQUENCE_LENGTH = 256
BATCH_TOKENS = 8_192
N_SEQUENCES = BATCH_TOKENS // SEQUENCE_LENGTH
SETTLING_STEPS = 5
SIDE = 2_048
PROFILED_STEPS = 6
LONG_STEPS = 200

COMPONENTS = {
    "attention": ("attention", "scaled_dot_product", "flash"),
    "loss": ("cross_entropy", "softmax", "nll"),
    "matmuls": ("mm", "linear", "matmul", "packed", "mkl"),
}
"""Which operators a component has, by a part of their names; the first that fits counts."""


def ours(tokens: Path, n_steps: int, threads: int) -> dict[str, Any]:
    """Our loop; seconds between the lines of its metrics, a line a step."""
    from fakesmrt_models.training.metrics import METRICS_FILE, read_metrics
    from fakesmrt_models.training.supervisor import run_training

    with tempfile.TemporaryDirectory() as folder:
        result = run_training(_request(tokens, n_steps, threads), Path(folder))
        lines = [line for line in read_metrics(Path(folder) / METRICS_FILE) if line["bits_per_byte"] is None]
    seconds = np.diff([line["seconds"] for line in lines])[SETTLING_STEPS:]
    return {
        "seconds": seconds.tolist(), "dtype": result.dtype, "compiled": result.compiled,
        "native": result.native,
    }  # fmt: skip


def eager_float32(tokens: Path, n_steps: int, threads: int) -> dict[str, Any]:
    """The plain loop."""
    import torch

    from fakesmrt_models.architecture.presets import preset
    from fakesmrt_models.architecture.transformer import initialised
    from fakesmrt_models.training.data import Cursor, TokenStream
    from fakesmrt_models.training.loss import loss_function
    from warehouse.tokens.shards import open_split

    torch.set_num_threads(threads)
    stream, cursor = TokenStream(open_split(tokens, "train"), seed=0), Cursor()
    model = initialised(preset("1mx"), 0)
    model.compute_dtype = torch.float32
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loss = loss_function(model, compiled=False, native=False)
    times = [time.perf_counter()]
    for _ in range(n_steps):
        inputs, targets, cursor = stream.batch(cursor, N_SEQUENCES, SEQUENCE_LENGTH)
        value = loss(inputs, targets)
        torch.autograd.backward(value)
        optimizer.step()
        optimizer.zero_grad()
        float(value.detach())
        times.append(time.perf_counter())
    return {"seconds": np.diff(times)[SETTLING_STEPS:].tolist()}


def nanogpt(tokens: Path, n_steps: int, threads: int, checkout: Path, autocast: bool) -> dict[str, Any]:
    """Its train.py."""
    from training_peers import SMALL_RECIPE, nanogpt_shape, run_nanogpt, write_nanogpt_tokens

    from fakesmrt_models.architecture.presets import preset
    from warehouse.tokens.shards import open_split

    options = nanogpt_shape(preset("1mx"), SEQUENCE_LENGTH) | SMALL_RECIPE
    options |= {"compile": True, "batch_size": N_SEQUENCES}
    train = np.concatenate([shard.tokens for shard in open_split(tokens, "train")])
    with tempfile.TemporaryDirectory() as folder:
        data = write_nanogpt_tokens(Path(folder) / "data", train, train[:100_000], preset("1mx").vocab_size)
        seconds = run_nanogpt(
            checkout, data, n_steps, options, autocast=autocast, threads=threads, out=Path(folder) / "out"
        )
    return {"seconds": seconds}


def transformers(tokens: Path, n_steps: int, threads: int, bf16: bool) -> dict[str, Any]:
    """The Trainer; runs in the Python that has accelerate."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM, Trainer, TrainerCallback, TrainingArguments

    from fakesmrt_models.architecture.presets import preset

    shape = preset("1mx")
    torch.set_num_threads(threads)
    stream = np.fromfile(tokens / "train-00.bin", np.uint16)
    sequences = stream[: len(stream) // SEQUENCE_LENGTH * SEQUENCE_LENGTH].reshape(-1, SEQUENCE_LENGTH)
    times = []

    class Sequences(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(sequences)

        def __getitem__(self, number: int) -> dict[str, Any]:
            ids = torch.from_numpy(sequences[number].astype(np.int64))
            return {"input_ids": ids, "labels": ids}

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.append(time.perf_counter())

    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=shape.vocab_size, hidden_size=shape.width, num_hidden_layers=shape.n_layers,
            num_attention_heads=shape.n_heads, num_key_value_heads=shape.n_kv_heads, head_dim=shape.head_width,
            intermediate_size=shape.feed_forward_width, max_position_embeddings=SEQUENCE_LENGTH,
            tie_word_embeddings=True, use_cache=False,
        )
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, max_steps=n_steps, per_device_train_batch_size=N_SEQUENCES, learning_rate=1e-3,
            use_cpu=True, bf16=bf16, report_to=[], save_strategy="no", disable_tqdm=True, logging_steps=n_steps,
            dataloader_pin_memory=False,
        )  # fmt: skip
        Trainer(model=model, args=arguments, train_dataset=Sequences(), callbacks=[Clock()]).train()
    return {"seconds": np.diff(times)[SETTLING_STEPS:].tolist()}


def peak(threads: int) -> dict[str, float]:
    """Operations a second of the fastest of twenty large products, by number type."""
    import torch

    torch.set_num_threads(threads)
    fastest = {}
    for dtype in (torch.bfloat16, torch.float32):
        left, right = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
        seconds = []
        for _ in range(20):
            begin = time.perf_counter()
            torch.mm(left, right)
            seconds.append(time.perf_counter() - begin)
        fastest[str(dtype).removeprefix("torch.")] = 2.0 * SIDE**3 / min(seconds)
    return fastest


def components(tokens: Path, threads: int) -> dict[str, float]:
    """Milliseconds a step of each component of our loop, by the profiler."""
    from torch.profiler import ProfilerActivity, profile, record_function

    from fakesmrt_models.training.loop import Trainer

    def in_range(name: str, function: Any) -> Any:
        def ranged(*arguments: Any, **keywords: Any) -> Any:
            with record_function(name):
                return function(*arguments, **keywords)

        return ranged

    with tempfile.TemporaryDirectory() as folder:
        # Planned as long as the others, because the number type is chosen by that; it is left early.
        trainer: Any = Trainer(_request(tokens, LONG_STEPS, threads), Path(folder))
        trainer.stream.batch = in_range("data", trainer.stream.batch)
        trainer.optimizer.step = in_range("optimizer", trainer.optimizer.step)
        profiler = profile(activities=[ProfilerActivity.CPU], acc_events=True)
        n_steps = 0

        def after_step() -> bool:
            nonlocal n_steps
            n_steps += 1
            if n_steps == SETTLING_STEPS:
                profiler.start()
            if n_steps == SETTLING_STEPS + PROFILED_STEPS:
                profiler.stop()
            return n_steps == SETTLING_STEPS + PROFILED_STEPS

        trainer.run(after_step)
    totals = dict.fromkeys((*COMPONENTS, "optimizer", "data", "other"), 0.0)
    for event in profiler.events() or []:
        if event.name not in totals:
            totals[_component(event)] += event.self_cpu_time_total / 1e3 / PROFILED_STEPS
        else:
            totals[event.name] += event.self_cpu_time_total / 1e3 / PROFILED_STEPS
    return {name: round(milliseconds, 2) for name, milliseconds in totals.items()}


def _component(event: Any) -> str:
    """The range that an event lies in, else the component of the nearest operator with a name that says it."""
    while event is not None:
        if event.name in {"data", "optimizer"}:
            return str(event.name)
        for component, parts in COMPONENTS.items():
            if any(part in event.name for part in parts):
                outer = event.cpu_parent and _component(event.cpu_parent)
                return outer if outer not in {None, "other", "matmuls"} else component
        event = event.cpu_parent
    return "other"


def _request(tokens: Path, n_steps: int, threads: int) -> Any:
    from fakesmrt_models.training.request import TrainingRequest

    return TrainingRequest(
        tokens=tokens, preset="1mx", steps=n_steps, threads=threads, batch_tokens=BATCH_TOKENS,
        sequence_length=SEQUENCE_LENGTH, compiled=True, evaluation_seconds=3_600.0,
    )  # fmt: skip


def in_process(python: Path, isa: str | None, task: str, **values: Any) -> Any:
    """Run one of the functions above in a process of its own."""
    from fakesmrt_models.training.supervisor import ALLOCATION

    # A foreign Python finds the shape of 1mx in this repository.
    paths = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = ALLOCATION | os.environ | {
        "OMP_NUM_THREADS": str(values["threads"]), "PYTHONPATH": os.pathsep.join(paths),
    }  # fmt: skip
    if isa is not None:
        environment["ONEDNN_MAX_CPU_ISA"] = isa
    command = [str(python), __file__, "--task", task, json.dumps(values, default=str)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{task} ended with status {done.returncode}: {done.stderr[-3_000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def run_task(task: str, values: dict[str, Any]) -> Any:
    """What `in_process` asked for, in its process."""
    paths = {name: Path(values[name]) for name in ("tokens", "checkout") if name in values}
    return globals()[task](**values | paths)


def sides_of(options: argparse.Namespace) -> dict[str, tuple[Path, str, dict[str, Any]]]:
    """Name of each side that is measured: its Python, its function, what that is told."""
    python = Path(sys.executable)
    sides: dict[str, tuple[Path, str, dict[str, Any]]] = {
        "ours": (python, "ours", {}),
        "eager_float32": (python, "eager_float32", {}),
    }
    if options.nanogpt:
        told = {"checkout": options.nanogpt.resolve()}
        sides["nanogpt"] = (python, "nanogpt", told | {"autocast": False})
        sides["nanogpt_bfloat16"] = (python, "nanogpt", told | {"autocast": True})
    if options.transformers_python:
        sides["transformers"] = (options.transformers_python, "transformers", {"bf16": False})
        sides["transformers_bfloat16"] = (options.transformers_python, "transformers", {"bf16": True})
    return sides


def main() -> None:
    """Measure all sides in rounds and print the line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, required=True, help="folder of books, .txt or .md, UTF-8")
    parser.add_argument("--nanogpt", type=Path, help="checkout of nanoGPT")
    parser.add_argument("--transformers-python", type=Path, help="Python with transformers and accelerate")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", help="ONEDNN_MAX_CPU_ISA for all sides")
    parser.add_argument("--work", type=Path, default=Path("/tmp/training_speed"))  # noqa: S108  # a default to read
    options = parser.parse_args()
    from token_folders import texts_by_split, write_token_folder

    from fakesmrt_models.architecture.presets import preset
    from fakesmrt_models.training.utilisation import flops_per_token

    vocab_size = preset("1mx").vocab_size
    folder = options.work / f"tokens-{vocab_size}"
    tokens = write_token_folder(folder, texts_by_split(options.texts), vocab_size).resolve()
    sides = sides_of(options)
    seconds: dict[str, list[list[float]]] = {side: [] for side in sides}
    peaks: list[dict[str, float]] = []
    facts: dict[str, Any] = {}
    for _ in range(options.rounds):
        peaks.append(in_process(Path(sys.executable), options.isa, "peak", threads=options.threads))
        for side, (python, task, told) in sides.items():
            values = {"tokens": tokens, "n_steps": options.steps, "threads": options.threads, **told}
            measured = in_process(python, options.isa, task, **values)
            seconds[side].append(measured.pop("seconds"))
            facts[side] = measured
    speed = {side: BATCH_TOKENS / median(np.concatenate(rounds)) for side, rounds in seconds.items()}
    flops = flops_per_token(preset("1mx"), SEQUENCE_LENGTH)
    highest = {dtype: max(each[dtype] for each in peaks) for dtype in peaks[0]}
    parts = in_process(
        Path(sys.executable), options.isa, "components", tokens=tokens, threads=options.threads
    )
    ratios = {
        peer: round(speed["ours"] / max(speed[side] for side in speed if side.startswith(peer)), 2)
        for peer in ("eager_float32", "nanogpt", "transformers")
        if peer in speed
    }
    print(
        json.dumps(
            {
                "tokens_per_second": {side: round(value) for side, value in speed.items()},
                "by_round": {
                    side: [round(BATCH_TOKENS / median(each)) for each in rounds] for side, rounds in seconds.items()
                },
                "ratio_of_ours_to": ratios,
                "utilisation_of_peak": {d: round(speed["ours"] * flops / top, 3) for d, top in highest.items()},
                "peak_gflops": {dtype: round(value / 1e9) for dtype, value in highest.items()},
                "flops_per_token": flops,
                "milliseconds_a_step": parts,
                "ours": facts["ours"],
                "threads": options.threads,
                "isa": options.isa,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        print(json.dumps(run_task(sys.argv[2], json.loads(sys.argv[3]))))
    else:
        main()
