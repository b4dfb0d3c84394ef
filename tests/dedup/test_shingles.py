"""Shingles mean what their docstring says: case-folded words, five in a row, the same hash everywhere."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.dedup import shingles
from warehouse.dedup.shingles import ShingleParameters, shingle
from warehouse.dedup.verification import jaccard
from warehouse.errors import InvalidConfiguration

FIVE = ShingleParameters()

GATSBY = "In my younger and more vulnerable years my father gave me some advice"


def sets_of(texts: list[str], parameters: ShingleParameters = FIVE) -> list[set[int]]:
    found = shingle(texts, parameters)
    return [set(found.distinct(text).tolist()) for text in range(found.n_texts)]


def words(text: str) -> list[str]:
    """Words by the definition, character by character."""
    found: list[str] = []
    before = shingles.OTHER
    for character in text.casefold():
        kind = int(shingles.character_kinds()[ord(character)])
        if kind == shingles.MARK:
            if before != shingles.OTHER:
                found[-1] += character
            continue
        if kind == shingles.LETTER_ALONE or (kind == shingles.LETTER and before != shingles.LETTER):
            found.append(character)
        elif kind == shingles.LETTER:
            found[-1] += character
        before = kind
    return found


def word_tuples(text: str, n_words: int = 5) -> list[tuple[str, ...]]:
    """Shingles by the definition, without hashes."""
    found = words(text)
    if len(found) < n_words:
        return [tuple(found)] if found else []
    return [tuple(found[i : i + n_words]) for i in range(len(found) - n_words + 1)]


def test_letters_are_the_characters_of_the_regular_expression() -> None:
    every_character = "".join(map(chr, range(shingles.N_CODE_POINTS)))
    expected = {ord(character) for character in re.findall(r"\w", every_character)}
    kinds = shingles.character_kinds()
    letters = np.flatnonzero((kinds == shingles.LETTER) | (kinds == shingles.LETTER_ALONE))
    assert set(letters.tolist()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop: it's 3.14 o'clock, foo_bar", "don t stop it s 3 14 o clock foo_bar"),
        ("我能吞下玻璃。ABC公司2024年", "我 能 吞 下 玻 璃 abc 公 司 2024 年"),
        ("私はガラスを食べられます", "私 は ガ ラ ス を 食 べ ら れ ま す"),
        ("が", "\u304b\u3099"),
        ("ฉันกินกระจกได้ ๑๒", "ฉั น กิ น ก ร ะ จ ก ไ ด้ ๑๒"),
        ("ຂອ້ຍກິນແກ້ວ", "ຂ ອ້ ຍ ກິ ນ ແ ກ້ ວ"),
        ("ခွီခံ", "ခွီ ခံ"),
        ("ខ្ញុំ", "ខ្ ញុំ"),
        ("मैं काँच खा सकता हूँ", "मैं काँच खा सकता हूँ"),
        ("நான் கண்ணாடி", "நான் கண்ணாடி"),
        ("나는 유리를 먹을 수 있어요", "나는 유리를 먹을 수 있어요"),
        ("אֲנִי יָכוֹל לֶאֱכֹל", "אֲנִי יָכוֹל לֶאֱכֹל"),
        ("أنا قادر على أكل", "أنا قادر على أكل"),
        ("\u0301a, \u0301", "a"),
        ("1\ufe0f\u20e3 a\ufe0fb", "1 a b"),
        ("", ""),
    ],
)
def test_words_of_many_scripts(text: str, expected: str) -> None:
    if text == "が":
        text = unicodedata.normalize("NFD", text)
    assert words(text) == expected.casefold().split()
    one_word = ShingleParameters(n_words=1)
    assert sets_of([text], one_word) == sets_of([" ".join(words(text))], one_word)
    assert len(shingle([text], one_word).hashes) == len(words(text))


def test_one_changed_character_of_an_unspaced_text_changes_few_shingles() -> None:
    text = "我能吞下玻璃而不伤身体今天天气很好我们一起去公园散步然后回家吃晚饭"
    a, b = sets_of([text, text.replace("公", "花")])
    assert len(a & b) == len(a) - 5


def test_case_punctuation_and_spacing_do_not_count() -> None:
    plain, dressed = sets_of(
        [GATSBY, "«In my YOUNGER -- and more\nvulnerable\tyears, my father gave me some advice.»"]
    )
    assert plain == dressed
    assert len(plain) == 9


def test_case_is_folded_not_lowered() -> None:
    assert sets_of(["DIE STRASSE IST HIER ZU ENDE"]) == sets_of(["Die Straße ist hier zu Ende"])


def test_order_of_words_counts() -> None:
    forwards, backwards = sets_of([GATSBY, " ".join(reversed(GATSBY.split()))])
    assert not forwards & backwards


def test_a_short_text_is_one_shingle_and_no_words_are_none() -> None:
    short, same, longer, wordless, empty = sets_of(
        ["Yes, we can", "yes we can", "yes we can do", "*** — ***", ""]
    )
    assert short == same
    assert len(short) == 1
    assert short != longer
    assert wordless == empty == set()


def test_one_repeated_word_is_one_shingle() -> None:
    assert len(sets_of(["buffalo " * 1000])[0]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "我能吞下玻璃而不伤身体。" * 3,
        "أنا قادر على أكل الزجاج و هذا لا يؤلمني",
        "मैं काँच खा सकता हूँ और मुझे चोट नहीं पहुँचती",
    ],
)
def test_scripts_without_spaces_or_from_right_to_left_have_shingles(text: str) -> None:
    assert len(sets_of([text])[0]) == len(set(word_tuples(text))) > 0


def test_hashes_are_the_same_on_every_machine() -> None:
    found = shingle(["The quick brown fox jumps", "Ünïcödé"], FIVE).hashes
    assert [hex(value) for value in found] == ["0xaf26ad133d6c3f1", "0x8b9b7f82e33bd991"]


def test_a_lone_surrogate_is_only_a_character() -> None:
    assert sets_of(["a b c d \ud800 e"]) == sets_of(["a b c d - e"])


@given(
    st.lists(st.text(alphabet=st.sampled_from("abAB ßİ.,-\n_1é日本กิ\u0301\ufe0fமா"), max_size=60), max_size=8)
)
@settings(max_examples=60, deadline=None)
def test_each_hash_stands_for_one_tuple_of_words(texts: list[str]) -> None:
    found = shingle(texts, ShingleParameters(n_words=2))
    tuples = [word_tuples(text, 2) for text in texts]
    assert np.diff(found.offsets).tolist() == [len(of_text) for of_text in tuples]
    pairs = set(zip([one for of_text in tuples for one in of_text], found.hashes.tolist(), strict=True))
    assert len({words for words, _ in pairs}) == len({value for _, value in pairs}) == len(pairs)


def test_a_text_hashes_alike_in_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [GATSBY[start:] for start in range(0, 60, 3)] + ["", "?"]
    alone = [sets_of([text])[0] for text in texts]
    assert sets_of(texts) == alone
    monkeypatch.setattr(shingles, "BLOCK_CHARACTERS", 50)
    assert sets_of(texts) == alone


def test_no_texts_have_no_shingles() -> None:
    found = shingle([], FIVE)
    assert found.n_texts == 0
    assert len(found.hashes) == 0


def test_similarity_by_hashes_is_similarity_by_words() -> None:
    a, b = GATSBY, GATSBY.replace("younger", "older") + " that I have been turning over in my mind ever since"
    found = shingle([a, b], FIVE)
    words_a, words_b = set(word_tuples(a)), set(word_tuples(b))
    expected = len(words_a & words_b) / len(words_a | words_b)
    assert 0 < expected < 1
    assert jaccard(found.distinct(0), found.distinct(1)) == expected


def test_a_shingle_of_no_words_is_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        ShingleParameters(n_words=0)
