"""How many planted evaluation items are found, how many clean chunks are removed, and how fast.

Items of evaluation sets are registered, some of them are planted into chunks of a corpus, verbatim or with a share of
their words replaced, and every chunk is searched at the default recipe's rules. What is planted is taken from the raw
records: a line, the longest string, or a question with its right answer. Chunks that are removed without anything
planted are false positives. The same chunks are searched for the same passages by a plain Python set of 13-grams, as
the peer. One core.

    python benchmarks/decontamination.py --sets ~/eval --corpus ~/books --items 200 --edit 0.1 --seed 1

Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.decontamination.evaluation_files import READERS, evaluation_files, read_file
from warehouse.decontamination.item_index import blocks_of_items, build_index, searched_items
from warehouse.decontamination.items import LONG_WORDS
from warehouse.decontamination.search import RULE_VERSION, Searcher
from warehouse.decontamination.words import split_words
from warehouse.recipes import DecontaminationRules

CHUNK_CHARACTERS = 2000
BATCH_CHUNKS = 2048
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Planted:
    """An item as it was written into a chunk: `n_words` long before it was edited."""

    text: str
    n_words: int


def chunks_of(corpus: Sequence[str], n_chunks: int, rng: random.Random) -> list[str]:
    """Pieces of at most `CHUNK_CHARACTERS` characters of the files of a corpus, files in random order."""
    paths = sorted(
        {path for root in corpus for path in (Path(root).rglob("*") if Path(root).is_dir() else [Path(root)])}
    )
    rng.shuffle(paths)
    chunks: list[str] = []
    for path in paths:
        if path.is_file() and len(chunks) < n_chunks:
            text = path.read_text(errors="ignore")
            chunks += [text[at : at + CHUNK_CHARACTERS] for at in range(0, len(text), CHUNK_CHARACTERS)]
    return chunks[:n_chunks]


def planted_text(record: object, rng: random.Random) -> str:
    """What a page that quotes an item would hold: its line, its longest string, or that with the right answer."""
    if not isinstance(record, dict):
        return str(record).strip()
    strings = [value for value in record.values() if isinstance(value, str)]
    gold, choices = record.get("gold"), record.get("choices")
    if "context_options" in record:
        return f"{record['context_options'][gold]} {record['continuation']}".strip()
    if "continuation" in record:
        return f"{record['context']}{record['continuation']}".strip()
    text = record.get("query") or max(strings, key=lambda value: len(value.split()))
    answer = choices[gold] if choices and isinstance(gold, int) and rng.random() < 0.5 else ""
    return f"{text.strip()} {answer}".strip()


def edited(text: str, share: float, vocabulary: Sequence[str], rng: random.Random) -> str:
    """The text with a share of its words, at least one, replaced by other words; verbatim where the share is 0."""
    words = list(WORD.finditer(text))
    if not share or not words:
        return text
    n_replaced = max(1, round(share * len(words)))
    for word in sorted(rng.sample(words, n_replaced), key=lambda match: -match.start()):
        others = (
            other for other in iter(lambda: rng.choice(vocabulary), "") if other.lower() != word[0].lower()
        )
        text = text[: word.start()] + next(others) + text[word.end() :]
    return text


def plant(chunk: str, text: str, place: str, rng: random.Random) -> str:
    """The chunk with a text in it: after a sentence, or between any two words."""
    pattern = r"[.!?]\s+" if place == "sentence" else r"\s+"
    places = [match.end() for match in re.finditer(pattern, chunk)] or [len(chunk)]
    at = rng.choice(places)
    return f"{chunk[:at]}{text.strip()} {chunk[at:]}"


def plain_search(passages: Sequence[str], chunks: Sequence[str]) -> tuple[set[int], float]:
    """The peer: a Python set of 13-grams of words, joined; the chunks that hold one, and seconds of search."""

    def grams(text: str) -> Iterator[str]:
        words = WORD.findall(text.casefold())
        return (" ".join(words[at : at + LONG_WORDS]) for at in range(len(words) - LONG_WORDS + 1))

    known = {gram for passage in passages for gram in grams(passage)}
    started = time.process_time()
    found = {number for number, chunk in enumerate(chunks) if any(gram in known for gram in grams(chunk))}
    return found, time.process_time() - started


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Register, plant, search; recall of what was planted, false positives and speed."""
    rng = random.Random(options.seed)  # noqa: S311  # no secret
    rules = DecontaminationRules()
    files = [path for location in options.sets for path in evaluation_files(location)]
    items = [item for path in files for item in searched_items(read_file(path))]
    chunks = chunks_of(options.corpus, options.chunks, rng)
    vocabulary = sorted({word for chunk in chunks[:500] for word in WORD.findall(chunk)})
    texts = [[planted_text(record, rng) for record in READERS[path.suffix](path)] for path in files]
    long_enough = [[text for text in own if len(WORD.findall(text)) >= options.min_words] for own in texts]
    # As many items of every file, so that a set of many files does not hide the others.
    sources = [own for own in long_enough if own]
    flat = [text for own in sources for text in own]
    planted: dict[int, Planted] = {}
    for number in rng.sample(range(len(chunks)), options.items):
        text = rng.choice(flat if options.uniform else rng.choice(sources))
        n_words = len(WORD.findall(text))
        planted[number] = Planted(edited(text, options.edit, vocabulary, rng), n_words)
        chunks[number] = plant(chunks[number], planted[number].text, options.place, rng)
    indexes = [build_index(block) for block in blocks_of_items(items)]
    searchers = [Searcher(index) for index in indexes]
    removed: set[int] = set()
    removed_by: list[str] = []
    started, seconds_at = time.process_time(), time.perf_counter()
    for start in range(0, len(chunks), BATCH_CHUNKS):
        words = split_words(chunks[start : start + BATCH_CHUNKS])
        for searcher, index in zip(searchers, indexes, strict=True):
            found = searcher.search(words)
            counts = ~found.is_near | (found.scores >= rules.min_score)
            removed |= {start + int(chunk) for chunk in found.chunks[counts]}
            clean = [row for row in counts.nonzero()[0] if start + int(found.chunks[row]) not in planted]
            ids = {index.item_ids[found.items[row]].tobytes() for row in clean}
            removed_by += [item.passages[0][:80] for item in items if item.item_id in ids][:8]
    cpu_seconds, seconds = time.process_time() - started, time.perf_counter() - seconds_at
    sample = [passage for item in items for passage in item.passages]
    plain_found, plain_seconds = plain_search(sample, chunks)
    n_bytes = sum(len(chunk.encode()) for chunk in chunks)
    clean = len(chunks) - len(planted)
    return {
        "benchmark": "decontamination",
        "rule_version": RULE_VERSION,
        "sets": options.sets,
        "corpus": options.corpus,
        "n_items": len({item.item_id for item in items}),
        "n_unsearched": sum(not item.passages for item in items),
        "n_chunks": len(chunks),
        "n_planted": len(planted),
        "edit": options.edit,
        "place": options.place,
        "recall": len(planted.keys() & removed) / len(planted),
        "removed_by": removed_by,
        "missed_words": [planted[number].n_words for number in sorted(planted.keys() - removed)],
        "missed": [planted[number].text[:80] for number in sorted(planted.keys() - removed)][:8],
        "false_positives": len(removed - planted.keys()),
        "false_positives_per_1000": 1000 * len(removed - planted.keys()) / clean,
        "chunks_per_cpu_second": round(len(chunks) / cpu_seconds),
        "mb_per_cpu_second": round(n_bytes / 1e6 / cpu_seconds, 2),
        "seconds": round(seconds, 2),
        "plain_recall": len(planted.keys() & plain_found) / len(planted),
        "plain_chunks_per_cpu_second": round(len(chunks) / plain_seconds),
        "times_plain": round(plain_seconds / cpu_seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", required=True, help="files or folders of evaluation items")
    parser.add_argument("--corpus", nargs="+", required=True, help="files or folders of clean text")
    parser.add_argument("--items", type=int, default=200, help="items to plant")
    parser.add_argument("--edit", type=float, default=0.0, help="share of words to replace")
    parser.add_argument("--place", choices=("sentence", "word"), default="sentence")
    parser.add_argument("--uniform", action="store_true", help="every item as likely, not every file")
    parser.add_argument("--min-words", type=int, default=0, help="words of the shortest item to plant")
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
