"""Nats of whole chunks under one model or several, each token predicted exactly once.

What lives here: the plan of overlapping windows, and the batched computation. A chunk is the document marker
followed by its BPE ids; the marker is given, every id after it is predicted:

    inputs    marker t1 t2 ... t255 | window 0 scores all its predictions
    inputs    t128 ... t383         | later windows score only what the window before them could not reach

so every prediction sees at least `context - stride` tokens before it, or all that there are. Bytes are never
counted from tokens: they come from the chunk index, the UTF-8 length of the clean text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from fakesmrt_models.architecture.transformer import Transformer
from warehouse.errors import InvalidConfiguration
from warehouse.progress import Progress, silent

CONTEXT = 256
STRIDE = 128
BATCH_TOKENS = 2_048
"""Input tokens a batch: its logits (float32, vocabulary 2,048) fill 16 MiB, which stays in the cache."""


@dataclass(frozen=True)
class Window:
    """Inputs [start, end) of a chunk's sequence, of which the predictions from input `scored` on count."""

    chunk: int
    start: int
    scored: int
    end: int


def plan_windows(lengths: Sequence[int], context: int = CONTEXT, stride: int = STRIDE) -> list[Window]:
    """Cover the predictions of every chunk exactly once.

    Args:
        lengths: tokens of each chunk with its marker; a chunk of n tokens has n - 1 predictions.
        context: inputs that a window has at most.
        stride: predictions that each window after the first adds.

    Returns:
        Windows, similar lengths together, so that batches need little padding. The last window of a chunk
        reaches back to keep its full length.
    """
    if not 0 < stride <= context:
        raise InvalidConfiguration(
            f"stride {stride} must lie between 1 and the context {context}",
            "Give a stride within the context",
        )
    windows = []
    for chunk, length in enumerate(lengths):
        n_inputs = length - 1
        covered = 0
        while covered < n_inputs:
            end = min(n_inputs, covered + (stride if covered else context))
            windows.append(Window(chunk, max(0, end - context), covered, end))
            covered = end
    return sorted(windows, key=lambda w: (w.end - w.start, w.scored - w.start, w.chunk, w.start))


def chunk_nats(
    models: Sequence[Transformer],
    chunks: Sequence[NDArray[np.uint16]],
    ensembles: NDArray[np.float64] | None = None,
    *,
    context: int = CONTEXT,
    stride: int = STRIDE,
    batch_tokens: int = BATCH_TOKENS,
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Nats of each chunk's BPE ids given its marker, for every model and for ensembles of them, in one pass.

    Args:
        models: of one vocabulary, each with a context of at least `context`.
        chunks: token sequences that begin with the document marker.
        ensembles: weights of probability ensembles, shape [n_ensembles, n_models], each row non-negative with
            sum 1; a token's probability is the weighted mean of the models' probabilities.
        context: most inputs that a model sees at once.
        stride: predictions that each further window adds.
        batch_tokens: inputs a batch, padding included.
        progress: told the tokens done and to do.

    Returns:
        Shape [n_models + n_ensembles, n_chunks]; a chunk without ids has 0 nats.
    """
    weights = np.empty((0, len(models))) if ensembles is None else ensembles
    _require_distributions(weights, len(models))
    log_weights = torch.from_numpy(weights).log()
    windows = plan_windows([len(chunk) for chunk in chunks], context, stride)
    nats = np.zeros((len(models) + len(weights), len(chunks)), dtype=np.float64)
    total = float(sum(window.end - window.start for window in windows))
    done = 0.0
    for model in models:
        model.eval()
    batches = _batches(windows, batch_tokens)
    measure = partial(_batch_nats, models, log_weights, chunks)
    for batch, window_nats in zip(batches, _in_threads(measure, batches), strict=True):
        np.add.at(nats.T, np.array([window.chunk for window in batch]), window_nats.numpy().T)
        done += sum(window.end - window.start for window in batch)
        progress(done, total, "tokens")
    return nats


def _in_threads(
    measure: Callable[[Sequence[Window]], Tensor], batches: Sequence[Sequence[Window]]
) -> Iterator[Tensor]:
    """The results in the order of the batches, each computed by one thread.

    As many threads as torch would use work side by side, each on a batch of its own: models so small gain
    little from sharing a product, wait for each other where the processor has other work, and one thread a
    batch gives the same bits on any number of processors.
    """
    n_threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(measure, batches)
    finally:
        pool.shutdown(cancel_futures=True)
        # The workers' setting reaches the matrix library of the whole process.
        torch.set_num_threads(n_threads)


def _require_distributions(weights: NDArray[np.float64], n_models: int) -> None:
    if weights.ndim != 2 or weights.shape[1] != n_models:
        raise InvalidConfiguration(
            f"Ensemble weights have shape {weights.shape} for {n_models} models",
            "Give one row an ensemble and one column a model",
        )
    if (weights < 0).any() or not np.allclose(weights.sum(axis=1), 1.0):
        raise InvalidConfiguration(
            "Ensemble weights are no probability distribution", "Give non-negative weights that sum to 1"
        )


def _batches(windows: Sequence[Window], batch_tokens: int) -> list[list[Window]]:
    batches: list[list[Window]] = []
    for window in windows:
        # Windows come in order of length: the newest is the longest and decides the padding.
        if batches and (len(batches[-1]) + 1) * (window.end - window.start) <= batch_tokens:
            batches[-1].append(window)
        else:
            batches.append([window])
    return batches


def _batch_nats(
    models: Sequence[Transformer],
    log_weights: Tensor,
    chunks: Sequence[NDArray[np.uint16]],
    batch: Sequence[Window],
) -> Tensor:
    """Nats of each window's scored predictions, float64, shape [n_models + n_ensembles, n_windows]."""
    longest = max(window.end - window.start for window in batch)
    sequences = np.zeros((len(batch), longest + 1), dtype=np.int64)
    scored = np.zeros((len(batch), longest), dtype=bool)
    for row, window in enumerate(batch):
        sequence = chunks[window.chunk][window.start : window.end + 1]
        sequences[row, : len(sequence)] = sequence
        scored[row, window.scored - window.start : window.end - window.start] = True
    # Padding stands after the text: a causal model cannot see it, and it is not scored.
    first = int(scored.any(axis=0).argmax())
    tokens = torch.from_numpy(sequences)
    mask = torch.from_numpy(scored[:, first:])
    targets = tokens[:, first + 1 :]
    with torch.inference_mode():
        token_nats = torch.stack([_token_nats(model, tokens[:, :-1], targets, first) for model in models])
        mixed = [_ensemble_nats(row, token_nats) for row in log_weights]
        token_nats = torch.stack([*token_nats, *mixed])
        return torch.where(mask, token_nats, 0.0).sum(dim=2)


def _ensemble_nats(log_weights: Tensor, token_nats: Tensor) -> Tensor:
    """Nats under the weighted mean of the models' probabilities; members without weight cost nothing."""
    weighted = log_weights.isfinite().nonzero().flatten()
    if len(weighted) == 1:
        return token_nats[weighted[0]]
    return -torch.logsumexp(log_weights[weighted, None, None] - token_nats[weighted], dim=0)


def _token_nats(model: Transformer, inputs: Tensor, targets: Tensor, first: int) -> Tensor:
    """Nats of the targets from position `first` on, float64, shape [B, T - first]."""
    logits = model.logits(model.hidden(inputs)[:, first:]).float()
    nats = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), reduction="none")
    return nats.view(targets.shape).double()
