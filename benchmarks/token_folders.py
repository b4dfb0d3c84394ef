"""Folders of tokens made of plain text files, for the benchmarks of training; whole files are kept unseen.

    python benchmarks/token_folders.py --texts corpora/prose/classic_books --output /tmp/books --vocab-size 2048

A hash of its name puts each file into a split: `train`, `validation` (what a training watches), `select` (by which
configurations are chosen) or `report` (by which results are told). The tokenizer is trained on the training files
alone. Files are cut into chunks of at most 2,000 characters, as ``fakesmrt eval`` cuts a text, so that both measure
the same predictions. The same files give the same bytes. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.evaluation.bits_per_byte import CONTEXT, chunk_nats
from fakesmrt_models.evaluation.text import pieces
from warehouse.files import write_bytes_whole
from warehouse.identity import fingerprint, uniform_draw
from warehouse.tokens.shards import TOKENIZER_FILE, ChunkTokens, open_split, write_shard
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

SHARES = {"report": 0.05, "select": 0.05, "validation": 0.02}
"""Of the files that are no training files; a file's draw decides which."""

DONE_FILE = "done.txt"
"""Written last, with a hash of what the folder was made of: a folder without it is unfinished. Not JSON, because every
.json there is a shard's manifest."""


def split_of(name: str) -> str:
    """The split of the file called `name`, by a hash of its name."""
    draw = uniform_draw(name, "benchmark split")
    for split, share in SHARES.items():
        if draw < share:
            return split
        draw -= share
    return "train"


def texts_by_split(folder: Path) -> dict[str, dict[str, str]]:
    """The text files below `folder`, UTF-8, by split and by name; both in order."""
    texts: dict[str, dict[str, str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".txt", ".md"}:
            name = str(path.relative_to(folder))
            texts.setdefault(split_of(name), {})[name] = path.read_text()
    return texts


def write_token_folder(
    output: Path, texts: Mapping[str, Mapping[str, str]], vocab_size: int, train_share: float = 1.0
) -> Path:
    """Write the texts of each split as one shard with their tokenizer, unless `output` was made of the same already.

    Args:
        output: the folder.
        texts: by split and by name.
        vocab_size: of the tokenizer, which sees all training texts.
        train_share: of the training texts that are written, chosen by a hash of their names.
    """
    done = output / DONE_FILE
    parts = [part for split, named in texts.items() for item in named.items() for part in (split, *item)]
    source = fingerprint(vocab_size, repr(train_share), *parts).encode()
    if done.exists() and done.read_bytes() == source:
        return output
    done.unlink(missing_ok=True)
    for shard_file in output.glob("*-00.*"):
        shard_file.unlink()
    tokenizer = Tokenizer(train_tokenizer(texts["train"].values(), vocab_size))
    write_bytes_whole(output / TOKENIZER_FILE, tokenizer.data)
    for split, named in texts.items():
        write_shard(
            output, f"{split}-00", _chunks(tokenizer, _kept(named, train_share if split == "train" else 1.0)),
            shard_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{split} {vocab_size} {train_share} {sorted(named)}"), split=split,
            tokenizer_sha256=tokenizer.sha256, vocab_size=tokenizer.vocab_size,
        )  # fmt: skip
    write_bytes_whole(done, source)
    return output


def _kept(texts: Mapping[str, str], share: float) -> dict[str, str]:
    return {name: text for name, text in texts.items() if uniform_draw(name, "benchmark share") < share}


def _chunks(tokenizer: Tokenizer, texts: Mapping[str, str]) -> Iterator[ChunkTokens]:
    for name, text in texts.items():
        parts = pieces(text)
        for number, (part, tokens) in enumerate(zip(parts, tokenizer.encode_batch(parts), strict=True)):
            yield ChunkTokens(
                chunk_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {number}"),
                document_id=uuid.uuid5(uuid.NAMESPACE_OID, name),
                corpus="benchmark",
                weight=1.0,
                tokens=tokens,
                n_bytes=len(part.encode()),
            )


def bits_per_byte_of_split(
    models: Sequence[Transformer],
    folder: Path,
    split: str,
    context: int = CONTEXT,
    most_bytes: float = math.inf,
) -> list[float]:
    """Bits per byte of a split under each model, all by the same windows, on two threads.

    Args:
        models: anything with `eval`, `hidden` and `logits` as a `Transformer` has them.
        folder: of tokens.
        split: the split that is measured.
        context: most tokens that a model sees at once; each window begins half of it after the one before.
        most_bytes: how much text is measured, a draw of chunks without replacement.
    """
    rows: list[tuple[bytes, Any, Any]] = [
        (record["chunk_id"].tobytes(), shard, record)
        for shard in open_split(folder, split)
        for record in shard.index
    ]
    chunks, n_bytes = [], 0
    for _, shard, record in sorted(rows, key=lambda row: row[0]):
        chunks.append(np.asarray(shard.tokens[int(record["token_start"]) : int(record["token_end"])]))
        n_bytes += int(record["n_bytes"])
        if n_bytes >= most_bytes:
            break
    torch.set_num_threads(2)
    nats = chunk_nats(models, chunks, context=context, stride=max(1, context // 2)).sum(axis=1)
    return [float(total) / math.log(2) / n_bytes for total in nats]


def bits_per_byte_of_whole_texts(model: Any, folder: Path, split: str, context: int = CONTEXT) -> float:
    """Bits per byte of a split whose texts are measured as `fakesmrt eval` does: each as one document.

    Args:
        model: as those of `bits_per_byte_of_split`.
        folder: of tokens.
        split: the split that is measured.
        context: most tokens that the model sees at once; each window begins half of it after the one before.
    """
    texts: dict[bytes, list[Any]] = {}
    n_bytes = 0
    for shard in open_split(folder, split):
        for record in shard.index:
            pieces_of_text = texts.setdefault(record["document_id"].tobytes(), [])
            # The marker of the first piece stays, as that of the text.
            start = int(record["token_start"]) + bool(pieces_of_text)
            pieces_of_text.append(shard.tokens[start : int(record["token_end"])])
            n_bytes += int(record["n_bytes"])
    torch.set_num_threads(2)
    whole = [np.concatenate(parts) for parts in texts.values()]
    nats = chunk_nats([model], whole, context=context, stride=max(1, context // 2)).sum()
    return float(nats) / math.log(2) / n_bytes


def main() -> None:
    """Write a folder and say what is in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, required=True, help="folder of .txt and .md files, UTF-8")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--vocab-size", type=int, default=2_048)
    options = parser.parse_args()
    texts = texts_by_split(options.texts)
    folder = write_token_folder(options.output, texts, options.vocab_size)
    splits = {split: sum(shard.manifest.n_tokens for shard in open_split(folder, split)) for split in texts}
    unseen = {split: list(named) for split, named in texts.items() if split != "train"}
    print(
        json.dumps(
            {"folder": str(folder), "n_tokens": splits, "n_train": len(texts["train"]), "unseen": unseen}
        )
    )


if __name__ == "__main__":
    main()
