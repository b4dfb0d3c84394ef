"""Near-duplicates of one JSON Lines file: ours, datatrove's and datasketch's, in one run on one core (Linux).

The file holds chunks of books in random order; a tenth of them are copies of others with up to a dozen words changed.

- Ours, end to end: rows read, signatures to Parquet, band join in DuckDB, true Jaccard of every candidate pair,
  clusters, kept rows written.
- datatrove, end to end: its four MinHash steps with its default configuration (FineWeb's 14 buckets of 8), unverified.
- datasketch alone: `MinHash` of our number of permutations and `MinHashLSH` of our bands, each text inserted and
  queried, on texts already in memory, unverified.

Recall is the share of planted pairs at J >= 0.8 (by sets of word 5-grams) of which not both rows are kept. Each side
runs in a process of its own, pinned to the same core; seconds are wall time after the imports.

Example: python benchmarks/dedup.py CORPORA --peer-python PEER/bin/python --chunks 39000
prints one JSON line. CORPORA is the folder that holds prose/; PEER is a virtual environment with:
pip install "datatrove[processing,io]==0.10.1" spacy
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

THRESHOLD = 0.8
CHUNK_CHARACTERS = 1600
PEER = Path(__file__).with_name("datatrove_minhash.py")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS"), "1"
)

Pair = tuple[int, int]


def book_chunks(corpora: Path, n_chunks: int, seed: int) -> tuple[list[str], list[Pair]]:
    """Chunks of books in random order, a tenth of them copies of others with up to a dozen words changed.

    Returns:
        The texts, and the places of each original and its copy.
    """
    random_source = random.Random(seed)  # noqa: S311  # a seed is wanted, not secrecy
    originals: list[str] = []
    n_copies = n_chunks // 10
    for path in sorted((corpora / "prose" / "classic_books").rglob("*.md")):
        text = path.read_bytes().decode("utf-8", "replace")
        starts = range(0, len(text), CHUNK_CHARACTERS)
        originals += (text[start : start + CHUNK_CHARACTERS] for start in starts)
    if len(originals) < n_chunks - n_copies:
        raise SystemExit(f"The books hold {len(originals)} chunks only: choose fewer with --chunks")
    originals = originals[: n_chunks - n_copies]
    copied = random_source.sample(range(len(originals)), n_copies)
    chunks = originals + [edited(originals[place], random_source) for place in copied]
    order = list(range(len(chunks)))
    random_source.shuffle(order)
    place_of = {old: new for new, old in enumerate(order)}
    pairs = [(place_of[original], place_of[len(originals) + copy]) for copy, original in enumerate(copied)]
    return [chunks[old] for old in order], pairs


def edited(text: str, random_source: random.Random) -> str:
    words = text.split(" ")
    for _ in range(random_source.randrange(1, 13)):
        words[random_source.randrange(len(words))] = "changed"
    return " ".join(words)


def word_tuples(text: str) -> set[tuple[str, ...]]:
    """Word 5-grams by definition: the reference for every similarity here."""
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[start : start + 5]) for start in range(max(len(words) - 4, min(len(words), 1)))}


def similarity(a: str, b: str) -> float:
    left, right = word_tuples(a), word_tuples(b)
    return len(left & right) / max(len(left | right), 1)


def ours(file: Path, output: Path) -> dict[str, Any]:
    """Run in a process of its own."""
    from warehouse.dedup.jsonl import deduplicate, write_kept

    started, cpu_started = time.perf_counter(), time.process_time()
    with deduplicate(file, THRESHOLD) as result:
        write_kept(result, output)
    return {
        "seconds": round(time.perf_counter() - started, 3),
        "cpu_seconds": round(time.process_time() - cpu_started, 3),
    }


def datasketch(file: Path) -> dict[str, Any]:
    """Run in a process of its own."""
    from importlib.metadata import version

    from datasketch import MinHash, MinHashLSH

    from warehouse.dedup.minhash import SketchParameters

    sketch = SketchParameters()
    with file.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    started, cpu_started = time.perf_counter(), time.process_time()
    shingles = (shingle_bytes(text) for text in texts)
    signatures = list(MinHash.generator(shingles, num_perm=sketch.n_hashes))
    signed = time.perf_counter() - started
    index = MinHashLSH(num_perm=sketch.n_hashes, params=(sketch.n_bands, sketch.rows_per_band))
    for number, signature in enumerate(signatures):
        index.insert(number, signature)
    for signature in signatures:
        index.query(signature)
    return {
        "peer": f"datasketch {version('datasketch')}",
        "seconds": round(time.perf_counter() - started, 3),
        "signature_seconds": round(signed, 3),
        "cpu_seconds": round(time.process_time() - cpu_started, 3),
    }


def shingle_bytes(text: str) -> list[bytes]:
    """What datasketch is given: each word 5-gram once, in UTF-8."""
    words = re.findall(r"\w+", text.casefold())
    return list({" ".join(words[start : start + 5]).encode() for start in range(max(len(words) - 4, 1))})


def measured(*command: str | Path) -> dict[str, Any]:
    """The JSON line that a process prints; it runs where this process is pinned."""
    finished = subprocess.run(
        [str(part) for part in command],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | ONE_THREAD,
    )
    figures: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return figures


def kept_ids(folder: Path) -> set[int]:
    kept: set[int] = set()
    for path in folder.iterdir():
        with path.open(encoding="utf-8") as lines:
            kept |= {int(json.loads(line)["id"]) for line in lines}
    return kept


def outcome(kept: set[int], similar: list[Pair]) -> dict[str, Any]:
    caught = sum(not (a in kept and b in kept) for a, b in similar)
    return {"n_kept": len(kept), "recall": round(caught / len(similar), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--peer-python", type=Path, help="datatrove is left out without it")
    parser.add_argument("--chunks", type=int, default=39_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)))
    parser.add_argument("--worker", choices=("ours", "datasketch"), help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        file = arguments.corpora
        print(json.dumps(ours(file, arguments.output) if arguments.worker == "ours" else datasketch(file)))
        return
    os.sched_setaffinity(0, {arguments.core})
    texts, pairs = book_chunks(arguments.corpora, arguments.chunks, arguments.seed)
    similar = [(a, b) for a, b in pairs if similarity(texts[a], texts[b]) >= THRESHOLD]
    figures: dict[str, Any] = {"benchmark": "dedup", "n_chunks": len(texts), "n_planted": len(similar)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, kept = folder / "chunks.jsonl", folder / "kept"
        kept.mkdir()
        rows = (json.dumps({"id": str(number), "text": text}) + "\n" for number, text in enumerate(texts))
        file.write_text("".join(rows), encoding="utf-8")
        worker = (sys.executable, __file__, file, "--worker")
        figures["ours"] = measured(*worker, "ours", "--output", kept / "kept.jsonl")
        figures["ours"] |= outcome(kept_ids(kept), similar)
        figures["datasketch"] = measured(*worker, "datasketch")
        if arguments.peer_python:
            work = folder / "peer"
            figures["datatrove"] = measured(arguments.peer_python, PEER, folder, file.name, work)
            figures["datatrove"] |= outcome(kept_ids(work / "kept"), similar)
    for peer in ("datasketch", "datatrove"):
        if peer in figures:
            ratio = figures[peer]["seconds"] / figures["ours"]["seconds"]
            figures[f"times_faster_than_{peer}"] = round(ratio, 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
