"""Anybody's JSON Lines: the same keepers for any order of rows, kept rows byte for byte, errors by line."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.dedup import jsonl, records
from warehouse.dedup.jsonl import Deduplication, DuplicateMember, Keeper, write_kept
from warehouse.dedup.records import decode_id, encode_id
from warehouse.errors import InputUnreadable, InvalidConfiguration

PROCLAMATION = (
    "We the people of the fields and the rivers, in order to form a more perfect harvest, establish rain, "
    "insure domestic tranquillity, provide for the common fence, promote the general growth, and secure the "
    "blessings of shade to ourselves and our seedlings, do sow and water this garden for the coming year"
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_lines(*lines: dict[str, Any] | str | bytes, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        encoded = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
        path.write_bytes(
            b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in encoded)
        )
        return path

    return write_lines


def ids(lines: Iterable[bytes]) -> list[str | int]:
    return [json.loads(line)["id"] for line in lines]


@pytest.fixture
def deduplicate() -> Iterator[Callable[..., Deduplication]]:
    """`jsonl.deduplicate` whose answer can be read until the test ends."""
    with ExitStack() as stack:
        yield lambda *arguments, **named: stack.enter_context(jsonl.deduplicate(*arguments, **named))


def row(row_id: str | int, text: str, **other: Any) -> dict[str, Any]:
    return {"id": row_id, "text": text, **other}


def test_the_longest_of_two_is_kept(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    longer = PROCLAMATION + " and the next"
    result = deduplicate(write(row("a", PROCLAMATION), row("b", longer), row("c", "Something else.")))
    # 52 words have 48 shingles, and three words more three more.
    path = result.sources[0].path
    assert list(result.members()) == [
        DuplicateMember("b", "b", path, 1.0, kept=True),
        DuplicateMember("a", "b", path, round(48 / 51, 6), kept=False),
    ]
    assert (result.counts.n_rows, result.counts.n_clusters, result.counts.n_dropped) == (3, 1, 1)
    assert ids(result.kept_lines()) == ["b", "c"]


def test_the_most_linked_is_kept_before_the_longest(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    words = PROCLAMATION.split()
    middle = " ".join(words)
    early, late = (
        " ".join(["x", "y", "z", *words[3:]]),
        " ".join([*words[:-3], "x", "y", "zzzzzzzzzzzzzzzzzzzzz"]),
    )
    result = deduplicate(write(row(1, early), row(2, late), row(3, middle)), threshold=0.85)
    assert [(member.id, member.kept) for member in result.members()] == [(3, True), (1, False), (2, False)]


def test_the_smallest_id_of_identical_texts_is_kept(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    result = deduplicate(
        write(row("10", "same"), row(10, "same"), row(9, "same"), row("other", "not the same"))
    )
    assert [member.id for member in result.members()] == [9, 10, "10"]
    assert {member.keeper_id for member in result.members()} == {9}
    assert {member.jaccard for member in result.members()} == {1.0}


def test_empty_texts_are_only_alike_when_identical(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    result = deduplicate(write(row(1, ""), row(2, ""), row(3, "..."), row(4, "!!!")))
    assert [member.id for member in result.members()] == [1, 2]


def test_a_file_without_rows_has_no_clusters(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    result = deduplicate(write())
    assert (result.counts.n_rows, list(result.members()), list(result.kept_lines())) == (0, [], [])


def test_any_order_of_rows_gives_the_same_answer(
    deduplicate: Callable[..., Deduplication],
    write: Callable[..., Path],
    pair_list: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    licences = pair_list("spdx_licences")
    rows = [row(name, text) for name, text in zip(licences.names, licences.texts, strict=True)]
    expected = list(deduplicate(write(*rows)).members())
    assert len(expected) > 30
    random.Random(3).shuffle(rows)
    monkeypatch.setattr(records, "BATCH_CHARACTERS", 50_000)
    assert list(deduplicate(write(*rows)).members()) == expected


def test_listed_pairs_share_a_cluster(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path], pair_list: Callable[[str], Any]
) -> None:
    licences = pair_list("spdx_licences")
    result = deduplicate(write(*(row(place, text) for place, text in enumerate(licences.texts))))
    cluster = {member.id: member.keeper_id for member in result.members()}
    similar = [pair for pair in licences.pairs if pair.jaccard >= 0.8]
    together = [pair for pair in similar if pair.a in cluster and cluster[pair.a] == cluster.get(pair.b)]
    assert len(together) >= 0.99 * len(similar)
    assert all(member.jaccard >= 0.8 for member in result.members())


def test_kept_rows_are_unchanged_and_in_order(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path], tmp_path: Path
) -> None:
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
def test_a_broken_line_is_named(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path], broken: str | bytes, cause: str
) -> None:
    with pytest.raises(InputUnreadable, match=cause):
        deduplicate(write(row("a", "fine"), broken, row("c", "fine too")))


def test_a_byte_order_mark_is_no_error(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    assert deduplicate(write(b'\xef\xbb\xbf{"id": 1, "text": "a"}', row(2, "a"))).counts.n_clusters == 1


def test_a_file_that_changes_is_noticed(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path], tmp_path: Path
) -> None:
    source = write(row(1, "same"), row(2, "same"))
    result = deduplicate(source)
    with source.open("a") as stream:
        stream.write('{"id": 3, "text": "more"}\n')
    with pytest.raises(InputUnreadable, match="changed"):
        write_kept(result, tmp_path / "kept.jsonl")
    assert not (tmp_path / "kept.jsonl").exists()


def test_the_input_is_never_the_output(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    source = write(row(1, "same"), row(2, "same"))
    with pytest.raises(InvalidConfiguration, match="is an input"):
        write_kept(deduplicate(source), source)


def test_a_missing_file_and_an_impossible_threshold_are_named(
    deduplicate: Callable[..., Deduplication], tmp_path: Path, write: Callable[..., Path]
) -> None:
    with pytest.raises(InputUnreadable, match="no file"):
        deduplicate(tmp_path / "nothing.jsonl")
    with pytest.raises(InvalidConfiguration, match=r"0\.4"):
        deduplicate(write(), threshold=0.4)


@given(st.lists(st.integers() | st.text()))
def test_encoded_ids_sort_numbers_by_size_then_strings(record_ids: list[str | int]) -> None:
    encoded = sorted(map(encode_id, record_ids))
    numbers = sorted(one for one in record_ids if isinstance(one, int))
    strings = sorted(one for one in record_ids if isinstance(one, str))
    assert [decode_id(one) for one in encoded] == [*numbers, *strings]


def test_the_rule_says_which_row_is_kept(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    words = PROCLAMATION.split()
    early = " ".join(["x", "y", "z", *words[3:]])
    late = " ".join([*words[:-3], "x", "y", "zzzzzzzzzzzzzzzzzzzzz"])
    source = write(row("late", late), row("middle", PROCLAMATION), row("early", early))
    kept = {rule: ids(deduplicate(source, 0.85, keeper=rule).kept_lines()) for rule in Keeper}
    # The first and the last resemble the one between, but not each other.
    assert kept == {
        Keeper.linked: ["middle"],
        Keeper.longest: ["late", "early"],
        Keeper.first: ["late", "early"],
        Keeper.last: ["late", "early"],
    }


def test_the_first_or_last_of_identical_rows_is_kept(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    source = write(row(2, "same"), row(1, "same"), row(3, "same"))
    kept = {rule: ids(deduplicate(source, keeper=rule).kept_lines()) for rule in Keeper}
    assert kept == {Keeper.linked: [1], Keeper.longest: [1], Keeper.first: [2], Keeper.last: [3]}


def test_rows_like_an_older_one_are_dropped_for_it(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    shorter = PROCLAMATION.rsplit(" ", 1)[0]
    old = write(row("a", shorter), row("b", PROCLAMATION), row("c", PROCLAMATION), name="old.jsonl")
    new = write(
        row("a", PROCLAMATION),
        row("n", PROCLAMATION + " and"),
        row("x", "new"),
        row("y", "new"),
        row("z", ""),
    )
    result = deduplicate(new, against=[old])
    assert list(result.members()) == [
        DuplicateMember("a", "b", old, 1.0, kept=False),
        DuplicateMember("n", "b", old, round(48 / 49, 6), kept=False),
        DuplicateMember("x", "x", new, 1.0, kept=True),
        DuplicateMember("y", "x", new, 1.0, kept=False),
    ]
    assert ids(result.kept_lines()) == ["x", "z"]
    assert (result.counts.n_older_rows, result.counts.n_dropped_for_older) == (3, 2)


def test_a_row_between_an_older_and_a_new_one_belongs_to_the_older(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    words = PROCLAMATION.split()
    early = " ".join(["x", "y", "z", *words[3:]])
    late = " ".join([*words[:-1], "x"])
    old = write(row("old", early), name="old.jsonl")
    # "middle" resembles "late" more, and yet is dropped for the older row; "late" is like no older row.
    result = deduplicate(write(row("late", late), row("middle", PROCLAMATION)), 0.85, against=[old])
    assert [(member.id, member.keeper_id) for member in result.members()] == [("middle", "old")]
    assert ids(result.kept_lines()) == ["late"]


def test_packed_files_are_read_and_written(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path], tmp_path: Path
) -> None:
    plain = write(row(1, "same"), row(2, "same"), row(3, "other"))
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    result = deduplicate(packed)
    write_kept(result, tmp_path / "kept.jsonl.gz")
    lines = gzip.decompress((tmp_path / "kept.jsonl.gz").read_bytes()).splitlines()
    assert ids(lines) == [1, 3]
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(InputUnreadable, match="cannot be unpacked"):
        deduplicate(packed)


def test_the_file_is_not_its_own_past(
    deduplicate: Callable[..., Deduplication], write: Callable[..., Path]
) -> None:
    source = write(row(1, "same"))
    with pytest.raises(InvalidConfiguration, match="is the input"):
        deduplicate(source, against=[source])
