"""Peak memory of `fakesmrt dedup` on files of two sizes, each in a process of its own (Linux).

Rows are made of numbers alone, so that every run measures the same files: texts of random words, a tenth of them
near-duplicates of the row before, one in a hundred a boilerplate with a word changed (large buckets), and 4,000
identical ones. With --identical all rows of the large file have the same text.

Example: python benchmarks/dedup_memory.py --rows 100000 1000000 --identical
prints one JSON line: for each file the peak resident bytes, the seconds and what was found.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

N_IDENTICAL = 4_000
WORDS_A_TEXT = 100


def texts(n_rows: int, seed: int) -> Iterator[str]:
    """The rows of an ordinary file."""
    source = random.Random(seed)  # noqa: S311  # a seed is wanted, not secrecy
    words = [f"w{number:x}" for number in range(50_000)]
    boilerplate = source.choices(words, k=WORDS_A_TEXT)
    chosen = source.choices(words, k=WORDS_A_TEXT)
    for number in range(n_rows):
        if number % (n_rows // N_IDENTICAL) == 0:
            yield "the very same text in each of these rows, word by word and mark by mark"
        elif number % 100 == 1:
            yield " ".join(changed(boilerplate, 1, words, source))
        elif number % 10 == 2:
            yield " ".join(changed(chosen, 2, words, source))
        else:
            chosen = source.choices(words, k=WORDS_A_TEXT)
            yield " ".join(chosen)


def changed(text: list[str], n_words: int, words: list[str], source: random.Random) -> list[str]:
    copy = list(text)
    for _ in range(n_words):
        copy[source.randrange(len(copy))] = source.choice(words)
    return copy


def write_rows(path: Path, rows: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        for number, text in enumerate(rows):
            lines.write(json.dumps({"id": f"row-{number}", "text": text}) + "\n")


def worker(path: Path) -> dict[str, Any]:
    """Search a file in this process and tell what it took."""
    from warehouse.dedup.jsonl import deduplicate, write_kept

    started = time.perf_counter()
    with deduplicate(path) as result:
        n_kept = write_kept(result, path.with_name("kept.jsonl"))
    return {
        "n_rows": result.counts.n_rows,
        "n_kept": n_kept,
        "n_candidates": result.candidates.n_pairs,
        "n_pairs_left_out": result.candidates.n_pairs_left_out,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "seconds": round(time.perf_counter() - started, 1),
    }


def measured(rows: Iterator[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        write_rows(path, rows)
        command = [sys.executable, __file__, "--worker", str(path)]
        finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(finished.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--identical", action="store_true", help="also a file of as many identical texts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(worker(arguments.worker)))
        return
    figures: dict[str, Any] = {"benchmark": "dedup_memory"}
    for n_rows in arguments.rows:
        figures[str(n_rows)] = measured(texts(n_rows, arguments.seed))
    if arguments.identical:
        n_rows = max(arguments.rows)
        figures["identical"] = measured("The same words in every row." for _ in range(n_rows))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
