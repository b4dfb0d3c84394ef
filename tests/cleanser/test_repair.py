"""Clean text and the plan by which it was made."""
# ruff: noqa: RUF001  # text in several scripts is the subject

import json
from pathlib import Path

import ftfy
import pytest
from ftfy.badness import is_bad
from ftfy.chardata import CHARMAP_ENCODINGS
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.cleanser.mojibake import find_fixes
from warehouse.cleanser.mojibake_scan import suspect_lines
from warehouse.cleanser.repair import RepairPlan, apply_repair, repair_chunk, repair_text, replay


def test_clean_text_is_left_alone() -> None:
    text = "“Quotes”, ﬁ ligatures, ｆｕｌｌ width, e\u0301 in two parts — all stay.\n\tIndented.\n"
    repaired = repair_chunk(text.encode(), "utf-8")
    assert repaired.text == text
    assert repaired.plan == RepairPlan()
    assert repaired.n_replaced == 0


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("schÃ¶n\n", "schön\n"),
        ("It â€œwasâ€\x9d so\n", "It “was” so\n"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        ("a\x00b\x07c\x1a\n", "abc\n"),
    ],
)
def test_what_is_repaired_replays(raw: str, clean: str) -> None:
    data = raw.encode()
    repaired = repair_chunk(data, "utf-8")
    assert repaired.text == clean
    stored = repaired.plan.to_json()
    assert RepairPlan.from_json(stored) == repaired.plan
    assert replay(data, "utf-8", None, stored) == clean


def test_every_change_is_counted_by_its_step() -> None:
    repaired = repair_text("\ufeffone\r\ntwo\rschÃ¶n\x00\x07\n\ufefffour\n\x1b[31mred\x1b[0m\n")
    assert repaired.text == "one\ntwo\nschön\nfour\nred\n"
    assert repaired.counts == {
        "line_endings": 2,
        "terminal_escapes": 9,
        "fix_encoding": 2,
        "byte_order_marks": 2,
        "control_characters": 2,
    }
    assert RepairPlan.from_json(repaired.plan.to_json()) == repaired.plan
    assert repair_text("Sound text — ça va.\n").counts == {}


def test_page_breaks_keep_words_apart() -> None:
    assert repair_text("end\x0cChapter\n\x0cnext\x0b\n\x0c").text == "end\nChapter\nnext\n"


def test_a_joiner_inside_a_line_stays() -> None:
    assert repair_text("a\ufeffb\n").text == "a\ufeffb\n"


def test_surrogates_become_what_can_be_stored() -> None:
    repaired = repair_text("pair \ud83d\ude00 and \ud800 alone")
    assert repaired.text == "pair \U0001f600 and \ufffd alone"
    assert repaired.counts == {"lone_surrogates": 3}
    assert apply_repair("pair \ud83d\ude00 and \ud800 alone", repaired.plan) == repaired.text


@given(
    st.lists(
        st.text(max_size=30)
        | st.text(st.characters(max_codepoint=0x2122), max_size=30)
        | st.sampled_from(
            ["schÃ¶n", "â€œIt wasâ€ so", "\r\n", "\x0c", "\x1b[1m", "Ð¼Ð¸Ñ€", "\ufeff", "à®¤\ufffd", "\udc80"]
        )
    ).map("".join)
)
def test_any_repair_replays_and_can_be_stored(text: str) -> None:
    repaired = repair_text(text)
    assert apply_repair(text, RepairPlan.from_json(repaired.plan.to_json())) == repaired.text
    assert len(repaired.text) <= len(text)
    assert not {"\r", "\x00", "\x0c"} & set(repaired.text.encode().decode())
    assert repair_text(repaired.text).text == repaired.text or repaired.plan.steps


words = st.sampled_from(
    ["déjà", "Grüße", "“quoted”", "привет", "ёлка", "日本語", "γκε", "naïve", "😍", "plain", "Ísland"]
)


@st.composite
def damaged_lines(draw: st.DrawFn) -> str:
    """Words that were decoded wrongly; a character of them may be lost."""
    encoding = draw(st.sampled_from(CHARMAP_ENCODINGS))
    line = " ".join(draw(st.lists(words, min_size=1, max_size=3))).encode().decode(encoding, "replace")
    place = draw(st.integers(0, len(line) - 1))
    lost = draw(st.sampled_from([line[place], " ", "?", "\ufffd", "\x1a", ""]))
    return line[:place] + lost + line[place + 1 :]


