"""Counts of characters by language, from which `warehouse/cleanser/encodings/character_statistics.npz` is made.

Sources, all of them wheels on PyPI, none of them a benchmark's text:

- Unicode CLDR as packed in Babel (Unicode-3.0): names of languages, places, months, units in 200 languages;
- translations into some 90 languages of Django, Django REST framework and Wagtail (BSD-3-Clause), Sphinx
  (BSD-2-Clause), django-allauth and humanize (MIT).

    pip download --no-deps -d WHEELS babel Django djangorestframework Sphinx django-allauth wagtail humanize
    python -m benchmarks.count_characters WHEELS warehouse/cleanser/encodings/character_statistics.npz

needs Babel to read them. The file holds counts alone: no text of the sources can be read from it. A quarter of
the text gets curly quotes, dashes and the like, which catalogues avoid; Vietnamese, Romanian and Persian are
counted in their legacy spellings too (cp1258 has combining tones, cp1250 a cedilla for a comma, cp1256 the
Arabic yeh and kaf).
"""

# ruff: noqa: RUF001  # characters that look like others are the subject

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import sys
import tempfile
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.encodings.candidates import COMMONNESS

CLASSES = ("space", "digit", "punctuation", "control", "box", "sign", "letter", "ideograph", "hangul")
"""Symbols that stand for many characters; every other symbol is a letter or sign of its own."""

LATIN_LETTERS = "abcdefghijklmnopqrstuvwxyz"
SIGNS = (
    "¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿×÷–—―‘’‚‛“”„†‡•…‰‹›€™№−≈≤≥◊√∞∂∑∏∫∆\u200b\u200c\u200d\u200e\u200f"
    "、。〈〉《》「」『』【】〔〕！（），．：；？〜～"
)
OPENING, CLOSING, APOSTROPHES = "“«‘„¿¡‚‹§£€№", "”»…°™®ºª²³›", "’´·"
LETTER_RANGES = (
    (0xDF, 0x2AF), (0x300, 0x30C), (0x323, 0x329), (0x390, 0x3CE), (0x430, 0x4FF), (0x5B0, 0x5EA),
    (0x60C, 0x60C), (0x61B, 0x61B), (0x61F, 0x61F), (0x621, 0x6D5), (0xE01, 0xE5B), (0x1E00, 0x1EFF),
    (0x3041, 0x30FF), (0xFF61, 0xFF9F),
)  # fmt: skip
SCRIPT_SIGNS = "\u060c\u061b\u061f\u30fb\u30fc\uff64\uff61\uff62\uff63"

SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI", "CJK")
CYRILLIC = frozenset(["ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn", "tg", "tt"])
ARABIC = frozenset(["ar", "fa", "ur", "ps", "ckb", "ug"])
CJK = frozenset({"zh_Hans", "zh_Hant", "ja", "ko"})
LEAST_CHARACTERS = 6_000
UNUSUAL_SPELLINGS = frozenset({"kxv"})
"""Languages whose romanisation in CLDR marks every other letter, as no legacy text does."""
LEAST_TRIGRAM_COUNT = 2
LOOK_ALIKES = ("aceopxyijshkmtb", "асеорхуіјѕһкмтв")  # look-alikes are the subject

CLDR_PARTS = (
    "languages", "territories", "scripts", "months", "days", "eras", "quarters", "currency_names",
    "unit_display_names", "unit_patterns", "time_zones", "meta_zones", "date_fields", "variants",
    "day_periods", "currency_names_plural", "list_patterns",
)  # fmt: skip
LOCALES = {"nb": "no", "zh_CN": "zh_Hans", "zh_TW": "zh_Hant", "zh_HK": "zh_Hant", "zh": "zh_Hans"}
NAMED_SCRIPTS = frozenset({"zh_Hans", "zh_Hant", "sr_Latn"})

_NO_PROSE = re.compile(
    r"%\([^)]*\)[a-z]|%[a-z]|\{[^{}]*\}|<[^>]*>|https?://\S+|&[a-z]+;|``[^`]*``|\S*[_/@\\]\S*"
)


