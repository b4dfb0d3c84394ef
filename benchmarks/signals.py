"""Our signals against datatrove's on the same texts: are the values equal, and how fast does each side measure?

Texts are cut from the files of a folder, read as UTF-8, every so many characters; that suits both sides alike. Ours
measures more (languages, scripts, shares of characters, private data). Values that are not whole are compared as
single-precision numbers, as they are stored. Speeds are bytes of UTF-8 text a second of processor time, after both
sides have loaded their models.

Example: python benchmarks/signals.py CORPORA/prose/classic_books --peer-python PEER/bin/python --chunks 2000
prints one JSON line. PEER is a virtual environment with: pip install "datatrove[processing,io]==0.10.1" spacy
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from warehouse.cleanser.signals import SIGNALS, measure_signals

PEER = Path(__file__).with_name("datatrove_signals.py")
WARM_UP = "The models are loaded by this text, which is written here so that it counts for nothing.\n" * 9


def chunks_of(folder: Path, n_characters: int, n_chunks: int) -> list[str]:
    """Chunks spread over the files of a folder, as many of each as it takes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    chunks = []
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
        chunks += [text[start : start + n_characters] for start in range(0, len(text), n_characters)]
    step = max(1, len(chunks) // n_chunks)
    return [chunk for chunk in chunks[::step][:n_chunks] if chunk]


def peer_values(python: Path, chunks: list[str]) -> tuple[list[dict[str, float]], float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "texts.jsonl"
        file.write_text("".join(json.dumps(chunk) + "\n" for chunk in chunks), encoding="utf-8")
        finished = subprocess.run(
            [str(python), str(PEER), str(file)], check=True, capture_output=True, text=True, cwd=PEER.parent
        )
    *values, last = map(json.loads, finished.stdout.splitlines())
    return values, last["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--characters", type=int, default=2000)
    parser.add_argument("--show", type=int, default=0, help="print so many of the chunks that differ")
    arguments = parser.parse_args()
    chunks = chunks_of(arguments.folder, arguments.characters, arguments.chunks)
    if not chunks:
        sys.exit(f"There is no text in {arguments.folder}")
    measure_signals([WARM_UP])
    started = time.process_time()
    ours = measure_signals(chunks)
    seconds = time.process_time() - started
    theirs, peer_seconds = peer_values(arguments.peer_python, chunks)
    equal = {}
    for signal in SIGNALS:
        if signal.name in theirs[0]:
            expected = np.array([one[signal.name] for one in theirs]).astype(signal.dtype)
            equal[signal.name] = ours[signal.name] == expected
    all_equal = np.logical_and.reduce(list(equal.values()))
    for index in np.flatnonzero(~all_equal)[: arguments.show].tolist():
        differing = {
            name: (ours[name][index].item(), theirs[index][name]) for name in equal if not equal[name][index]
        }
        print(json.dumps({"text": chunks[index], "ours_and_theirs": differing}), file=sys.stderr)
    megabytes = sum(len(chunk.encode()) for chunk in chunks) / 1e6
    print(
        json.dumps(
            {
                "benchmark": "signals",
                "n_chunks": len(chunks),
                "megabytes": round(megabytes, 2),
                "chunks_with_all_values_equal": round(float(all_equal.mean()), 5),
                "equal_values": {name: round(float(same.mean()), 5) for name, same in equal.items()},
                "megabytes_per_second": round(megabytes / seconds, 2),
                "peer_megabytes_per_second": round(megabytes / peer_seconds, 3),
                "ratio": round(peer_seconds / seconds, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
