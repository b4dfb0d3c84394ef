"""Which encoding a file is taken to be in, and what is said about it."""
# ruff: noqa: RUF001  # text in several scripts is the subject

import codecs
import random
from pathlib import Path

import pytest

from warehouse.cleanser.decoding import EncodingDecision, decide_encoding
from warehouse.cleanser.streams import open_streams

RUSSIAN = (
    "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. "
    "Все смешалось в доме Облонских. Жена узнала, что муж был в связи с бывшею в их доме "
    "француженкою-гувернанткой, и объявила мужу, что не может жить с ним в одном доме.\n"
)
FRENCH = (
    "Longtemps, je me suis couché de bonne heure. Parfois, à peine ma bougie éteinte, mes yeux se fermaient "
    "si vite que je n’avais pas le temps de me dire : « Je m’endors. » Et, une demi-heure après, la pensée "
    "qu’il était temps de chercher le sommeil m’éveillait.\n"
)
POLISH = (
    "Litwo! Ojczyzno moja! Ty jesteś jak zdrowie; ile cię trzeba cenić, ten tylko się dowie, "
    "kto cię stracił. Dziś piękność twą w całej ozdobie widzę i opisuję, bo tęsknię po tobie. "
    "Panno święta, co Jasnej bronisz Częstochowy i w Ostrej świecisz Bramie! Żołnierz wraca, źródło bije.\n"
)
JAPANESE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
    "何でも薄暗いじめじめした所で泣いていた事だけは記憶している。\n"
)
CHINESE = "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神互相对待。\n"
ENGLISH = "It was the best of times, it was the worst of times, it was the age of wisdom.\n"


def decision_on(tmp_path: Path, data: bytes) -> EncodingDecision:
    path = tmp_path / "a file"
    path.write_bytes(data)
    return decide_encoding(open_streams(path)[0])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, "ascii"),
        (FRENCH, "utf-8"),
        (FRENCH, "cp1252"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "iso8859-5"),
        (RUSSIAN, "cp866"),
        (RUSSIAN, "mac-cyrillic"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (CHINESE, "gb2312"),
        (CHINESE, "hz"),
        (ENGLISH, "utf-16-le"),
        (ENGLISH.strip(), "utf-16-be"),
        (RUSSIAN, "utf-16-be"),
        (CHINESE + "\r\n", "utf-16-be"),
        (FRENCH, "utf-32-le"),
        (ENGLISH * 3, "cp037"),
    ],
)
def test_the_text_comes_out_as_it_went_in(tmp_path: Path, text: str, encoding: str) -> None:
    data = text.encode(encoding)
    decision = decision_on(tmp_path, data)
    assert decision.encoding is not None
    assert data.decode(decision.encoding) == text
    assert decision.evidence
    assert 0.5 <= decision.confidence <= 1.0


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides(tmp_path: Path, mark: bytes, encoding: str) -> None:
    decision = decision_on(tmp_path, mark + FRENCH.encode(encoding))
    assert (decision.encoding, decision.confidence) == (encoding, 1.0)
    assert decision.byte_order_mark_bytes == len(mark)


def test_a_false_declaration_is_evidence_and_not_proof(tmp_path: Path) -> None:
    page = b'<?xml version="1.0" encoding="iso-8859-1"?>\n' + RUSSIAN.encode("koi8-r")
    decision = decision_on(tmp_path, page)
    assert decision.encoding == "koi8-r"
    assert "declaration_contradicted" in decision.flags


def test_a_few_broken_bytes_do_not_make_utf8_something_else(tmp_path: Path) -> None:
    data = (FRENCH * 5).encode()[:-2] + b"caf\xe9 " + FRENCH.encode()
    decision = decision_on(tmp_path, data)
    assert decision.encoding == "utf-8"
    assert "broken_bytes" in decision.flags
    assert decision.confidence < 1.0


def test_a_character_cut_off_by_the_end_is_flagged(tmp_path: Path) -> None:
    decision = decision_on(tmp_path, (CHINESE * 2).rstrip().encode()[:-1])
    assert (decision.encoding, decision.flags) == ("utf-8", ("cut_off_character",))


def test_rare_accents_deep_in_a_large_file_are_seen(tmp_path: Path) -> None:
    data = (ENGLISH * 20_000).encode() + FRENCH.encode("cp1252") + (ENGLISH * 5_000).encode()
    decision = decision_on(tmp_path, data)
    assert decision.encoding is not None
    assert data.decode(decision.encoding) == data.decode("cp1252")


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01" + bytes(300),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
        random.Random(1).randbytes(5_000),
        b"\x00\x01\x02\x03" * 200,
    ],
    ids=["ELF", "PNG", "random", "NULs"],
)
def test_bytes_that_cannot_be_text_are_called_binary(tmp_path: Path, data: bytes) -> None:
    decision = decision_on(tmp_path, data)
    assert decision.encoding is None
    assert decision.flags == ("binary",)


def test_text_with_a_stray_nul_is_still_text(tmp_path: Path) -> None:
    decision = decision_on(tmp_path, (ENGLISH * 5 + "\x00" + ENGLISH * 5).encode())
    assert (decision.encoding, decision.flags) == ("ascii", ("control_characters",))


def test_runners_up_read_the_bytes_otherwise(tmp_path: Path) -> None:
    data = RUSSIAN.encode("koi8-r")
    decision = decision_on(tmp_path, data)
    assert decision.runners_up
    assert all(data.decode(other, "replace") != RUSSIAN for other in decision.runners_up)


def test_speeches_with_chinese_punctuation_read_as_english(corpora: Path) -> None:
    speech = next((corpora / "prose" / "state_union").glob("1971*"))
    decision = decide_encoding(open_streams(speech)[0])
    assert decision.encoding is not None
    assert "this Nation’s place in history" in " ".join(speech.read_bytes().decode(decision.encoding).split())
