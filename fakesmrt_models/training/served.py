"""Training batches from ``fakesmrt serve``, or from the same streams in this process.

What lives here: torch's side of a token stream. What does not: the stream (``warehouse/serving``), and the trainer's
own order of its shards (``data.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from warehouse.serving.batches import TokenBatch
from warehouse.serving.requests import TokenRequest


class TokenSource(Protocol):
    """Where streams come from: `warehouse.serving.client.Client`, or `warehouse.serving.source.Source`."""

    def tokens(self, request: TokenRequest, resume: str | None = None) -> Iterator[TokenBatch]:
        """The batches of a request, from the beginning or behind a resume token."""


class ServedBatch(NamedTuple):
    """One batch.

    Attributes:
        inputs: int64, shape (n_sequences, sequence_length).
        targets: int64, the same shape: the token after each input.
        rank: of the stream that it comes from.
        resume: the token with which that stream goes on behind this batch.
    """

    inputs: Tensor
    targets: Tensor
    rank: int
    resume: str


class ServedTokens(IterableDataset[ServedBatch]):
    """Batches of a token stream, for a `DataLoader` with ``batch_size=None``.

    A loader with several workers divides the request's rank among them, so that each item still comes once: worker w
    of W reads rank ``rank * W + w`` of ``world_size * W``. Only sources that can be sent to other processes, such as a
    client, may be used with workers.

    To go on where a training stopped, keep the newest `ServedBatch.resume` of each `ServedBatch.rank`, and give them
    to a new dataset with the same request and number of workers.
    """

    def __init__(
        self, source: TokenSource, request: TokenRequest, resume: Mapping[int, str] | None = None
    ) -> None:
        """Remember what to ask for; nothing is asked before the first batch is wanted.

        Args:
            source: where the stream comes from.
            request: what is asked for.
            resume: the newest token of each rank; a rank without one begins anew.
        """
        super().__init__()
        self._source = source
        self._request = request
        self._resume = dict(resume or {})

    def __iter__(self) -> Iterator[ServedBatch]:
        worker = get_worker_info()
        n_workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        request = dataclasses.replace(
            self._request,
            rank=self._request.rank * n_workers + number,
            world_size=self._request.world_size * n_workers,
        )
        for batch in self._source.tokens(request, self._resume.get(request.rank)):
            tokens = torch.from_numpy(batch.tokens.astype(np.int64))
            yield ServedBatch(tokens[:, :-1], tokens[:, 1:], request.rank, batch.resume)
