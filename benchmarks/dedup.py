"""Near-duplicates against brute force and against datasketch, in one run on one core.

Recall and precision: the pair lists of ``neardup`` (their word-5-gram Jaccard recomputed by brute force over
sets of word tuples), and chunks of books of which a tenth are copies with small edits (truth: brute force
over every pair that shares a shingle). Speed: the same chunks end to end, our way (signatures, Parquet, band
join in DuckDB, verification, clusters) and datasketch's (MinHash of the same permutations and MinHashLSH of
the same bands, unverified).

Example: python benchmarks/dedup.py CORPORA --chunks 4000
prints one JSON line. CORPORA is the folder that holds prose/ and neardup/.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import json
import random
import re
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH

from warehouse.database import Warehouse
from warehouse.dedup.candidates import MEMBER_SCHEMA, find_candidates, write_band_file
from warehouse.dedup.clusters import ClusterParameters, cluster_chunks
from warehouse.dedup.minhash import SketchParameters, signatures
from warehouse.dedup.shingles import shingle
from warehouse.dedup.verification import VerificationParameters, write_verified_pairs
from warehouse.home import Home

Pair = tuple[int, int]

THRESHOLD = 0.8
CHUNK_CHARACTERS = 2000
CHUNKS_PER_FILE = 4096
SKETCH = SketchParameters()


def book_chunks(corpora: Path, n_chunks: int, seed: int) -> list[str]:
    """Chunks of books; a tenth of them are copies of others with up to a dozen words changed."""
    random_source = random.Random(seed)  # noqa: S311  # a seed is wanted, not secrecy
    originals: list[str] = []
    n_originals = n_chunks - n_chunks // 10
    for path in sorted((corpora / "prose" / "classic_books").rglob("*.md")):
        text = path.read_bytes().decode("utf-8", "replace")
        starts = range(0, len(text), CHUNK_CHARACTERS)
        originals += (text[start : start + CHUNK_CHARACTERS] for start in starts)
        if len(originals) >= n_originals:
            break
    originals = originals[:n_originals]
    copies = []
    for original in random_source.sample(originals, min(n_chunks // 10, len(originals))):
        words = original.split(" ")
        for _ in range(random_source.randrange(1, 13)):
            words[random_source.randrange(len(words))] = "changed"
        copies.append(" ".join(words))
    chunks = originals + copies
    random_source.shuffle(chunks)
    return chunks


def word_tuples(text: str) -> set[tuple[str, ...]]:
    """Word 5-grams by definition: the reference for every similarity here."""
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[start : start + 5]) for start in range(max(len(words) - 4, min(len(words), 1)))}


def brute_force(texts: list[str]) -> dict[Pair, float]:
    """Every pair at or above the threshold with its similarity: all pairs that share a shingle are
    compared."""
    shingles = [word_tuples(text) for text in texts]
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, of_text in enumerate(shingles):
        for one in of_text:
            places[one].append(number)
    n_shared: dict[Pair, int] = defaultdict(int)
    for numbers in places.values():
        for pair in itertools.combinations(numbers, 2):
            n_shared[pair] += 1
    similarities = {
        (a, b): shared / (len(shingles[a]) + len(shingles[b]) - shared) for (a, b), shared in n_shared.items()
    }
    return {pair: similarity for pair, similarity in similarities.items() if similarity >= THRESHOLD}


def found_pairs(texts: list[str], folder: Path) -> tuple[set[Pair], dict[str, float]]:
    """Our pairs at or above the threshold, twins included, and the seconds of each step."""
    started = time.perf_counter()
    seconds: dict[str, float] = {}

    def lap(step: str) -> None:
        seconds[step] = time.perf_counter() - started - sum(seconds.values())

    ids = [number.to_bytes(16, "big") for number in range(len(texts))]
    files = []
    for start in range(0, len(texts), CHUNKS_PER_FILE):
        files.append(folder / f"{start}.parquet")
        batch = slice(start, start + CHUNKS_PER_FILE)
        write_band_file(files[-1], ids[batch], texts[batch], SKETCH)
    lap("signatures")
    hashes = [hashlib.sha256(text.encode()).digest() for text in texts]
    members = pa.table([ids, hashes, [True] * len(ids), [False] * len(ids)], schema=MEMBER_SCHEMA)
    with Warehouse(Home(folder), memory_limit="512MiB", threads=1).scratch() as connection:
        find_candidates(connection, members, files, folder / "candidates.parquet", SKETCH)
    lap("join")
    by_id = dict(zip(ids, texts, strict=True))
    rule = VerificationParameters(floor=THRESHOLD)
    write_verified_pairs(folder / "candidates.parquet", lambda _: by_id, folder / "pairs.parquet", rule)
    pairs = pq.read_table(folder / "pairs.parquet")
    lap("verification")
    cluster_chunks(members, pairs, ClusterParameters(THRESHOLD))
    lap("clusters")
    twins: dict[bytes, list[int]] = defaultdict(list)
    for number, text_hash in enumerate(hashes):
        twins[text_hash].append(number)
    found = {pair for group in twins.values() for pair in itertools.combinations(group, 2)}
    for a, b in zip(pairs["chunk_a"].to_pylist(), pairs["chunk_b"].to_pylist(), strict=True):
        sides = (twins[hashes[int.from_bytes(side, "big")]] for side in (a, b))
        found |= {(min(pair), max(pair)) for pair in itertools.product(*sides)}
    return found, seconds


def datasketch_seconds(texts: list[str]) -> tuple[float, float]:
    """Seconds for signatures, and for signatures and candidate sets, by datasketch alone."""
    started = time.perf_counter()
    sketches = []
    for text in texts:
        sketch = MinHash(num_perm=SKETCH.n_hashes)
        sketch.update_batch([" ".join(words).encode() for words in word_tuples(text)])
        sketches.append(sketch)
    signed = time.perf_counter() - started
    index = MinHashLSH(num_perm=SKETCH.n_hashes, params=(SKETCH.n_bands, SKETCH.rows_per_band))
    for number, sketch in enumerate(sketches):
        index.insert(number, sketch)
    for sketch in sketches:
        index.query(sketch)
    return signed, time.perf_counter() - started


def listed_texts(corpora: Path, name: str) -> list[str]:
    folder = corpora / "neardup" / name
    suffix = ".txt" if name == "spdx_licences" else ""
    with next(folder.glob("PAIRS*.csv")).open(newline="") as stream:
        names = {row[side] for row in csv.DictReader(stream) for side in "ab"}
    return [
        (folder / f"{listed}{suffix}").read_bytes().decode("utf-8", "replace") for listed in sorted(names)
    ]


def agreement(found: set[Pair], truth: dict[Pair, float]) -> dict[str, float]:
    n_right = len(found & truth.keys())
    return {"n_pairs": len(truth), "recall": n_right / len(truth), "precision": n_right / max(len(found), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--chunks", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    result: dict[str, object] = {"benchmark": "dedup", "threshold": THRESHOLD}
    for name in ("spdx_licences", "powershell_docs", "gov_crossposts"):
        texts = listed_texts(arguments.corpora, name)
        with tempfile.TemporaryDirectory() as folder:
            found, _ = found_pairs(texts, Path(folder))
        result[name] = agreement(found, brute_force(texts))
    chunks = book_chunks(arguments.corpora, arguments.chunks, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        found, seconds = found_pairs(chunks, Path(folder))
    result["books"] = agreement(found, brute_force(chunks))
    started = time.process_time()
    signatures(shingle(chunks, SKETCH.shingles), SKETCH)
    signature_seconds = time.process_time() - started
    peer_signatures, peer_total = datasketch_seconds(chunks)
    result |= {
        "n_chunks": len(chunks),
        "seconds": {step: round(value, 3) for step, value in seconds.items()},
        "chunks_per_second": round(len(chunks) / sum(seconds.values())),
        "signatures_per_cpu_second": round(len(chunks) / signature_seconds),
        "datasketch_chunks_per_second": round(len(chunks) / peer_total),
        "datasketch_signatures_per_second": round(len(chunks) / peer_signatures),
        "speedup_over_datasketch": round(peer_total / sum(seconds.values()), 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