def prose(text: str) -> str:
    """A message without placeholders, markup and paths, composed (NFC), on one line."""
    return unicodedata.normalize("NFC", " ".join(_NO_PROSE.sub(" ", text).split()))


def language_of(locale: str) -> str:
    found = LOCALES.get(locale, locale)
    return found if found in NAMED_SCRIPTS else re.split("[_@]", found)[0]


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, (dict, list, tuple)):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(branch)


def catalogue_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """(language, message) of every gettext catalogue below a folder."""
    from babel.messages.pofile import read_po

    for path in sorted(folder.rglob("*.po")):
        locale = re.search(r"/locales?/([a-z]{2,3}(?:[_@][^/]+)?)/", path.as_posix())
        if not locale:
            continue
        with contextlib.redirect_stdout(io.StringIO()), path.open("rb") as file:
            try:
                messages = list(read_po(file))
            except Exception as failure:  # noqa: BLE001  # Babel raises many kinds for damaged catalogues
                print(f"{path} left out: {failure}", file=sys.stderr)
                continue
        for message in messages:
            identifiers = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
            strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
            if not message.id or message.fuzzy:
                continue
            yield from (("en", prose(text)) for text in identifiers)
            yield from (
                (language_of(locale[1]), prose(text)) for text in strings if text and text not in identifiers
            )


def cldr_texts() -> Iterator[tuple[str, str]]:
    """(language, name) of everything that CLDR names in a language."""
    import babel.localedata

    for locale in sorted(babel.localedata.locale_identifiers()):
        if "_" not in locale or locale in NAMED_SCRIPTS:
            data = babel.localedata.load(locale, merge_inherited=False)
            for part in CLDR_PARTS:
                yield from ((language_of(locale), prose(text)) for text in _leaves(data.get(part)))


def typographic(text: str, turn: int) -> str:
    """The text with the quotes and dashes of one of four traditions, taken in turn."""
    pairs = ("“”", "“”", "«»", "„“")[turn % 4]
    text = re.sub(r"(?<=\w)'(?=\w)", "’", text) if turn % 4 == 0 else text
    if turn % 4:
        text = re.sub('"([^"]*)"', rf"{pairs[0]}\1{pairs[1]}", text)
        text = text.replace(" - ", " — " if turn % 4 == 2 else " – ")
    return text.replace("...", "…") if turn % 4 == 2 else text


