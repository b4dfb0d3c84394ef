"""The Data Cleanser against a datatrove pipeline that does the same, in one run, one process each.

Ours: raw files to decided encodings, cut and repaired chunks, all signals and private ranges. Theirs: the texts of
our chunks as JSON Lines (they read no files of unknown encoding), FTFY formatter, Gopher repetition, Gopher quality,
C4 and FineWeb filters. Two figures for them: every filter sees every text, which is what our signals mean; and the
pipeline as shipped, in which a text that one filter drops is not looked at by the next. Speeds are bytes of UTF-8
text a second of processor time, after both sides have loaded their models.

Example: python benchmarks/cleansing.py CORPORA/prose/classic_books --peer-python PEER/bin/python --megabytes 4
prints one JSON line. PEER is a virtual environment with: pip install "datatrove[processing,io]==0.10.1" spacy
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from warehouse.cleanser import iterate_chunks

PEER = Path(__file__).with_name("datatrove_pipeline.py")
WARM_UP = b"The models are loaded by this text, which is written here so that it counts for nothing.\n" * 9


def chosen_files(folder: Path, n_bytes: int) -> Iterator[Path]:
    """Files of a folder in the order of their names, until they hold `n_bytes`."""
    total = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if total >= n_bytes:
            return
        total += path.stat().st_size
        yield path


def our_chunks(files: list[Path]) -> tuple[list[str], float]:
    """Texts of the chunks of all files, each measured by every signal, and the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder:
        warm_up = Path(folder) / "warm-up.txt"
        warm_up.write_bytes(WARM_UP)
        list(iterate_chunks(warm_up))
    started = time.process_time()
    texts = [clean.text for path in files for clean in iterate_chunks(path)]
    return texts, time.process_time() - started


def peer_result(python: Path, file: Path, *flags: str) -> dict[str, Any]:
    command = [str(python), str(PEER), str(file.parent), file.name, *flags]
    finished = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PEER.parent)
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=4.0, help="text that both sides clean")
    arguments = parser.parse_args()
    files = list(chosen_files(arguments.folder, int(arguments.megabytes * 1e6)))
    if not files:
        sys.exit(f"There are no files in {arguments.folder}")
    texts, seconds = our_chunks(files)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chunks.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for number, text in enumerate(texts):
                lines.write(json.dumps({"id": str(number), "text": text}) + "\n")
        every = peer_result(arguments.peer_python, file, "--keep-all")
        shipped = peer_result(arguments.peer_python, file)
    speed = megabytes / seconds
    print(
        json.dumps(
            {
                "benchmark": "cleansing",
                "n_files": len(files),
                "n_chunks": len(texts),
                "megabytes": round(megabytes, 2),
                "megabytes_per_second": round(speed, 2),
                "peer": every["peer"],
                "peer_megabytes_per_second": round(megabytes / every["seconds"], 3),
                "ratio": round(speed * every["seconds"] / megabytes, 1),
                "peer_as_shipped_megabytes_per_second": round(megabytes / shipped["seconds"], 3),
                "ratio_as_shipped": round(speed * shipped["seconds"] / megabytes, 1),
                "peer_kept_as_shipped": shipped["n_kept"],
            }
        )
    )


if __name__ == "__main__":
    main()
