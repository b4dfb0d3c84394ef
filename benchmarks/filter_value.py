"""Whether a filter earns its place: micromodels trained on what a recipe keeps, on everything, on a random drop.

The text: every folder below CORPORA but ``eval`` is a corpus, cut to `--megabytes` of whole files in seeded order:
prose, documentation, stories in other languages, files in old encodings, near-duplicate pages, JSON of questions and
answers, XML. It is built once into `--home`, whose salt is fixed, so the same files lie in the same splits.

The arms: what each of `--recipes` keeps, and a random drop: chunks of ``raw`` taken out in seeded order until as many
tokens are left as in the first recipe's arm. All arms share one tokenizer, trained on what ``raw`` keeps (if that
favours an arm, it is ``raw``), and take the same number of steps of the same size, whatever the time. Only the split
train is trained on, and a chunk that resembles a held-out one is left out of every arm.

The measure: bits per byte of held-out text of the clean corpora (`--clean`), the same chunks for every arm: all that
``raw`` keeps of them, so that no rule of the recipe under test chose what it is measured on. Thresholds are to be
chosen with ``--split validation``; ``--split report`` is for one test at the end. The spread between seeds is the
largest difference between two seeds of one arm.

Example: python benchmarks/filter_value.py CORPORA --home /tmp/filter-value --split report
prints one JSON line. Trainings that were finished are found again in the home.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.supervisor import run_training
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse, query, read_rows
from warehouse.files import write_bytes_whole
from warehouse.home import Home
from warehouse.identity import content_id, uniform_draw
from warehouse.perplexity.calibration import choose_sample
from warehouse.splits import sampling_unit
from warehouse.stages.duplicate import TextPlace, texts_at
from warehouse.stages.masking import Masks, masked_text, recipe_masks
from warehouse.stages.stage import ASSETS, BuildSettings, StageContext
from warehouse.tokens.shards import TOKENIZER_FILE, ChunkTokens, open_split, write_shard
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID, Tokenizer, Tokens, train_tokenizer
from warehouse.training_chunks import KeptChunk

SALT = "filter value"
BASELINE = "raw"
RANDOM = "random drop"
SEPARATING = ("held_out_overlap", "near_held_out", "evaluation_overlap", "evaluation_near_duplicate")
"""Reasons that keep what is measured on out of what is trained on: they hold for every arm."""

CLEAN = ("classic_books", "digitalgov", "pratham_stories_en", "state_union", "tinystories_sample")
TOKENIZER_BYTES = 16_000_000
VOCAB_SIZE = 2048
ENCODE_TEXTS = 2048


@dataclass(frozen=True)
class Measured:
    """Held-out text: token ids with their marker, and the corpus and UTF-8 bytes of each chunk."""

    tokens: Sequence[Tokens]
    corpora: Sequence[str]
    n_bytes: Sequence[int]


@dataclass(frozen=True)
class Arm:
    """What one arm trains on: chunks and what is masked in them."""

    name: str
    chunks: Sequence[KeptChunk]
    masks: Masks


def sampled_files(folder: Path, max_bytes: int, seed: int) -> list[Path]:
    """Whole files of a folder in seeded order up to `max_bytes`; at least one."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    random.Random(f"{seed} {folder.name}").shuffle(paths)  # noqa: S311  # a seed is wanted, not secrecy
    chosen: list[Path] = []
    left = max_bytes
    for path in paths:
        size = path.stat().st_size
        if not chosen or size <= left:
            chosen.append(path)
            left -= size
    return chosen


def make_home(home: Home, corpora: Path, max_bytes: int, seed: int) -> Warehouse:
    """The home with a corpus for every folder; one that is there already is taken as it is."""
    warehouse = Warehouse(home)
    if warehouse.initialise(SALT):
        kinds = [path for path in sorted(corpora.iterdir()) if path.is_dir() and path.name != "eval"]
        folders = [path for kind in kinds for path in sorted(kind.iterdir()) if path.is_dir()]
        with warehouse.write("registering the corpora") as connection:
            for folder in folders:
                paths = [str(path) for path in sampled_files(folder, max_bytes, seed)]
                register(connection, Registration(folder.name, paths, "LicenseRef-Sample"))
    return warehouse


