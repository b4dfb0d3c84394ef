"""Our n-gram model against KenLM's on the same tokens: perplexity of unseen books, training, speed of scoring.

The books of ``classic_books`` are read as UTF-8 and cut every 2,000 characters; about a tenth of the books (those
whose path hashes to 0 modulo 10) is kept unseen. One BPE tokenizer, trained on the other books, encodes both.

KenLM's conventions differ in three places, and are met so:
- Start: each of our chunks begins with the marker; each is a line for ``lmplz``, which begins it with <s>. Both are
  context only.
- End: ``lmplz`` also learns to predict </s> at the end of each line. Its probability is not counted (``eos=False``);
  the little that it takes from the other tokens (one token in some 600) stays with KenLM.
- Unseen tokens are <unk> for KenLM, while our uniform distribution knows each of them: ``n_unknown`` tells how many
  of the scored tokens are such. Both sides count them.
``lmplz`` gets no pruning and no discount fallback: the defaults.

Training and scoring run in processes of their own: ours trains from a token file within --memory-limit and tells its
peak memory; it scores on one core with the model memory-mapped, first with the files dropped from the page cache
(cold), then again (warm, the best of three). Encoding by the tokenizer is no part of it and is told on its own.
Where other work shares the cores, the figures by processor second tell more than those by the clock.
The whole reference (tokenizer, encoding, two fold models) is trained once more from the text, for its time and
peak memory.

Example: python benchmarks/perplexity.py CORPORA --lmplz KENLM/build/bin/lmplz --kenlm-python KENLM/v/bin/python
prints one JSON line. CORPORA is the folder that holds prose/; KENLM is a folder beside the project with the
unpacked source package kenlm 0.3.0 of PyPI, built by cmake in build/, and installed into the environment v.
Without --lmplz only our side is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from warehouse.perplexity.array_files import ArrayFile, ArrayWriter
from warehouse.perplexity.ngram import NgramModel
from warehouse.perplexity.reference import BATCH_TEXTS, encode_texts, train_reference
from warehouse.perplexity.training import MEMORY_LIMIT, train_ngram_files
from warehouse.tokens.tokenizer import Tokenizer, joined_chunks, train_tokenizer

CHUNK_CHARACTERS = 2000
VOCAB_SIZE = 2048

KENLM_SCORER = """
import json, sys, time, kenlm
model = kenlm.Model(sys.argv[1])
lines = open(sys.argv[2]).read().split("\\n")[:-1]
begin, processor = time.perf_counter(), time.process_time()
log10 = sum(model.score(line, bos=True, eos=False) for line in lines)
seconds, processor = time.perf_counter() - begin, time.process_time() - processor
n_tokens = sum(len(line.split()) for line in lines)
print(json.dumps({"log10": log10, "n_tokens": n_tokens, "seconds": seconds, "processor_seconds": processor}))
"""


def chunks_of_books(corpora: Path, unseen: bool) -> Iterator[str]:
    """Chunks of the unseen books, or of all others."""
    folder = corpora / "prose" / "classic_books"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix().encode()
        if (int.from_bytes(hashlib.sha256(name).digest()[:8]) % 10 == 0) == unseen:
            text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
            yield from (text[i : i + CHUNK_CHARACTERS] for i in range(0, len(text), CHUNK_CHARACTERS))


def batched(texts: Iterator[str]) -> Iterator[list[str]]:
    """Texts in lists, as the reference takes them."""
    while batch := list(islice(texts, BATCH_TEXTS)):
        yield batch


def write_tokens(path: Path, tokenizer: Tokenizer, texts: Iterator[str]) -> None:
    """Encode texts into a token file."""
    with ArrayWriter(path, np.uint16) as writer:
        for batch in batched(texts):
            writer.append(joined_chunks(encode_texts(tokenizer, batch))[0])


def in_own_process(task: str, *arguments: object, environment: dict[str, str] | None = None) -> Any:
    """Run one of the tasks below in a process of its own; returns what it printed."""
    command = [sys.executable, __file__, "--task", task, *map(str, arguments)]
    finished = subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, **(environment or {})}
    )
    return json.loads(finished.stdout)


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def train(tokens: str, folder: str, order: str, vocab_size: str, memory_limit: str) -> dict[str, float]:
    begin = time.perf_counter()
    train_ngram_files(
        Path(folder),
        [ArrayFile(Path(tokens))],
        int(order),
        int(vocab_size),
        temporary=Path(folder).parent,
        memory_limit=int(memory_limit),
    )
    return {
        "training_seconds": round(time.perf_counter() - begin, 1),
        "training_processor_seconds": round(time.process_time(), 1),
        "training_peak_mib": peak_mib(),
    }


def whole_reference(corpora: str, folder: str, order: str, memory_limit: str) -> dict[str, float]:
    """A reference of two folds from the text, read anew for each of the two passes."""
    n_texts = sum(1 for _ in chunks_of_books(Path(corpora), unseen=False))
    before, begin, processor = peak_mib(), time.perf_counter(), time.process_time()
    train_reference(
        Path(folder),
        lambda: batched(chunks_of_books(Path(corpora), unseen=False)),
        [i % 2 for i in range(n_texts)],
        n_folds=2,
        order=int(order),
        vocab_size=VOCAB_SIZE,
        temporary=Path(folder).parent,
        memory_limit=int(memory_limit),
    )
    return {
        "seconds": round(time.perf_counter() - begin, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "peak_mib": peak_mib(),
        "peak_mib_before": before,
    }


def score(tokens: str, folder: str) -> dict[str, float]:
    """Nats and speed on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sequence = np.load(tokens)
    starts = np.flatnonzero(sequence == 0)
    for path in Path(folder).iterdir():
        with path.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    seconds, processor = [], []
    model = NgramModel.load(Path(folder), verify=False)
    for _ in range(4):
        begin, processor_begin = time.perf_counter(), time.process_time()
        nats = -model.token_log_probabilities(sequence, starts).astype(np.float64).sum()
        seconds.append(time.perf_counter() - begin)
        processor.append(time.process_time() - processor_begin)
    n_scored = len(sequence) - len(starts)
    return {
        "nats": float(nats),
        "tokens_per_second_cold": round(n_scored / seconds[0]),
        "tokens_per_second_warm": round(n_scored / min(seconds[1:])),
        "tokens_per_processor_second_cold": round(n_scored / processor[0]),
        "tokens_per_processor_second_warm": round(n_scored / min(processor[1:])),
        "scoring_peak_mib": peak_mib(),
    }