def in_cp1258(text: str) -> str:
    """Vietnamese with its tones as combining marks."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    parts = []
    for character in text:
        decomposed = unicodedata.normalize("NFD", character)
        parts.append(unicodedata.normalize("NFC", "".join(part for part in decomposed if part not in tones)))
        parts.append("".join(part for part in decomposed if part in tones))
    return "".join(parts)


def replacing(old: str, new: str) -> Callable[[str], str]:
    table = str.maketrans(old, new)
    return lambda text: text.translate(table)


def gather(wheels: Path) -> tuple[dict[str, list[str]], set[str]]:
    """Texts by language, each text once and sorted; and the languages that have a catalogue."""
    texts: dict[str, set[str]] = defaultdict(set)
    translated: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder, [name for name in archive.namelist() if name.endswith(".po")])
        for language, text in catalogue_texts(Path(folder)):
            texts[language].add(text)
            translated.add(language)
    for language, text in cldr_texts():
        texts[language].add(text)
    counted = {
        language: [typographic(text, turn) for turn, text in enumerate(sorted(found - {""}))]
        for language, found in texts.items()
    }
    counted["vi_cp1258"] = [in_cp1258(text) for text in counted["vi"]]
    counted["ro"] += list(map(replacing("șțȘȚ", "şţŞŢ"), counted["ro"]))
    counted["fa"] += list(map(replacing("یک", "يك"), counted["fa"]))
    return counted, translated | {"vi_cp1258"}


def script_of(character: str) -> str:
    return re.split("[ -]", unicodedata.name(character, ""))[0]


def symbol_list() -> list[str]:
    """Characters that are a symbol of their own, in the order of their numbers."""
    found = dict.fromkeys(LATIN_LETTERS + SIGNS)
    for first, last in LETTER_RANGES:
        for character in map(chr, range(first, last + 1)):
            is_letter = unicodedata.category(character)[0] in "LM" or character in SCRIPT_SIGNS
            if is_letter and character.lower() == character:
                found[character] = None
    return list(found)


def class_of(character: str) -> str:
    code, category = ord(character), unicodedata.category(character)
    if character in "\t\n\r\v\f" or category.startswith("Z"):
        return "space"
    if category in {"Cc", "Cn", "Co", "Cs"} or character == "\ufffd":
        return "control"
    if code < 0x80:
        return "digit" if character.isdigit() else "punctuation"
    if 0x2500 <= code < 0x25A0:
        return "box"
    if 0x4E00 <= code < 0xA000 or 0xF900 <= code < 0xFB00 or 0x3400 <= code < 0x4DC0 or code == 0x3005:
        return "ideograph"
    if 0xAC00 <= code < 0xD7A4:
        return "hangul"
    return "letter" if category[0] in "LMN" else "sign"


def symbol_table(numbers: dict[str, int]) -> NDArray[np.uint16]:
    """Number of the symbol of each code point below 0x10000: letters without their case."""

    def number(code: int) -> int:
        character = chr(code)
        folded = "i" if character == "İ" else character.lower()
        return numbers.get(folded, CLASSES.index(class_of(character)))

    return np.array([number(code) for code in range(0x10000)], np.uint16)


def case_table() -> NDArray[np.uint8]:
    return np.array(
        [1 if chr(c).islower() else 2 if chr(c).isupper() else 0 for c in range(0x10000)], np.uint8
    )


def levels(codec: str, first: Iterable[int], second: Iterable[int]) -> dict[int, int]:
    """Code points by the level (1: frequent, 2: rarer) that a national standard gave them, by lead byte."""
    found = {}
    for level, leads in ((1, first), (2, second)):
        for lead in leads:
            for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
                with contextlib.suppress(UnicodeDecodeError):
                    text = bytes((lead, trail)).decode(codec)
                    if len(text) == 1:
                        found.setdefault(ord(text), level)
    return found


STANDARD_LEVELS = {
    ("zh_Hans", "ideograph"): ("gb2312", range(0xB0, 0xD8), range(0xD8, 0xF8)),
    ("zh_Hant", "ideograph"): ("big5", range(0xA4, 0xC7), range(0xC9, 0xFA)),
    ("ja", "ideograph"): ("euc_jp", range(0xB0, 0xD0), range(0xD0, 0xF5)),
    ("ko", "ideograph"): ("euc_kr", range(0xCA, 0xFE), range(0)),
    ("ko", "hangul"): ("euc_kr", range(0xB0, 0xC9), range(0)),
}
"""GB 2312 puts 3,755 frequent ideographs in rows 16 to 55, Big5 5,401 before 0xC9, JIS X 0208 2,965 in rows
16 to 47, KS X 1001 has 2,350 syllables."""


def emissions(symbol: NDArray[np.uint16], texts: dict[str, list[str]]) -> NDArray[np.float64]:
    """Nats of a character given its symbol: rows for the languages of `CJK`, sorted, and one for all others.

    A frequent character has its count's share; the rest of the probability goes to the levels of the standard,
    88 % to the first. Controls, boxes and unlisted signs and letters share their symbol's probability evenly.
    """
    rows = np.zeros((len(CJK) + 1, 0x10000))
    rows[:, np.isin(symbol, [CLASSES.index("ideograph")])] = np.log(1 / 22_000)
    rows[:, np.isin(symbol, [CLASSES.index("hangul")])] = np.log(1 / 11_172)
    for kind, nats in (("control", -4.6), ("box", -3.0), ("sign", -4.0), ("letter", -4.8)):
        rows[:, symbol == CLASSES.index(kind)] = nats
    for row, language in enumerate(sorted(CJK)):
        counts = Counter("".join(texts[language]))
        for kind in ("ideograph", "hangul"):
            if (language, kind) not in STANDARD_LEVELS:
                continue
            codes = np.flatnonzero(symbol == CLASSES.index(kind))
            count = np.array([counts.get(chr(code), 0) for code in codes], float)
            known = levels(*STANDARD_LEVELS[language, kind])
            level = np.array([known.get(code, 0) for code in codes.tolist()])
            weight = min(0.7, count.sum() / (count.sum() + 3_000))
            share = weight * count / max(1.0, count.sum()) + (1 - weight) * 0.02 / len(codes)
            for number, part in ((1, 0.88), (2, 0.10)):
                share[level == number] += (1 - weight) * part / max(1, (level == number).sum())
            rows[row, codes] = np.log(share)
    return rows


def group_of(language: str, texts: list[str]) -> str | None:
    """The script that a language is counted in; None where no codec of Python's needs it."""
    if language in CJK:
        return "CJK"
    letters = Counter(script_of(letter) for letter in "".join(texts) if letter.isalpha())
    script = letters.most_common(1)[0][0] if letters else ""
    kept = {"CYRILLIC": CYRILLIC, "ARABIC": ARABIC, "HEBREW": {"he"}, "CJK": CJK}.get(script)
    if script not in SCRIPTS or language in UNUSUAL_SPELLINGS or (kept is not None and language not in kept):
        return None
    return script if sum(map(len, texts)) >= LEAST_CHARACTERS else None


