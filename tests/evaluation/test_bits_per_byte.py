"""Every token of a chunk is predicted once, and the batch it shares changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.evaluation.bits_per_byte import chunk_nats, plan_windows
from fakesmrt_models.evaluation.text import marked, pieces
from warehouse.errors import InvalidConfiguration
from warehouse.tokens.tokenizer import Tokenizer

Models = Callable[[int], Transformer]
CONTEXT, STRIDE = 32, 16


@pytest.fixture
def chunks(texts: list[str], tokenizer: Tokenizer) -> list[NDArray[np.uint16]]:
    lengths = [1, 2, 3, 30, 31, 32, 33, 200, 777]
    return [
        marked(tokenizer.encode(text[:n])) for text, n in zip(texts[: len(lengths)], lengths, strict=True)
    ]


def naive_nats(model: Transformer, chunk: NDArray[np.uint16]) -> float:
    """One prediction at a time, each with the context that its window gives it."""
    total = 0.0
    for window in plan_windows([len(chunk)], CONTEXT, STRIDE):
        for position in range(window.scored, window.end):
            context = torch.from_numpy(chunk[window.start : position + 1].astype(np.int64))[None]
            with torch.no_grad():
                log_probabilities = model(context)[0, -1].double().log_softmax(dim=-1)
            total -= float(log_probabilities[int(chunk[position + 1])])
    return total


@given(
    lengths=st.lists(st.integers(1, 300), max_size=5),
    context=st.integers(1, 40),
    stride=st.integers(1, 40),
)
@settings(max_examples=100)
def test_windows_score_each_prediction_once_with_enough_context(
    lengths: list[int], context: int, stride: int
) -> None:
    stride = min(stride, context)
    scored = np.zeros((len(lengths), 300), dtype=int)
    for window in plan_windows(lengths, context, stride):
        assert 0 < window.end - window.start <= context
        for position in range(window.scored, window.end):
            scored[window.chunk, position] += 1
            assert position + 1 - window.start >= min(position + 1, context - stride)
    for row, length in zip(scored, lengths, strict=True):
        assert (row[: length - 1] == 1).all()
        assert (row[length - 1 :] == 0).all()


def test_batched_nats_equal_a_naive_computation(tiny_model: Models, chunks: list[NDArray[np.uint16]]) -> None:
    model = tiny_model(1)
    nats = chunk_nats([model], chunks, context=CONTEXT, stride=STRIDE)
    assert nats.shape == (1, len(chunks))
    assert nats[0] == pytest.approx([naive_nats(model, chunk) for chunk in chunks], rel=1e-5)


def test_nats_do_not_depend_on_the_batch(tiny_model: Models, chunks: list[NDArray[np.uint16]]) -> None:
    model = tiny_model(2)
    together = chunk_nats([model], chunks, context=CONTEXT, stride=STRIDE)
    alone = [chunk_nats([model], [chunk], context=CONTEXT, stride=STRIDE)[0, 0] for chunk in chunks]
    in_small_batches = chunk_nats([model], chunks[::-1], context=CONTEXT, stride=STRIDE, batch_tokens=64)
    assert together[0] == pytest.approx(alone, rel=1e-5)
    assert together[0] == pytest.approx(in_small_batches[0, ::-1], rel=1e-5)


def test_any_number_of_threads_gives_the_same_bits(
    tiny_model: Models, chunks: list[NDArray[np.uint16]]
) -> None:
    def measured(n_threads: int) -> NDArray[np.float64]:
        torch.set_num_threads(n_threads)
        try:
            return chunk_nats([tiny_model(1)], chunks, context=CONTEXT, stride=STRIDE, batch_tokens=64)
        finally:
            assert torch.get_num_threads() == n_threads
            torch.set_num_threads(1)

    assert np.array_equal(measured(1), measured(3))


def test_ensembles_average_probabilities_token_by_token(
    tiny_model: Models, chunks: list[NDArray[np.uint16]]
) -> None:
    models = [tiny_model(1), tiny_model(2), tiny_model(3)]
    weights = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])
    nats = chunk_nats(models, chunks[:4], weights, context=CONTEXT, stride=STRIDE)
    chunk = torch.from_numpy(chunks[3].astype(np.int64))
    with torch.no_grad():
        probabilities = torch.stack([model(chunk[None, :-1])[0].double().softmax(-1) for model in models])
    mixed = torch.einsum("k,ktv->tv", torch.from_numpy(weights[0]), probabilities)
    expected = -mixed.gather(1, chunk[1:, None]).log().sum()
    assert nats[3, 3] == pytest.approx(float(expected), rel=1e-5)
    assert (nats[4] == nats[1]).all()
    assert (nats[3] <= weights[0] @ nats[:3] + 1e-6).all()


def test_a_chunk_without_tokens_has_no_nats(tiny_model: Models) -> None:
    assert chunk_nats([tiny_model(1)], [np.zeros(1, dtype=np.uint16)]).tolist() == [[0.0]]


@pytest.mark.parametrize("weights", [[[0.5, 0.6]], [[1.5, -0.5]], [[1.0]]])
def test_ensemble_weights_that_are_no_distribution_are_refused(
    tiny_model: Models, weights: list[list[float]]
) -> None:
    with pytest.raises(InvalidConfiguration):
        chunk_nats([tiny_model(1), tiny_model(2)], [np.array([0, 5], dtype=np.uint16)], np.array(weights))


@given(st.text(max_size=5_000))
@settings(max_examples=50)
def test_pieces_hold_every_byte_of_a_text_once(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert sum(len(piece.encode("utf-8", "surrogatepass")) for piece in pieces(text)) == len(
        text.encode("utf-8", "surrogatepass")
    )


def test_the_tokens_of_the_pieces_are_those_of_the_whole_text(tokenizer: Tokenizer) -> None:
    text = "It's  a\n tale of ünïcode, 1066 and all that; don't ask. " * 200

    parts = pieces(text)

    assert len(parts) > 1
    assert np.array_equal(np.concatenate(tokenizer.encode_batch(parts)), tokenizer.encode(text))