def encode(tokenizer: str, corpora: str) -> dict[str, float]:
    """Speed of the tokenizer on one core."""
    texts = list(chunks_of_books(Path(corpora), unseen=True))
    bpe = Tokenizer.from_file(Path(tokenizer))
    begin, processor = time.perf_counter(), time.process_time()
    n_tokens = sum(len(tokens) for tokens in encode_texts(bpe, texts))
    seconds, processor = time.perf_counter() - begin, time.process_time() - processor
    return {
        "tokens_per_second": round(n_tokens / seconds),
        "tokens_per_processor_second": round(n_tokens / processor),
    }


TASKS: dict[str, Callable[..., dict[str, float]]] = {
    "train": train,
    "score": score,
    "encode": encode,
    "whole_reference": whole_reference,
}


def words(tokens: Path) -> Iterator[str]:
    """A line for each chunk: its token ids as words."""
    sequence = np.load(tokens)
    for chunk in np.split(sequence, np.flatnonzero(sequence == 0))[1:]:
        yield " ".join(map(str, chunk[1:].tolist())) + "\n"


def kenlm(lmplz: Path, python: Path, folder: Path, order: int) -> dict[str, float]:
    """What KenLM says of the same tokens."""
    arpa, binary = folder / "kenlm.arpa", folder / "kenlm.binary"
    begin = time.perf_counter()
    with (folder / "train.txt").open("rb") as text, arpa.open("wb") as model:
        command = [str(lmplz), "-o", str(order), "-S", "1G", "-T", str(folder / "lmplz")]
        process = subprocess.Popen(command, stdin=text, stdout=model, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        raise subprocess.CalledProcessError(status, command)
    build = [str(lmplz.with_name("build_binary")), "probing", str(arpa), str(binary)]
    subprocess.run(build, check=True, capture_output=True)
    scorer = [str(python), "-c", KENLM_SCORER, str(binary), str(folder / "unseen.txt")]
    scored = json.loads(subprocess.run(scorer, check=True, capture_output=True).stdout)
    return {
        "nats": -scored["log10"] * math.log(10),
        "training_seconds": round(seconds, 1),
        "training_processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "training_peak_mib": usage.ru_maxrss // 1024,
        "tokens_per_second": round(scored["n_tokens"] / scored["seconds"]),
        "tokens_per_processor_second": round(scored["n_tokens"] / scored["processor_seconds"]),
        "file_mib": binary.stat().st_size >> 20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--lmplz", type=Path)
    parser.add_argument("--kenlm-python", type=Path)
    parser.add_argument("--orders", type=int, nargs="+", default=[3, 5])
    parser.add_argument(
        "--memory-limit", type=int, default=MEMORY_LIMIT, help="bytes that our training may take"
    )
    options = parser.parse_args()
    if (options.lmplz is None) != (options.kenlm_python is None):
        parser.error("--lmplz and --kenlm-python go together")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(options, Path(folder))))


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All figures."""
    begin = time.perf_counter()
    tokenizer = Tokenizer(train_tokenizer(chunks_of_books(options.corpora, unseen=False), VOCAB_SIZE))
    tokenizer_seconds = time.perf_counter() - begin
    (folder / "tokenizer.json").write_bytes(tokenizer.data)
    for name, unseen in (("train", False), ("unseen", True)):
        write_tokens(folder / f"{name}.npy", tokenizer, chunks_of_books(options.corpora, unseen))
        (folder / f"{name}.txt").write_text("".join(words(folder / f"{name}.npy")))
    trained, scored = (np.load(folder / f"{name}.npy") for name in ("train", "unseen"))
    n_scored = int(np.count_nonzero(scored))
    n_bytes_trained, n_bytes = (
        sum(len(text.encode()) for text in chunks_of_books(options.corpora, unseen))
        for unseen in (False, True)
    )
    result: dict[str, Any] = {
        "n_bytes_trained": n_bytes_trained,
        "n_bytes_scored": n_bytes,
        "n_tokens_trained": int(np.count_nonzero(trained)),
        "n_tokens_scored": n_scored,
        "n_unknown": int(np.count_nonzero(~np.isin(scored, trained))),
        "memory_limit_mib": options.memory_limit >> 20,
        "tokenizer_seconds": round(tokenizer_seconds, 1),
        "encoding": in_own_process(
            "encode", folder / "tokenizer.json", options.corpora,
            environment={"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"},
        ),
    }  # fmt: skip
    for order in options.orders:
        model = folder / f"order-{order}"
        arguments = (folder / "train.npy", model, order, tokenizer.vocab_size, options.memory_limit)
        ours = in_own_process("train", *arguments) | in_own_process("score", folder / "unseen.npy", model)
        ours["file_mib"] = sum(path.stat().st_size for path in model.iterdir()) >> 20
        sides = {"ours": ours}
        if options.lmplz is not None:
            sides["kenlm"] = kenlm(options.lmplz, options.kenlm_python, folder, order)
        for side in sides.values():
            nats = side.pop("nats")
            side["perplexity"] = round(math.exp(nats / n_scored), 3)
            side["bits_per_byte"] = round(nats / math.log(2) / n_bytes, 4)
        result[f"order_{order}"] = sides
        if "kenlm" in sides:
            result[f"order_{order}"]["perplexity_difference"] = round(
                ours["perplexity"] / sides["kenlm"]["perplexity"] - 1, 5
            )
    result["whole_reference"] = in_own_process(
        "whole_reference", options.corpora, folder / "reference", max(options.orders), options.memory_limit
    )
    return result


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        print(json.dumps(TASKS[sys.argv[2]](*sys.argv[3:])))
    else:
        main()
