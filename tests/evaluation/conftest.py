"""A tiny language model and shards of real documentation text."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics

import pytest
import torch

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.checkpoint import save_model
from warehouse.identity import content_id
from warehouse.tokens.shards import ChunkTokens, write_shard
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

TINY = ModelConfig(
    vocab_size=300, width=16, n_layers=2, n_heads=2, n_kv_heads=1, head_width=8, feed_forward_width=16,
    context_length=32,
)  # fmt: skip

Documents = Mapping[str, Sequence[str]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Models so small only wait for a second thread."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return [text[:1_500] for _, text in sorted(topics.items())]


@pytest.fixture(scope="session")
def tokenizer(texts: list[str]) -> Tokenizer:
    return Tokenizer(train_tokenizer(texts, TINY.vocab_size))


@pytest.fixture
def write_split(tokenizer: Tokenizer) -> Callable[[Path, str, Documents], None]:
    """Write the documents of each corpus, cut into chunks of 400 characters, as a shard of a split."""

    def write(folder: Path, split: str, documents: Documents) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_bytes(tokenizer.data)
        rows = [
            ChunkTokens(
                chunk_id=content_id(split, corpus, number, start),
                document_id=content_id(split, corpus, number),
                corpus=corpus,
                weight=1.0,
                tokens=tokenizer.encode(text[start : start + 400]),
                n_bytes=len(text[start : start + 400].encode()),
            )
            for corpus, corpus_texts in documents.items()
            for number, text in enumerate(corpus_texts)
            for start in range(0, len(text), 400)
        ]
        write_shard(
            folder, split, rows, shard_id=uuid.UUID(int=1), split=split,
            tokenizer_sha256=tokenizer.sha256, vocab_size=TINY.vocab_size,
        )  # fmt: skip

    return write


@pytest.fixture
def tiny_model() -> Callable[[int], Transformer]:
    """A model with every weight random: an untrained one would not look at its context."""

    def make(seed: int) -> Transformer:
        model = initialised(TINY, seed)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.3, generator=generator)
        return model.eval()

    return make


@pytest.fixture
def save_tiny(
    tiny_model: Callable[[int], Transformer], tokenizer: Tokenizer, tmp_path: Path
) -> Callable[[str, int], Path]:
    def save(name: str, seed: int) -> Path:
        tokenizer_file = tmp_path / "tokenizer.json"
        tokenizer_file.write_bytes(tokenizer.data)
        save_model(tmp_path / name, tiny_model(seed), TINY, {}, tokenizer_file)
        return tmp_path / name

    return save