def build_corpus(context: StageContext) -> None:
    """Run every corpus stage for the context's recipe; what is up to date is not done again."""
    for asset in ASSETS:
        if asset.startswith("corpus/"):
            import_module(f"warehouse.stages.{asset.partition('/')[2]}").run(context)


def arms_of(contexts: Mapping[str, StageContext]) -> tuple[list[Arm], list[KeptChunk]]:
    """What each recipe keeps of the split train, without what resembles held-out text; and all that raw keeps."""
    warehouse = contexts[BASELINE].warehouse
    kept: dict[str, list[KeptChunk]] = {}
    masks: dict[str, Masks] = {}
    separated: set[UUID] = set()
    with warehouse.read() as connection:
        for name, context in contexts.items():
            kept[name] = read_rows(connection, query("kept_chunks"), {"recipe": name}, KeptChunk)
            masks[name] = recipe_masks(connection, context)
            rows = connection.execute(
                "SELECT chunk_id FROM corpus.training_chunk WHERE recipe = ? AND list_contains(?, reason)",
                [name, list(SEPARATING)],
            )
            separated |= {row[0] for row in rows.fetchall()}
    arms = [
        Arm(
            name,
            [chunk for chunk in chunks if chunk.split == "train" and chunk.chunk_id not in separated],
            masks[name],
        )
        for name, chunks in kept.items()
    ]
    return arms, kept[BASELINE]


def shared_tokenizer(home: Home, kept: Sequence[KeptChunk], seed: int) -> Tokenizer:
    """The tokenizer of every arm, trained on a sample of what raw trains on; found again in the home."""
    path = home.root / "filter_value" / TOKENIZER_FILE
    if not path.exists():
        chunks = [chunk for chunk in kept if chunk.split == "train"]
        chosen = choose_sample(
            [chunk.chunk_id for chunk in chunks],
            [chunk.n_bytes for chunk in chunks],
            TOKENIZER_BYTES,
            f"tokenizer-{seed}",
        )
        sample = [chunks[number] for number in chosen]
        texts = texts_at(home.text, [_place(chunk) for chunk in sample])
        path.parent.mkdir(exist_ok=True)
        write_bytes_whole(path, train_tokenizer([texts[chunk.chunk_id] for chunk in sample], VOCAB_SIZE))
    return Tokenizer.from_file(path)


def _place(chunk: KeptChunk) -> TextPlace:
    return TextPlace(chunk.chunk_id, chunk.text_file, chunk.text_row)


class Encoder:
    """Token ids of texts; a text that several arms share is encoded once."""

    def __init__(self, home: Home, tokenizer: Tokenizer) -> None:
        self.home = home
        self.tokenizer = tokenizer
        self._known: dict[str, Tokens] = {}

    def encode(self, chunks: Sequence[KeptChunk], masks: Masks) -> list[tuple[Tokens, int]]:
        """Token ids, without marker, and UTF-8 bytes of each chunk as it is trained on."""
        stored = texts_at(self.home.text, [_place(chunk) for chunk in chunks])
        texts = [masked_text(stored[chunk.chunk_id], chunk.chunk_id, masks) for chunk in chunks]
        new = sorted({text for text in texts if text not in self._known})
        for start in range(0, len(new), ENCODE_TEXTS):
            part = new[start : start + ENCODE_TEXTS]
            self._known.update(zip(part, self.tokenizer.encode_batch(part), strict=True))
        return [(self._known[text], len(text.encode())) for text in texts]


def rows_of(arm: Arm, encoder: Encoder) -> list[ChunkTokens]:
    """The arm's chunks as token ids; one of which nothing is left is left out."""
    encoded = encoder.encode(arm.chunks, arm.masks)
    return [
        ChunkTokens(
            chunk.chunk_id,
            sampling_unit(chunk.document_id, chunk.ordinal, chunk.split_unit),
            chunk.corpus,
            chunk.weight,
            tokens,
            n_bytes,
        )
        for chunk, (tokens, n_bytes) in zip(arm.chunks, encoded, strict=True)
        if len(tokens)
    ]


