"""The peer of ``dedup.py``: datatrove's four MinHash steps over one JSON Lines file, in a process of its own.

Run by that benchmark with the Python of an environment that holds `datatrove[processing,io]` and `spacy`; this file
imports nothing of ours. Signatures, buckets, clusters and the filter follow datatrove's ``minhash_deduplication``
example with its default configuration, which is FineWeb's: word 5-grams of simplified text, 14 buckets of 8 hashes,
64 bits (xxhash). One task at a time in this process; the bucket step has as many tasks as buckets, as it demands.

Example: python benchmarks/datatrove_minhash.py FOLDER FILE.jsonl WORK
prints one JSON line: seconds of each step, processor seconds of all, the ids kept are in WORK/kept/.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter


def steps(folder: str, file: str, work: Path, config: MinhashConfig) -> dict[str, tuple[list[Any], int]]:
    """Each step's pipeline and how many tasks it has."""

    def reader() -> JsonlReader:
        return JsonlReader(folder, glob_pattern=file)

    signed, paired, removed = (str(work / name) for name in ("signatures", "buckets", "removed"))
    return {
        "signatures": ([reader(), MinhashDedupSignature(output_folder=signed, config=config)], 1),
        "buckets": (
            [MinhashDedupBuckets(input_folder=signed, output_folder=paired, config=config)],
            config.num_buckets,
        ),
        "clusters": ([MinhashDedupCluster(input_folder=paired, output_folder=removed, config=config)], 1),
        "filter": (
            [
                reader(),
                MinhashDedupFilter(input_folder=removed),
                JsonlWriter(str(work / "kept"), compression=None),
            ],
            1,
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("file")
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    config = MinhashConfig()
    logs = arguments.work / "logs"
    seconds: dict[str, float] = {}
    cpu_started = time.process_time()
    for name, (pipeline, n_tasks) in steps(arguments.folder, arguments.file, arguments.work, config).items():
        started = time.perf_counter()
        LocalPipelineExecutor(pipeline, tasks=n_tasks, workers=1, logging_dir=str(logs / name)).run()
        seconds[name] = round(time.perf_counter() - started, 3)
    figures = {
        "peer": f"datatrove {version('datatrove')}",
        "configuration": str(config),
        "steps": seconds,
        "seconds": round(sum(seconds.values()), 3),
        "cpu_seconds": round(time.process_time() - cpu_started, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
