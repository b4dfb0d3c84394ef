"""Peak memory of the stage corpus/duplicate on homes of two sizes, each in a process of its own (Linux).

The chunks are the texts of ``dedup_memory.py``: a tenth near-duplicates, one in a hundred in large buckets, 4,000
identical; with --identical another large home holds one text alone.

Example: python benchmarks/duplicate_stage.py --chunks 100000 1000000 --identical
prints one JSON line: for each home peak resident bytes of the stage's process, seconds, and counts.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from dedup_memory import texts

from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.stages import duplicate
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import BuildSettings, StageContext, StageRun
from warehouse.textstore import ROW_GROUP_ROWS

CHUNKS_PER_FILE = 50_000
IDENTICAL = "the very same text in each of these rows, word by word and mark by mark"


def context_of(home: Path) -> StageContext:
    return StageContext(Warehouse(Home(home)), BuildSettings(workers=1))


def make_home(home: Path, rows: Iterable[str]) -> None:
    """A home whose corpus/chunk was built, as far as the stage looks."""
    context = context_of(home)
    context.warehouse.initialise("salt")
    rows, n_files = iter(rows), 0
    while batch := list(itertools.islice(rows, CHUNKS_PER_FILE)):
        ids = [
            hashlib.blake2b(f"{n_files}:{row}".encode(), digest_size=16).digest() for row in range(len(batch))
        ]
        path = context.warehouse.home.text / f"{n_files}.parquet"
        pq.write_table(
            pa.table({"chunk_id": ids, "text": batch}),
            path,
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
        )
        n_files += 1
    with context.warehouse.write("benchmark") as connection:
        script = Path(__file__).with_suffix(".sql").read_text()
        parameters = {
            "chunking_id": recipe_chunking(context)[1],
            "texts": str(context.warehouse.home.text / "*.parquet"),
        }
        for statement in connection.extract_statements(script):
            connection.execute(statement, {name: parameters[name] for name in statement.named_parameters})
        StageRun(context, "corpus/chunk", context.recipe.name, {}, ("warehouse.stages.chunk",)).record(
            connection, 0
        )


def worker(home: Path) -> dict[str, Any]:
    """Run the stage in this process."""
    report = duplicate.run(context_of(home))
    # Not ru_maxrss: a child starts with that of its parent.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) << 10
    return {
        "peak_bytes": peak,
        "seconds": round(report.seconds, 1),
        "n_members": report.n_rows,
        **report.counts,
    }


def measured(home: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--worker", str(home)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # this very script
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--chunks", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--identical", action="store_true")
    parser.add_argument("--worker", type=Path)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(worker(arguments.worker)))
        return
    result: dict[str, Any] = {"benchmark": "duplicate_stage"}
    homes = {str(n_chunks): texts(n_chunks, 1) for n_chunks in arguments.chunks}
    if arguments.identical:
        homes["identical"] = itertools.repeat(IDENTICAL, max(arguments.chunks))
    for name, rows in homes.items():
        with tempfile.TemporaryDirectory() as folder:
            make_home(Path(folder), rows)
            result[name] = measured(Path(folder))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
