"""Reading evaluation sets: every format, what is looked for of a record, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from warehouse.decontamination.evaluation_files import evaluation_files, read_file
from warehouse.decontamination.items import read_items
from warehouse.errors import InputUnreadable

FIRST = "The lanterns on the pier were lit by Ottilie."
SECOND = "Seven grey herons counted the boats twice."


def write(path: Path) -> None:
    rows = [{"id": "a1", "text": FIRST}, {"id": "a2", "text": SECOND}]
    match path.suffix:
        case ".jsonl":
            path.write_text("\n".join(json.dumps(row) for row in rows))
        case ".json":
            path.write_text(json.dumps({"version": 1, "data": rows}))
        case ".csv":
            path.write_text(f'id,text\na1,"{FIRST}"\na2,"{SECOND}"\n')
        case ".tsv":
            path.write_text(f"id\ttext\na1\t{FIRST}\na2\t{SECOND}\n")
        case ".parquet":
            parquet.write_table(pa.Table.from_pylist(rows), path)
        case _:
            path.write_text(f"{FIRST}\n\n{SECOND.replace(' counted', chr(10) + 'counted')}\n")


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "tsv", "parquet", "txt"])
def test_every_format_gives_the_same_items(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"set.{suffix}")
    items = read_file(tmp_path / f"set.{suffix}")
    assert [" ".join(item.passages[0].split()) for item in items] == [FIRST, SECOND]


def test_only_a_newline_ends_a_line(tmp_path: Path) -> None:
    text = "One\u2028two\x0cthree and so on for a while"
    (tmp_path / "set.jsonl").write_text(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    (tmp_path / "set.csv").write_text(f"text\n{text}\n")
    for name in ("set.jsonl", "set.csv"):
        assert [item.texts for item in read_file(tmp_path / name)] == [(text,)]


def passages(*records: object, fields: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    return [item.passages for item in read_items(records, fields)]


def test_ids_links_and_parts_of_other_texts_are_not_looked_for() -> None:
    record = {
        "sentence_good": "Amelia was walking through some art gallery.",
        "prefix": "Amelia was walking through",
        "pairID": "the id of a pair of sentences",
        "url": "see the page",
        "source": "https://example.org/a b",
    }
    assert passages({**record, "source": "https://example.org/a"}) == [(record["sentence_good"],)]


def test_a_short_question_is_looked_for_with_each_answer() -> None:
    record = {"query": "Question: To wash your hands,\n", "choices": ["use soap", "use some sand"], "gold": 0}
    assert passages(record) == [("To wash your hands,\n use soap", "To wash your hands,\n use some sand")]


def test_a_short_question_beside_a_long_text_is_not_looked_for_by_itself() -> None:
    passage = "The ship left the harbour at dawn with seven men and a dog on board that year."
    assert passages({"passage": passage, "question": "What did he do?"}) == [(passage,)]


def test_beginnings_go_with_how_they_go_on() -> None:
    record = {"context_options": ["The trophy was dropped because the trophy"], "continuation": "was heavy."}
    beginning = record["context_options"][0]
    assert passages(record) == [(beginning, f"{beginning} was heavy.")]


def test_a_field_of_few_values_names_kinds() -> None:
    records = [
        {"text": f"Item {n} about the mill and river", "topic": "wind and water mills"} for n in range(30)
    ]
    assert passages(*records)[0] == ("Item 0 about the mill and river",)


def test_named_fields_alone_count_wherever_they_stand() -> None:
    record = {"meta": {"stem": FIRST, "note": SECOND}, "text": "something else altogether here"}
    assert passages(record, fields=("stem",)) == [(FIRST,)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"text": "x"}\nno json\n', r"Line 2 of .*a\.jsonl is no JSON"),
        ("a.json", b"{", r"a\.json is no JSON"),
        ("a.parquet", b"PAR1", "is no Parquet file"),
        ("a.txt", b"", "holds no text"),
        ("a.txt", b"\xff\xfe\xfa\x00", "is no UTF-8 text"),
        ("a.jsonl", b'{"id": 3, "label": 1}\n', "holds no text"),
    ],
)
def test_what_is_no_evaluation_set_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputUnreadable, match=said):
        read_file(tmp_path / name)


def test_a_field_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path / "set.csv")
    with pytest.raises(InputUnreadable, match="in quesion"):
        read_file(tmp_path / "set.csv", ["quesion"])


def test_folders_are_read_for_the_formats_that_are_known(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl")
    write(tmp_path / "a.csv")
    (tmp_path / "script.py").write_text("print()")
    assert [path.name for path in evaluation_files(str(tmp_path))] == ["a.csv", "b.jsonl"]
    with pytest.raises(InputUnreadable, match="no file of evaluation items"):
        evaluation_files(str(tmp_path / "gone"))
