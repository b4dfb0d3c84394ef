"""JSON: each value is a record, whatever is damaged around it."""

# ruff: noqa: RUF001  # text in several scripts is the subject

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers import syntax
from warehouse.cleanser.readers.json_lines import JSON, accepts, extract, find_documents, proves, scan_for
from warehouse.cleanser.readers.json_structure import scan_array, scan_members, scan_values
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, NoTextError
from warehouse.cleanser.readers.syntax import scan_lines
from warehouse.cleanser.streams import stream_of_bytes

ENCODINGS = [
    "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "cp1252", "shift_jis", "gb18030", "big5", "cp949",
    "iso2022_jp", "iso2022_kr", "hz", "cp037",
]  # fmt: skip

values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
records = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(), "text": st.text(max_size=40).map("{}.a".format), "more": values}
    ),
    min_size=1,
    max_size=6,
)


def ranges_of(
    data: bytes, encoding: str | None = "utf-8", mark: int = 0
) -> list[DocumentRange | DroppedRange]:
    """What the reader finds, which must tile."""
    found = list(
        find_documents(stream_of_bytes(data, "a.json"), EncodingDecision(encoding, 1.0, (), (), (), mark))
    )
    end = 0
    for part in found:
        assert part.byte_start == end < part.byte_end
        end = part.byte_end
    assert end == len(data)
    return found


def read(data: bytes, encoding: str = "utf-8") -> tuple[list[str], list[str]]:
    """Texts of the records, and the reasons for what was dropped, in order."""
    texts, reasons = [], []
    for part in ranges_of(data, encoding):
        if isinstance(part, DroppedRange):
            reasons.append(part.reason)
            continue
        try:
            texts.append(extract(data[part.byte_start : part.byte_end].decode(encoding, "replace")).text)
        except NoTextError as failure:
            reasons.append(failure.reason)
    return texts, reasons


def test_each_line_is_a_record_with_its_line_end() -> None:
    data = b'{"text": "One."}\n{"text": "Two."}\r\n{"text": "Three."}'
    assert ranges_of(data) == [DocumentRange(0, 17), DocumentRange(17, 35), DocumentRange(35, len(data))]
    assert read(data) == (["One.", "Two.", "Three."], [])


def test_a_damaged_line_costs_nothing_but_itself() -> None:
    data = b'{"text": "One."}\n{"text": "Tw\n\n \n{"text": "Three."}\n"Four is only a string."\n[1, 2]\n'
    assert read(data) == (
        ["One.", "Three.", "Four is only a string."],
        ["invalid_json", "blank", "no_text_field"],
    )


def test_a_damaged_first_line_hides_no_other() -> None:
    assert read(b'{"text": "On\n{"text": "Two."}\n') == (["Two."], ["invalid_json"])
    assert read(b'ext": "One."}\n{"text": "Two."}\n') == (["Two."], ["invalid_json"])


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_the_values_of_an_array_are_records(indent: int | None) -> None:
    rows = [{"text": "One, [two] {three}."}, {"text": 'A "quoted" \\ word'}, {"text": "Last."}]
    texts, reasons = read(json.dumps(rows, indent=indent).encode() + b"\n")
    assert texts == ["One, [two] {three}.", 'A "quoted" \\ word', "Last."]
    assert reasons == ["markup", "markup"]


def test_an_object_over_several_lines_is_one_record() -> None:
    data = json.dumps(
        {"title": "A tale", "chapters": [{"text": "Once upon a time."}, {"text": "The end."}]}, indent=1
    )
    assert read(data.encode()) == (["A tale\n\nOnce upon a time.\n\nThe end."], [])
    assert read((data + "\n" + data + "\n").encode())[0] == ["A tale\n\nOnce upon a time.\n\nThe end."] * 2


def test_a_lost_quote_in_an_array_costs_nothing_but_its_value() -> None:
    rows = json.dumps([{"text": f"Sentence number {n}."} for n in range(5)], indent=1).replace(" 2.", ' "2.')
    texts, reasons = read(rows.encode())
    assert texts == [f"Sentence number {n}." for n in (0, 1, 3, 4)]
    assert reasons == ["markup", "invalid_json", "markup"]


