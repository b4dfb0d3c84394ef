"""Streams in this process: everything once, as often as it weighs, and from any place on."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.serving.conftest import (
    CHUNKS_PER_DOCUMENT,
    MARKER,
    chunk_of,
    fill,
    text_of,
    tokens_of,
    weight_of,
)
from warehouse.database import Connection, Warehouse
from warehouse.errors import FakesmrtError, InputUnreadable, InvalidConfiguration
from warehouse.home import Home
from warehouse.publishing import rewrite_version
from warehouse.serving.batches import ChunkBatch, TokenBatch
from warehouse.serving.requests import ChunkRequest, TokenRequest
from warehouse.serving.source import Source
from warehouse.serving.tickets import read_token

TRAIN = range(210)
ONE_EPOCH = TokenRequest(epochs=1, sequence_length=16, batch_sequences=4)


def flat(batches: Iterable[TokenBatch]) -> list[int]:
    """The tokens of a stream; each row begins with the last token of the row before it."""
    rows = [row.tolist() for batch in batches for row in batch.tokens]
    return rows[0][:1] + [token for row in rows for token in row[1:]] if rows else []


def chunks_in(tokens: list[int]) -> list[tuple[int, ...]]:
    """The chunks of a sequence that begins with one, by their markers."""
    starts = [place for place, token in enumerate(tokens) if token == MARKER]
    return [tuple(tokens[first:last]) for first, last in itertools.pairwise([*starts, len(tokens)])]


def ids(batches: Iterable[ChunkBatch]) -> list[str]:
    return [chunk_id for batch in batches for chunk_id in batch.rows["chunk_id"].to_pylist()]


@pytest.mark.parametrize("epochs", [1, 2])
def test_an_epoch_yields_each_chunk_of_the_split_once(
    source: Source, epochs: int, small_buckets: None
) -> None:
    request = TokenRequest(epochs=epochs, sequence_length=16, batch_sequences=4)
    found = chunks_in(flat(source.tokens(request)))
    assert Counter(found) == Counter(tuple(tokens_of(number)) for number in TRAIN for _ in range(epochs))
    assert found[: len(TRAIN)] != found[len(TRAIN) :]


def test_the_seed_decides_the_order_and_nothing_else(source: Source, small_buckets: None) -> None:
    orders = [ids(source.chunks(ChunkRequest(seed=seed))) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == sorted(str(chunk_of(number)) for number in TRAIN)


@pytest.mark.parametrize("world_size", [2, 3, 7])
def test_ranks_share_the_chunks_without_overlap(source: Source, world_size: int, small_buckets: None) -> None:
    shares = [
        ids(source.chunks(ChunkRequest(world_size=world_size, rank=rank))) for rank in range(world_size)
    ]
    assert sorted(itertools.chain(*shares)) == sorted(str(chunk_of(number)) for number in TRAIN)
    assert all(shares)


def test_a_token_stream_goes_on_behind_any_row(source: Source, small_buckets: None) -> None:
    whole = list(source.tokens(ONE_EPOCH))
    tokens = flat(whole)
    done = 0
    for batch in whole:
        for row in range(len(batch.tokens)):
            done += batch.tokens.shape[1] - 1
            if done % (16 * 37) and done < len(tokens) - 20:
                continue
            rest = source.tokens(
                TokenRequest(epochs=1, sequence_length=23, batch_sequences=2), batch.resume_after(row)
            )
            assert flat(rest) == (tokens[done:] if done < len(tokens) - 1 else [])


def test_a_stream_without_end_goes_on_in_the_next_epoch(source: Source) -> None:
    request = TokenRequest(sequence_length=64, batch_sequences=8)
    whole = list(itertools.islice(source.tokens(request), 60))
    assert read_token(whole[-1].resume)[1].epoch > 1
    again = list(itertools.islice(source.tokens(request, whole[29].resume), 30))
    assert [batch.resume for batch in again] == [batch.resume for batch in whole[30:]]
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(again, whole[30:], strict=True))


def test_chunks_come_with_their_text_and_go_on_behind_any_of_them(
    source: Source, small_buckets: None
) -> None:
    request = ChunkRequest(split=None, columns=("n_words", "language"), batch_rows=10)
    batches = list(source.chunks(request))
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    assert sorted(rows, key=lambda row: row["n_words"])[5] == {
        "chunk_id": str(chunk_of(5)), "n_words": 5, "language": "de", "text": text_of(5)
    }  # fmt: skip
    done = 0
    for batch in batches:
        for row in range(batch.rows.num_rows):
            done += 1
            if done % 20 == 0:
                rest = ids(source.chunks(request, batch.resume_after(row)))
                assert rest == [row["chunk_id"] for row in rows[done:]]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("language = 'en'", [number for number in TRAIN if number // CHUNKS_PER_DOCUMENT % 2 == 0]),
        ("n_words BETWEEN 3 AND 7", [3, 4, 5, 6, 7]),
        # A document has the path of its first chunk's file.
        ("ordinal = 1 AND path LIKE '%/1_.txt'", [13, 16, 19]),
        ("FALSE", []),
    ],
)
def test_a_condition_selects(source: Source, where: str, expected: list[int], small_buckets: None) -> None:
    found = ids(source.chunks(ChunkRequest(where=where)))
    assert sorted(found) == sorted(str(chunk_of(number)) for number in expected)
    tokens = flat(source.tokens(TokenRequest(where=where, epochs=1, sequence_length=8)))
    assert Counter(chunks_in(tokens)) == Counter(tuple(tokens_of(number)) for number in expected)


def test_a_weight_says_how_often_a_chunk_comes(source: Source, small_buckets: None) -> None:
    request = ChunkRequest(
        weight="CASE WHEN n_words < 30 THEN 2.5 WHEN n_words < 60 THEN 0 ELSE 1 END", epochs=4
    )
    times = Counter(ids(source.chunks(request)))
    assert all(times[str(chunk_of(number))] == 4 for number in range(60, 210))
    assert not any(times[str(chunk_of(number))] for number in range(30, 60))
    heavy = [times[str(chunk_of(number))] for number in range(30)]
    assert set(heavy) <= {8, 9, 10, 11, 12}
    assert len(set(heavy)) > 1
    documents = [heavy[first : first + CHUNKS_PER_DOCUMENT] for first in range(0, 30, CHUNKS_PER_DOCUMENT)]
    assert all(len(set(document)) == 1 for document in documents)


def test_tokens_have_the_weights_of_their_recipe(tmp_path: Path, small_buckets: None) -> None:
    warehouse = Warehouse(Home(tmp_path / "home"))
    warehouse.initialise("salt")
    fill(warehouse, weighted=True)
    tokens = flat(Source(warehouse).tokens(TokenRequest(epochs=8, sequence_length=16)))
    times = Counter(chunks_in(tokens))
    for number in TRAIN:
        in_eight_epochs = times[tuple(tokens_of(number))]
        assert in_eight_epochs == 8 if weight_of(number) == 1 else 16 <= in_eight_epochs <= 24


def test_what_a_person_wrote_is_put_into_a_query_once(source: Source) -> None:
    # Put in one after the other, the condition would end the weight's string and become code.
    weight = "CASE WHEN title = '$condition' THEN 0 ELSE 1 END"
    request = ChunkRequest(weight=weight, where="n_words < 9 OR path = ' OR TRUE OR '")
    assert len(ids(source.chunks(request))) == 9


def test_what_is_forgotten_in_between_is_left_out_and_everything_else_comes_once(
    served: Warehouse, source: Source, small_buckets: None
) -> None:
    stream = source.chunks(ChunkRequest(batch_rows=5))
    before = list(itertools.islice(stream, 6))
    coming = next(number for number in TRAIN if str(chunk_of(number)) not in ids(before) and text_of(number))

    def forget(connection: Connection) -> None:
        connection.execute("DELETE FROM corpus.chunk WHERE chunk_id = ?", [chunk_of(coming)])

    path = source.snapshot(None).path
    rewrite_version(served, path, forget)
    after = list(stream)
    assert sorted(ids(before) + ids(after)) == sorted(
        str(chunk_of(number)) for number in TRAIN if number != coming
    )
    assert ids(source.chunks(ChunkRequest(), before[-1].resume)) == ids(after)


def test_two_sources_of_one_process_both_see_what_is_forgotten(served: Warehouse, source: Source) -> None:
    second = Source(served)
    assert len(ids(source.chunks(ChunkRequest()))) == len(ids(second.chunks(ChunkRequest()))) == 210

    def forget(connection: Connection) -> None:
        connection.execute("DELETE FROM corpus.chunk WHERE n_words < 100")

    rewrite_version(served, source.snapshot(None).path, forget)
    for _ in range(2):
        assert len(ids(source.chunks(ChunkRequest()))) == len(ids(second.chunks(ChunkRequest()))) == 110


def test_a_database_that_fails_for_one_is_opened_anew_for_the_others(
    served: Warehouse, source: Source, small_buckets: None
) -> None:
    second = Source(served)
    streams = [opened.chunks(ChunkRequest(batch_rows=5)) for opened in (source, second)]
    expected = ids(source.chunks(ChunkRequest()))
    found = [ids([next(stream)]) for stream in streams]
    # No condition may say this; DuckDB 2.0 does not go on after it.
    too_large = (
        "SELECT count(*) FROM corpus.chunk WHERE TRY_CAST(split AS DOUBLE[90000][90000][90000]) IS NULL"
    )
    with pytest.raises(InvalidConfiguration, match="DuckDB itself fails") as failed:
        source.snapshot(None).rows(too_large, {})
    assert "\n" not in str(failed.value)
    assert [first + ids(stream) for first, stream in zip(found, streams, strict=True)] == [expected] * 2
    assert ids(second.chunks(ChunkRequest())) == expected


def test_a_stream_without_end_outlasts_epochs_that_draw_nothing(source: Source) -> None:
    request = ChunkRequest(where="n_words < 3", weight="0.05", epochs=None)
    epochs = [batch.positions["epoch"][0] for batch in itertools.islice(source.chunks(request), 5)]
    assert len(epochs) == 5
    assert max(np.diff(epochs)) > 1


@pytest.mark.parametrize("changes", [{"where": "FALSE"}, {"weight": "0"}])
def test_epochs_without_anything_are_gone_through_once(source: Source, changes: dict[str, str]) -> None:
    assert ids(source.chunks(ChunkRequest(epochs=10**12, **changes))) == []


def test_chunks_are_served_while_the_shards_are_not_there(served: Warehouse, source: Source) -> None:
    assert dict(source.warm().failures) == {}
    for manifest in served.home.tokens.rglob("train-00.json"):
        manifest.unlink()
    again = Source(served)
    warm = again.warm()
    assert warm.version == 1
    assert "no longer there" in str(warm.failures["default"])
    assert len(ids(again.chunks(ChunkRequest()))) == 210


def test_only_chunks_that_the_recipe_keeps(served: Warehouse, source: Source) -> None:
    def drop(connection: Connection) -> None:
        connection.execute("DELETE FROM tokens.shard_chunk WHERE chunk_id = ?", [chunk_of(7)])

    rewrite_version(served, source.snapshot(None).path, drop)
    everything, kept = (set(ids(source.chunks(ChunkRequest(kept_only=only)))) for only in (False, True))
    assert everything - kept == {str(chunk_of(7))}


def refused(begin: Iterator[TokenBatch] | Iterator[ChunkBatch]) -> None:
    list(itertools.islice(begin, 3))


def test_what_cannot_be_streamed_is_one_line(served: Warehouse, source: Source) -> None:
    token = next(source.tokens(ONE_EPOCH)).resume
    for request, resume, says in (
        (TokenRequest(where="n_words < 0"), None, "Nothing is selected"),
        (TokenRequest(recipe="letters"), None, "no recipe 'letters'"),
        (TokenRequest(split="select"), None, "no shards"),
        (TokenRequest(version=9), None, "version 9 is no longer kept"),
        (TokenRequest(weight="-1"), None, "below 0"),
        (TokenRequest(weight="65"), None, "weight 65"),
        (TokenRequest(where="path::INTEGER = 1"), None, "selection fails"),
        (TokenRequest(where="n_words // 0 = 1"), None, "selection fails"),
        (TokenRequest(where="n_words * 99999999999 * 99999999999 > 1"), None, "selection fails"),
        (TokenRequest(where="NOT " * 900 + "TRUE"), None, "nested too deeply"),
        (TokenRequest(epochs=1, version=2), token, "is of version 1, not of 2"),
        (TokenRequest(epochs=1, seed=1), token, "is of seed 0, not of 1"),
        (TokenRequest(epochs=1, world_size=2), token, "is of rank 0 of 1, not of 0 of 2"),
        (TokenRequest(epochs=1, where="TRUE"), token, "is of another selection"),
    ):
        with pytest.raises(FakesmrtError, match=says) as failed:
            refused(source.tokens(request, resume))
        assert "\n" not in str(failed.value)
    for columns in (("nothing",), ("text",), ('n_words" FROM corpus.corpus --',)):
        with pytest.raises(InvalidConfiguration):
            refused(source.chunks(ChunkRequest(columns=columns)))


def test_before_the_first_build_there_is_one_line(warehouse: Warehouse) -> None:
    with pytest.raises(InputUnreadable, match="Nothing is published"):
        Source(warehouse).tokens(ONE_EPOCH)


def test_a_token_of_another_home_is_refused(source: Source, tmp_path: Path) -> None:
    warehouse = Warehouse(Home(tmp_path / "other"))
    warehouse.initialise("salt")
    fill(warehouse)
    token = next(Source(warehouse).tokens(ONE_EPOCH)).resume
    with pytest.raises(InvalidConfiguration, match="another home"):
        refused(source.tokens(ONE_EPOCH, token))


def test_a_version_or_shard_that_is_gone_says_what_to_do(served: Warehouse, source: Source) -> None:
    stream = source.tokens(TokenRequest(sequence_length=8, batch_sequences=1))
    next(stream)
    for manifest in served.home.tokens.rglob("train-00.json"):
        manifest.unlink()
    with pytest.raises(InputUnreadable, match="no longer there"):
        refused(Source(served).tokens(ONE_EPOCH))
    source.snapshot(None).path.unlink()
    with pytest.raises(InputUnreadable, match="fakesmrt versions pin"):
        refused(stream)