def n_tokens(rows: Sequence[ChunkTokens]) -> int:
    """Tokens of the rows, markers not counted."""
    return sum(len(row.tokens) for row in rows)


def random_drop(rows: Sequence[ChunkTokens], max_tokens: int, seed: int) -> list[ChunkTokens]:
    """Rows taken out in seeded order until at most `max_tokens` tokens are left; the order stays."""
    order = sorted(rows, key=lambda row: uniform_draw(str(row.chunk_id), f"drop-{seed}"))
    ends = np.cumsum([len(row.tokens) for row in order])
    taken = {row.chunk_id for row in order[: int(np.searchsorted(ends, max_tokens, side="right"))]}
    return [row for row in rows if row.chunk_id in taken]


def write_arm(home: Home, name: str, rows: Sequence[ChunkTokens], tokenizer: Tokenizer) -> Path:
    """A folder of shards that a trainer takes, named by its contents."""
    identity = content_id(tokenizer.sha256, *(part for row in rows for part in _content(row)))
    folder = home.root / "filter_value" / f"{name.replace(' ', '-')}-{identity.hex[:12]}"
    if not (folder / "train-00.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes_whole(folder / TOKENIZER_FILE, (folder.parent / TOKENIZER_FILE).read_bytes())
        write_shard(
            folder,
            "train-00",
            rows,
            shard_id=identity,
            split="train",
            tokenizer_sha256=tokenizer.sha256,
            vocab_size=tokenizer.vocab_size,
        )
    return folder


def _content(row: ChunkTokens) -> Iterator[bytes]:
    yield row.chunk_id.bytes
    yield np.asarray(row.tokens, np.uint16).tobytes()
    yield str(row.weight).encode()


def measured_text(
    kept: Sequence[KeptChunk], split: str, clean: Sequence[str], max_bytes: int, encoder: Encoder
) -> Measured:
    """Held-out chunks of the clean corpora, up to `max_bytes` of each, drawn by their hashed ids."""
    chosen: list[KeptChunk] = []
    for corpus in clean:
        left = max_bytes
        there = (chunk for chunk in kept if chunk.corpus == corpus and chunk.split == split)
        for chunk in sorted(there, key=lambda chunk: chunk.chunk_id):
            if left > 0:
                chosen.append(chunk)
                left -= chunk.n_bytes
    encoded = encoder.encode(chosen, {})
    marker = np.array([DOCUMENT_MARKER_ID], np.uint16)
    return Measured(
        [np.concatenate([marker, tokens]) for tokens, _ in encoded],
        [chunk.corpus for chunk in chosen],
        [n_bytes for _, n_bytes in encoded],
    )


def bits_per_byte_of(run_dir: Path, measured: Measured) -> dict[str, float]:
    """Bits per byte of a trained model on each corpus and on all the text ("all")."""
    import torch

    from fakesmrt_models.evaluation.bits_per_byte import chunk_nats
    from fakesmrt_models.training.checkpoint import load_model
    from fakesmrt_models.training.model_folder import model_folder

    torch.set_num_threads(1)
    nats = chunk_nats([load_model(model_folder(run_dir)).model], measured.tokens)[0]
    corpora, sizes = np.array(measured.corpora), np.array(measured.n_bytes)
    parts = {"all": np.ones(len(sizes), bool)} | {
        name: corpora == name for name in sorted(set(measured.corpora))
    }
    return {name: float(nats[part].sum() / math.log(2) / sizes[part].sum()) for name, part in parts.items()}


def train_and_measure(
    task: tuple[Path, int], steps: int, batch_tokens: int, measured: Measured
) -> dict[str, float]:
    """Train one model, or find it trained; its bits per byte. Runs in a process of its own."""
    tokens, seed = task
    request = TrainingRequest(
        tokens=tokens, seed=seed, steps=steps, batch_tokens=batch_tokens, threads=1, compiled=True
    )
    run_dir = tokens / f"{steps}-steps-of-{batch_tokens}-seed-{seed}"
    run_training(request, run_dir)
    return bits_per_byte_of(run_dir, measured)


def summary(scores: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Any]:
    """Per arm the seeds and their mean; the spread; what each arm has over the first."""
    overall = {name: [score["all"] for score in there] for name, there in scores.items()}
    means = {name: statistics.fmean(values) for name, values in overall.items()}
    seeds = next(iter(overall.values()))
    spread = max(max(values) - min(values) for values in overall.values())
    first = next(iter(means))
    differences = {name: round(mean - means[first], 5) for name, mean in means.items() if name != first}
    return {
        "bits_per_byte": {
            name: {"mean": round(means[name], 5), "seeds": [round(value, 5) for value in values]}
            for name, values in overall.items()
        },
        "by_corpus": {
            name: {part: round(statistics.fmean(s[part] for s in there), 4) for part in there[0]}
            for name, there in scores.items()
        },
        "spread": round(spread, 5),
        "others_minus_first": differences,
        # One seed has no spread to beat.
        "first_wins": {
            name: difference > spread if len(seeds) > 1 else None for name, difference in differences.items()
        },
    }


def prepare(arguments: argparse.Namespace) -> tuple[dict[str, Path], Measured]:
    """Build the corpus, choose the arms, write their shards; the folder of each arm, and the held-out text."""
    home = Home(arguments.home.absolute())
    warehouse = make_home(home, arguments.corpora, round(arguments.megabytes * 1e6), arguments.sample_seed)
    names = [*dict.fromkeys([*arguments.recipes, BASELINE])]
    contexts = {name: StageContext(warehouse, BuildSettings(recipe=name)) for name in names}
    for name in (BASELINE, *names):
        build_corpus(contexts[name])
    arms, kept = arms_of(contexts)
    tokenizer = shared_tokenizer(home, kept, arguments.sample_seed)
    encoder = Encoder(home, tokenizer)
    rows = {arm.name: rows_of(arm, encoder) for arm in arms}
    if not arguments.no_random:
        rows[RANDOM] = random_drop(rows[BASELINE], n_tokens(rows[names[0]]), arguments.sample_seed)
    max_bytes = round(arguments.measured_kilobytes * 1000)
    measured = measured_text(kept, arguments.split, arguments.clean, max_bytes, encoder)
    return {name: write_arm(home, name, there, tokenizer) for name, there in rows.items()}, measured


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """The whole benchmark; returns its JSON object."""
    folders, measured = prepare(arguments)
    steps = max(1, arguments.tokens // arguments.batch_tokens)
    tasks = [(folder, seed) for seed in range(arguments.seeds) for folder in folders.values()]
    train = partial(train_and_measure, steps=steps, batch_tokens=arguments.batch_tokens, measured=measured)
    with ProcessPoolExecutor(arguments.parallel, mp_context=get_context("spawn")) as executor:
        results = dict(zip(tasks, executor.map(train, tasks), strict=True))
    scores = {
        name: [results[folder, seed] for seed in range(arguments.seeds)] for name, folder in folders.items()
    }
    manifests = {name: open_split(folder, "train")[0].manifest for name, folder in folders.items()}
    return {
        "split": arguments.split,
        "trained_tokens": steps * arguments.batch_tokens,
        "measured_bytes": sum(measured.n_bytes),
        "arms": {name: {"chunks": m.n_chunks, "tokens": m.n_tokens} for name, m in manifests.items()},
        **summary(scores),
    }


def main() -> None:
    """Read the arguments, measure, print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=["default", BASELINE])
    parser.add_argument("--split", choices=("validation", "report"), default="validation")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=1_000_000, help="tokens that each model is trained on")
    parser.add_argument("--batch-tokens", type=int, default=4096, help="tokens of one step")
    parser.add_argument("--megabytes", type=float, default=1.5, help="of files a corpus")
    parser.add_argument("--measured-kilobytes", type=float, default=60.0, help="of clean text a corpus")
    parser.add_argument("--clean", nargs="+", default=CLEAN)
    parser.add_argument("--sample-seed", type=int, default=0)
    parser.add_argument("--parallel", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--no-random", action="store_true", help="without the random drop")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
