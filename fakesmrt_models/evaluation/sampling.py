"""Which chunks of a split are measured.

What lives here: a deterministic sample of bounded size. Numpy only; nothing is computed on the text.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.identity import uniform_draw
from warehouse.tokens.shards import Shard, Tokens

ROUNDS = 16
"""A document gives at most this part of its corpus's budget before other documents have had their turn."""


@dataclass(frozen=True, eq=False)
class EvaluationChunks:
    """Chunks to be measured, and the documents that they belong to.

    Attributes:
        tokens: each chunk's marker and BPE ids, views into memory-mapped shards.
        n_bytes: UTF-8 bytes of each chunk's text, shape [n_chunks].
        document: index of each chunk's document, shape [n_chunks].
        document_ids: UUIDs as bytes, ascending, shape [n_documents, 16].
        corpus: index into `corpora`, shape [n_documents].
        corpora: names, ascending.
    """

    tokens: tuple[Tokens, ...]
    n_bytes: NDArray[np.int64]
    document: NDArray[np.int64]
    document_ids: NDArray[np.uint8]
    corpus: NDArray[np.int64]
    corpora: tuple[str, ...]

    @property
    def n_tokens(self) -> NDArray[np.int64]:
        """BPE ids of each chunk, without its marker, shape [n_chunks]."""
        return np.array([len(tokens) - 1 for tokens in self.tokens], dtype=np.int64)


def sample_chunks(shards: Sequence[Shard], max_tokens: int | None, seed: int) -> EvaluationChunks:
    """Draw chunks of at most `max_tokens` tokens from one split.

    Corpora get equal budgets; what a small corpus leaves goes to the larger ones. Within a corpus, documents
    come in the order of a hash, so that the sample depends on neither shards nor order and changes little
    when text is added. A long document gives its chunks in slices, a sixteenth of its corpus's budget at a
    time, and waits for the others in between: documents are what intervals count.

    Args:
        shards: open shards of one split.
        max_tokens: budget in BPE tokens; None takes everything. Each corpus gives at least one chunk.
        seed: another seed draws another sample.
    """
    everything = _all_chunks(shards)
    if max_tokens is None or int(everything.n_tokens.sum()) <= max_tokens:
        return everything
    n_tokens = everything.n_tokens
    corpus = everything.corpus[everything.document]
    totals = np.bincount(corpus, weights=n_tokens, minlength=len(everything.corpora)).astype(np.int64)
    budgets = fair_shares([int(total) for total in totals], max_tokens)
    # Chunks stand in the order of their ids, which are hashes already; documents are drawn by the seed.
    draw = np.array(
        [
            uniform_draw(str(uuid.UUID(bytes=raw.tobytes())), f"evaluation-{seed}")
            for raw in everything.document_ids
        ]
    )[everything.document]
    chosen = [
        _within_budget(np.flatnonzero(corpus == number), everything.document, draw, n_tokens, budget)
        for number, budget in enumerate(budgets)
    ]
    return _restricted(everything, np.sort(np.concatenate(chosen)))


def fair_shares(totals: Sequence[int], budget: int) -> list[int]:
    """Divide a budget equally, giving nobody more than his total (max-min fairness)."""
    shares = [0] * len(totals)
    left = budget
    for rank, number in enumerate(sorted(range(len(totals)), key=totals.__getitem__)):
        shares[number] = min(totals[number], left // (len(totals) - rank))
        left -= shares[number]
    return shares


def _within_budget(
    chunks: NDArray[np.int64],
    document: NDArray[np.int64],
    draw: NDArray[np.float64],
    n_tokens: NDArray[np.int64],
    budget: int,
) -> NDArray[np.int64]:
    """The chunks of one corpus that fit into its budget, the first always."""
    by_document = chunks[np.lexsort((chunks, document[chunks]))]
    before = np.cumsum(n_tokens[by_document]) - n_tokens[by_document]
    firsts = np.flatnonzero(np.diff(document[by_document], prepend=-1))
    n_chunks = np.diff(np.append(firsts, len(by_document)))
    before_in_document = before - np.repeat(before[firsts], n_chunks)
    slices = before_in_document // max(1, budget // ROUNDS)
    order = by_document[np.lexsort((by_document, draw[by_document], slices))]
    fits = np.cumsum(n_tokens[order]) <= budget
    fits[:1] = True
    return order[fits]


def _all_chunks(shards: Sequence[Shard]) -> EvaluationChunks:
    corpora = sorted({name for shard in shards for name in shard.manifest.corpora})
    chunk_ids = np.concatenate([shard.index["chunk_id"] for shard in shards])
    order = np.lexsort(chunk_ids.T[::-1])
    document_ids, first, document = np.unique(
        np.concatenate([shard.index["document_id"] for shard in shards]),
        axis=0, return_index=True, return_inverse=True,
    )  # fmt: skip
    corpus = np.concatenate(
        [
            np.array([corpora.index(name) for name in shard.manifest.corpora])[shard.index["corpus"]]
            for shard in shards
        ]
    )
    tokens = [
        shard.tokens[int(record["token_start"]) : int(record["token_end"])]
        for shard in shards
        for record in shard.index
    ]
    return EvaluationChunks(
        tokens=tuple(tokens[position] for position in order),
        n_bytes=np.concatenate([shard.index["n_bytes"] for shard in shards])[order].astype(np.int64),
        document=document.reshape(-1)[order],
        document_ids=document_ids,
        corpus=corpus[first],
        corpora=tuple(corpora),
    )


def _restricted(everything: EvaluationChunks, chunks: NDArray[np.int64]) -> EvaluationChunks:
    documents, document = np.unique(everything.document[chunks], return_inverse=True)
    return EvaluationChunks(
        tokens=tuple(everything.tokens[chunk] for chunk in chunks),
        n_bytes=everything.n_bytes[chunks],
        document=document,
        document_ids=everything.document_ids[documents],
        corpus=everything.corpus[documents],
        corpora=everything.corpora,
    )