@settings(max_examples=400)
@given(damaged_lines() | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2265), max_size=40))
def test_whatever_ftfy_changes_is_looked_at(line: str) -> None:
    if "\n" not in line and ftfy.fix_encoding(line) != line:
        assert suspect_lines(line) == [0]


@pytest.mark.parametrize(
    ("damaged", "clean"),
    [
        ("She said, â€œI donâ€™t know.â€ Then she left.", "She said, “I don’t know.” Then she left."),
        ("the â€œfire shrinkerâ€ and he", "the “fire shrinker” and he"),
        ("more of it.â€", "more of it.”"),
    ],
)
def test_the_byte_that_closing_quotes_lost_is_restored(damaged: str, clean: str) -> None:
    repaired = repair_text(damaged)
    assert repaired.text == clean
    assert apply_repair(damaged, RepairPlan.from_json(repaired.plan.to_json())) == clean


@pytest.mark.parametrize("encoding", ["cp1251", "cp1253", "macroman"])
def test_a_line_that_is_utf_8_through_and_through_is_mended(encoding: str) -> None:
    line = "ɔyɛ nokware sɛ nnipa nyinaa"
    assert not is_bad(line.encode().decode(encoding))
    assert repair_text(line.encode().decode(encoding)).text == line


@pytest.mark.parametrize(
    "line",
    [
        "cosa e pià¹ perfetta",  # would become an unassigned character
        "^ŐüÚ÷Pçé°ßD{š^ÄŃ§ył",  # noise: would get one Cyrillic letter
        "Et l’âme et l’être et l’énigme",  # Armenian in Mac Roman
        "├┤a┼┐a┼┐a┼┐a┼┐a",
        "É¿ Ã O — «È»…",
    ],
)
def test_what_would_be_no_likelier_is_left_alone(line: str) -> None:
    assert find_fixes(line) == []


def test_letters_are_not_given_up_for_what_has_lost_all_its_bytes() -> None:
    assert repair_text("cafÃ©\ufffd\ufffd").text == "café\ufffd\ufffd"


def test_only_the_lines_that_are_mojibake_are_touched() -> None:
    repaired = repair_chunk("sÃ³ uma linha\nà côté, Ω\nnaïve\n".encode(), "utf-8")
    assert repaired.text == "só uma linha\nà côté, Ω\nnaïve\n"
    assert [step[1] for step in repaired.plan.steps if len(step) == 3] == [0]


def test_repair_of_mojibake_can_be_refused() -> None:
    assert repair_chunk("schÃ¶n\r\n".encode(), "utf-8", repair_mojibake=False).text == "schÃ¶n\n"


def test_bytes_without_meaning_are_replaced_and_counted() -> None:
    repaired = repair_chunk(b"\xe2\x82 and \x93quoted\x94 and caf\xe9.\n", "utf-8")
    assert repaired.text == "\ufffd and “quoted” and café.\n"
    assert repaired.n_replaced == 4
    assert (
        replay(b"\xe2\x82 and \x93quoted\x94 and caf\xe9.\n", "utf-8", None, repaired.plan.to_json())
        == repaired.text
    )


def test_a_replacement_character_that_the_author_wrote_is_not_counted() -> None:
    repaired = repair_chunk("\ufffd\n".encode() + b"\xff\xff\n", "utf-8")
    assert repaired.text == "\ufffd\n\ufffd\ufffd\n"
    assert repaired.n_replaced == 2


def test_next_lines_of_ebcdic_end_lines() -> None:
    raw = "one\x85two\x85".encode("cp037")
    assert repair_chunk(raw, "cp037").text == "one\ntwo\n"


def test_mojibake_of_the_wild_is_mended_and_sound_text_kept(corpora: Path) -> None:
    folder = corpora / "encodings" / "ftfy_mojibake"
    sound = json.loads((folder / "negative.json").read_text())
    assert all(_repaired(case["original"]) in {case["original"], case["fixed"]} for case in sound)
    wild = json.loads((folder / "in-the-wild.json").read_text())
    wild += json.loads((folder / "language-names.json").read_text())
    wrong = [
        case for case in wild if _repaired(case["original"]) != case.get("fixed-encoding", case["fixed"])
    ]
    assert wrong == []


def _repaired(text: str) -> str:
    return repair_chunk(text.encode(), "utf-8").text
