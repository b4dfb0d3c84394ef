"""Streams whose encoding changes midway, and which region a byte lies in."""
# ruff: noqa: RUF001  # text in several scripts is the subject

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.cleanser.decoding import EncodingDecision, decide_bytes
from warehouse.cleanser.encodings.regions import MOST_REGIONS, cheapest_path

RUSSIAN = (
    "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n"
    "Все смешалось в доме Облонских. Жена узнала, что муж был в связи с бывшею в их доме\n"
    "француженкою-гувернанткой, и объявила мужу, что не может жить с ним в одном доме.\n"
)
FRENCH = (
    "Longtemps, je me suis couché de bonne heure. Parfois, à peine ma bougie éteinte, mes yeux\n"
    "se fermaient si vite que je n’avais pas le temps de me dire : « Je m’endors. »\n"
)
POLISH = "Litwo! Ojczyzno moja! Ty jesteś jak zdrowie; ile cię trzeba cenić, ten tylko się dowie.\n"
ENGLISH = "It was the best of times, it was the worst of times.\n"


def text_by_regions(data: bytes, decision: EncodingDecision) -> str:
    return "".join(
        data[region.byte_start : region.byte_end].decode(region.encoding, "replace")
        for region in decision.regions
    )


@pytest.mark.parametrize(
    "parts",
    [
        [(FRENCH, "utf-8"), (FRENCH, "cp1252"), (FRENCH, "utf-8")],
        [(RUSSIAN, "koi8-r"), (RUSSIAN, "utf-8"), (RUSSIAN * 2, "koi8-r")],
        [(ENGLISH + FRENCH * 9, "utf-8"), ("Un café à côté\n", "cp1252"), (ENGLISH, "ascii")],
        [(RUSSIAN * 40, "koi8-r"), (RUSSIAN * 50, "cp1251")],
        [(RUSSIAN * 40, "cp866"), (RUSSIAN * 50, "cp1251"), (RUSSIAN * 60, "koi8-r")],
    ],
)
def test_every_part_is_read_in_its_own_encoding(parts: list[tuple[str, str]]) -> None:
    data = b"".join(text.encode(encoding) for text, encoding in parts)
    decision = decide_bytes(data)
    assert text_by_regions(data, decision) == "".join(text for text, _ in parts)
    assert decision.flags[0] == "mixed_encodings"
    assert [region.encoding for region in decision.regions] == [
        encoding for _, encoding in parts if encoding != "ascii"
    ]


def test_the_encoding_of_the_stream_is_that_of_most_of_it() -> None:
    decision = decide_bytes(RUSSIAN.encode() + (RUSSIAN * 3).encode("koi8-r"))
    assert decision.encoding == "koi8-r"
    assert decision.encoding_at(0) == "utf-8"
    assert decision.encoding_at(len(RUSSIAN.encode())) == "koi8-r"


def test_a_byte_beyond_the_regions_lies_in_none() -> None:
    data = FRENCH.encode() + FRENCH.encode("cp1252")
    decision = decide_bytes(data)
    assert decision.region_at(len(data)) is None
    assert decision.region_at(len(data) - 1) == decision.regions[-1]
    assert decide_bytes(FRENCH.encode()).region_at(3) is None
    assert decide_bytes(FRENCH.encode()).encoding_at(3) == "utf-8"


@pytest.mark.parametrize(
    "data",
    [
        (FRENCH * 5).encode()[:-2] + b"caf\xe9 " + FRENCH.encode(),
        (FRENCH * 3).encode("cp1252")
        + "« Quoi ! » Ã la fin\n".encode("cp1252")
        + (FRENCH * 3).encode("cp1252"),
        RUSSIAN.encode("cp1251") * 80,
        (POLISH * 200).encode("iso8859-2"),
        (RUSSIAN.encode() * 9)[:-1],
    ],
    ids=["a broken byte", "chance UTF-8", "one encoding", "another one", "a cut-off character"],
)
def test_where_one_encoding_serves_there_are_no_regions(data: bytes) -> None:
    assert decide_bytes(data).regions == ()


def test_many_changes_are_at_most_a_thousand_regions() -> None:
    data = (FRENCH.encode() + FRENCH.encode("cp1252")) * (MOST_REGIONS // 2 + 20)
    assert 0 < len(decide_bytes(data).regions) <= MOST_REGIONS


PARTS = st.tuples(
    st.sampled_from([RUSSIAN, FRENCH, POLISH, ENGLISH]),
    st.sampled_from(["utf-8", "cp1251", "cp1252", "cp1250", "koi8-r", "utf-16-le"]),
    st.integers(1, 40),
)
NOISE = st.binary(max_size=40)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(PARTS, NOISE), min_size=1, max_size=5), st.booleans())
def test_regions_tile_the_stream_and_begin_at_line_starts(parts: list[object], has_mark: bool) -> None:
    data = b"\xef\xbb\xbf" if has_mark else b""
    for part in parts:
        if isinstance(part, bytes):
            data += part
        elif isinstance(part, tuple):
            data += (part[0] * part[2]).encode(part[1], "replace")
    decision = decide_bytes(data)
    assert 0.0 <= decision.confidence <= 1.0
    if decision.regions:
        starts = [region.byte_start for region in decision.regions]
        ends = [region.byte_end for region in decision.regions]
        assert starts[0] == decision.byte_order_mark_bytes
        assert starts[1:] == ends[:-1]
        assert ends[-1] == len(data)
        assert all(start < end for start, end in zip(starts, ends, strict=True))
        assert all(data[start - 1 : start] == b"\n" for start in starts[1:])


def test_a_change_of_encoding_must_be_worth_its_cost() -> None:
    one_better = np.array([[0.0, -30.0], [-10.0, 0.0], [0.0, -30.0]])
    all_better = np.array([[0.0, -30.0], [-60.0, 0.0], [-60.0, 0.0]])
    assert cheapest_path(one_better, 25.0) == [0, 0, 0]
    assert cheapest_path(all_better, 25.0) == [0, 1, 1]
