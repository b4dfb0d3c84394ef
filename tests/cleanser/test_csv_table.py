"""Tables: each row is a record; quotes as they are written."""

import csv
import io
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers import csv_rows, syntax
from warehouse.cleanser.readers.csv_dialect import dialect_of
from warehouse.cleanser.readers.csv_rows import Dialect, scan_rows, split_row
from warehouse.cleanser.readers.csv_table import CSV, accepts
from warehouse.cleanser.readers.reader import (
    DocumentRange,
    DroppedRange,
    NoTextError,
    stream_head,
)
from warehouse.cleanser.streams import stream_of_bytes

STORY = 'id,title,text\n1,First,"Once, upon\na time."\n2,Second,"She said ""no"", twice."\n3,Third,The end.\n'

cells = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=20)


def read(data: bytes, encoding: str = "utf-8", mark: int = 0) -> tuple[list[str], list[str]]:
    """Texts of the rows, and the reasons for what was dropped, in order; what is found must tile."""
    stream = stream_of_bytes(data, "a.csv")
    reader = CSV.bound_to(stream_head(stream, encoding))
    assert reader.extract is not None
    texts, reasons, end = [], [], 0
    for part in reader.find_documents(stream, EncodingDecision(encoding, 1.0, (), (), (), mark)):
        assert part.byte_start == end < part.byte_end
        end = part.byte_end
        if isinstance(part, DroppedRange):
            reasons.append(part.reason)
            continue
        try:
            texts.append(
                reader.extract(data[part.byte_start : part.byte_end].decode(encoding, "replace")).text
            )
        except NoTextError as failure:
            reasons.append(failure.reason)
    assert end == len(data)
    return texts, reasons


def test_a_row_is_a_record_and_the_header_tells_its_text() -> None:
    assert read(STORY.encode()) == (["Once, upon\na time.", 'She said "no", twice.', "The end."], ["header"])


def test_a_title_comes_from_its_column() -> None:
    reader = CSV.bound_to(STORY)
    assert reader.extract is not None
    assert reader.extract('2,"Second, of three",The end.\n').title == "Second, of three"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252", "utf-32-le"])
def test_rows_are_found_in_any_encoding(encoding: str) -> None:
    data = STORY.replace("no", "Ça").encode(encoding)
    assert read(data, encoding)[0][1] == 'She said "Ça", twice.'


def test_tables_of_mainframes_and_in_shift_jis() -> None:
    rows = STORY.replace("\n", "\x85").encode("cp500")
    assert read(rows, "cp500") == (["Once, upon\x85a time.", 'She said "no", twice.', "The end."], ["header"])
    table = "id|text\n1|ポート、表\n2|能力\n"
    assert read(table.encode("shift_jis"), "shift_jis") == (["ポート、表", "能力"], ["header"])


def test_without_known_names_every_cell_that_is_prose_counts() -> None:
    table = "key;date;left;right\nk1;2020-01-01;A first sentence.;word\nk2;2020-01-02;A second one.;And a third.\n"
    assert read(table.encode()) == (["A first sentence.", "A second one.\n\nAnd a third."], ["header"])


def test_a_byte_order_mark_blank_rows_and_no_line_end() -> None:
    data = "\ufefftext\tn\n\n\nSome words\t1\n\nMore words\t2".encode()
    assert read(data, mark=3) == (
        ["Some words", "More words"],
        ["byte_order_mark", "header", "blank", "blank"],
    )


def test_ragged_rows_lose_nothing() -> None:
    table = "name,text\na,One sentence.\nb\nc,Another one.,surplus cell\n" + "d,And more.\n" * 8
    texts, reasons = read(table.encode())
    assert texts[:2] == ["One sentence.", "Another one."]
    assert reasons == ["header", "no_text_field"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['1,"Never closed', "2,Two.", "3,Three."], ['"Never closed', "Two.", "Three."]),
        (['1,"Never closed', '2,"But this is."', "3,Three."], ['"Never closed', "But this is.", "Three."]),
        (['1,"He said "hi" to me"', "2,Two.", "3,Three."], ['He said "hi" to me', "Two.", "Three."]),
        (['1,A 5" pipe', '2,A 6" pipe', "3,Three."], ['A 5" pipe', 'A 6" pipe', "Three."]),
        (['1,"Two lines\n""quoted"""', '2,""', "3,Three."], ['Two lines\n"quoted"', "Three."]),
        (["1,NUL \x00 inside", "2,Two.", "3,Three."], ["NUL \x00 inside", "Two.", "Three."]),
    ],
)
def test_quotes_are_read_as_they_were_meant(lines: list[str], expected: list[str]) -> None:
    assert read(("id,text\n" + "\n".join(lines) + "\n").encode())[0] == expected


