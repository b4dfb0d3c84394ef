"""The order of the data as laws: for any shards, weights, replicate and seed, every token is where it should be.

The tokens of these shards are numbered through, so that each one tells its place.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fakesmrt_models.training.data import Cursor, TokenStream
from warehouse.tokens.shards import INDEX_DTYPE, Shard, ShardManifest


@dataclass(frozen=True)
class Case:
    """Some shards, and a stream of them that holds text."""

    shards: list[Shard]
    seed: int
    replicate: int | None

    def stream(self, seed: int | None = None) -> TokenStream:
        return TokenStream(self.shards, self.seed if seed is None else seed, self.replicate)


def numbered_shard(number: int, first: int, documents: list[tuple[float, list[int]]]) -> Shard:
    """A shard of documents, each a weight and the lengths of its chunks; token ids count up from `first`."""
    lengths = [length for _, chunks in documents for length in chunks]
    index = np.zeros(len(lengths), INDEX_DTYPE)
    ends = np.cumsum(lengths)
    index["token_end"], index["token_start"], index["n_bytes"] = ends, ends - lengths, 3 * np.array(lengths)
    chunk = 0
    for place, (weight, chunks) in enumerate(documents):
        index["weight"][chunk : chunk + len(chunks)] = weight
        document_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{number}-{place}").bytes
        index["document_id"][chunk : chunk + len(chunks)] = np.frombuffer(document_id, np.uint8)
        chunk += len(chunks)
    n_tokens = int(ends[-1])
    manifest = ShardManifest(
        format_version=1, shard_id=f"shard-{number}", tokenizer_sha256="", vocab_size=1 << 16, split="train",
        n_tokens=n_tokens, n_chunks=len(index), n_bytes=3 * n_tokens, sha256="", index_sha256="", corpora=("a",),
    )  # fmt: skip
    return Shard(Path(f"{number}.json"), manifest, np.arange(first, first + n_tokens, dtype=np.uint16), index)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    chunks = st.lists(st.integers(1, 40), min_size=1, max_size=5)
    documents = st.tuples(st.sampled_from([1.0, 1.0, 0.5, 2.0, 2.7]), chunks)
    shards, first = [], 0
    for number, of_shard in enumerate(
        draw(st.lists(st.lists(documents, min_size=1, max_size=6), min_size=1, max_size=3))
    ):
        shards.append(numbered_shard(number, first, [(1.0, [2]), *of_shard]))
        first += shards[-1].manifest.n_tokens
    # Of a dozen documents every replicate of these seeds holds some, so that no stream is empty.
    shards.append(numbered_shard(99, first, [(1.0, [2, 3])] * 12))
    return Case(shards, draw(st.integers(0, 5)), draw(st.none() | st.integers(0, 5)))


def chunks_of(shards: list[Shard]) -> list[tuple[int, int]]:
    """First token id of each chunk, and its length."""
    return [
        (int(shard.tokens[record["token_start"]]), int(record["token_end"] - record["token_start"]))
        for shard in shards
        for record in shard.index
    ]


def counted(stream: TokenStream, n_tokens: int) -> Counter[int]:
    """How often the first tokens of a stream hold each token of the shards."""
    return Counter(stream.read(Cursor(), n_tokens)[0].tolist())


@given(case=cases(), epoch=st.integers(0, 3))
def test_every_epoch_holds_every_chunk_whole_and_as_often_as_its_document_counts(
    case: Case, epoch: int
) -> None:
    stream = case.stream()
    tokens, after = stream.read(Cursor(epoch), stream.n_tokens)
    assert after == Cursor(epoch + 1)
    length_of = dict(chunks_of(case.shards))
    read: Counter[int] = Counter()
    place = 0
    while place < len(tokens):
        first = int(tokens[place])
        length = length_of[first]
        assert tokens[place : place + length].tolist() == list(range(first, first + length)), "whole"
        read[first] += 1
        place += length
    times = dict(zip(length_of, stream.times.tolist(), strict=True))
    assert read == +Counter(times)


@given(case=cases(), cuts=st.lists(st.integers(1, 500), max_size=8), epoch=st.integers(0, 2))
def test_a_stream_is_the_same_however_it_is_read(case: Case, cuts: list[int], epoch: int) -> None:
    """In pieces, by another process, or begun in the middle."""
    whole, end = case.stream().read(Cursor(epoch), sum(cuts) + 1)
    cursor, pieces = Cursor(epoch), []
    for n_tokens in [*cuts, 1]:
        piece, cursor = case.stream().read(cursor, n_tokens)
        pieces.append(piece)
    assert np.array_equal(np.concatenate(pieces), whole)
    assert cursor == end


@given(
    case=cases(), n_sequences=st.integers(1, 5), sequence_length=st.integers(1, 30), steps=st.integers(1, 4)
)
def test_batches_crop_nothing_and_overlap_by_a_target(
    case: Case, n_sequences: int, sequence_length: int, steps: int
) -> None:
    stream, cursor, inputs, targets = case.stream(), Cursor(), [], []
    for _ in range(steps):
        batch, following, cursor = stream.batch(cursor, n_sequences, sequence_length)
        inputs.append(batch.flatten().numpy())
        targets.append(following.flatten().numpy())
    n_tokens = steps * n_sequences * sequence_length
    read = stream.read(Cursor(), n_tokens + 1)[0]
    assert np.array_equal(np.concatenate(inputs), read[:-1])
    assert np.array_equal(np.concatenate(targets), read[1:])
    assert cursor == stream.advanced(Cursor(), n_tokens)


@given(case=cases(), n_tokens=st.integers(1, 4_000))
def test_the_account_names_each_token_as_often_as_it_was_read(case: Case, n_tokens: int) -> None:
    stream = case.stream()
    tokens = {shard.manifest.shard_id: shard.tokens for shard in case.shards}
    account: Counter[int] = Counter()
    ranges = stream.consumed_ranges(n_tokens)
    for row in ranges:
        assert 0 <= row.token_start < row.token_end <= len(tokens[row.shard_id])
        assert row.times > 0
        for token in tokens[row.shard_id][row.token_start : row.token_end].tolist():
            assert token not in account, "no token stands in two ranges"
            account[token] = row.times
    assert account == counted(stream, n_tokens)
    for one, other in pairwise(ranges):
        adjoining = one.shard_id == other.shard_id and one.token_end == other.token_start
        assert not (adjoining and one.times == other.times), "neighbours are merged"


def test_documents_are_reshuffled_in_every_epoch() -> None:
    """Of twenty documents with three chunks each, in eight epochs: no two agree, and no document keeps its place."""
    case = Case([numbered_shard(0, 0, [(1.0, [5, 6, 7])] * 20)], seed=0, replicate=None)
    stream = case.stream()
    document_of = np.repeat(np.arange(20), 18)
    orders = [stream.read(Cursor(epoch), stream.n_tokens)[0] for epoch in range(8)]
    assert len({order.tobytes() for order in orders}) == 8
    assert len({case.stream(seed).read(Cursor(), 360)[0].tobytes() for seed in range(8)}) == 8
    for document in range(20):
        places = {int(np.flatnonzero(document_of[order] == document)[0]) for order in orders}
        assert len(places) > 1
