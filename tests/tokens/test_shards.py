"""Shards: what was written is read, the same rows give the same bytes, and damage is named."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.files import file_sha256
from warehouse.identity import content_id
from warehouse.tokens.shards import (
    ChunkTokens,
    ShardManifest,
    open_shard,
    open_split,
    shard_number,
    write_shard,
)
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

TOKENIZER = Tokenizer(train_tokenizer(["Call me Ishmael. Some years ago, never mind how long."], 300))
TEXTS = ["Call me Ishmael.", " Some years ago — never mind", "", " how long precisely."]


def rows() -> Iterator[ChunkTokens]:
    for number, text in enumerate(TEXTS):
        yield ChunkTokens(
            chunk_id=content_id("chunk", number),
            document_id=content_id("document", number // 2),
            corpus=["novels", "letters"][number // 2],
            weight=1.0 + number // 2,
            tokens=TOKENIZER.encode(text),
            n_bytes=len(text.encode()),
        )


def write(folder: Path, name: str = "train-0", split: str = "train") -> ShardManifest:
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_bytes(TOKENIZER.data)
    return write_shard(
        folder,
        name,
        rows(),
        shard_id=uuid.UUID(int=7),
        split=split,
        tokenizer_sha256=TOKENIZER.sha256,
        vocab_size=TOKENIZER.vocab_size,
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    manifest = write(tmp_path)
    shard = open_shard(tmp_path / "train-0.json", tokenizer_sha256=TOKENIZER.sha256, verify=True)
    assert shard.manifest == manifest
    for number, (record, text) in enumerate(zip(shard.index, TEXTS, strict=True)):
        marker, *tokens = shard.tokens[record["token_start"] : record["token_end"]]
        assert marker == 0
        assert TOKENIZER.decode(tokens) == text
        assert record["chunk_id"].tobytes() == content_id("chunk", number).bytes
        assert record["document_id"].tobytes() == content_id("document", number // 2).bytes
        assert manifest.corpora[record["corpus"]] == ["novels", "letters"][number // 2]
        assert record["weight"] == 1 + number // 2
    assert manifest.n_bytes == sum(len(text.encode()) for text in TEXTS)
    assert manifest.n_tokens == len(shard.tokens)
    assert shard.starts.tolist() == np.flatnonzero(shard.tokens == 0).tolist()


def test_the_files_are_as_promised(tmp_path: Path) -> None:
    manifest = write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "tokenizer.json", "train-0.bin", "train-0.index.npy", "train-0.json",
    ]  # fmt: skip
    assert (tmp_path / "train-0.bin").stat().st_size == 2 * manifest.n_tokens
    stated = json.loads((tmp_path / "train-0.json").read_text())
    assert stated["sha256"] == file_sha256(tmp_path / "train-0.bin").hex()
    assert stated["tokenizer_sha256"] == TOKENIZER.sha256.hex()
    index = np.load(tmp_path / "train-0.index.npy", allow_pickle=False)
    assert index.dtype.names == (
        "chunk_id", "document_id", "corpus", "weight", "token_start", "token_end", "n_bytes",
    )  # fmt: skip


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_split_is_opened_by_name(tmp_path: Path) -> None:
    for name, split in (("b", "train"), ("a", "train"), ("c", "report")):
        write(tmp_path, name, split)
    assert [shard.path.stem for shard in open_split(tmp_path, "train", verify=True)] == ["a", "b"]
    with pytest.raises(InputUnreadable, match="no shard of the split select"):
        open_split(tmp_path, "select")
    with pytest.raises(InputUnreadable, match=r"tokenizer\.json"):
        open_split(tmp_path / "elsewhere", "train")


def test_a_shard_and_the_one_that_it_supersedes_are_not_read_together(tmp_path: Path) -> None:
    for name in ("train-00-0123456789abcdef", "train-01-0123456789abcdef"):
        write(tmp_path, name)
    assert len(open_split(tmp_path, "train")) == 2
    write(tmp_path, "train-01-fedcba9876543210")
    with pytest.raises(CorruptArtefact, match=r"one shard.*fakesmrt build tokens"):
        open_split(tmp_path, "train")


def test_shards_of_another_tokenizer_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(train_tokenizer(["other words"], 258))
    with pytest.raises(CorruptArtefact, match="was made with tokenizer"):
        open_split(tmp_path, "train")


def test_damage_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    tokens, index, manifest = (tmp_path / f"train-0.{suffix}" for suffix in ("bin", "index.npy", "json"))
    whole = tokens.read_bytes()

    tokens.write_bytes(whole[:-2])
    with pytest.raises(CorruptArtefact, match="bytes where its manifest states"):
        open_shard(manifest)
    tokens.write_bytes(b"\xff\xff" + whole[2:])
    with pytest.raises(CorruptArtefact, match="hash"):
        open_shard(manifest, verify=True)
    tokens.unlink()
    with pytest.raises(CorruptArtefact, match="cannot be read"):
        open_shard(manifest)
    tokens.write_bytes(whole)

    records = index.read_bytes()
    index.write_bytes(records[:-10])
    with pytest.raises(CorruptArtefact, match=r"index\.npy cannot be read"):
        open_shard(manifest)
    index.write_bytes(records)

    stated = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(stated | {"n_chunks": 0}))
    with pytest.raises(CorruptArtefact, match="is empty"):
        open_shard(manifest)
    manifest.write_text(json.dumps(stated | {"format_version": 2}))
    with pytest.raises(CorruptArtefact, match="format version 2"):
        open_shard(manifest)
    manifest.write_text("{}")
    with pytest.raises(CorruptArtefact, match="not the manifest"):
        open_shard(manifest)


@pytest.mark.parametrize("tokens", [[5, 0, 6], [5, 300]])
def test_tokens_that_no_text_encodes_to_are_refused_and_leave_nothing(
    tmp_path: Path, tokens: list[int]
) -> None:
    row = ChunkTokens(uuid.UUID(int=1), uuid.UUID(int=2), "novels", 1.0, np.array(tokens, np.uint16), 3)
    for given_rows in ([row], []):
        with pytest.raises(InvalidConfiguration):
            write_shard(
                tmp_path,
                "x",
                given_rows,
                shard_id=uuid.UUID(int=7),
                split="train",
                tokenizer_sha256=b"",
                vocab_size=300,
            )
    assert list(tmp_path.iterdir()) == []


def test_a_document_keeps_its_shard() -> None:
    numbers = [shard_number(content_id(number), 4) for number in range(400)]
    assert sorted(set(numbers)) == [0, 1, 2, 3]
    assert all(70 < numbers.count(shard) < 130 for shard in range(4))
    assert shard_number(uuid.UUID(int=1), 4) == shard_number(uuid.UUID(int=1), 4)
