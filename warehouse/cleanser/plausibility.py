"""How much a decoded text looks like something that a person wrote.

What lives here: a score by which the readings of the same bytes in several encodings are compared. It adds
the evidence for some language (`language.language_evidence`) to a count of patterns that writing does not
contain.
"""

from __future__ import annotations

import re
import unicodedata

from warehouse.cleanser.language import language_evidence

ODD_PATTERN_COST = 8.0
"""Nats that one odd pattern weighs: about what one n-gram of a language adds to the evidence for it."""

_ALPHABETS = {"LATIN": "L", "CYRILLIC": "C", "GREEK": "G"}
_IDEOGRAPHIC = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "HALFWIDTH", "FULLWIDTH", "BOPOMOFO"})
_COMMON_SIGNS = frozenset("©®°€™£\u00b4±¬§¶ªº")


def _class_of(character: str) -> str:
    """One letter for the kind of a character: the alphabet of the patterns below."""
    category = unicodedata.category(character)
    if (
        category in {"Co", "Cn", "Cs"}
        or character == "\ufffd"
        or (category == "Cc" and character not in "\t\n\r\f")
    ):
        return "X"
    if character in _COMMON_SIGNS:
        return ","
    if category.startswith("L"):
        return _class_of_letter(character, category)
    if category.startswith("M"):
        return "m"
    if category == "Nd":
        return "0"
    if category.startswith("Z") or category == "Cc":
        return " "
    return "." if category.startswith("P") or ord(character) < 0x80 else "S"


def _class_of_letter(character: str, category: str) -> str:
    if ord(character) < 0x80:
        return "A" if category == "Lu" else "a"
    script = unicodedata.name(character, "").split(" ", 1)[0].split("-", 1)[0]
    if script in _IDEOGRAPHIC:
        return "z"
    letter = _ALPHABETS.get(script, "h")
    return letter if letter == "h" or category in {"Lu", "Lt"} else letter.lower()


class _Classes(dict[int, str]):
    """Classes of code points, filled as they are met: the table of `str.translate`."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _class_of(chr(code))
        return found


_CLASSES = _Classes()

_ODD = re.compile(
    "X"  # controls, private use, unassigned
    "|S(?=[aAlLcCgGh])|[aAlLcCgGh](?=S)"  # box drawing and the like at a letter
    "|[aAlL](?=[cCgGh])|[cCgGh](?=[aAlL])|[cC](?=[gGh])|[gG](?=[cCh])|h(?=[cCgG])"  # two alphabets in a word
    "|[alcg](?=[LCG])|[lcg](?=[ACG])"  # a capital inside a word
)


def n_odd_patterns(text: str) -> int:
    """How often a text holds what writing does not: controls, alphabets mixed in a word, capitals inside
    words."""
    return len(_ODD.findall(text.translate(_CLASSES)))


def is_strange(text: str) -> bool:
    """Whether more than one character in 200 is a control, unassigned or of private use."""
    return text.translate(_CLASSES).count("X") * 200 > len(text)


def plausibility(text: str) -> float:
    """Evidence for some language, minus the cost of odd patterns, in nats; comparable for readings of equal
    bytes."""
    return language_evidence(text) - ODD_PATTERN_COST * n_odd_patterns(text)
