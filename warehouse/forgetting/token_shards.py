"""Forgotten chunks go from the shards: each shard that holds one is written again without it.

What lives here: every shard below ``tokens/``, the current ones and those of tokenizers of the past. What does not:
choosing what is in a shard (``stages/shard.py``); the next build does so, and finds most shards as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa

from warehouse.database import Warehouse, query, run_script
from warehouse.files import folders, names, remove
from warehouse.identity import content_id
from warehouse.stages.arrow import SHARD_CHUNK, arrow_table
from warehouse.tokens.shards import TOKENIZER_FILE, ChunkTokens, Shard, ShardManifest, open_shard, write_shard

PARTS = (".json", ".bin", ".index.npy")
"""Files of a shard; the manifest goes first, because a shard without one does not exist."""


def rewrite_shards(warehouse: Warehouse, chunk_ids: Collection[bytes]) -> list[str]:
    """Write every shard that holds one of the chunks again without them; returns the names of those that are gone.

    A shard's name is a hash of what is in it, so it gets another. Token ranges of the old one stay recorded.
    """
    gone = []
    for folder in _token_folders(warehouse.home.tokens):
        for name in _shard_names(folder):
            shard = open_shard(folder / f"{name}.json")
            kept = _kept(shard, chunk_ids)
            if not kept.all():
                _replace(warehouse, shard, kept, {id_ for id_ in _chunk_ids(shard) if id_ in chunk_ids})
                gone.append(f"{folder.name}/{name}")
    return gone


def count_shards(tokens_folder: Path, chunk_ids: Collection[bytes]) -> int:
    """How many shards hold one of the chunks."""
    return sum(
        not _kept(open_shard(folder / f"{name}.json"), chunk_ids).all()
        for folder in _token_folders(tokens_folder)
        for name in _shard_names(folder)
    )


def _token_folders(tokens_folder: Path) -> list[Path]:
    return [tokens_folder / name for name in folders(tokens_folder)]


def _shard_names(folder: Path) -> list[str]:
    manifests = names(folder, "*.json")
    return [name.removesuffix(".json") for name in manifests if name != TOKENIZER_FILE]


def remove_unfinished(tokens_folder: Path) -> list[str]:
    """Remove token files without a manifest, which a run that was killed left; returns their names."""
    removed = []
    for folder in _token_folders(tokens_folder):
        stems = set(_shard_names(folder))
        for name in names(folder):
            for suffix in PARTS[1:]:
                if name.endswith(suffix) and name.removesuffix(suffix) not in stems:
                    remove(folder / name)
                    removed.append(f"{folder.name}/{name}")
    return removed


def _chunk_ids(shard: Shard) -> list[bytes]:
    return [record.tobytes() for record in shard.index["chunk_id"]]


def _kept(shard: Shard, chunk_ids: Collection[bytes]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([id_ not in chunk_ids for id_ in _chunk_ids(shard)], np.bool_)


def _rows(shard: Shard, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[ChunkTokens]:
    """The chunks that stay, as they were written."""
    for record in shard.index[kept]:
        yield ChunkTokens(
            UUID(bytes=record["chunk_id"].tobytes()),
            UUID(bytes=record["document_id"].tobytes()),
            shard.manifest.corpora[int(record["corpus"])],
            float(record["weight"]),
            np.asarray(shard.tokens[int(record["token_start"]) + 1 : int(record["token_end"])]),
            int(record["n_bytes"]),
        )


def _replace(
    warehouse: Warehouse,
    shard: Shard,
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]],
    gone: Collection[bytes],
) -> None:
    """Write the shard that takes another's place, record it, remove the other."""
    folder, old = shard.path.parent, shard.path.name.removesuffix(".json")
    old_id = UUID(shard.manifest.shard_id)
    if kept.any():
        new_id = content_id("without", old_id.bytes, *sorted(gone))
        # As stages/shard.py names shards: split, number, hash.
        name = f"{old.rpartition('-')[0]}-{new_id.hex[:16]}"
        manifest = write_shard(
            folder,
            name,
            _rows(shard, kept),
            shard_id=new_id,
            split=shard.manifest.split,
            tokenizer_sha256=bytes.fromhex(shard.manifest.tokenizer_sha256),
            vocab_size=shard.manifest.vocab_size,
        )
        _record(warehouse, old_id, manifest, f"{folder.name}/{name}.bin", folder / f"{name}.json")
    else:
        with warehouse.write("forgetting a shard") as connection:
            connection.execute("DELETE FROM tokens.shard WHERE shard_id = ?", [old_id])
    for suffix in PARTS:
        remove(folder / f"{old}{suffix}")


def _record(warehouse: Warehouse, old_id: UUID, manifest: ShardManifest, path: str, written: Path) -> None:
    with warehouse.write("forgetting chunks of a shard") as connection:
        connection.register("sharded", _chunk_rows(written))
        run_script(
            connection,
            "forget_shard",
            {
                "old_id": old_id,
                "new_id": UUID(manifest.shard_id),
                "path": path,
                "n_tokens": manifest.n_tokens,
                "n_chunks": manifest.n_chunks,
                "n_bytes": manifest.n_bytes,
                "sha256": bytes.fromhex(manifest.sha256),
            },
        )
        connection.execute(query("record_shard_chunks"))


def _chunk_rows(path: Path) -> pa.Table:
    shard = open_shard(path)
    return arrow_table(
        SHARD_CHUNK,
        [
            {
                "shard_id": UUID(shard.manifest.shard_id),
                "chunk_id": record["chunk_id"].tobytes(),
                "token_start": int(record["token_start"]),
                "token_end": int(record["token_end"]),
            }
            for record in shard.index
        ],
    )
