"""Anybody's JSON Lines: the same keepers for any order of rows, kept rows byte for byte, errors by line."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warehouse.dedup import jsonl
from warehouse.dedup.jsonl import DuplicateMember, deduplicate, write_kept
from warehouse.errors import InputUnreadable, InvalidConfiguration

PROCLAMATION = (
    "We the people of the fields and the rivers, in order to form a more perfect harvest, establish rain, "
    "insure domestic tranquillity, provide for the common fence, promote the general growth, and secure the "
    "blessings of shade to ourselves and our seedlings, do sow and water this garden for the coming year"
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_lines(*lines: dict[str, Any] | str | bytes) -> Path:
        path = tmp_path / "rows.jsonl"
        encoded = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
        path.write_bytes(
            b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in encoded)
        )
        return path

    return write_lines


def row(row_id: str | int, text: str, **other: Any) -> dict[str, Any]:
    return {"id": row_id, "text": text, **other}


def test_the_longest_of_two_is_kept(write: Callable[..., Path]) -> None:
    longer = PROCLAMATION + " and the next"
    result = deduplicate(write(row("a", PROCLAMATION), row("b", longer), row("c", "Something else.")))
    # 52 words have 48 shingles, and three words more three more.
    assert result.members == (
        DuplicateMember("b", "b", "b", 1.0, kept=True),
        DuplicateMember("a", "b", "b", round(48 / 51, 6), kept=False),
    )
    assert (result.n_rows, result.n_clusters, result.dropped_lines) == (3, 1, {1})


def test_the_most_linked_is_kept_before_the_longest(write: Callable[..., Path]) -> None:
    words = PROCLAMATION.split()
    middle = " ".join(words)
    early, late = (
        " ".join(["x", "y", "z", *words[3:]]),
        " ".join([*words[:-3], "x", "y", "zzzzzzzzzzzzzzzzzzzzz"]),
    )
    result = deduplicate(write(row(1, early), row(2, late), row(3, middle)), threshold=0.85)
    assert [(member.id, member.kept) for member in result.members] == [(3, True), (1, False), (2, False)]


def test_the_smallest_id_of_identical_texts_is_kept(write: Callable[..., Path]) -> None:
    result = deduplicate(
        write(row("10", "same"), row(10, "same"), row(9, "same"), row("other", "not the same"))
    )
    assert [member.id for member in result.members] == [9, 10, "10"]
    assert {member.keeper_id for member in result.members} == {9}
    assert {member.jaccard for member in result.members} == {1.0}


def test_empty_texts_are_only_alike_when_identical(write: Callable[..., Path]) -> None:
    result = deduplicate(write(row(1, ""), row(2, ""), row(3, "..."), row(4, "!!!")))
    assert [member.id for member in result.members] == [1, 2]


def test_a_file_without_rows_has_no_clusters(write: Callable[..., Path]) -> None:
    result = deduplicate(write())
    assert (result.n_rows, result.members) == (0, ())


def test_any_order_of_rows_gives_the_same_answer(
    write: Callable[..., Path], pair_list: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    licences = pair_list("spdx_licences")
    rows = [row(name, text) for name, text in zip(licences.names, licences.texts, strict=True)]
    expected = deduplicate(write(*rows)).members
    assert len(expected) > 30
    random.Random(3).shuffle(rows)
    monkeypatch.setattr(jsonl, "BATCH_CHARACTERS", 50_000)
    assert deduplicate(write(*rows)).members == expected


def test_listed_pairs_share_a_cluster(write: Callable[..., Path], pair_list: Callable[[str], Any]) -> None:
    licences = pair_list("spdx_licences")
    result = deduplicate(write(*(row(place, text) for place, text in enumerate(licences.texts))))
    cluster = {member.id: member.cluster_id for member in result.members}
    similar = [pair for pair in licences.pairs if pair.jaccard >= 0.8]
    together = [pair for pair in similar if pair.a in cluster and cluster[pair.a] == cluster.get(pair.b)]
    assert len(together) >= 0.99 * len(similar)
    assert all(member.jaccard >= 0.8 for member in result.members)


def test_kept_rows_are_unchanged_and_in_order(write: Callable[..., Path], tmp_path: Path) -> None:
    lines = [
        '{"id":"z",  "text": "' + PROCLAMATION + '", "n": 1.50}\r',
        '{"text": "caf\\u00e9 caf\u00e9 \\ud800", "id": 7}',
        "",
        '{"id": "a", "text": "' + PROCLAMATION + '"}',
        '{"id": "b", "text": "one, two"}',
    ]
    source = write(*lines)
    source.write_bytes(source.read_bytes().removesuffix(b"\n"))
    result = deduplicate(source)
    assert write_kept(result, tmp_path / "new" / "kept.jsonl") == 3
    kept = [line + "\n" for line in (lines[1], lines[3])] + [lines[4]]
    assert (tmp_path / "new" / "kept.jsonl").read_bytes() == "".join(kept).encode()


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ("{oops", "line 2: no JSON"),
        (b'{"id": "b", "text": "\xff"}', "line 2: no JSON"),
        ("[1, 2]", "line 2: no JSON object"),
        ('{"text": "b"}', 'line 2: there is no "id"'),
        ('{"id": "b"}', 'line 2: there is no "text"'),
        ('{"id": true, "text": "b"}', 'line 2: "id" is not a string or an integer'),
        ('{"id": "b", "text": null}', 'line 2: "text" is not a string'),
        ('{"id": "a", "text": "b"}', "line 2: the id 'a' stands in line 1 already"),
        ("[" * 100_000, "line 2: no JSON"),
    ],
)
def test_a_broken_line_is_named(write: Callable[..., Path], broken: str | bytes, cause: str) -> None:
    with pytest.raises(InputUnreadable, match=cause):
        deduplicate(write(row("a", "fine"), broken, row("c", "fine too")))


def test_a_byte_order_mark_is_no_error(write: Callable[..., Path]) -> None:
    assert deduplicate(write(b'\xef\xbb\xbf{"id": 1, "text": "a"}', row(2, "a"))).n_clusters == 1


def test_a_file_that_changes_is_noticed(write: Callable[..., Path], tmp_path: Path) -> None:
    source = write(row(1, "same"), row(2, "same"))
    result = deduplicate(source)
    with source.open("a") as stream:
        stream.write('{"id": 3, "text": "more"}\n')
    with pytest.raises(InputUnreadable, match="changed"):
        write_kept(result, tmp_path / "kept.jsonl")
    assert not (tmp_path / "kept.jsonl").exists()


def test_the_input_is_never_the_output(write: Callable[..., Path]) -> None:
    source = write(row(1, "same"), row(2, "same"))
    with pytest.raises(InvalidConfiguration, match="is the input"):
        write_kept(deduplicate(source), source)


def test_a_missing_file_and_an_impossible_threshold_are_named(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    with pytest.raises(InputUnreadable, match="no file"):
        deduplicate(tmp_path / "nothing.jsonl")
    with pytest.raises(InvalidConfiguration, match=r"0\.4"):
        deduplicate(write(), threshold=0.4)
