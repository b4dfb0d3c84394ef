"""Records of what a recipe keeps: the typed rows of queries over ``corpus.training_chunk``."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class ReasonCount:
    """Chunks and clean bytes of a corpus and split that share a reason; reason None means kept."""

    corpus: str
    split: str
    reason: str | None
    n_chunks: int
    n_bytes: int


@dataclass(frozen=True)
class KeptChunk:
    """A chunk that a recipe keeps, with where its text lies and what it counts."""

    chunk_id: UUID
    document_id: UUID
    ordinal: int
    corpus: str
    split_unit: str
    split: str
    weight: float
    n_bytes: int
    text_sha256: bytes
    text_file: str
    text_row: int
