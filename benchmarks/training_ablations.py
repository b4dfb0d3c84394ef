"""Which choices make a better 1mx in the same time: named changes of one training, ranked on books kept unseen.

    python benchmarks/training_ablations.py --texts corpora/prose/classic_books --work /tmp/ablations --measure-speeds
    python benchmarks/training_ablations.py --texts corpora/prose/classic_books --work /tmp/ablations --minutes 3
    python benchmarks/training_ablations.py --texts … --work /tmp/ablations --minutes 10 --seeds 0 1 2 --only 1mx v512
    python benchmarks/training_ablations.py … --only both --add 'both={"preset": "1mx-v1024", "batch_tokens": 4096}'
    python benchmarks/training_ablations.py --list

Wall time depends on what else the machine does, so time is turned into tokens first: `--measure-speeds` trains every
shape for some seconds on a machine that has nothing else to do and keeps its tokens/s in WORK/speeds.json. Each
configuration then trains, compiled, for as many tokens as it would have seen in `--minutes` at that speed (set-up and
evaluation not counted), and is measured in bits per byte on the split `select`. A line a training goes to
WORK/results.jsonl; what is there is not trained again. At the end a table on stderr and one JSON line.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from token_folders import bits_per_byte_of_split, texts_by_split, write_token_folder

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.training.metrics import METRICS_FILE, read_metrics
from fakesmrt_models.training.request import TrainingRequest, request_config
from fakesmrt_models.training.supervisor import run_training
from warehouse.errors import InvalidConfiguration
from warehouse.files import write_bytes_whole

Changes = Mapping[str, Any]

CONFIGURATIONS: dict[str, dict[str, Changes]] = {
    "base": {"1mx": {}},
    "vocabulary": {
        "v512": {"preset": "1mx-v512"},
        "v1024": {"preset": "1mx-v1024"},
        "v1280": {"preset": "1mx-v1280"},
        "v2816": {"preset": "1mx-v2816"},
        "v3584": {"preset": "1mx-v3584"},
        "v4096": {"preset": "1mx-v4096"},
    },
    "shape": {
        "layers-2": {"preset": "1mx-shallow"},
        "layers-3": {"preset": "1mx-l3"},
        "layers-8": {"preset": "1mx-deep"},
        "width-64-layers-14": {"preset": "1mx-narrow"},
        "width-256-layers-2": {"preset": "1mx-wide"},
        "two-heads": {"preset": "1mx-h2"},
        "relu2": {"preset": "1mx-relu2"},
        "two-heads-relu2": {"preset": "1mx-h2-relu2"},
    },
    "beyond-qwen3": {
        "softcap-15": {"config.logit_softcap": 15.0},
        "lambdas": {"config.residual_lambdas": True},
        "value-embedding": {"config.value_from_embedding": True},
    },
    "learning-rate": {
        "matrix-0.01": {"optimizer.matrix_learning_rate": 0.01},
        "matrix-0.04": {"optimizer.matrix_learning_rate": 0.04},
        "embedding-0.01": {"optimizer.embedding_learning_rate": 0.01},
        "embedding-0.1": {"optimizer.embedding_learning_rate": 0.1},
    },
    "optimizer": {
        "momentum-0.9": {"optimizer.momentum": 0.9},
        "momentum-0.98": {"optimizer.momentum": 0.98},
        "weight-decay-0": {"optimizer.weight_decay": 0.0},
        "weight-decay-0.5": {"optimizer.weight_decay": 0.5},
        "betas-0.8-0.95": {"optimizer.betas": (0.8, 0.95)},
        "betas-0.9-0.99": {"optimizer.betas": (0.9, 0.99)},
        "clip-1": {"clip_norm": 1.0},
    },
    "batch": {
        "batch-4096": {"batch_tokens": 4_096},
        "batch-16384": {"batch_tokens": 16_384},
        "batch-4096-matrix-0.014": {"batch_tokens": 4_096, "optimizer.matrix_learning_rate": 0.014},
        "batch-16384-matrix-0.028": {"batch_tokens": 16_384, "optimizer.matrix_learning_rate": 0.028},
    },
    "sequence": {
        "sequence-128": {"sequence_length": 128},
        "sequence-512": {"sequence_length": 512, "config.context_length": 512},
    },
    "schedule": {
        "decay-0.3": {"schedule.decay_fraction": 0.3},
        "decay-0.9": {"schedule.decay_fraction": 0.9},
        "final-0": {"schedule.final_fraction": 0.0},
        "warmup-0": {"schedule.warmup_steps": 0},
        "warmup-150": {"schedule.warmup_steps": 150},
        "linear-from-the-start": {"schedule.decay_fraction": 1.0},
        "cosine": {"schedule.decay": "cosine", "schedule.decay_fraction": 1.0},
        "ema-0.99": {"ema_decay": 0.99},
        "ema-0.998": {"ema_decay": 0.998},
    },
    "epochs": {
        "half-of-the-books": {"train_share": 0.5},
        "quarter-of-the-books": {"train_share": 0.25},
        "eighth-of-the-books": {"train_share": 0.125},
    },
}
"""By group and name: fields of `TrainingRequest`; `config.`, `optimizer.` and `schedule.` reach into its parts, and
`train_share` is the part of the training books that is there to be read."""

SELECTED_BYTES = 1_500_000
"""Of the split `select`: all of it in the classic books."""

MEASURED_TOKENS = 400_000
SETTLING_LINES = 5
"""Of a measurement, not counted: the first steps compile and fill caches."""


def request_for(changes: Changes, tokens: Path, **fixed: Any) -> TrainingRequest:
    """The base request with `changes`; raises TypeError for a field that is not there."""
    own = {key: value for key, value in changes.items() if "." not in key and key != "train_share"}
    request = TrainingRequest(
        tokens=tokens, compiled=True, evaluation_seconds=3_600.0, **{"steps": 1, **fixed}
    )
    parts: dict[str, dict[str, Any]] = {}
    for key, value in changes.items():
        if "." in key:
            part, field = key.split(".")
            parts.setdefault(part, {})[field] = value
    for part, values in parts.items():
        whole = preset(own.get("preset", request.preset)) if part == "config" else getattr(request, part)
        own[part] = replace(whole, **values)
    return replace(request, **own)


def speed_key(request: TrainingRequest) -> str:
    """What a training's speed depends on: configurations that differ elsewhere share a measurement."""
    shape = json.loads(request_config(request).to_json())
    extras = {
        name: getattr(request, name, None) for name in ("accumulation", "clip_norm", "ema_decay", "compiled")
    }
    return json.dumps(
        {"shape": shape, "batch": request.batch_tokens, "sequence": request.sequence_length, **extras},
        sort_keys=True,
    )