def code_points(text: str) -> NDArray[np.int64]:
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    return np.where(codes < 0x10000, codes, 0xFFFD)


def symbol_kinds(symbols: list[str]) -> NDArray[np.uint8]:
    """Coarse kind of each symbol: 0 space, 1 digit, 2 punctuation, 3 odd, 4 ASCII letter, 5 other letter,
    6 opening sign, 7 closing sign, 8 other sign, 9 apostrophe and the like."""
    signs = {**dict.fromkeys(SIGNS, 8), **dict.fromkeys(OPENING, 6), **dict.fromkeys(CLOSING, 7)}
    signs |= dict.fromkeys(APOSTROPHES, 9)
    of_classes = [0, 1, 2, 3, 3, 3, 5, 5, 5]
    return np.array(
        of_classes + [4 if each in LATIN_LETTERS else signs.get(each, 5) for each in symbols], np.uint8
    )


def symbol_scripts(symbols: list[str]) -> NDArray[np.int8]:
    """Index of each symbol's script in SCRIPTS; -1 for what is of none."""

    def index(character: str) -> int:
        name = script_of(character)
        name = "CJK" if name in {"HIRAGANA", "KATAKANA", "HALFWIDTH"} else name
        return SCRIPTS.index(name) if name in SCRIPTS and character not in SIGNS else -1

    cjk = SCRIPTS.index("CJK")
    return np.array([-1] * 7 + [cjk, cjk] + [index(each) for each in symbols], np.int8)


def lost_shares(symbols: list[str], kinds: NDArray[np.uint8], unigrams: NDArray[np.int64]) -> Any:
    """Share of each language's characters that each encoding cannot express; shape (encodings, languages)."""
    weights = unigrams.astype(float)
    weights[~np.isin(kinds, [5])] = 0
    shares = []
    for encoding in COMMONNESS:
        lost = np.ones(len(kinds), bool)
        for number, character in enumerate(symbols, len(CLASSES)):
            with contextlib.suppress(UnicodeEncodeError):
                (character + character.upper()).encode(encoding)
                lost[number] = False
        shares.append((weights * lost[:, None]).sum(0) / (unigrams.sum(0) + 1))
    return np.array(shares, np.float32)


