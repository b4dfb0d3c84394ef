"""Tokens that a shard takes over from the shard that it supersedes, so that one more text costs its own encoding alone.

A chunk's tokens follow from its text, the tokenizer, what is masked and what is left out. Where code, tokenizer and
masking are those of the last time, a chunk of which the same is left out has the same tokens.

What lives here: which of a past shard's chunks still hold. What does not: encoding, and writing shards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from warehouse.database import Connection, query
from warehouse.errors import CorruptArtefact
from warehouse.stages.masking import Masks
from warehouse.stages.stage import StageRun, last_materialization
from warehouse.tokens.shards import Shard, Tokens, open_shard

DECIDING = ("definition", "passages", "privacy", "tokenizer")
"""Inputs of the stage that, with its code, decide the tokens of a chunk of which the same is left out."""

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class PastShard:
    """A shard that is superseded.

    Attributes:
        manifest: its path.
        left_out: what it left out of its chunks, of those where that is something.
    """

    manifest: Path
    left_out: Mapping[UUID, Ranges] = field(default_factory=dict)


def past_shards(
    connection: Connection, stage: StageRun, tokenizer_id: UUID, folder: Path
) -> dict[tuple[str, int], PastShard]:
    """The shards of the last run by split and number; none where that run would have encoded otherwise.

    Args:
        connection: the database.
        stage: the run that is to come.
        tokenizer_id: of its tokenizer.
        folder: of all tokens.
    """
    last = last_materialization(connection, stage.asset, stage.scope)
    if last is None or last.code_version != stage.code_version:
        return {}
    if any(last.inputs.get(name) != stage.inputs[name] for name in DECIDING):
        return {}
    parameters = {"recipe": stage.scope, "tokenizer_id": tokenizer_id}
    paths: dict[tuple[str, int], Path] = {}
    left_out: dict[tuple[str, int], dict[UUID, Ranges]] = {}
    for split, number, path, chunk_id, start, end in connection.execute(
        query("past_shards"), parameters
    ).fetchall():
        paths[split, number] = (folder / path).with_suffix(".json")
        ranges = left_out.setdefault((split, number), {})
        if chunk_id is not None:
            ranges[chunk_id] = (*ranges.get(chunk_id, ()), (start, end))
    return {place: PastShard(path, left_out[place]) for place, path in paths.items()}


class PastTokens:
    """Tokens of a past shard's chunks that still hold: `get` gives them with the UTF-8 bytes that they stand for."""

    def __init__(self, past: PastShard | None, masks: Masks, tokenizer_sha256: bytes) -> None:
        self._shard = _opened(past, tokenizer_sha256)
        self._rows = dict(_holding(self._shard, past.left_out, masks)) if past and self._shard else {}

    def get(self, chunk_id: UUID) -> tuple[Tokens, int] | None:
        """None for a chunk that is to be encoded."""
        row = self._rows.get(chunk_id)
        if row is None or self._shard is None:
            return None
        record = self._shard.index[row]
        # The marker at the beginning is the shard's own.
        tokens = self._shard.tokens[int(record["token_start"]) + 1 : int(record["token_end"])]
        return tokens, int(record["n_bytes"])


def _opened(past: PastShard | None, tokenizer_sha256: bytes) -> Shard | None:
    """The past shard, proved; None where it is gone or damaged: then all is encoded."""
    if past is None:
        return None
    try:
        return open_shard(past.manifest, tokenizer_sha256=tokenizer_sha256, verify=True)
    except CorruptArtefact:
        return None


def _holding(shard: Shard, left_out: Mapping[UUID, Ranges], masks: Masks) -> Iterator[tuple[UUID, int]]:
    """The chunks of which the same is left out as before, with their rows in the index."""
    for row, identity in enumerate(shard.index["chunk_id"]):
        chunk_id = UUID(bytes=identity.tobytes())
        now = masks[chunk_id].left_out if chunk_id in masks else ()
        if now == left_out.get(chunk_id, ()):
            yield chunk_id, row
