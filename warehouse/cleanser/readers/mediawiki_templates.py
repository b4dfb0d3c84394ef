"""Templates of Wikipedia that stand for words in a sentence, and what they say.

All others (boxes, citations, notices) say nothing that belongs to the text. The list is of the English Wikipedia, whose
sisters use many of the same names: https://en.wikipedia.org/wiki/Wikipedia:Template_index/Inline_templates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

_Words = Callable[[Sequence[str]], str]


def _nth(number: int) -> _Words:
    return lambda arguments: arguments[number] if len(arguments) > number else ""


def _always(words: str) -> _Words:
    return lambda _arguments: words


def _measure(arguments: Sequence[str]) -> str:
    """``{{convert|5|to|8|km}}`` is "5 to 8 km"; what follows the unit asks for another unit."""
    n = 4 if len(arguments) >= 4 and arguments[1] in _BETWEEN_NUMBERS else 2
    return " ".join(arguments[:n])


_BETWEEN_NUMBERS = frozenset({"to", "-", "–", "and", "or", "x", "by", "×"})  # noqa: RUF001  # signs of ranges
_FIRST = """nowrap small smaller big sc smallcaps angbr vanchor visible_anchor nobold noitalic nobr math mvar var val
num nts nihongo abbr tooltip quote cquote blockquote quotation bquote center mono code pre keypress kbd strong em flag
 flagcountry usd iast unicode polytonic gaps"""
_WORDS: dict[str, _Words] = {
    **dict.fromkeys(_FIRST.split(), _nth(0)),
    **dict.fromkeys(("lang", "transl", "transliteration", "langx", "font", "nihongo3"), _nth(1)),
    **dict.fromkeys(("convert", "cvt"), _measure),
    **dict.fromkeys(("snd", "spaced_ndash", "spnd", "spaced_en_dash"), _always(" – ")),  # noqa: RUF001  # dash
    **dict.fromkeys(("ndash", "en_dash", "endash"), _always("–")),  # noqa: RUF001  # dash
    **dict.fromkeys(("mdash", "em_dash", "emdash"), _always("—")),
    **dict.fromkeys(("nbsp", "spaces", "space"), _always("\u00a0")),
    **dict.fromkeys(("·", "•", "dot", "bull"), _always(" · ")),
    **dict.fromkeys(("!", "pipe"), _always("|")),
    "=": _always("="),
    "'": _always("'"),
    "'s": _always("'s"),
    "as_of": lambda arguments: "As of " + " ".join(arguments),
    "frac": "/".join,
    "chem": "".join,
    **dict.fromkeys(("circa", "c."), lambda arguments: "c. " + " ".join(arguments[:1])),
}


def words_of_template(content: str) -> str:
    """What a template says, given what stands between its braces; "" where it says nothing.

    >>> words_of_template("convert|5|km|mi|abbr=on"), words_of_template("cite book|title=A")
    ('5 km', '')
    """
    name, *arguments = content.split("|")
    key = name.strip().lower().replace(" ", "_")
    words = _nth(0) if key.startswith("lang-") else _WORDS.get(key)
    if words is None:
        return ""
    positional = [
        argument.removeprefix("1=").strip()
        for argument in arguments
        if "=" not in argument or argument.startswith("1=")
    ]
    return words(positional)
