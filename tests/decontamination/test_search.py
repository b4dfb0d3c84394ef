"""Searching: what is found, what is not, and that neither depends on the batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.decontamination.item_index import (
    MAX_PIECE_WORDS,
    ItemIndex,
    blocks_of_items,
    build_index,
    searched_items,
)
from warehouse.decontamination.items import read_items
from warehouse.decontamination.recheck import first_found, needles
from warehouse.decontamination.search import Searcher
from warehouse.decontamination.words import pattern_hashes, split_words

ITEMS = [
    "The quick surveyor measured seven muddy fields before the bells rang twice for supper in town.",
    "Nobody had painted the northern gate since the flood.",
    "Could Melissa have alarmed those waiters?",
    "Who hid it?",
]
CLEAN = (
    "Once upon a time there was a mill by the river. The miller had three sons, and before the bells rang for supper "
    "they went to the fields. Nobody had seen the northern road since spring. Could it have been a dream?"
)


def index_of(*texts: object) -> ItemIndex:
    return build_index([item for item in searched_items(read_items(texts)) if item.passages])


def found(index: ItemIndex, *chunks: str) -> list[tuple[int, str, float]]:
    """What a recipe counts by default."""
    findings = Searcher(index).search(split_words(chunks))
    return [
        (int(chunk), "near" if is_near else "overlap", round(float(score), 2))
        for chunk, is_near, score in zip(findings.chunks, findings.is_near, findings.scores, strict=True)
        if score >= 0.8 or not is_near
    ]


@pytest.mark.parametrize("item", ITEMS[:3])
def test_an_item_is_found_verbatim_wherever_it_stands(item: str) -> None:
    index = index_of(*ITEMS)
    chunks = [f"{item} {CLEAN}", f"{CLEAN} {item}", CLEAN.replace("river", f"river {item.upper()}"), CLEAN]
    assert found(index, *chunks) == [(chunk, rule, 1.0) for chunk in range(3) for rule in ("overlap", "near")]


@pytest.mark.parametrize("item", ITEMS[:3])
def test_an_item_with_any_word_replaced_is_found(item: str) -> None:
    words = item.split()
    chunks = [
        f"{CLEAN}\n\n{' '.join([*words[:place], 'turnip', *words[place + 1 :]])}"
        for place in range(len(words))
    ]
    near = {chunk for chunk, rule, _ in found(index_of(*ITEMS), *chunks) if rule == "near"}
    assert near == set(range(len(chunks)))


def test_an_item_with_words_left_out_and_added_is_found() -> None:
    words = ITEMS[0].split()
    shorter = " ".join(words[:5] + words[6:])
    longer = " ".join([*words[:8], "rather", "suddenly", *words[8:]])
    near = [
        row for row in found(index_of(*ITEMS), f"{CLEAN} {shorter}", f"{CLEAN} {longer}") if row[1] == "near"
    ]
    assert [(chunk, score >= 0.9) for chunk, _, score in near] == [(0, True), (1, True)]


def test_formulas_in_clean_text_are_no_near_duplicates() -> None:
    index = index_of("Once upon a time there lived a dragon in it.", "The children were singing.", *ITEMS)
    assert found(index, CLEAN, "The children were in the garden all day.") == []


def test_an_item_too_short_to_prove_anything_is_not_searched_for() -> None:
    searched = searched_items(read_items([*ITEMS, "7 + 5 = 12", "Yes", ""]))
    assert [bool(item.passages) for item in searched] == [True, True, True, False, False, False, False]
    assert found(index_of("Yes")) == []


def test_a_long_item_is_found_by_any_of_its_pieces() -> None:
    words = [f"word{number}" for number in range(10_000)]
    index = index_of(" ".join(words))
    assert np.diff(index.piece_starts).max() == MAX_PIECE_WORDS
    part = " ".join("other" if place % 10 == 0 else word for place, word in enumerate(words[4321:4420]))
    ((chunk, rule, score),) = found(index, part, CLEAN)
    assert (chunk, rule) == (0, "near")
    assert score >= 0.85


@pytest.mark.parametrize(
    "item",
    [
        "我们昨天晚上在老城的茶馆里听了三个小时的评书然后走路回家。",
        "Вчера вечером старый мельник починил деревянное колесо возле самой реки.",
        "كتب الحارس العجوز أسماء السفن كلها في دفتره قبل غروب الشمس",
        "เมื่อวานนี้ชาวประมงสองคนจับปลาตัวใหญ่ได้ที่ปากแม่น้ำ",
    ],
)
def test_other_scripts_are_searched(item: str) -> None:
    assert [row[0] for row in found(index_of(item), f"{CLEAN} {item} {CLEAN}", CLEAN)] == [0, 0]


def test_one_repeated_word_is_no_trouble() -> None:
    buffalo = "buffalo " * 10_000
    assert {row[0] for row in found(index_of(buffalo, *ITEMS), "buffalo " * 400, CLEAN)} == {0}


def test_an_index_is_read_as_it_was_written(tmp_path) -> None:  # type: ignore[no-untyped-def]  # a fixture of pytest
    index = index_of(*ITEMS)
    index.save(tmp_path / "items.npz")
    assert found(ItemIndex.load(tmp_path / "items.npz"), *ITEMS) == found(index, *ITEMS)


def test_blocks_hold_each_item_once_whatever_the_order() -> None:
    items = searched_items(read_items([*ITEMS, *ITEMS]))
    assert list(blocks_of_items(items)) == list(blocks_of_items(items[::-1]))
    assert len(next(blocks_of_items(items))) == 3


WORD = st.sampled_from(["mill", "river", "sons", "the", "painted", "gate", "seven"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(WORD, min_size=1, max_size=30).map(" ".join), min_size=1, max_size=5), st.data())
def test_the_second_search_agrees_on_overlaps(chunks: list[str], data: st.DataObject) -> None:
    passages = data.draw(
        st.lists(st.lists(WORD, min_size=1, max_size=16).map(" ".join), min_size=1, max_size=4)
    )
    items = [item for item in searched_items(read_items(passages)) if item.passages]
    overlaps = {row[0] for row in found(build_index(items), *chunks) if row[1] == "overlap"}
    sought = needles(passage for item in items for passage in item.passages)
    assert overlaps == {place for place, chunk in enumerate(chunks) if first_found(sought, chunk) is not None}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_words_do_not_depend_on_the_batch(texts: list[str]) -> None:
    together = split_words(texts)
    for place, text in enumerate(texts):
        alone = split_words([text])
        own = slice(together.offsets[place], together.offsets[place + 1])
        assert (together.hashes[own] == alone.hashes).all()
        assert (together.opens[own] == alone.opens).all()
        assert (together.closes[own] == alone.closes).all()


def test_patterns_never_look_alike() -> None:
    same = np.full(8, 7, np.uint64)
    patterns = [(0, 1, 2, 3), (0, 1, 2, 4), (0, 1, 3, 4), (0, 2, 3, 4), (0, 1, 2), tuple(range(8))]
    assert len({int(pattern_hashes(same, pattern)[0]) for pattern in patterns}) == len(patterns)
