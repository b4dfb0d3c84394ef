"""Bits a character of tinyshakespeare after 80 seconds of training, beside nanoGPT's configuration for processors.

    python benchmarks/training_shakespeare.py --text corpora/prose/tinyshakespeare/input.txt --nanogpt ../nanoGPT

The first nine tenths of the text are trained on, the last tenth is measured, as nanoGPT splits it. Ours gets
`--seconds` for everything: BPE from the training part, shards, the process that trains, compilation if any. nanoGPT
trains config/train_shakespeare_char.py with the options that its README gives for a processor, for as many iterations
as fit into that time at its median speed (its set-up is given to it), the rate decaying over all of them. Both are
measured in float32 over the whole last tenth, ours in windows of its context, nanoGPT's in windows of the 64 characters
that it takes, each window beginning in the middle of the one before. Bits a character hold across tokenizers: total
nats / ln 2 / characters. Prints one JSON line.

The defaults of ours (preset, dropout, batch) are guesses at what serves so little text; no measurement has chosen them.
Whoever chooses others does it with --choose, which trains on the first eight tenths and measures the ninth: the last
tenth is for reporting alone.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from token_folders import write_token_folder
from training_peers import NanoGpt, nanogpt_step_seconds, run_nanogpt, write_nanogpt_tokens

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.evaluation.bits_per_byte import chunk_nats
from fakesmrt_models.evaluation.text import marked
from fakesmrt_models.training.checkpoint import load_model
from fakesmrt_models.training.request import OptimizerConfig, TrainingRequest
from fakesmrt_models.training.supervisor import run_training
from warehouse.tokens.shards import TOKENIZER_FILE, open_split
from warehouse.tokens.tokenizer import Tokenizer

NANOGPT_CONTEXT = 64

README_OPTIONS: dict[str, Any] = {
    "compile": False, "block_size": NANOGPT_CONTEXT, "batch_size": 12, "n_layer": 4, "n_head": 4, "n_embd": 128,
    "dropout": 0.0, "gradient_accumulation_steps": 1, "learning_rate": 1e-3, "min_lr": 1e-4, "beta2": 0.99,
    "warmup_iters": 100,
}  # fmt: skip


def ours(options: argparse.Namespace, train: str, unseen: str) -> dict[str, Any]:
    """Train within the time; measure."""
    begin = time.monotonic()
    tokens, run_dir = options.work / "tokens", options.work / "run"
    for folder in (tokens, run_dir):
        shutil.rmtree(folder, ignore_errors=True)
    texts = {"train": {"text": train}, "report": {"text": unseen}}
    shape = preset(options.preset)
    context = shape.context_length
    write_token_folder(tokens, texts, shape.vocab_size)
    request = TrainingRequest(
        tokens=tokens,
        preset=options.preset,
        config=replace(shape, dropout=options.dropout),
        seed=options.seed,
        minutes=None if options.steps else (options.seconds - (time.monotonic() - begin)) / 60,
        steps=options.steps,
        threads=options.threads,
        batch_tokens=options.batch_tokens,
        sequence_length=context,
        optimizer=replace(OptimizerConfig(), **json.loads(options.optimizer)),
        compiled=options.compiled,
        evaluation_seconds=3_600.0,
    )
    result = run_training(request, run_dir)
    seconds = time.monotonic() - begin
    tokenizer = Tokenizer.from_file(tokens / TOKENIZER_FILE)
    sequence = marked(tokenizer.encode(unseen))
    nats = chunk_nats(
        [load_model(result.model).model], [sequence], context=context, stride=context // 2
    ).sum()
    return {
        "bits_per_character": round(float(nats) / math.log(2) / len(unseen), 4), "wall_seconds": round(seconds, 1),
        "preset": options.preset, "vocab_size": tokenizer.vocab_size, "n_parameters": result.n_parameters,
        "dropout": options.dropout, "batch_tokens": options.batch_tokens, "n_steps": result.n_steps,
        "epochs": round(result.n_tokens / open_split(tokens, "train")[0].manifest.n_tokens, 1),
        "tokens_per_second": round(result.tokens_per_second), "dtype": result.dtype, "compiled": result.compiled,
        "native": result.native, "train_bits_per_byte": round(result.train_bits_per_byte, 4),
    }  # fmt: skip


def nanogpt(options: argparse.Namespace, train: str, unseen: str) -> dict[str, Any]:
    """Train nanoGPT for the time; measure."""
    characters = sorted(set(train + unseen))
    number = {character: n for n, character in enumerate(characters)}
    encoded = [np.array([number[character] for character in part], np.uint16) for part in (train, unseen)]
    data = write_nanogpt_tokens(options.work / "nanogpt-data", encoded[0], encoded[1], len(characters))
    same = {"autocast": False, "threads": options.threads, "out": options.work / "nanogpt"}
    step_seconds = nanogpt_step_seconds(options.nanogpt, data, README_OPTIONS, **same)
    n_steps = int(options.seconds / step_seconds)
    begin = time.monotonic()
    run_nanogpt(options.nanogpt, data, n_steps, README_OPTIONS, **same)
    seconds = time.monotonic() - begin
    model: Any = NanoGpt(options.nanogpt, same["out"])
    torch.set_num_threads(options.threads)
    nats = chunk_nats([model], encoded[1:], context=NANOGPT_CONTEXT, stride=NANOGPT_CONTEXT // 2).sum()
    # The first character is given, not predicted.
    return {
        "bits_per_character": round(float(nats) / math.log(2) / (len(unseen) - 1), 4),
        "wall_seconds": round(seconds, 1), "n_steps": n_steps, "n_parameters": model.n_parameters,
    }  # fmt: skip


def main() -> None:
    """Train and measure both sides."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--nanogpt", type=Path, help="checkout of nanoGPT; left out, ours is trained alone")
    parser.add_argument("--seconds", type=float, default=80.0)
    parser.add_argument(
        "--steps", type=int, help="of ours, in place of the time: for trials on a busy machine"
    )
    parser.add_argument("--preset", default="1mx-v1024", help="its vocabulary is trained too")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch-tokens", type=int, default=4_096)
    parser.add_argument("--optimizer", default="{}", help="fields of OptimizerConfig, JSON")
    parser.add_argument("--compiled", action=argparse.BooleanOptionalAction, help="default: as it chooses")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("/tmp/training_shakespeare"))  # noqa: S108  # a default to read
    parser.add_argument(
        "--choose", action="store_true", help="measure the ninth tenth, of a training on those before it"
    )
    options = parser.parse_args()
    text = options.text.read_text()
    begin, end = (int(len(text) * share) for share in ((0.8, 0.9) if options.choose else (0.9, 1.0)))
    train, unseen = text[:begin], text[begin:end]
    result: dict[str, Any] = {"seconds": options.seconds, "choosing": options.choose}
    result |= {"unseen_characters": len(unseen), "ours": ours(options, train, unseen)}
    if options.nanogpt:
        result["nanogpt"] = nanogpt(options, train, unseen)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
