"""What cleansing changes in files that are sound UTF-8, character for character.

The truth is the decoded file with \\n for every line end and without control characters. It is compared chunk by
chunk with the stored text; a character counts as changed if the truth has it and the stored text does not. What is
mended on purpose (mojibake) counts too: each change is listed with --verbose, to be judged by eye.

Example: python benchmarks/harmless.py CORPORA [KIND ...] --verbose
prints one JSON line at the end. CORPORA is a folder of kinds; without any, prose, docs and multilingual are read.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.repair import Repaired, repair_chunk
from warehouse.cleanser.segmenting import cut_bytes

KINDS = ("prose", "docs", "multilingual")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
AROUND = 24


@dataclass
class Tally:
    """What was looked at, and what changed."""

    files: int = 0
    characters: int = 0
    changed_characters: int = 0
    changed_files: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)


def sound_files(folders: list[Path]) -> Iterator[tuple[Path, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                raw = path.read_bytes()
                try:
                    raw.decode()
                except UnicodeDecodeError:
                    continue
                yield path, raw


def excerpt(before: str, after: str) -> str:
    """Where two texts differ, with what stands around it."""
    # The texts may differ in length: up to the end of the shorter one, a difference is a pair.
    start = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    shortest = min(len(before), len(after)) - start
    end = next((at for at in range(shortest) if before[-1 - at] != after[-1 - at]), shortest)
    left = max(0, start - AROUND)
    return f"{before[left : len(before) - end + AROUND]!r} -> {after[left : len(after) - end + AROUND]!r}"


def compare(raw: bytes, repaired: Repaired) -> tuple[int, list[str]]:
    """Characters of the truth that the stored text has not, and the lines in which they stood."""
    truth = CONTROL.sub("", raw.decode().replace("\r\n", "\n").replace("\r", "\n"))
    if truth == repaired.text:
        return 0, []
    gone = sum((Counter(truth) - Counter(repaired.text)).values())
    before, after = truth.split("\n"), repaired.text.split("\n")
    if len(before) != len(after):
        return gone, [excerpt(truth, repaired.text)]
    return gone, [excerpt(*pair) for pair in zip(before, after, strict=True) if pair[0] != pair[1]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("kinds", nargs="*", default=KINDS)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    tally = Tally()
    for path, raw in sound_files([arguments.corpora / kind for kind in arguments.kinds]):
        tally.files += 1
        for chunk in cut_bytes([raw], "utf-8", Chunking()):
            repaired = repair_chunk(chunk.raw, "utf-8")
            tally.characters += len(repaired.text)
            tally.steps.update(repaired.counts)
            gone, excerpts = compare(chunk.raw, repaired)
            if excerpts:
                tally.changed_characters += gone
                tally.changed_files[path.name] += gone
                if arguments.verbose:
                    print(*(f"{path.name}: {line}" for line in excerpts), sep="\n")
    print(
        json.dumps(
            {
                "files": tally.files,
                "characters": tally.characters,
                "changed_characters": tally.changed_characters,
                "changed_files": dict(tally.changed_files.most_common()),
                "characters_by_step": dict(tally.steps),
            }
        )
    )


if __name__ == "__main__":
    main()
