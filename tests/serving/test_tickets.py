"""Resume tokens and requests: they come back as they were, and nothing else is taken for one."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.errors import InvalidConfiguration
from warehouse.serving import tickets
from warehouse.serving.requests import ChunkRequest, TokenRequest, from_json, to_json
from warehouse.serving.tickets import Header, Position, read_token, resume_token

HEADER = Header(7, b"stamp 01", b"selected", 2**63 - 1, 65535, 65534, 20, 64)
BIG = 2**64 - 1


@given(st.tuples(*(st.integers(0, 2**bits - 1) for bits in (32, 16, 32, 64, 64, 64, 32))))
def test_a_token_states_header_and_position(values: tuple[int, ...]) -> None:
    position = Position(*values)
    token = resume_token(HEADER.pack(), position.pack())
    assert read_token(token) == (HEADER, position)
    assert len(token) == 104


@given(st.integers(0, 103), st.sampled_from("AZaz09-_="))
def test_a_token_with_another_character_is_refused(place: int, character: str) -> None:
    token = resume_token(HEADER.pack(), Position(1, 0, 2, BIG, BIG, BIG, 3).pack())
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(InvalidConfiguration):
            read_token(changed)


@pytest.mark.parametrize("token", ["", "abc", "é", "A" * 104, "AQ==", "no token at all"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidConfiguration, match="no resume token"):
        read_token(token)


@pytest.mark.parametrize(
    "values",
    [{"bits": 21}, {"bits": 40}, {"turns": 0}, {"turns": 65}, {"rank": 65535}, {"rank": 0, "world_size": 0}],
)
def test_a_token_of_an_order_that_cannot_be_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(InvalidConfiguration, match="impossible order"):
        read_token(resume_token(dataclasses.replace(HEADER, **values).pack(), Position().pack()))


def test_a_token_of_another_fakesmrt_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "FORMAT_VERSION", 2)
    token = resume_token(HEADER.pack(), Position().pack())
    monkeypatch.undo()
    with pytest.raises(InvalidConfiguration, match="format version 2"):
        read_token(token)


@pytest.mark.parametrize(
    "request_",
    [
        TokenRequest(),
        ChunkRequest(columns=()),
        TokenRequest(where="TRUE", epochs=3, world_size=4, rank=3, version=2),
    ],
)
def test_a_request_comes_back(request_: TokenRequest | ChunkRequest) -> None:
    assert from_json(to_json(request_, "a token")) == (request_, "a token")


def test_fields_left_out_have_their_defaults() -> None:
    assert from_json(b'{"kind": "tokens"}') == (TokenRequest(), None)


@pytest.mark.parametrize(
    "stated",
    [
        b"", b"\xff", b"[]", b"{}", b'{"kind": "models"}', b'{"kind": ["tokens"]}',
        *(
            json.dumps({"kind": "tokens", **wrong}).encode()
            for wrong in (
                {"format": 2}, {"resume": 5}, {"seed": "1"}, {"seed": -1}, {"seed": True}, {"seed": 2**63},
                {"rank": 1}, {"world_size": 0}, {"epochs": 0}, {"where": 1}, {"recipe": None}, {"columns": []},
                {"sequence_length": 1 << 40}, {"batch_sequences": 0}, {"kept_only": True},
            )
        ),
        b'{"kind": "chunks", "columns": "path"}', b'{"kind": "chunks", "columns": [1]}',
        b'{"kind": "chunks", "columns": ["path", "n_words", "path"]}', b"[" * 60_000, b" " * 70_000 + b"{}",
        b'{"kind": "chunks", "version": 0}', b'{"kind": "chunks", "version": 1' + b"0" * 999 + b"}",
        b'{"kind": "chunks", "kept_only": 1}', b'{"kind": "chunks", "batch_rows": 100000}',
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(stated: bytes) -> None:
    with pytest.raises(InvalidConfiguration):
        from_json(stated)
