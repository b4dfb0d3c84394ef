"""Clean text and the plan by which it was made."""
# ruff: noqa: RUF001  # text in several scripts is the subject

import json
from pathlib import Path

import pytest

from warehouse.cleanser.repair import RepairPlan, repair_chunk, replay


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
    mended = sum(_repaired(case["original"]) != case["original"] for case in wild)
    assert mended >= 0.9 * len(wild)


def _repaired(text: str) -> str:
    return repair_chunk(text.encode(), "utf-8").text
