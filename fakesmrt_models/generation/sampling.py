"""Text from one model or an ensemble of models, the same for the same seed.

What lives here: choosing the next token, and the loop. What does not: reading models
(``training/checkpoint.py``, ``mixing/ensembles.py``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.generation.cache import CachedModel
from warehouse.errors import InvalidConfiguration
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID, Tokenizer

KEPT_SHARE = 2
"""When the context is full, its last 1 / KEPT_SHARE goes on as the new beginning."""


@dataclass(frozen=True)
class Generation:
    """What was generated: the text without its prompt, its tokens, and how fast."""

    text: str
    n_tokens: int
    tokens_per_second: float


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is chosen.

    Attributes:
        temperature: divides the log-probabilities; 0 takes the most probable token.
        top_k: only so many most probable tokens are eligible; None for all.
        seed: of the draws.
    """

    temperature: float = 0.8
    top_k: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.temperature < 0 or (self.top_k is not None and self.top_k < 1):
            raise InvalidConfiguration(
                f"Temperature {self.temperature} or top_k {self.top_k} is out of range",
                "Give a temperature from 0 up and a top_k from 1 up",
            )


@torch.inference_mode()
def generate(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    prompt: str,
    max_tokens: int,
    sampling: Sampling,
    weights: Sequence[float] | None = None,
) -> Generation:
    """Continue a prompt.

    Args:
        models: one, or several whose probabilities are averaged.
        tokenizer: of all models.
        prompt: may be empty; the document marker stands before it.
        max_tokens: tokens to generate. The document marker is never chosen: it ends chunks, which end
            anywhere in a document.
        sampling: how the next token is chosen.
        weights: of the models' probabilities, sum 1; None for equal ones.

    Raises:
        InvalidConfiguration: there is no model, or `max_tokens` is negative.
    """
    if not models or max_tokens < 0:
        raise InvalidConfiguration(
            f"{len(models)} models cannot generate {max_tokens} tokens", "Give a model and a number from 0 up"
        )
    begin = time.perf_counter()
    generated = _continuation(
        [CachedModel(model) for model in models],
        torch.tensor([1.0 / len(models)] * len(models) if weights is None else list(weights)),
        [DOCUMENT_MARKER_ID, *(int(token) for token in tokenizer.encode(prompt))],
        max_tokens,
        sampling,
        tokenizer.vocab_size,
    )
    seconds = time.perf_counter() - begin
    return Generation(tokenizer.decode(generated), len(generated), len(generated) / seconds)


def next_token(probabilities: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """Choose a token by its probability [vocab_size], after top-k and temperature."""
    if sampling.temperature == 0:
        return int(probabilities.argmax())
    logits = probabilities.log() / sampling.temperature
    if sampling.top_k is not None and sampling.top_k < len(logits):
        logits[logits < logits.topk(sampling.top_k).values[-1]] = -torch.inf
    return int(torch.multinomial(logits.softmax(dim=-1), 1, generator=generator))


def _continuation(
    models: Sequence[CachedModel],
    weights: Tensor,
    tokens: list[int],
    max_tokens: int,
    sampling: Sampling,
    vocab_size: int,
) -> list[int]:
    """Generated token ids below `vocab_size` after `tokens`; the context moves on when it is full."""
    generator = torch.Generator().manual_seed(sampling.seed)
    context = min(model.model.config.context_length for model in models)
    generated: list[int] = []
    unread = tokens[-context:]
    n_read = 0
    while len(generated) < max_tokens:
        if n_read + len(unread) > context:
            unread = (tokens + generated)[-(context // KEPT_SHARE) :]
            n_read = 0
            for model in models:
                model.forget()
        probabilities = _mean_probabilities(models, weights, torch.tensor(unread))[:vocab_size]
        probabilities[DOCUMENT_MARKER_ID] = 0.0
        n_read += len(unread)
        generated.append(next_token(probabilities, sampling, generator))
        unread = generated[-1:]
    return generated


def _mean_probabilities(models: Sequence[CachedModel], weights: Tensor, tokens: Tensor) -> Tensor:
    """Weighted mean of the models' probabilities [vocab_size] of the token after `tokens`."""
    each = torch.stack([model.next_logits(tokens).float().softmax(dim=-1) for model in models])
    return weights @ each
