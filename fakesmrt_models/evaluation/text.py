"""Bits per byte of any text, outside the Training Database.

What lives here: one text under one model or ensemble. Where the text comes from, and its encoding, is
decided by whoever calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fakesmrt_models.evaluation.bits_per_byte import chunk_nats
from fakesmrt_models.evaluation.results import bits_per_byte
from fakesmrt_models.mixing.ensembles import LoadedEnsemble
from warehouse.errors import InputUnreadable
from warehouse.progress import Progress, silent
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID, Tokenizer, Tokens

PIECE_CHARACTERS = 2_000
"""Of text that becomes tokens at once: as long as the longest chunk (DESIGN §6)."""


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
    """Cut a text into pieces of at most 2,000 characters; together they are the text.

    A cut is made before a single space between words, where there is one: there a byte-level BPE cuts as well, and
    the tokens of the pieces are those of the whole text.
    """
    found = []
    start = 0
    while start < len(text):
        end = min(len(text), start + PIECE_CHARACTERS)
        if end < len(text):
            end = _last_single_space(text, start, end) or end
        found.append(text[start:end])
        start = end
    return found


def _last_single_space(text: str, start: int, end: int) -> int | None:
    """The last place in (start, end) with a space between two characters that are no white space."""
    place = text.rfind(" ", start + 1, end)
    while place > start:
        if not (text[place - 1].isspace() or text[place + 1].isspace()):
            return place
        place = text.rfind(" ", start + 1, place)
    return None


def marked(tokens: Tokens) -> Tokens:
    """Put the document marker before a chunk's tokens."""
    return np.concatenate([np.array([DOCUMENT_MARKER_ID], dtype=np.uint16), tokens])


def evaluate_text(
    ensemble: LoadedEnsemble, tokenizer: Tokenizer, text: str, progress: Progress = silent
) -> TextEvaluation:
    """Measure a text as one document, each of its bytes once and each token with all the context that fits.

    Raises:
        InputUnreadable: the text is empty or holds lone surrogates.
    """
    if not text:
        raise InputUnreadable("The text is empty", "Give a text of at least one character")
    tokens = np.concatenate(tokenizer.encode_batch(pieces(text)))
    context = ensemble.context_length
    nats = chunk_nats(
        [member.model for member in ensemble.members],
        [marked(tokens)],
        np.array([ensemble.weights]),
        context=context,
        stride=max(1, context // 2),
        progress=progress,
    )[-1].sum()
    n_bytes = len(text.encode())
    return TextEvaluation(
        bits_per_byte=bits_per_byte(float(nats), n_bytes),
        perplexity=math.exp(nats / len(tokens)),
        n_bytes=n_bytes,
        n_tokens=len(tokens),
    )
