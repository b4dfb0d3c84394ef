"""Pools of tiny models: branches of a trunk that has learned something, and models of their own start."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.checkpoint import save_model
from warehouse.identity import content_id
from warehouse.tokens.shards import ChunkTokens, write_shard
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

TINY = ModelConfig(
    vocab_size=300, width=16, n_layers=1, n_heads=2, n_kv_heads=1, head_width=8, feed_forward_width=16,
    context_length=32,
)  # fmt: skip

Pool = Callable[[int], list[Path]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Models so small only wait for a second thread."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return [text[:400] for _, text in sorted(topics.items())]


@pytest.fixture(scope="session")
def tokenizer_file(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    path.write_bytes(train_tokenizer(texts, TINY.vocab_size))
    return path


@pytest.fixture(scope="session")
def tokens_folder(texts: list[str], tokenizer_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third of the texts in each of the splits select, confirm and report."""
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
    tokenizer = Tokenizer.from_file(tokenizer_file)
    for number, split in enumerate(("select", "confirm", "report")):
        rows = [
            ChunkTokens(
                chunk_id=content_id("chunk", text),
                document_id=content_id("document", text),
                corpus="python",
                weight=1.0,
                tokens=tokenizer.encode(text),
                n_bytes=len(text.encode()),
            )
            for text in texts[number::3]
        ]
        write_shard(
            folder, split, rows, shard_id=uuid.UUID(int=number), split=split,
            tokenizer_sha256=tokenizer.sha256, vocab_size=TINY.vocab_size,
        )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def trunk(texts: list[str], tokenizer_file: Path) -> Transformer:
    """A model that was trained for a moment, so that it is better than a new one."""
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokens = torch.from_numpy(np.concatenate(tokenizer.encode_batch(texts)).astype(np.int64))
    model = initialised(TINY, seed=1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    generator = torch.Generator().manual_seed(1)
    for _ in range(60):
        starts = torch.randint(0, len(tokens) - 33, (16,), generator=generator)
        batch = torch.stack([tokens[start : start + 33] for start in starts])
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        optimizer.step()
    return model


@pytest.fixture
def branch_pool(trunk: Transformer, tokenizer_file: Path, tmp_path: Path) -> Pool:
    """Branches of the trunk: its weights with noise of their own, which a mean takes away."""

    def make(n_members: int) -> list[Path]:
        folders = []
        for number in range(n_members):
            member = Transformer(TINY)
            member.load_state_dict(trunk.state_dict())
            generator = torch.Generator().manual_seed(100 + number)
            with torch.no_grad():
                for parameter in member.parameters():
                    parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
            folders.append(tmp_path / f"branch-{number}")
            save_model(folders[-1], member, TINY, {"parent": "the trunk"}, tokenizer_file)
        return folders

    return make


@pytest.fixture
def independent_pool(tokenizer_file: Path, tmp_path: Path) -> Pool:
    """Models of their own random start, all weights random."""

    def make(n_members: int) -> list[Path]:
        folders = []
        for number in range(n_members):
            member = Transformer(TINY)
            generator = torch.Generator().manual_seed(200 + number)
            with torch.no_grad():
                for parameter in member.parameters():
                    parameter.normal_(0.0, 0.3, generator=generator)
            folders.append(tmp_path / f"independent-{number}")
            save_model(folders[-1], member, TINY, {"parent": None}, tokenizer_file)
        return folders

    return make
