"""Passages are the paragraphs and lines that a reader would call the same, and none that repeat by nature."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.dedup.passages import PassageParameters, Passages, find_passages
from warehouse.errors import InvalidConfiguration

DEFAULT = PassageParameters()
EVERY = PassageParameters(1, 1)

LICENCE = "This work is in the public domain in the United States; reuse it as you like."
MENU = "* Send us a correction or a question of your own making\n* Read the weekly letter of our editors and friends"


def found(text: str, parameters: PassageParameters = DEFAULT) -> list[tuple[str, str]]:
    """Level and text of each passage."""
    passages = find_passages([text], parameters)
    levels = ["line" if is_line else "paragraph" for is_line in passages.is_line]
    ranges = zip(passages.char_start.tolist(), passages.char_end.tolist(), strict=True)
    return [(level, text[start:end]) for level, (start, end) in zip(levels, ranges, strict=True)]


def hash_of(text: str) -> int:
    passages = find_passages([text], DEFAULT)
    assert len(passages.hashes) == 1
    return int(passages.hashes[0])


def test_a_paragraph_is_found_with_the_blank_lines_after_it() -> None:
    text = f"Once.\n\n{LICENCE}\n\n\nThe end."
    assert found(text) == [("paragraph", f"{LICENCE}\n\n\n")]


def test_items_are_lines_of_their_own_and_a_paragraph_of_one_line_is_no_line() -> None:
    first, second = MENU.split("\n")
    assert found(MENU) == [("paragraph", MENU), ("line", first + "\n"), ("line", second)]
    assert found(first) == [("paragraph", first)]


def test_a_line_that_ends_though_there_was_room_stands_for_itself() -> None:
    first = "The letters of the year, as our readers wrote them down"
    second = "The plays of the year, as our readers saw them in the many houses of the city"
    together = f"{first}\n{second}"
    assert found(together) == [("paragraph", together), ("line", f"{first}\n"), ("line", second)]
    assert found(f"{second}\n{first}") == [("paragraph", f"{second}\n{first}")]


def test_a_piece_of_a_wrapped_sentence_is_no_line() -> None:
    wrapped = (
        "It was a bright cold day in April, and the clocks were striking\n"
        "thirteen. Winston Smith slipped quickly through the glass doors of\n"
        "Victory Mansions."
    )
    assert found(wrapped) == [("paragraph", wrapped)]
    quoted = "".join(f"> {line}\n" for line in wrapped.split("\n"))
    assert found(quoted) == [("paragraph", quoted)]


@pytest.mark.parametrize(
    "variant",
    [
        LICENCE.upper(),
        LICENCE.replace(" ", "  \t"),
        LICENCE.replace(";", " -").replace(".", "!!"),
        LICENCE.replace(" in the United", "\nin the United"),
        LICENCE + "\r\n\r\n",
        f"\u200f{LICENCE}\u200e",
    ],
)
def test_case_white_space_punctuation_and_marks_make_no_difference(variant: str) -> None:
    assert hash_of(variant) == hash_of(LICENCE)


def test_digits_are_alike_and_words_are_not() -> None:
    page = "Page {} of the collected letters, printed in the year {}"
    assert hash_of(page.format(12, 1889)) == hash_of(page.format(98, "٢٠٢٤"))
    assert hash_of(page.format(12, 1889)) != hash_of(page.format(123, 1889))
    assert hash_of(LICENCE.replace("public domain", "publicdomain")) != hash_of(LICENCE)
    assert hash_of(LICENCE.replace("a", "ä")) != hash_of(LICENCE)


@pytest.mark.parametrize(
    "text",
    [
        "}\n\n    }\n\n});",
        "CHAPTER XVII. In Which the Party Returns",
        "import numpy as np\nimport pandas as pd",
        "    if value is None:\n        return None",
        "* * * * * * * * * * * * * * * * * * * * * * * * * * * * * *",
        "-----------------------------------------------------------",
        "| 1,204 | 88.2 % | 1,310 | 91.0 % | 1,402 | 93.5 % | 1,500 | 94.1 % |",
        "O Captain! my Captain!\nRise up and hear the bells",
        "",
        " \n\r\n\t",
    ],
)
def test_what_repeats_by_nature_is_no_passage(text: str) -> None:
    assert [passage for passage in found(text) if passage[0] == "line" or len(passage[1]) < 60] == []


def test_pieces_of_fenced_code_are_no_passages_and_a_whole_block_is() -> None:
    code = "def take_the_first_of_all_the_values(values):\n    return the_first_one_of(values)"
    assert found(f"```python\n{code}\n\n{code}\n\n{code}\n```") == []
    assert found(f"```python\n{code}\n```")[0] == ("paragraph", f"```python\n{code}\n```")
    # Half a block, as a cut leaves it: what follows its end is prose.
    assert found(f"return values\n```\n\n{LICENCE}") == [("paragraph", LICENCE)]


def test_wide_letters_count_twice_and_every_script_has_passages() -> None:
    chinese = "本作品在美国属于公有领域可以自由使用复制和传播"
    assert found(chinese) == [("paragraph", chinese)]
    assert found(chinese[:12]) == []
    arabic = "هذا العمل في الملكية العامة ويمكن لأي شخص نسخه ونشره وتوزيعه بلا قيد"
    assert found(f"{arabic}\n\nنص") == [("paragraph", f"{arabic}\n\n")]


def test_one_line_a_thousand_times_and_a_text_without_line_breaks() -> None:
    line = "Click here to read more about this topic and others like it."
    many = find_passages(["\n".join([line] * 1000)], DEFAULT)
    assert (many.is_line.sum(), len(set(many.hashes[many.is_line].tolist()))) == (1000, 1)
    assert found("word " * 20_000) == [("paragraph", "word " * 20_000)]


def test_lines_that_may_be_shorter_than_their_paragraph_are_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        PassageParameters(min_paragraph_letters=50, min_line_letters=40)


def normalised(text: str) -> str:
    """What the module's description says of a passage's text, a character at a time."""
    characters = []
    for character in text.casefold():
        if character.isspace():
            characters.append(" ")
        elif character.isdecimal():
            characters.append("0")
        elif unicodedata.category(character)[0] not in "PC":
            characters.append(character)
    return " ".join("".join(characters).split())


ALPHABET = "aAbBßéŉİ \t\n\n\n\r.,;-*>`<0129٣½中文ー नि\u200f\u0301\x1c\u2028\U0001d54f"


def groups(keys: list[object]) -> list[int]:
    """For each place the first place with an equal key."""
    return [keys.index(key) for key in keys]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(ALPHABET, max_size=60), max_size=6))
def test_ranges_lie_in_their_texts_in_order_and_hashes_follow_the_normalised_text(texts: list[str]) -> None:
    passages = find_passages(texts, EVERY)
    pieces = [
        texts[text][start:end]
        for text, start, end in zip(passages.text, passages.char_start, passages.char_end, strict=True)
    ]
    assert all(piece.strip() for piece in pieces)
    hashes: list[object] = passages.hashes.tolist()
    assert groups(hashes) == groups([normalised(piece) for piece in pieces])
    for number in range(len(texts)):
        own = passages.text == number
        start, end, is_line = passages.char_start[own], passages.char_end[own], passages.is_line[own]
        assert (np.diff(start) >= 0).all()
        for some in (is_line, ~is_line):
            assert (start[some][1:] >= end[some][:-1]).all()
        for line in np.flatnonzero(is_line):
            assert ((start <= start[line]) & (end >= end[line]) & ~is_line).sum() == 1
    assert (np.diff(passages.text) >= 0).all()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(ALPHABET, max_size=60), max_size=6))
def test_a_text_has_the_same_passages_alone_and_among_others(texts: list[str]) -> None:
    together = find_passages(texts, EVERY)
    alone = [find_passages([text], EVERY) for text in texts]

    def rows(passages: Passages) -> list[tuple[int, ...]]:
        columns = (passages.hashes, passages.is_line, passages.char_start, passages.char_end)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    assert rows(together) == [row for passages in alone for row in rows(passages)]
