"""Bits per byte of any text, outside the Training Database.

What lives here: one text under one model or ensemble. Where the text comes from, and its encoding, is
decided by whoever calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fakesmrt_models.evaluation.bits_per_byte import CONTEXT, chunk_nats
from fakesmrt_models.evaluation.results import bits_per_byte
from fakesmrt_models.mixing.ensembles import LoadedEnsemble
from warehouse.errors import InputUnreadable
from warehouse.progress import Progress, silent
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID, Tokenizer, Tokens

PIECE_CHARACTERS = 2_000
"""As long as the longest chunk that a model was trained on (DESIGN §6)."""


@dataclass(frozen=True)
class TextEvaluation:
    """How well a model predicts a text.

    Attributes:
        bits_per_byte: nats / ln 2 / n_bytes.
        perplexity: exp(nats / n_tokens), comparable only between models of one tokenizer.
        n_bytes: UTF-8 bytes of the text.
        n_tokens: BPE tokens predicted, markers not counted.
    """

    bits_per_byte: float
    perplexity: float
    n_bytes: int
    n_tokens: int


def pieces(text: str) -> list[str]:
    """Cut a text into pieces of at most 2,000 characters; together they are the text."""
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]


def marked(tokens: Tokens) -> Tokens:
    """Put the document marker before a chunk's tokens."""
    return np.concatenate([np.array([DOCUMENT_MARKER_ID], dtype=np.uint16), tokens])


def evaluate_text(
    ensemble: LoadedEnsemble, tokenizer: Tokenizer, text: str, progress: Progress = silent
) -> TextEvaluation:
    """Measure a text, each of its bytes once.

    Raises:
        InputUnreadable: the text is empty or holds lone surrogates.
    """
    if not text:
        raise InputUnreadable("The text is empty", "Give a text of at least one character")
    encoded = tokenizer.encode_batch(pieces(text))
    context = min(CONTEXT, ensemble.context_length)
    nats = chunk_nats(
        [member.model for member in ensemble.members],
        [marked(tokens) for tokens in encoded],
        np.array([ensemble.weights]),
        context=context,
        stride=max(1, context // 2),
        progress=progress,
    )[-1].sum()
    n_bytes = len(text.encode())
    n_tokens = sum(len(tokens) for tokens in encoded)
    return TextEvaluation(
        bits_per_byte=bits_per_byte(float(nats), n_bytes),
        perplexity=math.exp(nats / n_tokens),
        n_bytes=n_bytes,
        n_tokens=n_tokens,
    )
