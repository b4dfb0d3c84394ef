"""The way from a file to its chunks, for every reader and container: nothing is lost, everything replays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cleanser.samples import CONTAINERS, PROSE, SAMPLES, STORIES, assert_accounted, parquet_bytes
from warehouse.cleanser import Chunking, cleanse, cleanse_bytes, iterate_chunks
from warehouse.cleanser.chunks import ChunkRecord, Counters, cut_document, cut_section, sections_of
from warehouse.cleanser.cleansing import cleanse_stream, examine_stream
from warehouse.cleanser.signals import SIGNALS
from warehouse.cleanser.streams import stream_of_bytes

SMALL = Chunking(120)
searching = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])

READERS = {
    "prose.txt": ("plain", 1), "fortunes": ("plain", 6), "book.md": ("markdown", 1), "rows.jsonl": ("json", 6),
    "array.json": ("json", 6), "table.csv": ("csv", 6), "page.html": ("html", 1), "article.xml": ("jats", 1),
    "dump.xml": ("mediawiki", 3), "feed.xml": ("xml", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_every_byte_of_every_kind_is_accounted_for(name: str) -> None:
    for chunking in (SMALL, Chunking()):
        (clean,) = cleanse_bytes(SAMPLES[name], name, chunking).streams
        assert_accounted(clean, chunking)


@pytest.mark.parametrize("name", READERS)
def test_each_kind_is_read_by_its_reader(name: str) -> None:
    documents = cleanse_bytes(SAMPLES[name], name).examination.documents
    assert (documents[0].reader, len(documents)) == READERS[name]
    assert {document.language for document in documents} == {"en"}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", ["prose.txt", "rows.jsonl", "page.html", "changing.txt"])
def test_a_container_changes_nothing(name: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.{container.rpartition(' ')[2]}"
    path.write_bytes(CONTAINERS[container](SAMPLES[name], name))
    (alone,) = cleanse_bytes(SAMPLES[name], name, SMALL).streams
    streams = cleanse(path, SMALL).streams
    assert len(streams) == (2 if "zip" in container else 1)
    assert all(clean.chunks == alone.chunks and clean.dropped == alone.dropped for clean in streams)
    assert all(clean.stream.error is None for clean in streams)


def test_rows_of_parquet_are_records(tmp_path: Path) -> None:
    path = tmp_path / "stories.parquet"
    path.write_bytes(parquet_bytes())
    clean = cleanse(path)
    assert [len(part.examination.documents) for part in clean.streams] == [3, 3]
    assert [chunk.text for chunk in clean.chunks] == STORIES


@searching
@given(name=st.sampled_from(sorted(SAMPLES)), cut=st.floats(0, 1))
def test_a_truncated_file_is_accounted_for(name: str, cut: float) -> None:
    data = SAMPLES[name]
    (clean,) = cleanse_bytes(data[: int(cut * len(data))], name, SMALL).streams
    assert_accounted(clean, SMALL)


@searching
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=6),
    junk=st.binary(max_size=12),
    place=st.floats(0, 1),
)
def test_a_damaged_file_is_accounted_for(
    name: str, flips: list[tuple[float, int]], junk: bytes, place: float
) -> None:
    data = bytearray(SAMPLES[name])
    for position, bit in flips:
        if data:
            data[int(position * len(data))] ^= 1 << bit
    data[int(place * len(data)) : int(place * len(data))] = junk
    (clean,) = cleanse_bytes(bytes(data), name, SMALL).streams
    assert_accounted(clean, SMALL)


@searching
@given(data=st.binary(max_size=300), name=st.sampled_from(sorted(SAMPLES)))
def test_random_bytes_under_any_name_are_accounted_for(data: bytes, name: str) -> None:
    (clean,) = cleanse_bytes(data, name, SMALL).streams
    assert_accounted(clean, SMALL)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "cp1252", "mac-roman"])
@pytest.mark.parametrize("name", ["rows.jsonl", "table.csv", "page.html", "feed.xml", "fortunes"])
def test_records_are_read_in_any_encoding(name: str, encoding: str) -> None:
    text = SAMPLES[name].decode().replace("—", "-")
    whole = cleanse_bytes(text.encode(), name, SMALL)
    (clean,) = cleanse_bytes(
        ("\ufeff" * encoding.startswith("utf") + text).encode(encoding), name, SMALL
    ).streams
    assert_accounted(clean, SMALL)
    assert clean.text == whole.text


def test_a_chunk_never_spans_two_encodings() -> None:
    (clean,) = cleanse_bytes(SAMPLES["changing.txt"], "changing.txt").streams
    assert [chunk.encoding for chunk in clean.chunks] == sorted(
        (chunk.encoding for chunk in clean.chunks), reverse=True
    )
    assert {chunk.encoding for chunk in clean.chunks} == {"utf-8", "cp1252"}
    assert clean.text == "Ein schöner Tag für Bücher und Öfen.\n" * 180
    (document,) = clean.examination.documents
    assert len(document.spans) == 2


@pytest.mark.parametrize("name", ["prose.txt", "wide.txt", "changing.txt", "shifting.txt", "windows.txt"])
def test_sections_are_cut_alike_in_any_order(name: str) -> None:
    stream = stream_of_bytes(SAMPLES[name], name)
    (document,) = examine_stream(stream).documents
    whole = list(cut_document(stream, document, SMALL, section_bytes=256))
    sections = sections_of(stream, document, section_bytes=256)
    assert len(sections) > 3 or name == "shifting.txt"
    parts = {}
    for section in reversed(sections):
        blocks = stream.range_blocks(section.span.byte_start, section.span.byte_end)
        parts[section.span.byte_start] = list(cut_section(section, blocks, SMALL))
    counters = Counters()
    placed = [part for start in sorted(parts) for part in counters.placed(parts[start])]
    assert placed == whole
    chunks = [chunk for chunk in whole if isinstance(chunk, ChunkRecord)]
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert "".join(chunk.text for chunk in chunks) == cleanse_stream(stream).text


def test_sections_end_at_paragraphs_else_at_lines() -> None:
    stream = stream_of_bytes(PROSE.encode() * 40, "prose.txt")
    (document,) = examine_stream(stream).documents
    sections = sections_of(stream, document, section_bytes=1024)
    ends = [section.span.byte_end for section in sections]
    assert all(stream.peek(end - 2, 2) == b"\n\n" for end in ends[:-1])
    lines = stream_of_bytes(b"A line of a list without paragraphs.\n" * 400, "lines.txt")
    (document,) = examine_stream(lines).documents
    ends = [section.span.byte_end for section in sections_of(lines, document, section_bytes=1024)]
    assert len(ends) > 10
    assert all(end % 37 == 0 for end in ends)


def test_a_line_without_end_is_one_section() -> None:
    stream = stream_of_bytes(b"word " * 9000, "line.txt")
    (document,) = examine_stream(stream).documents
    assert len(sections_of(stream, document, section_bytes=1024)) == 1


def test_records_that_hold_nothing_are_dropped_with_a_reason() -> None:
    data = b'{"text": "A story about a ship."}\n{"text": 3}\n[broken\n{"text": "\\u0007 \\n"}\n{"text": "The end."}\n'
    (clean,) = cleanse_bytes(data, "rows.jsonl").streams
    assert_accounted(clean, Chunking())
    assert [chunk.text for chunk in clean.chunks] == ["A story about a ship.", "The end."]
    reasons = [
        data[gap.byte_start : gap.byte_end].decode().strip() + f" {gap.reason}" for gap in clean.dropped
    ]
    assert reasons == [
        '{"text": 3} no_text_field',
        "[broken invalid_json",
        '{"text": "\\u0007 \\n"} no_text_field',
    ]


def test_chunks_come_one_by_one_with_their_signals(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(SAMPLES["rows.jsonl"].replace(b"50 ", b"mail ann@harbour.example or 50 "))
    chunks = list(iterate_chunks(path, SMALL))
    assert [chunk.chunk for chunk in chunks] == list(cleanse(path, SMALL).chunks)
    assert all(set(chunk.signals) == {signal.name for signal in SIGNALS} for chunk in chunks)
    kinds = {chunk.text[found.char_start : found.char_end] for chunk in chunks for found in chunk.private}
    assert kinds == {"ann@harbour.example"}
    assert cleanse(path, SMALL).signals()["n_words"].tolist() == [
        chunk.signals["n_words"] for chunk in chunks
    ]