def test_a_record_that_is_too_large_is_dropped_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "LARGEST_RECORD_BYTES", 100)
    long = json.dumps({"text": "word " * 50})
    assert read(f'{long}\n{{"text": "Next."}}\n{long}'.encode()) == (
        ["Next."],
        ["record_too_large", "record_too_large"],
    )
    assert read(f'[{long}, {{"text": "Next."}}]'.encode()) == (
        ["Next."],
        ["markup", "record_too_large", "markup"],
    )


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_of_a_value_that_is_too_large_the_members_are_read(
    monkeypatch: pytest.MonkeyPatch, indent: int | None, encoding: str
) -> None:
    monkeypatch.setattr(syntax, "LARGEST_RECORD_BYTES", 200)
    expected = [f"Sentence [{n}], of several." for n in range(7)]
    large = json.dumps(
        {"version": [], "data": [{"text": text} for text in expected[:5]], "more": [expected[5:]]},
        indent=indent,
    )
    small = '{"text": "A small one."}'
    texts, reasons = read(f"{large}\n{small}".encode(encoding), encoding)
    assert texts == [*expected[:5], "\n\n".join(expected[5:]), "A small one."]
    assert set(reasons) == {"record_too_large"}


def test_a_byte_order_mark_and_bytes_that_are_no_text() -> None:
    data = b'\xef\xbb\xbf{"text": "One."}\n'
    assert ranges_of(data, mark=3) == [DroppedRange(0, 3, "byte_order_mark"), DocumentRange(3, len(data))]
    assert ranges_of(b"\x00\x01", None) == [DroppedRange(0, 2, "binary")]
    assert ranges_of(b"") == []
    assert ranges_of(b" \n \n") == [DroppedRange(0, 4, "blank")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-16-le", "„Größe“, ok? \u0a0a\u225b\u0a22"),
        ("utf-16-be", "„Größe“, ok? \u0a0a\u225b\u0a22"),
        ("utf-32-be", "Größe 😀 ok"),
        ("shift_jis", "表示ソフト、能力の予定表を示す"),
        ("gb18030", "乗乕乗伜 乗伜 乗乕 \ue000"),
        ("big5", "功許蓋 功許蓋"),
        ("johab", "한국어 문장입니다."),
        ("iso2022_jp", "これは日本語の文章です"),
        ("hz", "汉字文本，一句话"),
        ("cp500", "Plain words, on a mainframe"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_brackets_and_quotes_are_found_in_any_encoding(encoding: str, text: str, indent: int | None) -> None:
    rows = [{"text": text}, {"text": text * 2}]
    array = json.dumps(rows, ensure_ascii=False, indent=indent)
    assert read(array.encode(encoding), encoding) == ([text, text * 2], ["markup", "markup"])
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    assert read(lines.encode(encoding), encoding) == ([text, text * 2], [])


def test_what_json_can_spell_and_text_cannot_hold() -> None:
    assert extract(r'{"text": "half \ud83d pair \ud83d\ude00"}').text == "half \ufffd pair 😀"
    assert extract(r'{"text": "a \u0000 b"}').text == "a \x00 b"
    assert extract('{"text": "first", "text": "second"}').text == "second"
    assert extract('{"text": "tab\tinside", "n": NaN, "m": -Infinity}').text == "tab\tinside"
    assert extract('{"n": ' + "9" * 10_000 + ', "text": "a huge number"}').text == "a huge number"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("", "invalid_json"),
        ('{"text": ', "invalid_json"),
        ('{"text": "a"} {"text": "b"}', "invalid_json"),
        ("[" * 100_000, "nested_too_deeply"),
        ("[" * 500 + '"some text"' + "]" * 500, "nested_too_deeply"),
        ('{"text": "here", "more": ' + "[" * 120 + "]" * 120 + "}", "nested_too_deeply"),
        ('{"id": 7, "url": "https://example.org/", "text": null}', "no_text_field"),
        ("17", "no_text_field"),
    ],
)
def test_a_record_without_text_says_why(record: str, reason: str) -> None:
    with pytest.raises(NoTextError) as failure:
        extract(record)
    assert failure.value.reason == reason


