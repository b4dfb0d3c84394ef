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

from warehouse.database import Warehouse, run_script
from warehouse.errors import CorruptArtefact
from warehouse.files import folders, names, remove
from warehouse.identity import content_id
from warehouse.stages.arrow import SHARD_CHUNK, arrow_table
from warehouse.tokens.shards import (
    PAST_SUFFIX,
    TOKENIZER_FILE,
    ChunkTokens,
    Shard,
    ShardManifest,
    open_shard,
    remove_shard,
    set_aside,
    write_shard,
)


def rewrite_shards(warehouse: Warehouse, chunk_ids: Collection[bytes]) -> list[str]:
    """Write every shard that holds one of the chunks again without them; returns the names of those that are gone.

    A shard's name is a hash of what is in it, so it gets another. Token ranges of the old one stay recorded.
    """
    gone = []
    for manifest in _manifests(warehouse.home.tokens):
        shard = _opened(manifest)
        if shard is None:
            # Nobody writes it again, and nobody knows what it holds.
            remove_shard(manifest)
            continue
        kept = _kept(shard, chunk_ids)
        if not kept.all():
            _replace(warehouse, shard, kept, {id_ for id_ in _chunk_ids(shard) if id_ in chunk_ids})
            gone.append(f"{manifest.parent.name}/{manifest.stem}")
    return gone


def count_shards(tokens_folder: Path, chunk_ids: Collection[bytes]) -> int:
    """How many shards hold one of the chunks."""
    opened = map(_opened, _manifests(tokens_folder))
    return sum(not _kept(shard, chunk_ids).all() for shard in opened if shard)


def _manifests(tokens_folder: Path) -> list[Path]:
    """The manifests of all shards, those set aside included."""
    return [
        tokens_folder / folder / name
        for folder in folders(tokens_folder)
        for pattern in ("*.json", f"*{PAST_SUFFIX}")
        for name in names(tokens_folder / folder, pattern)
        if name != TOKENIZER_FILE
    ]


def _opened(manifest: Path) -> Shard | None:
    """None for a shard that was set aside and is damaged."""
    try:
        return open_shard(manifest)
    except CorruptArtefact:
        if manifest.suffix == PAST_SUFFIX:
            return None
        raise


def remove_unfinished(tokens_folder: Path) -> list[str]:
    """Remove token files without a manifest, which a run that was killed left; returns their names."""
    removed = []
    shards = {(manifest.parent.name, manifest.stem) for manifest in _manifests(tokens_folder)}
    for folder in folders(tokens_folder):
        for name in names(tokens_folder / folder):
            for suffix in (".bin", ".index.npy"):
                if name.endswith(suffix) and (folder, name.removesuffix(suffix)) not in shards:
                    remove(tokens_folder / folder / name)
                    removed.append(f"{folder}/{name}")
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
    folder, old = shard.path.parent, shard.path.stem
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
        written = folder / f"{name}.json"
        _record(warehouse, old_id, manifest, f"{folder.name}/{name}.bin", _chunk_rows(written))
        if shard.path.suffix == PAST_SUFFIX:
            set_aside(written)
    else:
        _record(warehouse, old_id, None, None, SHARD_CHUNK.empty_table())
    remove_shard(shard.path)


def _record(
    warehouse: Warehouse, old_id: UUID, manifest: ShardManifest | None, path: str | None, chunks: pa.Table
) -> None:
    """Say what was written in the place of a shard; a manifest of None says that nothing was left."""
    with warehouse.write("forgetting chunks of a shard") as connection:
        connection.register("sharded", chunks)
        run_script(
            connection,
            "forget_shard",
            {
                "old_id": old_id,
                "new_id": UUID(manifest.shard_id) if manifest else None,
                "path": path,
                "n_tokens": manifest and manifest.n_tokens,
                "n_chunks": manifest and manifest.n_chunks,
                "n_bytes": manifest and manifest.n_bytes,
                "sha256": bytes.fromhex(manifest.sha256) if manifest else None,
            },
        )
        run_script(connection, "forget_replaced_shards", {})


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
