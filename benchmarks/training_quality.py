"""Bits per byte of books kept unseen after some minutes of training, beside nanoGPT on the same tokens.

    python benchmarks/training_quality.py --texts corpora/prose/classic_books --nanogpt ../nanoGPT --minutes 10
    python benchmarks/training_quality.py --texts … --nanogpt … --minutes 1 --seeds 0 --skip-peer

Whole books are kept unseen by a hash of their names (token_folders.py; the line says which). Ours is the command
``fakesmrt train --preset 1mx --minutes M``, set-up included, once a seed. nanoGPT trains with the same number of
layers, heads and units, on the same tokens in the order of the books, by its recipe for small models, compiled, in the
faster of float32 and bfloat16, for as many iterations as fit into the same time at the speed of a short run: its
set-up is given to it. Both are measured in float32 by the same windows of 256 tokens, 128 apart, each book as one
text. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from token_folders import (
    bits_per_byte_of_split,
    bits_per_byte_of_whole_texts,
    texts_by_split,
    write_token_folder,
)
from training_peers import (
    SMALL_RECIPE,
    NanoGpt,
    nanogpt_shape,
    nanogpt_step_seconds,
    run_nanogpt,
    write_nanogpt_tokens,
)

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.training.checkpoint import load_model
from warehouse.tokens.shards import open_split

SEQUENCE_LENGTH = 256
BATCH_TOKENS = 8_192


def measured(model: Any, tokens: Path) -> dict[str, float]:
    """The unseen books as `fakesmrt eval` measures a text; and in pieces of 2,000 characters, each by itself."""
    return {
        "bits_per_byte": round(bits_per_byte_of_whole_texts(model, tokens, "report"), 4),
        "bits_per_byte_in_pieces": round(bits_per_byte_of_split([model], tokens, "report")[0], 4),
    }


def ours(options: argparse.Namespace, tokens: Path, seed: int) -> dict[str, Any]:
    """Train with the command that a user gives; measure the model."""
    run_dir = options.work / f"ours-{options.preset}-{options.minutes:g}-{seed}"
    # A model that lies there is that of another state of the code.
    shutil.rmtree(run_dir, ignore_errors=True)
    begin = time.monotonic()
    command = [
        Path(sys.executable).with_name("fakesmrt"), "train", "--tokens", tokens, "--preset", options.preset,
        "--minutes", f"{options.minutes:g}", "--seed", str(seed), "--output", run_dir, "--json",
        *shlex.split(options.train_options),
    ]  # fmt: skip
    result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    seconds = time.monotonic() - begin
    model = load_model(run_dir / "model").model
    return {
        "seed": seed, **measured(model, tokens),
        "n_tokens": result["n_tokens"], "tokens_per_second": round(result["tokens_per_second"]),
        "wall_seconds": round(seconds, 1), "n_parameters": result["n_parameters"],
    }  # fmt: skip


def nanogpt(options: argparse.Namespace, tokens: Path) -> dict[str, Any]:
    """Train nanoGPT for the same time on the same tokens; measure its model."""
    shape = preset(options.preset)
    train, validation = (
        np.concatenate([shard.tokens for shard in open_split(tokens, split)])
        for split in ("train", "validation")
    )
    data = write_nanogpt_tokens(options.work / "nanogpt-data", train, validation, shape.vocab_size)
    recipe = nanogpt_shape(shape, SEQUENCE_LENGTH) | SMALL_RECIPE
    recipe |= {"compile": True, "batch_size": BATCH_TOKENS // SEQUENCE_LENGTH}
    recipe |= {"learning_rate": options.nanogpt_learning_rate, "min_lr": options.nanogpt_learning_rate / 10}
    same = {"threads": options.threads, "out": options.work / "nanogpt"}
    step_seconds = {
        autocast: nanogpt_step_seconds(options.nanogpt, data, recipe, autocast=autocast, **same)
        for autocast in (False, True)
    }
    autocast = step_seconds[True] < step_seconds[False]
    n_steps = int(60 * options.minutes / step_seconds[autocast])
    begin = time.monotonic()
    run_nanogpt(options.nanogpt, data, n_steps, recipe, autocast=autocast, **same)
    seconds = time.monotonic() - begin
    model: Any = NanoGpt(options.nanogpt, same["out"])
    return {
        **measured(model, tokens),
        "n_tokens": n_steps * BATCH_TOKENS, "tokens_per_second": round(BATCH_TOKENS / step_seconds[autocast]),
        "wall_seconds": round(seconds, 1), "n_parameters": model.n_parameters,
        "dtype": "bfloat16" if autocast else "float32", "learning_rate": options.nanogpt_learning_rate,
    }  # fmt: skip


def main() -> None:
    """Train and measure both sides."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, required=True, help="folder of books, .txt or .md, UTF-8")
    parser.add_argument("--nanogpt", type=Path, help="checkout of nanoGPT")
    parser.add_argument("--skip-peer", action="store_true")
    parser.add_argument("--nanogpt-learning-rate", type=float, default=SMALL_RECIPE["learning_rate"])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--preset", default="1mx", help="the tokens have its vocabulary, for both sides")
    parser.add_argument(
        "--train-options", default="", help="further options of fakesmrt train, in one string"
    )
    parser.add_argument("--threads", type=int, default=2, help="of nanoGPT; ours takes all cores")
    parser.add_argument("--work", type=Path, default=Path("/tmp/training_quality"))  # noqa: S108  # a default to read
    options = parser.parse_args()
    texts = texts_by_split(options.texts)
    tokens = write_token_folder(
        options.work / f"tokens-{preset(options.preset).vocab_size}", texts, preset(options.preset).vocab_size
    )
    runs = [ours(options, tokens, seed) for seed in options.seeds]
    figures = [run["bits_per_byte"] for run in runs]
    result: dict[str, Any] = {
        "minutes": options.minutes, "preset": options.preset, "unseen_books": sorted(texts["report"]),
        "unseen_bytes": sum(shard.manifest.n_bytes for shard in open_split(tokens, "report")),
        "mean_bits_per_byte": round(mean(figures), 4),
        "standard_deviation": round(stdev(figures), 4) if len(figures) > 1 else None,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, "ours": runs,
    }  # fmt: skip
    if not options.skip_peer:
        result["nanogpt"] = nanogpt(options, tokens)
        result["ratio_to_nanogpt"] = round(mean(figures) / result["nanogpt"]["bits_per_byte"], 4)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
