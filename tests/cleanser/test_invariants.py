"""The two promises about every byte: it is accounted for, and what was stored can be computed again from
it."""

# text in several scripts is the subject

import codecs
import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cleanser.multilingual import ENCODINGS, SAMPLES
from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.cleansing import ChunkRecord, DocumentRecord, cleanse, cut_document
from warehouse.cleanser.repair import replay
from warehouse.cleanser.streams import Stream

texts = st.lists(st.sampled_from(SAMPLES) | st.text(max_size=60), max_size=8).map("".join)
limits = st.sampled_from([16, 21, 60, 200])
no_database = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stream_of(data: bytes, folder: str) -> Stream:
    path = Path(folder) / "stream.txt"
    path.write_bytes(data)
    return Stream(path, len(data), hashlib.sha256(data).digest())


def document_of(data: bytes, encoding: str) -> DocumentRecord:
    return DocumentRecord(0, 0, len(data), "plain", "1", encoding, 1.0, "{}", "und", 0.0, 0, None)


def assert_tiles(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    for range_start, range_end in sorted(ranges):
        assert range_start == start
        assert range_end > range_start
        start = range_end
    assert start == end


def assert_chunks_hold(data: bytes, chunks: list[ChunkRecord], max_characters: int) -> None:
    character = 0
    for number, chunk in enumerate(chunks):
        raw = data[chunk.byte_start : chunk.byte_end]
        assert replay(raw, chunk.encoding, chunk.decoder_state, chunk.repair) == chunk.text
        assert chunk.text.strip()
        assert len(chunk.text) <= max_characters
        assert (chunk.ordinal, chunk.char_start, chunk.char_end) == (
            number,
            character,
            character + len(chunk.text),
        )
        assert chunk.text_sha256 == hashlib.sha256(chunk.text.encode()).digest()
        character = chunk.char_end


@no_database
@given(data=st.binary(max_size=400), encoding=st.sampled_from(ENCODINGS), limit=limits)
def test_any_bytes_cut_in_any_encoding_tile_and_replay(data: bytes, encoding: str, limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = list(cut_document(stream_of(data, folder), document_of(data, encoding), Chunking(limit)))
    assert_tiles([(part.byte_start, part.byte_end) for part in parts], 0, len(data))
    assert_chunks_hold(data, [part for part in parts if isinstance(part, ChunkRecord)], limit)


@no_database
@given(text=texts, encoding=st.sampled_from(ENCODINGS), limit=limits, cut_off=st.integers(0, 9))
def test_text_cut_in_its_encoding_reads_as_if_it_had_not_been_cut(
    text: str, encoding: str, limit: int, cut_off: int
) -> None:
    # Escapes take characters with them, and a mark at a line's start is none.
    data = text.translate(dict.fromkeys(map(ord, "\x1b\ufeff"))).encode(encoding, "ignore")
    data = data[: len(data) - cut_off] if cut_off < len(data) else data
    chunking = Chunking(limit, repair_mojibake=False)
    with tempfile.TemporaryDirectory() as folder:
        parts = list(cut_document(stream_of(data, folder), document_of(data, encoding), chunking))
    chunks = [part for part in parts if isinstance(part, ChunkRecord)]
    assert_tiles([(part.byte_start, part.byte_end) for part in parts], 0, len(data))
    assert_chunks_hold(data, chunks, limit)
    whole = codecs.getincrementaldecoder(encoding)("replace").decode(data, final=True)
    assert "".join("".join(chunk.text for chunk in chunks).split()) == visible(whole, encoding)


def visible(text: str, encoding: str) -> str:
    """The text without white space and control characters: these alone may be dropped as blank."""
    if encoding in {"cp037", "cp500"}:
        text = text.replace("\x85", "\n")
    kept = "".join(
        character
        for character in text
        if character in "\t\n\r" or not (character < " " or character == "\x7f")
    )
    return "".join(kept.split())


@no_database
@given(
    data=st.binary(max_size=300)
    | st.tuples(texts, st.sampled_from(ENCODINGS)).map(lambda drawn: drawn[0].encode(drawn[1], "ignore")),
    mark=st.sampled_from([b"", b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE]),
)
def test_every_byte_of_any_file_is_a_chunk_or_dropped_with_a_reason(data: bytes, mark: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(mark + data)
        clean = cleanse(path, Chunking(100))
    outside = [(gap.byte_start, gap.byte_end) for gap in clean.examination.dropped]
    documents = [(document.byte_start, document.byte_end) for document in clean.examination.documents]
    assert_tiles(outside + documents, 0, len(mark + data))
    pieces = [(piece.byte_start, piece.byte_end) for piece in (*clean.chunks, *clean.dropped)]
    assert_tiles(pieces, 0, len(mark + data))
    assert all(gap.reason in {"binary", "blank", "byte_order_mark"} for gap in clean.dropped)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "shift_jis", "iso2022_jp", "cp037"])
def test_the_same_bytes_are_cut_the_same_whatever_the_size_of_the_blocks(
    encoding: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = (SAMPLES[0] + SAMPLES[2] * 3 + SAMPLES[4]).encode(encoding, "ignore")
    stream, document = stream_of(data, str(tmp_path)), document_of(data, encoding)
    whole = list(cut_document(stream, document, Chunking(60)))
    monkeypatch.setattr("warehouse.cleanser.streams.BLOCK_BYTES", 5 if encoding != "utf-16-le" else 7)
    assert list(cut_document(stream, document, Chunking(60))) == whole