class Ablations:
    """The folder of an ablation: tokens, speeds, trainings, results."""

    def __init__(self, texts: Path, work: Path, threads: int) -> None:
        """Read the books."""
        self.work, self.threads = work, threads
        self.texts = texts_by_split(texts)
        self.speeds_file, self.results_file = work / "speeds.json", work / "results.jsonl"
        work.mkdir(parents=True, exist_ok=True)

    def request(self, changes: Changes, **fixed: Any) -> TrainingRequest:
        """The request of a configuration, with the tokens of its vocabulary."""
        fixed["threads"] = self.threads
        vocab_size = request_config(request_for(changes, self.work)).vocab_size
        share = float(changes.get("train_share", 1.0))
        folder = self.work / "tokens" / f"v{vocab_size}-{share:g}"
        return request_for(changes, write_token_folder(folder, self.texts, vocab_size, share), **fixed)

    def speeds(self) -> dict[str, float]:
        """Tokens a second by `speed_key`, as far as measured."""
        return json.loads(self.speeds_file.read_bytes()) if self.speeds_file.exists() else {}

    def measure_speed(self, name: str, changes: Changes) -> None:
        """Train for some seconds, twice, because the first time compiles; keep the median speed of the steps."""
        request = self.request(changes)
        key = speed_key(request)
        if key in self.speeds():
            return
        request = replace(request, steps=max(12, MEASURED_TOKENS // request.batch_tokens))
        run_dir = self.work / "speed"
        shutil.rmtree(run_dir, ignore_errors=True)
        run_training(request, run_dir)
        lines = list(read_metrics(run_dir / METRICS_FILE))[SETTLING_LINES:]
        speed = median(line["tokens_per_second"] for line in lines)
        write_bytes_whole(self.speeds_file, json.dumps(self.speeds() | {key: speed}, indent=1).encode())
        print(f"{name}: {speed:,.0f} tokens/s", file=sys.stderr)

    def results(self) -> list[dict[str, Any]]:
        """The finished trainings."""
        if not self.results_file.exists():
            return []
        return [json.loads(line) for line in self.results_file.read_text().splitlines()]

    def train(self, name: str, changes: Changes, minutes: float, seed: int) -> None:
        """Train and measure one configuration, unless that is done; a killed training is gone on with."""
        if any((row["name"], row["minutes"], row["seed"]) == (name, minutes, seed) for row in self.results()):
            return
        request = self.request(changes, seed=seed)
        speed = self.speeds()[speed_key(request)]
        request = replace(request, steps=max(1, round(60 * minutes * speed / request.batch_tokens)))
        run_dir = self.work / "runs" / f"{name}-{minutes:g}-{seed}"
        result = run_training(request, run_dir, lambda done, total, note: print(
            f"\r{name} {done:.0f}/{total:.0f} {note}\x1b[K", end="", file=sys.stderr, flush=True
        ))  # fmt: skip
        row = {
            "name": name, "minutes": minutes, "seed": seed, "n_parameters": result.n_parameters,
            "n_steps": result.n_steps, "n_tokens": result.n_tokens, "idle_tokens_per_second": round(speed),
            "select_bits_per_byte": round(_select_bits_per_byte(request, result.model), 4),
            "train_bits_per_byte": round(result.train_bits_per_byte, 4),
        }  # fmt: skip
        with self.results_file.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        print(f"\r{json.dumps(row)}\x1b[K", file=sys.stderr)


def _select_bits_per_byte(request: TrainingRequest, model: Path) -> float:
    from fakesmrt_models.training.checkpoint import load_model

    loaded = load_model(model).model
    return bits_per_byte_of_split(
        [loaded], request.tokens, "select", min(request.sequence_length, 512), SELECTED_BYTES
    )[0]


def ranking(rows: Iterable[dict[str, Any]], minutes: float) -> list[dict[str, Any]]:
    """Mean and spread over the seeds of each configuration, best first."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["minutes"] == minutes:
            by_name.setdefault(row["name"], []).append(row)
    ranked = [
        {
            "name": name,
            "select_bits_per_byte": round(mean(row["select_bits_per_byte"] for row in group), 4),
            "spread": round(stdev(row["select_bits_per_byte"] for row in group), 4)
            if len(group) > 1
            else None,
            "n_seeds": len(group),
            "n_tokens": group[0]["n_tokens"],
            "idle_tokens_per_second": group[0]["idle_tokens_per_second"],
        }
        for name, group in by_name.items()
    ]
    return sorted(ranked, key=lambda row: row["select_bits_per_byte"])


def buildable(configurations: Mapping[str, Changes]) -> dict[str, str]:
    """By name, why a configuration cannot be had; those that can are left out."""
    reasons = {}
    for name, changes in configurations.items():
        try:
            request_for(changes, Path())
        except (InvalidConfiguration, TypeError) as error:
            reasons[name] = str(error)
    return reasons


def main() -> None:
    """Measure speeds, or train what is missing and print the ranking."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, help="folder of books, .txt or .md, UTF-8")
    parser.add_argument("--work", type=Path, help="folder of this ablation; kept")
    parser.add_argument("--minutes", type=float, default=3.0, help="idle time that each training stands for")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", help="names of configurations, or of groups of them")
    parser.add_argument("--add", nargs="+", default=[], metavar="NAME=JSON", help="further configurations")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--measure-speeds", action="store_true", help="only measure what is not yet measured")
    parser.add_argument("--list", action="store_true", help="name the configurations and end")
    options = parser.parse_args()
    added = {name: json.loads(changes) for name, _, changes in (text.partition("=") for text in options.add)}
    chosen = {
        name: changes
        for group, named in {**CONFIGURATIONS, "added": added}.items()
        for name, changes in named.items()
        if not options.only or {group, name} & set(options.only)
    }
    unbuildable = buildable(chosen)
    if options.list:
        print(
            json.dumps(
                {"configurations": {n: dict(c) for n, c in chosen.items()}, "unbuildable": unbuildable}
            )
        )
        return
    ablations = Ablations(options.texts, options.work, options.threads)
    for name, reason in unbuildable.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)
        del chosen[name]
    for name, changes in chosen.items():
        ablations.measure_speed(name, changes)
    if not options.measure_speeds:
        for seed in options.seeds:
            for name, changes in chosen.items():
                ablations.train(name, changes, options.minutes, seed)
    ranked = ranking(ablations.results(), options.minutes)
    for row in ranked:
        print(
            f"{row['select_bits_per_byte']:.4f} ±{row['spread'] or 0:.4f} {row['n_seeds']} seeds "
            f"{row['idle_tokens_per_second']:>7,} tokens/s {row['n_tokens']:>11,} tokens  {row['name']}",
            file=sys.stderr,
        )
    print(json.dumps({"minutes": options.minutes, "left_out": unbuildable, "ranking": ranked}))


if __name__ == "__main__":
    main()
