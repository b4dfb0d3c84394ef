"""Where a token of a shard comes from, as the Training Database knows it: its chunk, and what decided its text.

What lives here: the way from SHARD:TOKEN to a chunk with its file, its decisions and its masks, in a few point queries.
What does not: reading any file (``token_proof.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from uuid import UUID

from warehouse.cleanser.replaying import ChunkDecision
from warehouse.database import Connection, query, read_rows, scalar
from warehouse.errors import InvalidConfiguration
from warehouse.lineage.tree import id_bounds
from warehouse.stages.masking import Mask, masks_of

_SHARD_FILE = re.compile(r"(?:\.bin|\.json|\.index\.npy)$")
_TOKEN_OF_SHARD = re.compile(r"(?P<shard>.+):(?P<token>[0-9][0-9_]*)", re.DOTALL)


@dataclass(frozen=True)
class ShardOrigin:
    """A shard, current or past, and what its tokens were made with.

    Attributes:
        path: file below tokens/; None where the shard is older than this record (so are the fields up to `n_tokens`).
        is_current: whether its file still has to be there.
        tokenizer_path: folder of its tokenizer below tokens/.
        masked: kinds of private data that are masked in its text.
    """

    shard_id: UUID
    path: str | None
    recipe: str | None
    split: str | None
    n_tokens: int | None
    is_current: bool
    tokenizer_path: str | None
    tokenizer_sha256: bytes | None
    masked: list[str]


@dataclass(frozen=True)
class ChunkOrigin:
    """A chunk's file, its place in it, and all that decides its text; named as in ``corpus``.

    Attributes:
        file_sha256: of the raw file; None where it could not be read.
        member: name in the container; None for the file itself.
        stream_sha256: of the stream, decompressed.
        text_sha256: of the stored text in UTF-8.
    """

    document_id: UUID
    stream_id: UUID
    source_id: UUID
    corpus: str
    licence: str
    path: str
    file_sha256: bytes | None
    member: str | None
    container: str
    stream_sha256: bytes
    byte_start: int
    byte_end: int
    char_start: int
    char_end: int
    encoding: str
    encoding_confidence: float
    encoding_evidence: str
    decoder_state: str | None
    repair: str
    n_replaced: int
    reader: str
    reader_version: str
    encoding_regions: str | None
    language: str
    split: str
    text_sha256: bytes
    text_file: str
    text_row: int

    @property
    def decision(self) -> ChunkDecision:
        """What replays its text."""
        return ChunkDecision(**{field.name: getattr(self, field.name) for field in fields(ChunkDecision)})


@dataclass(frozen=True)
class TokenPlace:
    """A token of a shard and the chunk that it belongs to.

    Attributes:
        token: its position in the shard.
        token_start: of the chunk in the shard: the marker that begins it.
        token_end: one past the chunk's last token.
        origin: where the chunk comes from; None where the database no longer holds it.
        mask: what the shard takes out of the chunk's stored text.
        forgotten_source: the file that the chunk was of, where it was forgotten.
    """

    shard: ShardOrigin
    token: int
    chunk_id: UUID
    token_start: int
    token_end: int
    origin: ChunkOrigin | None
    mask: Mask
    forgotten_source: UUID | None

    @property
    def is_marker(self) -> bool:
        """Whether the token is the one that begins the chunk and stands for no text."""
        return self.token == self.token_start


@dataclass(frozen=True)
class _ShardChunk:
    chunk_id: UUID
    token_start: int
    token_end: int


def split_token(identifier: str) -> tuple[str, int] | None:
    """The shard and the position in an identifier SHARD:TOKEN; None where it is of another form."""
    found = _TOKEN_OF_SHARD.fullmatch(identifier)
    return (found["shard"], int(found["token"])) if found else None


def find_shards(connection: Connection, name: str) -> list[ShardOrigin]:
    """The shards that a name may mean: an id or its first digits, or the name of a shard's file, with or without
    folders and ending."""
    low, high = id_bounds(name)
    stem = _SHARD_FILE.sub("", name.replace("\\", "/").rpartition("/")[2])
    parameters = {"low": low, "high": high, "name": stem or None}
    found = read_rows(connection, query("token_shard"), parameters, ShardOrigin)
    if found or low is None:
        return found
    return read_rows(connection, query("token_old_shard"), {"low": low, "high": high}, ShardOrigin)


def find_token(connection: Connection, shard: ShardOrigin, token: int) -> TokenPlace:
    """The chunk of a token, and what decided its text.

    Args:
        connection: an open Training Database; on a published copy it takes a few milliseconds at any size.
        shard: of `find_shards`.
        token: position in the shard, from 0.

    Raises:
        InvalidConfiguration: if the shard has no such token.
    """
    rows = read_rows(
        connection, query("token_chunk"), {"shard_id": shard.shard_id, "token": token}, _ShardChunk
    )
    if not rows:
        n_tokens = shard.n_tokens or scalar(
            connection, query("token_shard_length"), {"shard_id": shard.shard_id}
        )
        raise InvalidConfiguration(
            f"Shard {shard.path or shard.shard_id} has the tokens 0 to {(n_tokens or 1) - 1:,}, and no {token:,}",
            "Give a position in it",
        )
    chunk = rows[0]
    origin = find_chunk(connection, chunk.chunk_id)
    forgotten = None if origin else scalar(connection, query("token_forgotten"), {"chunk_id": chunk.chunk_id})
    mask = masks_of(connection, shard.masked, [(shard.shard_id, chunk.chunk_id)]).get(chunk.chunk_id, Mask())
    return TokenPlace(
        shard, token, chunk.chunk_id, chunk.token_start, chunk.token_end, origin, mask, forgotten
    )


def find_chunk(connection: Connection, chunk_id: UUID) -> ChunkOrigin | None:
    """Where a chunk comes from and what decided its text; None where the database does not hold it."""
    row = None
    if scalar(connection, query("has_chunk_place")):
        row = scalar(connection, query("chunk_row"), {"chunk_id": chunk_id})
        if row is None:
            return None
    found = read_rows(
        connection, query("token_source"), {"chunk_id": chunk_id, "chunk_row": row}, ChunkOrigin
    )
    return found[0] if found else None
