"""Folders of tokens for benchmarks are made anew when what they were made of changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.token_folders import write_token_folder
from warehouse.tokens.shards import open_split

TEXTS = {"train": {"a": "One text. " * 20, "b": "Another one. " * 20}, "report": {"c": "Unseen."}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_token_folder(tmp_path / "tokens", TEXTS, 300)


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of every file."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_the_same_texts_are_not_written_again(folder: Path) -> None:
    before = content(folder)
    write_token_folder(folder, TEXTS, 300)
    assert content(folder) == before


def test_other_texts_of_the_same_names_are_written(folder: Path) -> None:
    write_token_folder(folder, {"train": TEXTS["train"] | {"a": "A text that is new. " * 20}}, 300)
    assert open_split(folder, "train")[0].manifest.n_bytes == 20 * len("A text that is new. Another one. ")
    assert not list(folder.glob("report*")), "the split that there is no more"


@pytest.mark.parametrize(("vocab_size", "train_share"), [(290, 1.0), (300, 0.5)])
def test_another_vocabulary_or_share_is_written(folder: Path, vocab_size: int, train_share: float) -> None:
    before = open_split(folder, "train")[0].manifest
    write_token_folder(folder, TEXTS, vocab_size, train_share)
    assert open_split(folder, "train")[0].manifest != before
