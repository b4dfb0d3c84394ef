"""Where documents are cut."""

from pathlib import Path

import pytest

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.cleansing import ChunkRecord, cleanse, cut_document, examine_stream
from warehouse.cleanser.segmenting import LONGEST_LINE_BYTES
from warehouse.cleanser.streams import walk_streams
from warehouse.errors import InvalidConfiguration


def chunks_of(folder: Path, data: bytes, max_characters: int = 100) -> list[str]:
    path = folder / "text.txt"
    path.write_bytes(data)
    return [chunk.text for chunk in cleanse(path, Chunking(max_characters)).chunks]


def paragraph(word: str, n_lines: int) -> str:
    return f"{word} is on this line.\n" * n_lines + "\n"


def test_small_paragraphs_are_joined_up_to_the_limit(tmp_path: Path) -> None:
    text = "".join(paragraph(word, 1) for word in ("One", "Two", "Six", "Ten", "Ace"))
    assert chunks_of(tmp_path, text.encode()) == [text[:88], text[88:].rstrip("\n") + "\n"]


def test_paragraphs_stay_whole_where_they_fit(tmp_path: Path) -> None:
    first, second = paragraph("First", 3), paragraph("Second", 3)
    assert chunks_of(tmp_path, (first + second).encode()) == [first, second.rstrip("\n") + "\n"]


def test_without_blank_lines_lines_stay_whole(tmp_path: Path) -> None:
    chunks = chunks_of(tmp_path, ("This line has thirty letters..\n" * 9).encode())
    assert [chunk.count("\n") for chunk in chunks] == [3, 3, 3]


def test_a_long_line_is_cut_at_sentences_then_words_then_characters(tmp_path: Path) -> None:
    sentences = "A sentence of about forty characters, here. " * 5
    assert all(chunk.endswith(". ") for chunk in chunks_of(tmp_path, sentences.encode()))
    words = "word " * 60
    assert all(chunk.startswith("word") for chunk in chunks_of(tmp_path, words.encode()))
    assert [len(chunk) for chunk in chunks_of(tmp_path, ("ü" * 250).encode())] == [100, 100, 50]


def test_a_heading_is_not_left_alone_before_a_long_paragraph(tmp_path: Path) -> None:
    text = "Heading\n\n" + "A line of the paragraph.\n" * 8
    assert chunks_of(tmp_path, text.encode())[0].startswith("Heading\n\nA line")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_byte_0x0a_inside_a_wide_unit_is_no_newline(tmp_path: Path, encoding: str) -> None:
    text = "Ċ\u0a0a\u0b0a ends no line. " * 12 + "\n"
    path = tmp_path / "wide.txt"
    path.write_bytes("\ufeff".encode(encoding) + text.encode(encoding))
    clean = cleanse(path, Chunking(60))
    assert clean.text == text
    assert all(chunk.text.endswith((". ", "\n")) for chunk in clean.chunks)


def test_shift_states_are_carried_from_chunk_to_chunk(tmp_path: Path) -> None:
    text = "한국어 문장입니다.\n" * 20
    path = tmp_path / "korean.txt"
    path.write_bytes(text.encode("iso2022_kr"))
    clean = cleanse(path, Chunking(60))
    assert clean.text == text
    assert len({chunk.decoder_state for chunk in clean.chunks}) == 2


def test_blank_space_around_and_byte_order_mark_are_dropped_with_reasons(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbf\r\n \r\n  First line.\r\nLast line.\r\n\r\n\r\n")
    clean = cleanse(path)
    assert clean.text == "  First line.\nLast line.\n"
    assert [(gap.byte_start, gap.byte_end, gap.reason) for gap in clean.dropped] == [
        (0, 3, "byte_order_mark"),
        (3, 8, "blank"),
        (35, 39, "blank"),
    ]


def test_a_document_is_described(tmp_path: Path) -> None:
    path = tmp_path / "book.md"
    path.write_text("# The  Title\n\n" + "It was the best of times, it was the worst of times.\n" * 5)
    document = cleanse(path).examination.documents[0]
    assert (document.reader, document.encoding, document.language) == ("markdown", "ascii", "en")
    assert document.title == "The Title"
    assert document.n_characters == path.stat().st_size
    assert 0.5 < document.language_score <= 1.0


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "empty"), (b" \n\n\t", "white space"), (b"\x00" * 99, "binary")]
)
def test_a_stream_without_text_says_why(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "none"
    path.write_bytes(data)
    examination = examine_stream(next(walk_streams(path)))
    assert examination.documents == ()
    assert reason in str(examination.error)


def test_a_line_without_end_is_cut_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "one line"
    path.write_bytes("日本".encode() * (LONGEST_LINE_BYTES // 3))
    stream = next(walk_streams(path))
    document = examine_stream(stream).documents[0]
    parts = list(cut_document(stream, document, Chunking()))
    assert all(isinstance(part, ChunkRecord) and part.n_replaced == 0 for part in parts)
    assert max(part.byte_end - part.byte_start for part in parts) <= 6_000


def test_chunkings_are_told_apart() -> None:
    assert Chunking().chunking_id() == Chunking(2000).chunking_id()
    assert (
        len(
            {
                Chunking().chunking_id(),
                Chunking(1000).chunking_id(),
                Chunking(repair_mojibake=False).chunking_id(),
            }
        )
        == 3
    )
    with pytest.raises(InvalidConfiguration, match="16 or more"):
        Chunking(3)
