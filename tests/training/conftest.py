"""A small folder of tokens, made of real text by the warehouse's own writers."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from fakesmrt_models.training.request import TrainingRequest
from warehouse.tokens.shards import ChunkTokens, write_shard
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

CHUNK_CHARACTERS = 1_000
WriteTokens = Callable[..., Path]
Disturbed = Callable[[Path, str], AbstractContextManager[None]]
MakeRequest = Callable[..., TrainingRequest]


def tokens_of(folder: Path, documents: list[str], vocab_size: int = 512) -> Path:
    """A tokens folder with two training shards and one of validation, in the pipeline's format."""
    folder.mkdir(parents=True)
    data = train_tokenizer(documents, vocab_size)
    (folder / "tokenizer.json").write_bytes(data)
    tokenizer = Tokenizer(data)
    rows: dict[str, list[ChunkTokens]] = {"train-0": [], "train-1": [], "validation-0": []}
    for number, document in enumerate(documents):
        name = list(rows)[number % 3]
        for start in range(0, len(document), CHUNK_CHARACTERS):
            text = document[start : start + CHUNK_CHARACTERS]
            rows[name].append(
                ChunkTokens(
                    chunk_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{number}-{start}"),
                    document_id=uuid.uuid5(uuid.NAMESPACE_OID, str(number)),
                    corpus="python",
                    weight=1.0,
                    tokens=tokenizer.encode(text),
                    n_bytes=len(text.encode()),
                )
            )
    for name, chunks in rows.items():
        write_shard(
            folder, name, chunks, shard_id=uuid.uuid5(uuid.NAMESPACE_OID, name), split=name.split("-")[0],
            tokenizer_sha256=tokenizer.sha256, vocab_size=tokenizer.vocab_size,
        )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def documents() -> list[str]:
    """Python's own documentation, which comes with every Python."""
    return [text[:3_000] for _, text in sorted(topics.items())][:45]


@pytest.fixture(scope="session")
def write_tokens() -> WriteTokens:
    """Write documents as a tokens folder: ``write_tokens(folder, documents, vocab_size=512)``."""
    return tokens_of


@pytest.fixture(scope="session")
def tokens(documents: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards of `documents`, vocabulary 512."""
    return tokens_of(tmp_path_factory.mktemp("data") / "tokens", documents)


@pytest.fixture
def request_of(tokens: Path) -> MakeRequest:
    """Make a request for a few steps of the smallest preset; keywords change it."""

    def make(**changes: object) -> TrainingRequest:
        values = {
            "tokens": tokens, "preset": "56kx", "steps": 12, "threads": 1, "batch_tokens": 512,
            "sequence_length": 64,
        }  # fmt: skip
        return TrainingRequest(**(values | changes))

    return make


DISTURBED = """
import os, signal, sys
if {folder!r} in sys.orig_argv:
    from fakesmrt_models.training.distributed import Processes
    asked = iter(range(1, 1_000_000))
    def any_of(processes, flag):
        if next(asked) == {step}:
            {action}
        return flag
    Processes.any = any_of
"""
"""Every Python runs its sitecustomize.py; a training asks after every step whether any process is to stop."""

ACTIONS = {
    "dies": "os.kill(os.getpid(), signal.SIGKILL)",
    # A blocked signal waits until it is asked for.
    "is stopped": "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); "
    "flag = bool(signal.sigtimedwait([signal.SIGTERM], 60))",
}


@pytest.fixture
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    """``with disturbed(run_dir, "dies")``: children that begin to train there die, or wait for SIGTERM, at step 5."""

    @contextmanager
    def disturbing(run_dir: Path, action: str) -> Iterator[None]:
        folder = tmp_path_factory.mktemp("disturbed")
        program = DISTURBED.format(folder=str(run_dir), step=5, action=ACTIONS[action])
        (folder / "sitecustomize.py").write_text(program)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
            yield

    return disturbing
