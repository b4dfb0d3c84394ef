"""What a micromodel is measured against: unigram and n-gram models of the same training tokens.

What lives here: the work of one worker process, so that the memory of counting n-grams goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.perplexity.ngram import train_ngram
from warehouse.perplexity.reference import sequence_nats
from warehouse.tokens.shards import Shard, open_split

ORDERS: Mapping[str, int] = {"unigram": 1, "5-gram": 5}
"""Name and order of each baseline: interpolated modified Kneser-Ney models."""

MAX_TRAIN_TOKENS = 24_000_000
"""Tokens that the baselines count, whole shards: counting takes about 45 bytes of memory a token at order 5."""

Tokens = NDArray[np.uint16]


def joined(shards: Sequence[Shard], max_tokens: int) -> tuple[Tokens, NDArray[np.int64]]:
    """Tokens and chunk starts of the first shards, up to a number of tokens but at least one shard."""
    tokens: list[Tokens] = []
    starts: list[NDArray[np.int64]] = []
    n_tokens = 0
    for shard in shards:
        if tokens and n_tokens + len(shard.tokens) > max_tokens:
            break
        starts.append(shard.starts + n_tokens)
        tokens.append(np.asarray(shard.tokens))
        n_tokens += len(shard.tokens)
    return np.concatenate(tokens), np.concatenate(starts)


def baseline_nats(
    tokens_folder: Path, measured: Sequence[Tokens], vocab_size: int
) -> tuple[dict[str, NDArray[np.float64]], int]:
    """Nats of each measured chunk under each baseline. Runs in a worker process.

    Args:
        tokens_folder: shards to train on.
        measured: chunks, each begun by the document marker.
        vocab_size: token ids of the tokenizer.

    Returns:
        By name of the baseline, nats of each chunk; and how many tokens the baselines were trained on.
    """
    train, starts = joined(open_split(tokens_folder, "train"), MAX_TRAIN_TOKENS)
    lengths = np.array([len(tokens) for tokens in measured], np.int64)
    sequence = np.concatenate([np.asarray(tokens) for tokens in measured])
    nats = {}
    for name, order in ORDERS.items():
        model = train_ngram(train, starts, order, vocab_size)
        nats[name], _ = sequence_nats(model, sequence, np.cumsum(lengths) - lengths)
    return nats, len(train)
