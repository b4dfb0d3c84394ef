"""Torch's side of a token stream: batches as tensors, workers that share, and going on with a token."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader

from fakesmrt_models.training.served import ServedBatch, ServedTokens
from warehouse.serving.batches import TokenBatch
from warehouse.serving.requests import TokenRequest
from warehouse.serving.tickets import POSITION

HEADER = b"a header"


class Counting:
    """A source whose tokens are consecutive numbers, those of a rank that leave its number over world_size."""

    def tokens(self, request: TokenRequest, resume: str | None = None) -> Iterator[TokenBatch]:
        names = [self.batch(request, number).resume for number in range(4)]
        first = 0 if resume is None else names.index(resume) + 1
        return iter([self.batch(request, number) for number in range(first, 4)])

    def batch(self, request: TokenRequest, number: int) -> TokenBatch:
        rows, length = request.batch_sequences, request.sequence_length
        numbers = number * rows * length + np.arange(rows)[:, None] * length + np.arange(length + 1)
        positions = np.zeros(rows, POSITION)
        positions["offset"] = numbers[:, -1]
        positions["turn"] = request.rank
        return TokenBatch((numbers * request.world_size + request.rank).astype(np.uint16), positions, HEADER)


REQUEST = TokenRequest(sequence_length=4, batch_sequences=2)


def batches(n_workers: int, resume: dict[int, str] | None = None) -> list[ServedBatch]:
    dataset = ServedTokens(Counting(), REQUEST, resume)
    return [ServedBatch(*batch) for batch in DataLoader(dataset, batch_size=None, num_workers=n_workers)]


def test_targets_are_the_tokens_after_the_inputs() -> None:
    (first, *_), whole = batches(0), batches(0)
    assert first.inputs.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert first.targets.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert first.inputs.dtype == torch.int64
    assert torch.cat([batch.inputs.flatten() for batch in whole]).tolist() == list(range(32))


def test_workers_divide_the_stream() -> None:
    found = batches(2)
    assert {batch.rank for batch in found} == {0, 1}
    assert sorted(torch.cat([batch.inputs.flatten() for batch in found]).tolist()) == list(range(64))


def test_each_rank_goes_on_behind_its_own_token() -> None:
    whole = batches(2)
    half = {batch.rank: batch.resume for batch in whole[:4]}
    rest = batches(2, half)
    assert [batch.inputs.tolist() for batch in rest] == [batch.inputs.tolist() for batch in whole[4:]]