def test_a_row_that_is_too_large_is_dropped_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "LARGEST_RECORD_BYTES", 200)
    monkeypatch.setattr(csv_rows, "LARGEST_RECORD_BYTES", 200)
    monkeypatch.setattr(csv_rows, "BLOCK_BYTES", 50)
    long, tail = "word " * 100, "2,Second row.\n3,Third row.\n"
    unclosed = "id,text\n" + '1,"Never closed.\n' + "7,A row.\n" * 40 + tail
    verse = "words, and, words\n" * 100
    in_one_line, in_many = f'id,text\n1,"{long}"\n{tail}', f'id,text\n1,"{verse}""{verse}"\n{tail}'
    cut_off = f'id,text\n1,"{verse}\n5,"Opened again."\n{tail}'
    for table in (f"id,text\n1,{long}\n{tail}", in_one_line, in_many, cut_off, unclosed):
        texts, reasons = read(table.encode())
        assert texts[-2:] == ["Second row.", "Third row."]
        assert reasons == ["header", "record_too_large"]


def test_many_quotes_that_open_and_never_close_are_read_in_one_pass() -> None:
    data = b"a,text\n" + b',""x\n' * 100_000
    assert sum(1 for _ in scan_rows(iter((data,)), Dialect(","))) == 100_001


@pytest.mark.parametrize(
    ("head", "delimiter", "columns"),
    [
        ("a,b\n1,2\n", ",", ("a", "b")),
        ("a;b\n1,5;2,5\n2,5;3,5\n", ";", ("a", "b")),
        ("a\tb\nHello, you\tand, me\n", "\t", ("a", "b")),
        ("x|y|z\n1|2|3\n", "|", ("x", "y", "z")),
        ("text\nOne sentence only\nAnother, with a comma\n", "\t", ("text",)),
        ("name,since,until\nbo,1993,1996\nhamm,1998\nsid,1999\n", ",", ("name", "since", "until")),
        ("AML,MIT\nMIT,BSD\nAML,BSD\n", ",", None),
        ("1,A sentence.\n2,Another one.\n", ",", None),
    ],
)
def test_the_head_tells_the_dialect(head: str, delimiter: str, columns: tuple[str, ...] | None) -> None:
    dialect = dialect_of(head)
    assert dialect is not None
    assert (dialect.delimiter, dialect.columns) == (delimiter, columns)


def test_a_head_that_ends_within_a_quoted_cell_tells_the_dialect_too() -> None:
    head = 'id,text\n1,"Short."\n2,"' + "A line, with commas, and; more\n" * 600
    assert dialect_of(head[: 1 << 14]) == Dialect(",", True, 2, ("id", "text"))


@pytest.mark.parametrize(
    "head",
    [
        "",
        "\n\n",
        "It was the best of times, it was the worst of times,\nit was the age of wisdom, it was, well,\nfoolishness.\n",
        "One line, only\n",
    ],
)
def test_a_name_may_lie(head: str) -> None:
    assert not accepts(head)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.integers(0, 30), max_size=12),
)
def test_what_pythons_writer_writes_comes_back(
    rows: list[list[str]], delimiter: str, line_end: str, sizes: list[int]
) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    written, dialect = file.getvalue(), Dialect(delimiter)
    seen = written.encode("latin-1", "replace")
    ends = [0, *(end for end, _ in scan_rows(in_pieces(seen, sizes), dialect))]
    assert [split_row(written[start:end], dialect) for start, end in pairwise(ends)] == rows


@given(st.text(alphabet='",\n\r ab', max_size=60).map(str.encode), st.lists(st.integers(0, 9), max_size=12))
def test_where_blocks_end_makes_no_difference(data: bytes, sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "BLOCK_BYTES", 1)
        patch.setattr(csv_rows, "LARGEST_RECORD_BYTES", 20)
        in_one_piece = list(scan_rows(iter((data,)), Dialect(",")))
        assert list(scan_rows(in_pieces(data, sizes), Dialect(","))) == in_one_piece
        assert [end for end, _ in in_one_piece][-1:] == ([len(data)] if data else [])


@given(
    st.binary(max_size=300), st.sampled_from(["utf-8", "utf-16-be", "cp1252", "cp932", "iso2022_jp", "cp037"])
)
def test_any_bytes_tile(data: bytes, encoding: str) -> None:
    read(data, encoding)


@given(st.data())
def test_damaged_tables_tile_and_raise_nothing(data: st.DataObject) -> None:
    damaged = bytearray((STORY * 2).encode()[: data.draw(st.integers(1, 2 * len(STORY)))])
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    read(bytes(damaged), "cp1252")


def in_pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield data[start : start + size]
        start += size
    yield data[start:]


def test_ranges_include_their_line_end() -> None:
    stream = stream_of_bytes(STORY.encode(), "a.csv")
    found = [*CSV.find_documents(stream, EncodingDecision("ascii", 1.0, ()))]
    assert found[0] == DroppedRange(0, 14, "header")
    assert found[1] == DocumentRange(14, 14 + len('1,First,"Once, upon\na time."\n'))
