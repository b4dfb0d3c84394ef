"""Encodings against charset-normalizer, in one run: exact text on files whose encoding is known.

A file counts as right if the text that the decided encoding gives is the text that the stated encoding gives,
character for character, after byte order marks and line endings. Files whose stated encoding Python lacks, or
which do not decode strictly in it, are left out and counted.

Example: python benchmarks/decoding.py CORPORA MANIFEST.csv
prints a line for each file that is wrong with --verbose, and one JSON line at the end. CORPORA is the folder
that holds encodings/.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import charset_normalizer

from warehouse.cleanser.decoding import decide_encoding
from warehouse.cleanser.language import identify_language
from warehouse.cleanser.streams import walk_streams

CODECS = {
    "uhc": "cp949",
    "maccentraleurope": "mac-latin2",
    "maccyrillic": "mac-cyrillic",
    "us-ascii/unknown": "ascii",
}
"""Names that the manifest uses and Python does not."""


def stated_codecs(label: str) -> list[str]:
    """The codecs that a label of the manifest accepts: "iso-8859-1 (or cp1252)" names two."""
    names = re.sub(r"\(declared\)|\bjson\b|\bhtml\b|[()]|\bor\b", " ", label).split()
    return [CODECS.get(name.lower(), name) for name in names]


def comparable(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def true_texts(raw: bytes, label: str) -> set[str]:
    """The texts that count as right; none where no stated codec decodes the file strictly."""
    texts = set()
    for codec in stated_codecs(label):
        try:
            texts.add(comparable(raw.decode(codec)))
        except (UnicodeDecodeError, LookupError):
            continue
    return texts


def our_text(path: Path, raw: bytes) -> tuple[str | None, str]:
    decision = decide_encoding(next(walk_streams(path)))
    if decision.encoding is None:
        return None, "no text"
    if decision.regions:
        parts = (
            raw[region.byte_start : region.byte_end].decode(region.encoding, "replace")
            for region in decision.regions
        )
        return comparable("".join(parts)), "+".join(sorted({region.encoding for region in decision.regions}))
    text = raw[decision.byte_order_mark_bytes :].decode(decision.encoding, "replace")
    return comparable(text), decision.encoding


def peer_text(raw: bytes) -> tuple[str | None, str]:
    best = charset_normalizer.from_bytes(raw).best()
    return (
        (None, "no text")
        if best is None
        else (comparable(raw.decode(best.encoding, "replace")), best.encoding)
    )


def stated_files(corpora: Path, manifest: Path) -> Iterator[tuple[Path, str]]:
    with manifest.open(newline="") as rows:
        for row in csv.DictReader(rows):
            if row["kind"] == "encodings":
                yield corpora / row["path"], row["encoding"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--verbose", action="store_true", help="name each file that is wrong")
    arguments = parser.parse_args()
    identify_language("The model is loaded before the clock starts.")
    n_files = n_left_out = n_right = n_peer_right = n_bytes = 0
    seconds = peer_seconds = 0.0
    for path, label in stated_files(arguments.corpora, arguments.manifest):
        raw = path.read_bytes()
        truth = true_texts(raw, label)
        if not truth:
            n_left_out += 1
            continue
        started = time.process_time()
        ours, encoding = our_text(path, raw)
        middle = time.process_time()
        peers, _ = peer_text(raw)
        seconds, peer_seconds = seconds + middle - started, peer_seconds + time.process_time() - middle
        n_files, n_bytes = n_files + 1, n_bytes + len(raw)
        n_right += ours in truth
        n_peer_right += peers in truth
        if arguments.verbose and ours not in truth:
            print(f"{label} read as {encoding}: {path.relative_to(arguments.corpora)}")
    print(
        json.dumps(
            {
                "benchmark": "decoding",
                "n_files": n_files,
                "n_left_out": n_left_out,
                "n_bytes": n_bytes,
                "exact_text_share": round(n_right / n_files, 4),
                "seconds": round(seconds, 2),
                "peer": f"charset-normalizer {charset_normalizer.__version__}",
                "peer_exact_text_share": round(n_peer_right / n_files, 4),
                "peer_seconds": round(peer_seconds, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
