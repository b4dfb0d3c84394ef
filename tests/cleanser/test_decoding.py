"""Which encoding a file is taken to be in, and what is said about it."""
# ruff: noqa: RUF001  # text in several scripts is the subject

import codecs
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.cleanser.decoding import EncodingDecision, decide_bytes, decide_encoding
from warehouse.cleanser.streams import walk_streams

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
GERMAN = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\n"
HEBREW = "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.\n"
GREEK = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια.\n"
THAI = "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ\n"
ENGLISH = "It was the best of times, it was the worst of times, it was the age of wisdom.\n"


def decision_on(tmp_path: Path, data: bytes) -> EncodingDecision:
    path = tmp_path / "a file"
    path.write_bytes(data)
    return decide_encoding(next(walk_streams(path)))


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
        (CHINESE.strip(), "utf-16-le"),
        (CHINESE.strip(), "utf-16-be"),
        ("семьи", "utf-16-le"),
        (RUSSIAN, "utf-7"),
        (FRENCH, "mac-roman"),
        (JAPANESE, "iso2022_jp_2"),
        (CHINESE, "gb18030"),
        (GERMAN * 3, "cp273"),
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
    decision = decide_encoding(next(walk_streams(speech)))
    assert decision.encoding is not None
    assert "this Nation’s place in history" in " ".join(speech.read_bytes().decode(decision.encoding).split())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Příliš žluťoučký kůň úpěl ďábelské ódy", "cp1250"),
        ("Dziś piękność twą widzę i opisuję", "iso8859-2"),
        ("Это было давно", "cp1251"),
        ("Это было давно", "koi8-r"),
        ("été à la plage", "cp1252"),
        ("l’été", "cp1252"),
        (HEBREW, "cp1255"),
        (GREEK, "iso8859-7"),
        (THAI, "cp874"),
        (CHINESE, "big5hkscs"),
        (JAPANESE[:12], "cp932"),
        (JAPANESE[:12], "euc_jp"),
    ],
)
def test_short_texts_are_read(text: str, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    decision = decide_bytes(data)
    assert decision.encoding is not None
    assert data.decode(decision.encoding) == data.decode(encoding)


@pytest.mark.parametrize("declared", ["koi8-r", "utf-8", "iso-8859-2", "shift_jis", "no-such-codec"])
def test_a_lie_about_the_encoding_changes_nothing(declared: str) -> None:
    head = f'<html><head><meta charset="{declared}"></head><body>\n'.encode()
    data = head + RUSSIAN.encode("cp1251")
    decision = decide_bytes(data)
    assert decision.encoding is not None
    assert data.decode(decision.encoding) == data.decode("cp1251")


def test_a_declaration_decides_where_the_text_does_not() -> None:
    """One letter of Czech: 0xB9 is the caron s of ISO 8859-2 and the ogonek a of Windows-1250."""
    told = decide_bytes(b'<?xml version="1.0" encoding="iso-8859-2"?><a>ha\xb9ek</a>')
    assert told.encoding == "iso8859-2"
    assert "declares iso8859-2" in told.evidence


def test_what_two_encodings_read_equally_well_is_flagged() -> None:
    decision = decide_bytes(b"the sign \xa4 alone")
    assert "ambiguous" in decision.flags
    assert decision.confidence < 0.8
    assert decision.runners_up


def test_text_in_an_encoding_without_a_codec_is_flagged() -> None:
    """VISCII has capital letters with tones where other encodings have controls."""
    viscii = bytes.fromhex("4d f7 74 20 6e 67 e0 79 20 8d 8a 20 bf df 63 20 b8 d6 d5 8b 9d 93 a6 c6 86 89")
    decision = decide_bytes(viscii * 4)
    assert decision.encoding is None or {"unusual_text", "ambiguous", "broken_bytes"} & set(decision.flags)


def test_serbian_with_latin_letters_that_look_alike_is_read_as_cyrillic() -> None:
    text = "Сва људскa бићa рaђaју сe слoбoднa и jeднaкa у дoстojaнству и прaвимa.\n"
    decision = decide_bytes(text.encode("cp1251"))
    assert decision.encoding is not None
    assert text.encode("cp1251").decode(decision.encoding) == text


def test_additions_and_hexadecimals_are_no_utf7() -> None:
    code = b"int a+b2-c; x+abcd-y; z+=1; a+b; k+Q-\n" * 5
    assert decide_bytes(code).encoding == "ascii"


def test_evidence_is_json_with_the_three_lists() -> None:
    told = json.loads(decide_bytes(RUSSIAN.encode("koi8-r")).evidence_json())
    assert set(told) == {"evidence", "runners_up", "flags"}
    assert told["evidence"][0].startswith("most plausible reading")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_have_a_decision(data: bytes) -> None:
    decision = decide_bytes(data)
    assert 0.0 <= decision.confidence <= 1.0
    if decision.encoding is not None:
        data[decision.byte_order_mark_bytes :].decode(decision.encoding, "replace")
    assert decide_bytes(data) == decision
