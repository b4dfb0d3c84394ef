"""Characters of clean text lead to the bytes that they come from: in every encoding, through repair, in records."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cleanser.multilingual import ENCODINGS
from tests.cleanser.multilingual import SAMPLES as TEXTS
from tests.cleanser.samples import SAMPLES
from warehouse.cleanser import cleanse_bytes
from warehouse.cleanser.code_units import PAIRING, STATEFUL
from warehouse.cleanser.repair import repair_chunk
from warehouse.cleanser.replaying import ChunkDecision, replay
from warehouse.cleanser.streams import stream_of_bytes
from warehouse.lineage.raw_text import RawText, raw_text


def plain(data: bytes, encoding: str, repair: str = '{"errors": "strict", "steps": []}') -> RawText:
    """Bytes as one chunk of a plain document in a known encoding."""
    stream = stream_of_bytes(data, "text.txt")
    decision = ChunkDecision(0, len(data), 0, 0, encoding, None, repair, "plain", "2", None)
    return raw_text(stream, decision, replay(stream, decision))


def cleansed(data: bytes, name: str) -> Iterator[RawText]:
    """The chunks of a file, as the cleanser cuts them."""
    (stream,) = cleanse_bytes(data, name).streams
    for chunk in stream.chunks:
        document = next(
            found
            for found in stream.examination.documents
            if found.byte_start <= chunk.byte_start and chunk.byte_end <= found.byte_end
        )
        yield raw_text(stream.stream, ChunkDecision.of(document, chunk), chunk.text)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ENCODINGS), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3), st.data())
def test_every_character_leads_to_its_own_bytes_in_every_encoding(
    encoding: str, texts: list[str], data: st.DataObject
) -> None:
    text = "".join(texts).encode(encoding, "ignore").decode(encoding)
    raw = plain(text.encode(encoding), encoding)
    assert raw.text == text
    if not text:
        return
    first = data.draw(st.integers(0, len(text) - 1))
    begin, end, is_exact = raw.bytes_of(first, first + 1)
    assert is_exact
    assert begin < end
    if encoding in STATEFUL:
        # Escape sequences before a character may count to it or to the one before it.
        assert raw.bytes_of(0, len(text)) == (0, len(raw.raw), True) or not text.isascii()
        assert first == 0 or raw.bytes_of(first - 1, first)[1] <= begin
    elif encoding not in PAIRING:
        assert begin == len(text[:first].encode(encoding))
        assert raw.raw[begin:end] == text[first].encode(encoding)


@pytest.mark.parametrize(
    ("raw", "clean", "wanted", "expected"),
    [
        (b"One.\r\nTwo.\r\n", "One.\nTwo.\n", "\n", b"\r\n"),
        (b"a\x1b[31mred\x1b[0m b", "ared b", "red", b"red"),
        (b"one\x0ctwo", "one\ntwo", "\n", b"\x0c"),
        (b"bell\x07s and\x08\x08 on", "bells and on", "d o", b"d\x08\x08 o"),
        ("naÃ¯ve cafÃ©".encode(), "naïve café", "ï", "Ã¯".encode()),
        ("naÃ¯ve cafÃ©".encode(), "naïve café", "ve", b"ve"),
        (b"50 \x80 or caf\xc3\xa9 now", "50 € or café now", "€", b"\x80"),
        (b"50 \x80 or caf\xc3\xa9 now", "50 € or café now", "é", b"\xc3\xa9"),
        ("Zeile\r\nschÃ¶n\r\nEnde".encode(), "Zeile\nschön\nEnde", "nd", b"nd"),
    ],
)  # fmt: skip
def test_what_was_repaired_leads_to_what_stood_there(
    raw: bytes, clean: str, wanted: str, expected: bytes
) -> None:
    found = plain(raw, "utf-8", repair_chunk(raw, "utf-8").plan.to_json())
    assert found.text == clean
    first = clean.index(wanted)
    begin, end, is_exact = found.bytes_of(first, first + len(wanted))
    assert (found.raw[begin:end], is_exact) == (expected, True)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_word_of_any_kind_of_source_leads_to_its_bytes(name: str) -> None:
    n_found = 0
    for found in cleansed(SAMPLES[name], name):
        word = "harbour" if "harbour" in found.text else "天気"
        if word not in found.text:
            continue
        first = found.text.index(word)
        begin, end, is_exact = found.bytes_of(first, first + len(word))
        there = found.raw[begin:end]
        encoding = found.spans[0].encoding
        assert is_exact
        # The escape sequence in force stands before it.
        assert there == word.encode(encoding) or (encoding in STATEFUL and there in word.encode(encoding))
        assert SAMPLES[name][found.byte_start :].startswith(found.raw)
        n_found += 1
    assert n_found or name in {"blank.txt", "nothing.txt", "random.bin", "changing.txt"}


def test_the_same_word_elsewhere_in_a_record_is_not_taken_for_it() -> None:
    line = json.dumps(
        {"id": "the harbour", "text": "Far from the harbour lay the ship, and it lay there long."}
    )
    (found,) = cleansed(f"{line}\n".encode(), "rows.jsonl")
    first = found.text.index("harbour")
    begin, end, is_exact = found.bytes_of(first, first + len("harbour"))
    assert (begin, end, is_exact) == (line.rindex("harbour"), line.rindex("harbour") + len("harbour"), True)


def test_characters_that_do_not_stand_in_the_record_lead_to_all_of_it() -> None:
    record = '{"text": "One caf\\u00e9 on the quay, and nobody in it but the mate of the ship."}'
    (found,) = cleansed(f"{record}\n".encode(), "rows.jsonl")
    first = found.text.index("é")
    assert found.bytes_of(first, first + 1) == (0, len(found.raw), False)
    assert found.bytes_of(first + 2, first + 4)[2]