def count(wheels: Path, target: Path) -> dict[str, Any]:
    """Read the sources and write the statistics."""
    texts, translated = gather(wheels)
    symbols = symbol_list()
    numbers = {character: number for number, character in enumerate(symbols, len(CLASSES))}
    symbol, case, kinds = symbol_table(numbers), case_table(), symbol_kinds(symbols)
    groups = {language: group_of(language, found) for language, found in texts.items()}
    languages = sorted(
        (language for language, script in groups.items() if script),
        key=lambda language: (SCRIPTS.index(groups[language] or ""), language),
    )
    cases = np.zeros((3, 3, 3), np.int64)
    unigrams = np.zeros((len(kinds), len(languages)), np.int64)
    bigrams: list[NDArray[np.int64]] = []
    trigrams: list[NDArray[np.int64]] = []
    for column, language in enumerate(languages):
        codes = code_points("\n".join(texts[language]) + "\n")
        numbered, cased = symbol[codes].astype(np.int64), case[codes]
        if groups[language] in {"LATIN", "CYRILLIC", "GREEK"}:
            np.add.at(cases, (cased[:-2], cased[1:-1], cased[2:]), 1)
        unigrams[:, column] = np.bincount(numbered, minlength=len(kinds))
        bigrams.append(_counted(numbered[:-1] << 11 | numbered[1:], column, 1))
        parts = numbered[:-2], numbered[1:-1], numbered[2:]
        odd = np.any(
            [(part >= len(CLASSES) + 26) | ((part > 2) & (part < len(CLASSES))) for part in parts], 0
        )
        keys = parts[0] << 22 | parts[1] << 11 | parts[2]
        trigrams.append(_counted(keys[odd], column, LEAST_TRIGRAM_COUNT))
    two, three = _sorted(bigrams), _sorted(trigrams)
    np.savez_compressed(
        target,
        symbol=symbol,
        case=case,
        kind=kinds,
        script=symbol_scripts(symbols),
        sign=np.array([numbers[sign] for sign in SIGNS], np.uint16),
        sign_code=np.array([ord(sign) for sign in SIGNS], np.uint16),
        emission=np.round(-16 * emissions(symbol, texts)).astype(np.uint8),
        look_alike=np.array([list(map(ord, part)) for part in LOOK_ALIKES], np.uint16),
        cases=cases,
        languages=np.array(languages),
        language_script=np.array([SCRIPTS.index(groups[each] or "") for each in languages], np.uint8),
        is_translated=np.array([each in translated for each in languages]),
        scripts=np.array(SCRIPTS),
        emission_languages=np.array(sorted(CJK)),
        encodings=np.array(list(COMMONNESS)),
        lost_share=lost_shares(symbols, kinds, unigrams),
        bigram=two[0].astype(np.uint32),
        bigram_language=two[1].astype(np.uint8),
        bigram_count=two[2].astype(np.uint16),
        trigram_first=(three[0] >> 22).astype(np.uint16),
        trigram_rest=(three[0] & 0x3FFFFF).astype(np.uint32),
        trigram_language=three[1].astype(np.uint8),
        trigram_count=three[2].astype(np.uint16),
    )
    return {
        "n_languages": len(languages),
        "n_symbols": len(kinds),
        "n_bigrams": len(two[0]),
        "n_trigrams": len(three[0]),
        "n_characters": int(unigrams.sum()),
        "n_bytes": target.stat().st_size,
    }


def _counted(keys: NDArray[np.int64], column: int, least: int) -> NDArray[np.int64]:
    found, counts = np.unique(keys, return_counts=True)
    kept = counts >= least
    return np.stack((found[kept], np.full(kept.sum(), column), np.minimum(counts[kept], 0xFFFF)))


def _sorted(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    joined = np.concatenate(parts, axis=1)
    return joined[:, np.lexsort((joined[1], joined[0]))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    print(json.dumps(count(arguments.wheels, arguments.target)))


if __name__ == "__main__":
    main()
