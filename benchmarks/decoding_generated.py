"""Encodings against two detectors on text whose truth is made here: known text, encoded, cut short.

Texts of many languages, decoded from the files of a corpus folder whose encoding is stated, are encoded into
each of 45 codecs that can hold them and that people use for their script, as pieces of 50, 100, 200, 500 and
2,000 bytes that begin at a word and end at a character, and whole (at most 20,000 bytes). A piece counts as
right if the text that the decided encoding gives is the text that went in, after byte order marks and line
endings. Pieces of plain ASCII decide nothing and are not drawn.

Two averages over codecs are told: weighted by how common a codec is on web pages (`CODECS`), with UTF-8 and
without it, and the plain mean. Calibration: how often decisions of at least and of less than 80 % confidence
are right.

Example: python -m benchmarks.decoding_generated CORPORA MANIFEST.csv --samples 40
prints a table, and one JSON line at the end. --verbose 200 names each piece of 200 bytes that is wrong.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import chardet
import charset_normalizer

from benchmarks.decoding import comparable, stated_codecs
from warehouse.cleanser.decoding import decide_bytes

CODECS = {
    "utf-8": 98_600, "cp1252": 300, "iso8859-1": 1_000, "cp1251": 240, "shift_jis": 110, "euc_jp": 90,
    "gb2312": 110, "gb18030": 40, "euc_kr": 80, "big5": 40, "cp1250": 40, "iso8859-2": 60, "iso8859-9": 40,
    "cp1254": 30, "iso8859-15": 50, "cp1256": 30, "cp874": 20, "cp1255": 20, "cp1253": 10, "iso8859-7": 20,
    "cp1257": 15, "koi8-r": 15, "iso8859-8": 5, "cp1258": 5, "iso8859-5": 5, "iso8859-6": 5,
    "iso8859-13": 3, "iso8859-4": 2, "utf-16-le": 3, "utf-16-be": 1, "koi8-u": 2, "iso2022_jp": 2,
    "cp866": 2, "iso8859-3": 1, "iso8859-10": 1, "iso8859-14": 1, "iso8859-16": 1, "mac-roman": 2,
    "mac-cyrillic": 1, "mac-latin2": 1, "cp437": 1, "cp850": 1, "cp852": 1, "cp855": 1, "johab": 1,
}  # fmt: skip
"""Weights: orders of magnitude of the shares of web pages, in units of 0.001 %, after the surveys of W3Techs
("Usage statistics of character encodings for websites", 2024 to 2026); what the surveys do not list has 1."""

SCRIPTS = {
    "CYRILLIC": "cp1251 koi8-r koi8-u iso8859-5 cp866 cp855 mac-cyrillic",
    "GREEK": "cp1253 iso8859-7",
    "HEBREW": "cp1255 iso8859-8",
    "ARABIC": "cp1256 iso8859-6",
    "THAI": "cp874",
    "HIRAGANA KATAKANA CJK": "shift_jis euc_jp iso2022_jp",
    "CJK": "gb2312 gb18030 big5",
    "HANGUL CJK": "euc_kr johab",
}
"""Scripts for which codecs are used; the other ones, except those of Unicode, are used for Latin letters."""

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
"""What no text has: a file with one of these was stated in the wrong encoding."""

LENGTHS = (50, 100, 200, 500, 2_000, None)
WHOLE_BYTES = 20_000
TRIES = 30
CONFIDENT = 0.8

DECODERS = ("ours", "charset-normalizer", "chardet")


@dataclass(frozen=True)
class Piece:
    """A piece of known text in a known encoding."""

    source: str
    codec: str
    n_bytes: int | None
    raw: bytes
    text: str


def true_texts(corpora: Path, manifest: Path) -> dict[str, str]:
    """Texts by the path of the file that they come from; a text that occurs twice is taken once."""
    texts: dict[str, str] = {}
    with manifest.open(newline="") as rows:
        for row in csv.DictReader(rows):
            if row["kind"] != "encodings" or "mojibake" in row["path"]:
                continue
            for codec in stated_codecs(row["encoding"]):
                try:
                    text = comparable((corpora / row["path"]).read_bytes().decode(codec))
                except (UnicodeDecodeError, LookupError, OSError):
                    continue
                if len(text) >= 100 and not _CONTROLS.search(text):
                    texts.setdefault(text, row["path"])
                    break
    return {path: text for text, path in texts.items()}


def is_natural(text: str, codec: str) -> bool:
    """Whether most letters of a text outside ASCII are of a script for which people use the codec.

    Any text is natural in UTF-8 and UTF-16; typographic signs alone are natural in encodings of Latin script.
    """
    if codec.startswith("utf"):
        return True
    scripts = next((names for names, codecs in SCRIPTS.items() if codec in codecs.split()), "LATIN").split()
    letters = [character for character in text if character.isalpha() and not character.isascii()]
    if not letters:
        return scripts == ["LATIN"]
    if codec in {"shift_jis", "euc_jp", "iso2022_jp"} and not _n_of(letters, ["HIRAGANA", "KATAKANA"]):
        return False
    return 2 * _n_of(letters, scripts) > len(letters)


def _n_of(letters: list[str], scripts: list[str]) -> int:
    return sum(
        1 for letter in letters if unicodedata.name(letter, "").replace("-", " ").split(" ")[0] in scripts
    )


def cut(text: str, codec: str, n_bytes: int | None, chance: random.Random) -> Piece | None:
    """A piece of a text that a codec can hold and that is not plain ASCII; None where chance found none."""
    places = [index for index, character in enumerate(text) if not character.isascii()]
    for _ in range(TRIES if places else 0):
        if n_bytes is None:
            start, limit = 0, WHOLE_BYTES
        else:
            start, limit = max(0, chance.choice(places) - chance.randrange(n_bytes)), n_bytes
            while start and not text[start - 1].isspace() and text[start].isascii():
                start -= 1
        piece = text[start : start + limit]
        try:
            raw = piece.encode(codec)
            while len(raw) > limit:
                piece = piece[: max(1, len(piece) * limit // len(raw) - (len(raw) - limit < 4))]
                raw = piece.encode(codec)
        except UnicodeEncodeError:
            if n_bytes is None:
                return None
            continue
        if not piece.isascii() and raw.decode(codec) == piece and is_natural(piece, codec):
            return Piece("", codec, n_bytes, raw, piece)
    return None


def pieces(texts: dict[str, str], n_samples: int, seed: int) -> Iterator[Piece]:
    """At most `n_samples` pieces of each length in each codec, from texts drawn at random."""
    for codec in CODECS:
        for n_bytes in LENGTHS:
            chance = random.Random(f"{seed} {codec} {n_bytes}")  # noqa: S311  # samples, no secrets
            paths = sorted(texts)
            chance.shuffle(paths)
            n_found = 0
            for path in paths * 3:
                found = cut(texts[path], codec, n_bytes, chance)
                if found:
                    n_found += 1
                    yield Piece(path, codec, n_bytes, found.raw, found.text)
                if n_found == n_samples:
                    break


def ours(raw: bytes) -> tuple[str, str, float]:
    decision = decide_bytes(raw)
    if decision.encoding is None:
        return "", "no text", decision.confidence
    text = raw[decision.byte_order_mark_bytes :].decode(decision.encoding, "replace")
    return text, decision.encoding, decision.confidence


def of_charset_normalizer(raw: bytes) -> tuple[str, str, float]:
    best = charset_normalizer.from_bytes(raw).best()
    if best is None:
        return "", "no text", 0.0
    return raw.decode(best.encoding, "replace"), best.encoding, 1.0 - best.chaos


def of_chardet(raw: bytes) -> tuple[str, str, float]:
    best = chardet.detect(raw)
    encoding = best["encoding"]
    if encoding is None:
        return "", "no text", 0.0
    return raw.decode(encoding, "replace"), encoding, best["confidence"]


def means(right: dict[str, list[bool]]) -> dict[str, float]:
    """Share of pieces right: weighted by codec, the same without UTF-8, and the plain mean over codecs."""
    shares = {codec: sum(values) / len(values) for codec, values in right.items()}
    legacy = {codec: share for codec, share in shares.items() if codec != "utf-8"}
    return {
        "weighted": _weighted(shares),
        "weighted_without_utf8": _weighted(legacy),
        "macro": sum(shares.values()) / len(shares),
    }


def _weighted(shares: dict[str, float]) -> float:
    return sum(CODECS[codec] * share for codec, share in shares.items()) / sum(map(CODECS.get, shares))  # type: ignore[arg-type]  # each key has a weight


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--samples", type=int, default=20, help="pieces of each length in each codec")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--verbose",
        type=int,
        default=-1,
        help="name the pieces of so many bytes that are wrong, 0 for whole ones",
    )
    parser.add_argument("--alone", action="store_true", help="leave the two detectors out")
    arguments = parser.parse_args()
    decoders = {"ours": ours}
    if not arguments.alone:
        decoders |= {"charset-normalizer": of_charset_normalizer, "chardet": of_chardet}
    texts = true_texts(arguments.corpora, arguments.manifest)
    right: dict[str, dict[int | None, dict[str, list[bool]]]] = {
        name: {n_bytes: defaultdict(list) for n_bytes in LENGTHS} for name in decoders
    }
    seconds = dict.fromkeys(decoders, 0.0)
    calibration: dict[bool, list[bool]] = {True: [], False: []}
    n_pieces = 0
    decide_bytes("Déjà vu: models are loaded before the clock starts.".encode("cp1252"))
    for piece in pieces(texts, arguments.samples, arguments.seed):
        n_pieces += 1
        for name, decode in decoders.items():
            started = time.process_time()
            text, encoding, confidence = decode(piece.raw)
            seconds[name] += time.process_time() - started
            is_right = comparable(text) == comparable(piece.text)
            right[name][piece.n_bytes][piece.codec].append(is_right)
            if name == "ours":
                calibration[confidence >= CONFIDENT].append(is_right)
                if not is_right and (piece.n_bytes or 0) == arguments.verbose:
                    print(f"{piece.codec} read as {encoding} ({confidence:.2f}): {piece.source}")
    report(right, seconds, calibration, n_pieces, len(texts))


def report(
    right: dict[str, dict[int | None, dict[str, list[bool]]]],
    seconds: dict[str, float],
    calibration: dict[bool, list[bool]],
    n_pieces: int,
    n_texts: int,
) -> None:
    """Print the table of codecs at 200 bytes and the JSON line."""
    for codec in CODECS:
        at_200 = {name: lengths[200][codec] for name, lengths in right.items()}
        shares = "  ".join(
            f"{name} {sum(values) / max(1, len(values)):6.1%}" for name, values in at_200.items()
        )
        print(f"{codec:14} {shares}  of {len(at_200['ours'])}")
    scores = {
        name: {
            str(n_bytes or "whole"): {kind: round(value, 4) for kind, value in means(by_codec).items()}
            for n_bytes, by_codec in lengths.items()
        }
        for name, lengths in right.items()
    }
    print(
        json.dumps(
            {
                "benchmark": "decoding_generated",
                "n_texts": n_texts,
                "n_codecs": len(CODECS),
                "n_pieces": n_pieces,
                "scores": scores,
                "ms_per_piece": {name: round(1000 * value / n_pieces, 2) for name, value in seconds.items()},
                "right_when_confident": round(sum(calibration[True]) / max(1, len(calibration[True])), 4),
                "right_when_not": round(sum(calibration[False]) / max(1, len(calibration[False])), 4),
                "confident_share": round(len(calibration[True]) / n_pieces, 4),
                "peers": [
                    f"charset-normalizer {charset_normalizer.__version__}",
                    f"chardet {chardet.__version__}",
                ],
            }
        )
    )


if __name__ == "__main__":
    main()
