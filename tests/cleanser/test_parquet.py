"""Parquet: rows become JSON lines, and those are read as any."""

# ruff: noqa: RUF001  # text in several scripts is the subject

import io
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.cleanser.containers.container import DamagedContainer
from warehouse.cleanser.containers.parquet import members, recognises, text_columns
from warehouse.cleanser.decoding import decide_encoding
from warehouse.cleanser.readers.reader import DocumentRange, NoTextError, stream_head
from warehouse.cleanser.readers.registry import reader_for
from warehouse.cleanser.streams import walk_streams


def written(columns: dict[str, object], **options: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def lines_of(data: bytes) -> list[tuple[str | None, bytes]]:
    """Names and bytes of the members."""
    return [(member.name, b"".join(member.blocks)) for member in members(io.BytesIO(data))]


def test_a_row_group_is_a_member_of_json_lines() -> None:
    data = written(
        {
            "id": [1, 2, 3],
            "text": ["Hello\nthere", None, "“Ça”"],
            "url": ["a", "b", "c"],
            "title": ["A", None, "C"],
        },
        row_group_size=2,
    )
    assert lines_of(data) == [
        ("row_group_0", b'{"text":"Hello\\nthere","title":"A"}\n{"text":null,"title":null}\n'),
        ("row_group_1", '{"text":"“Ça”","title":"C"}\n'.encode()),
    ]


@pytest.mark.parametrize("use_dictionary", [True, False])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_how_it_is_stored_makes_no_difference(use_dictionary: bool, compression: str) -> None:
    data = written(
        {"text": ["the same", "the same", None, "another"]},
        use_dictionary=use_dictionary,
        compression=compression,
    )
    same = b'{"text":"the same"}\n'
    assert lines_of(data) == [("row_group_0", same + same + b'{"text":null}\n{"text":"another"}\n')]


def test_columns_by_the_rule_for_keys() -> None:
    def columns(**kinds: pa.DataType) -> list[str]:
        return text_columns(pa.schema(list(kinds.items())))

    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    assert columns(url=pa.string(), Text=pa.string(), name=pa.string(), n=pa.int64()) == ["Text", "name"]
    assert columns(question=pa.string(), text=pa.string(), n=pa.int64()) == ["question", "text"]
    assert columns(id=pa.int64(), messages=pa.list_(turn), vector=pa.list_(pa.float32())) == ["messages"]
    assert columns(content=pa.binary(), image=pa.binary()) == ["content"]
    assert columns(kind=pa.dictionary(pa.int8(), pa.string()), more=pa.map_(pa.string(), pa.string())) == [
        "kind",
        "more",
    ]


def test_nested_and_ill_encoded_strings() -> None:
    turns = [{"role": "user", "content": "Hi", "n": 1}]
    assert lines_of(written({"messages": [turns]})) == [
        ("row_group_0", b'{"messages":[{"role":"user","content":"Hi","n":null}]}\n')
    ]
    latin = pa.array([b"caf\xe9 noir"], pa.binary())
    unchecked = pa.StringArray.from_buffers(1, *latin.buffers()[1:])
    expected = [("row_group_0", '{"text":"caf\ufffd noir"}\n'.encode())]
    assert lines_of(written({"text": unchecked})) == expected
    assert lines_of(written({"text": latin})) == expected


def test_a_file_without_strings_says_so() -> None:
    with pytest.raises(DamagedContainer, match="no column of strings"):
        lines_of(written({"n": [1, 2]}))


def test_only_parquet_is_taken_for_it() -> None:
    assert recognises(written({"text": ["a"]}))
    assert recognises(written({"text": []}))
    assert not recognises(b"PAR1 is how a Parquet file begins.")
    assert not recognises(b"PAR1")


def test_rows_are_documents_of_a_real_byte_stream(tmp_path: Path) -> None:
    path = tmp_path / "rows.data"
    path.write_bytes(written({"text": ["Einmal war’s.", None, "Once upon a time."]}))
    (stream,) = walk_streams(path)
    assert (stream.container, stream.member) == ("parquet", "row_group_0")
    decision = decide_encoding(stream)
    reader = reader_for(stream.name, stream_head(stream, decision.encoding), stream.container)
    assert reader.name == "parquet"
    assert reader.extract is not None
    texts: list[str | None] = []
    end = 0
    for part in reader.find_documents(stream, decision):
        assert isinstance(part, DocumentRange)
        assert part.byte_start == end
        end = part.byte_end
        try:
            texts.append(
                reader.extract(b"".join(stream.range_blocks(part.byte_start, part.byte_end)).decode()).text
            )
        except NoTextError:
            texts.append(None)
    assert end == stream.n_bytes
    assert texts == ["Einmal war’s.", None, "Once upon a time."]


def test_a_damaged_row_group_costs_no_other() -> None:
    text = {"text": [f"Row number {n}." for n in range(30)]}
    data = written(
        text, row_group_size=10, use_dictionary=False, compression="none", write_page_checksum=True
    )
    damaged = data.replace(b"Row number 15.", b"Row number 51.")
    kept: list[str] = []
    for member in members(io.BytesIO(damaged)):
        assert member.name is not None
        if member.name == "row_group_1":
            with pytest.raises(DamagedContainer, match="parquet cannot be read"):
                list(member.blocks)
        else:
            kept.append(b"".join(member.blocks).decode())
    assert [lines.count("Row number") for lines in kept] == [10, 10]


@settings(max_examples=60)
@given(st.data())
def test_damage_raises_nothing_else(data: st.DataObject) -> None:
    whole = written(
        {"text": [f"Row number {n}." for n in range(40)]}, row_group_size=10, use_dictionary=False
    )
    damaged = bytearray(whole[: data.draw(st.sampled_from([len(whole), len(whole) // 2]))])
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=3)):
        damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(DamagedContainer):
        for member in members(io.BytesIO(damaged)):
            with suppress(DamagedContainer):
                assert all(block.endswith(b"\n") for block in member.blocks)
