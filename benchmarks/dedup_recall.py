"""Near-duplicates against brute force: recall, precision and how far members are from their keepers.

Texts: the pair lists of ``neardup``, and chunks of books of which a tenth are copies with small edits. Truth: the
Jaccard similarity of sets of word 5-grams (tuples of words) of every pair that shares one. A pair is found if it is
verified, or its texts are the same. A member is linked to its keeper if it has a verified pair with it or its very
text, by two links if a third text has one with both.

Example: python -m benchmarks.dedup_recall CORPORA --chunks 20000
prints one JSON line. CORPORA is the folder that holds prose/ and neardup/.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.dedup import THRESHOLD, Pair, book_chunks, word_tuples
from warehouse.database import Warehouse
from warehouse.dedup.candidates import MEMBER_SCHEMA, find_candidates, write_band_file
from warehouse.dedup.clusters import ClusterParameters, write_clusters
from warehouse.dedup.minhash import SketchParameters
from warehouse.dedup.verification import VerificationParameters, write_verified_pairs
from warehouse.home import Home

PAIR_LISTS = ("spdx_licences", "powershell_docs", "gov_crossposts")
CHUNKS_PER_FILE = 4096
SKETCH = SketchParameters()


def brute_force(texts: list[str]) -> dict[Pair, float]:
    """Every pair at or above the threshold with its similarity: all pairs that share a shingle are compared."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    sizes = []
    for number, text in enumerate(texts):
        shingles = word_tuples(text)
        sizes.append(len(shingles))
        for shingle in shingles:
            places[shingle].append(number)
    n_shared: dict[Pair, int] = defaultdict(int)
    for numbers in places.values():
        for pair in itertools.combinations(numbers, 2):
            n_shared[pair] += 1
    similarities = {(a, b): shared / (sizes[a] + sizes[b] - shared) for (a, b), shared in n_shared.items()}
    return {pair: similarity for pair, similarity in similarities.items() if similarity >= THRESHOLD}


def searched(texts: list[str], folder: Path) -> tuple[set[Pair], dict[int, int]]:
    """Our pairs at or above the threshold, twins included, and the centre of each member of a cluster."""
    ids = [number.to_bytes(16, "big") for number in range(len(texts))]
    files = []
    for start in range(0, len(texts), CHUNKS_PER_FILE):
        files.append(folder / f"{start}.parquet")
        batch = slice(start, start + CHUNKS_PER_FILE)
        write_band_file(files[-1], ids[batch], texts[batch], SKETCH)
    hashes = [hashlib.sha256(text.encode()).digest() for text in texts]
    members = pa.table([ids, hashes, [True] * len(ids), [False] * len(ids)], schema=MEMBER_SCHEMA)
    members = members.append_column("priority", pa.array([len(text) for text in texts]))
    database = Warehouse(Home(folder), memory_limit="512MiB")
    with database.scratch() as connection:
        find_candidates(connection, members, files, folder / "candidates.parquet", SKETCH)
    by_id = dict(zip(ids, texts, strict=True))
    rule = VerificationParameters(floor=THRESHOLD)
    write_verified_pairs(folder / "candidates.parquet", lambda _: by_id, folder / "pairs.parquet", rule)
    pairs = pq.read_table(folder / "pairs.parquet")
    with database.scratch() as connection:
        output = folder / "clusters.parquet"
        write_clusters(connection, members, folder / "pairs.parquet", output, ClusterParameters(THRESHOLD))
    clusters = pq.read_table(output)
    twins: dict[bytes, list[int]] = defaultdict(list)
    for number, text_hash in enumerate(hashes):
        twins[text_hash].append(number)
    found = {pair for group in twins.values() for pair in itertools.combinations(group, 2)}
    for a, b in zip(numbers(pairs["chunk_a"]), numbers(pairs["chunk_b"]), strict=True):
        both = itertools.product(twins[hashes[a]], twins[hashes[b]])
        found |= {(min(pair), max(pair)) for pair in both}
    centres = zip(numbers(clusters["chunk_id"]), numbers(clusters["cluster_id"]), strict=True)
    return found, dict(centres)


def numbers(column: pa.ChunkedArray) -> list[int]:
    return [int.from_bytes(chunk_id, "big") for chunk_id in column.to_pylist()]


def links_to_keeper(centres: dict[int, int], found: set[Pair]) -> dict[str, int]:
    """How many members are one verified link from their cluster's centre, and the most links between any two
    members of a cluster (3 stands for more than two)."""
    linked: dict[int, set[int]] = defaultdict(set)
    for a, b in found:
        linked[a].add(b)
        linked[b].add(a)
    clusters: dict[int, list[int]] = defaultdict(list)
    for member, centre in centres.items():
        clusters[centre].append(member)
    farthest = 0
    for members in clusters.values():
        for a, b in itertools.combinations(members, 2):
            links = 1 if b in linked[a] else 2 if linked[a] & linked[b] else 3
            farthest = max(farthest, links)
    n_direct = sum(member == centre or centre in linked[member] for member, centre in centres.items())
    return {"n_members": len(centres), "n_linked_to_centre": n_direct, "most_links_to_any_keeper": farthest}


def compared(texts: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        found, centres = searched(texts, Path(folder))
    truth = brute_force(texts)
    n_right = len(found & truth.keys())
    return {
        "n_texts": len(texts),
        "n_pairs": len(truth),
        "recall": round(n_right / len(truth), 5),
        "precision": round(n_right / max(len(found), 1), 5),
        **links_to_keeper(centres, found),
    }


def listed_texts(corpora: Path, name: str) -> list[str]:
    folder = corpora / "neardup" / name
    suffix = ".txt" if name == "spdx_licences" else ""
    with next(folder.glob("PAIRS*.csv")).open(newline="") as stream:
        names = {row[side] for row in csv.DictReader(stream) for side in "ab"}
    return [
        (folder / f"{listed}{suffix}").read_bytes().decode("utf-8", "replace") for listed in sorted(names)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"benchmark": "dedup_recall", "threshold": THRESHOLD}
    for name in PAIR_LISTS:
        figures[name] = compared(listed_texts(arguments.corpora, name))
    figures["books"] = compared(book_chunks(arguments.corpora, arguments.chunks, arguments.seed)[0])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