def test_a_name_may_lie_and_content_may_prove() -> None:
    assert accepts('{"text": "x"}')
    assert accepts("  [\n  1, 2]")
    assert accepts('{"cut off in the mid\n{"text": "x"}\n')
    assert not accepts("[Illustration]\n\nCHAPTER I.")
    assert not accepts("It was the best of times.")
    assert not accepts("")
    assert proves('{"text": "a"}\n{"text": "b"}\n{"te')
    assert proves('[ {"text": "a"}, {"te')
    assert not proves('{"text": "a"}\n')
    assert not proves("[1, 2]")
    assert not proves("{begin}\n{end}\n")
    assert ".json" in JSON.suffixes


@given(records)
def test_any_records_come_back_as_lines_and_as_an_array(rows: list[dict[str, object]]) -> None:
    expected = [row["text"] for row in rows]
    for ensure_ascii in (True, False):
        lines = "".join(json.dumps(row, ensure_ascii=ensure_ascii) + "\n" for row in rows)
        array = json.dumps(rows, ensure_ascii=ensure_ascii)
        for layout in (lines, array, json.dumps(rows, ensure_ascii=ensure_ascii, indent=1)):
            assert read(layout.encode())[0] == expected


@given(st.binary(max_size=300), st.sampled_from(ENCODINGS))
def test_any_bytes_tile(data: bytes, encoding: str) -> None:
    read(data, encoding)


@given(records, st.data())
def test_damaged_json_tiles_and_raises_nothing(rows: list[dict[str, object]], data: st.DataObject) -> None:
    whole = json.dumps(rows, indent=data.draw(st.sampled_from([None, 1]))).encode()
    damaged = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    read(bytes(damaged), "cp1252")


def in_pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield data[start : start + size]
        start += size
    yield data[start:]


@given(
    st.text(alphabet='[]{},"\\\n a', max_size=60).map(str.encode)
    | records.map(lambda rows: json.dumps(rows).encode()),
    st.lists(st.integers(0, 9), max_size=12),
    st.sampled_from([scan_array, scan_lines, scan_members, scan_values]),
)
def test_where_blocks_end_makes_no_difference(data: bytes, sizes: list[int], scan: syntax.Scan) -> None:
    def ends(blocks: Iterator[bytes]) -> list[syntax.Span]:
        """Spans without empty ones, and without the joints of those dropped for one reason."""
        joined: list[syntax.Span] = []
        for end, reason in scan(blocks):
            if end == (joined[-1][0] if joined else 0):
                continue
            if joined and reason is not None and joined[-1][1] == reason:
                joined.pop()
            joined.append((end, reason))
        return joined

    data = b"[" + data if scan is scan_array else data
    assert ends(in_pieces(data, sizes)) == ends(iter((data,)))


@given(st.text(max_size=60), st.sampled_from(ENCODINGS), st.lists(st.integers(0, 9), max_size=12))
def test_the_view_has_a_byte_for_each_unit_wherever_blocks_end(
    text: str, encoding: str, sizes: list[int]
) -> None:
    data = text.encode(encoding, "ignore")
    assert b"".join(syntax.views(in_pieces(data, sizes), encoding)) == b"".join(
        syntax.views((data,), encoding)
    )


def test_layouts_are_told_by_the_head() -> None:
    assert scan_for('{"a": 1}\n{"a": 2}') is scan_lines
    assert scan_for('{"a": "one line as long as the head') is scan_lines
    assert scan_for('["a"]\n["b"]') is scan_lines
    assert scan_for("[\n1,\n2]") is scan_array
    assert scan_for('{\n "a": 1\n}') is scan_values
