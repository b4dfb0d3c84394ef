"""Peak memory of one worker of the Data Cleanser on files of two sizes, each in a process of its own (Linux).

The files are made of one text over and over, each time with other numbers in it, as plain text, as JSON Lines and as
plain text under gzip; they are written to a temporary folder and removed.

Example: python benchmarks/cleansing_memory.py CORPORA/prose/classic_books --gibibytes 2
prints one JSON line: for each kind the peak resident bytes at 100 MB and at the large size, and their ratio.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from warehouse.cleanser import iterate_chunks

SMALL_BYTES = 100_000_000
KINDS = ("txt", "jsonl", "txt.gz")


def blocks(sample: str, n_bytes: int, kind: str) -> Iterator[bytes]:
    """At least `n_bytes` of text or records, no two blocks the same."""
    paragraphs = [paragraph for paragraph in sample.split("\n\n") if paragraph.strip()]
    total = number = 0
    while total < n_bytes:
        for paragraph in paragraphs:
            number += 1
            text = f"{number}. {paragraph}"
            line = json.dumps({"id": number, "text": text}) + "\n" if kind == "jsonl" else text + "\n\n"
            block = line.encode()
            total += len(block)
            yield block


def write_sample(path: Path, sample: str, n_bytes: int, kind: str) -> None:
    compressed = kind.endswith(".gz")
    with gzip.open(path, "wb", compresslevel=1) if compressed else path.open("wb") as file:
        pending = bytearray()
        for block in blocks(sample, n_bytes, kind):
            pending += block
            if len(pending) > 1 << 20:
                file.write(bytes(pending))
                pending.clear()
        file.write(bytes(pending))


def worker(path: Path) -> dict[str, Any]:
    """Cleanse a file in this process and tell what it took."""
    started = time.perf_counter()
    n_chunks = sum(1 for _ in iterate_chunks(path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"n_chunks": n_chunks, "peak_bytes": peak, "seconds": round(time.perf_counter() - started, 1)}


def measured(path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--worker", str(path)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="where a sample text is taken from")
    parser.add_argument("--gibibytes", type=float, default=2.0, help="size of the large files")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(worker(arguments.worker)))
        return
    first = min(path for path in arguments.folder.rglob("*") if path.is_file())
    sample = first.read_bytes().decode("utf-8", "replace")
    figures: dict[str, Any] = {"benchmark": "cleansing_memory"}
    for kind in arguments.kinds:
        results = []
        for n_bytes in (SMALL_BYTES, int(arguments.gibibytes * (1 << 30))):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"sample.{kind}"
                write_sample(path, sample, n_bytes, kind)
                results.append(measured(path))
        small, large = results
        figures[kind] = {
            "small": small,
            "large": large,
            "ratio": round(large["peak_bytes"] / small["peak_bytes"], 3),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
