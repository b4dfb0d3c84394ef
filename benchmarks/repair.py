"""Repair of mojibake against ftfy alone, in one run: on ftfy's own cases, and on text that was decoded wrongly on
purpose.

The cases hold mojibake with its fix, and sound text that looks like it. A case passes for us and for
``ftfy.fix_encoding`` if the text after is the stated one (before quotes and ligatures are changed), for
``ftfy.fix_text`` if it is the stated one after all of ftfy's steps. For the generated ones, lines of the Universal
Declaration are encoded as UTF-8 and decoded as one of the encodings that ftfy knows; undecodable ones are left out.

Example: python benchmarks/repair.py CORPORA
prints each case that is wrong with --verbose, and one JSON line at the end. CORPORA is the folder that holds
encodings/.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import ftfy

from warehouse.cleanser.repair import repair_text

ENCODINGS = ("cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso-8859-2", "macroman", "cp437")
LINES_A_FILE = 8


def stated_cases(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob("*.json")):
        yield from json.loads(path.read_text())


def generated_cases(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Encoding, damaged line and sound line."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            lines = path.read_bytes().decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            continue
        sound = [line for line in lines if not line.isascii() and len(line) < 300][:LINES_A_FILE]
        for encoding in ENCODINGS:
            for line in sound:
                try:
                    yield encoding, line.encode().decode(encoding), line
                except UnicodeDecodeError:
                    continue


def score_stated(folder: Path, verbose: bool) -> dict[str, int]:
    passed: Counter[str] = Counter()
    for case in stated_cases(folder):
        text = case["original"]
        encoding_fixed = case.get("fixed-encoding", case["fixed"])
        ours = repair_text(text).text
        passed["cases"] += 1
        passed["ours"] += ours == encoding_fixed
        passed["ftfy_fix_encoding"] += ftfy.fix_encoding(text) == encoding_fixed
        passed["ftfy_fix_text"] += ftfy.fix_text(text) == case["fixed"]
        if verbose and ours != encoding_fixed:
            print(f"{case['label']}: {text!a} -> {ours!a}, not {encoding_fixed!a}")
    return dict(passed)


def score_generated(folder: Path, verbose: bool) -> dict[str, float]:
    passed: Counter[str] = Counter()
    harmed: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for encoding, damaged, sound in generated_cases(folder):
        passed["cases"] += 1
        for name, fix in (("ours", lambda text: repair_text(text).text), ("ftfy", ftfy.fix_encoding)):
            start = time.perf_counter()
            fixed = fix(damaged)
            seconds[name] += time.perf_counter() - start
            passed[name] += fixed == sound
            harmed[name] += fix(sound) != sound
            if verbose and name == "ours" and fixed != sound:
                print(f"{encoding}: {damaged!a} -> {fixed!a}")
    return {
        **passed,
        **{f"{name}_changed_sound_lines": harmed[name] for name in ("ours", "ftfy")},
        **{f"{name}_seconds": round(seconds[name], 2) for name in ("ours", "ftfy")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    encodings = arguments.corpora / "encodings"
    result = {
        "stated": score_stated(encodings / "ftfy_mojibake", arguments.verbose),
        "generated": score_generated(encodings / "udhr", arguments.verbose),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
