"""Phone numbers in text, in the international format and in the national ones that cannot be taken for anything else.

What lives here: where each stands in one text, and the facts about numbering plans. What does not: which of two
readings of the same characters holds (``privacy.py``).

A number counts as a phone number where it says so itself (a plus and a country code), where it has a shape that
only phone numbers have, or where a word before it says so. Numbers without any of these are left alone: years, pages,
ISBNs, dates and amounts are far more frequent in text than local phone numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

Span = tuple[int, int]

EXAMPLE_PHONE = "+1-555-0100"
"""Seven digits behind +1, where every number has ten; 555-0100 is kept for fiction (ATIS-0300115)."""

_NATIONAL_DIGITS: Mapping[int, tuple[int, int]] = {
    code: (fewest, most)
    for fewest, most, codes in (
        (4, 7, "290 683 690"),
        (4, 11, "352"),
        (4, 13, "43"),
        (5, 8, "247 500 676 677 678 682 686 688"),
        (5, 10, "358 685"),
        (6, 7, "298 299 597 672 681 687"),
        (6, 9, "40 252 359 376 421 508"),
        (6, 10, "53 63 95 98 880"),
        (6, 12, "39 49"),
        (
            7,
            8,
            "230 238 239 241 246 248 267 269 291 297 372 501 507 592 599 670 673 674 675 679 680 691 692 961 975",
        ),
        (7, 9, "46 48 220 231 243 254 265 353 354 423 595 960 967"),
        (7, 12, "62 381 882 883"),
        (
            8,
            8,
            "45 47 65 216 222 223 226 227 228 232 235 236 253 257 266 268 350 356 357 370 371 373 374 382 389",
        ),
        (8, 8, "502 503 504 505 506 509 591 598 689 800 808 852 853 965 968 973 974 993"),
        (8, 9, "27 32 36 51 66 213 224 250 258 264 355 377 385 386 387 593 855 962 963 970 971"),
        (8, 10, "20 57 60 64 82 378 383 850 856 886 964 972 976 977"),
        (
            9,
            9,
            "33 34 41 56 61 93 94 211 212 218 221 233 237 240 242 244 245 249 251 255 256 260 261 262 263 351",
        ),
        (9, 9, "375 380 420 590 594 596 966 979 992 994 995 996 998"),
        (9, 11, "31 44 81 84 86 92 881"),
        (9, 12, "870"),
        (10, 10, "1 7 30 52 58 90 91 225 229 234"),
        (10, 11, "54 55"),
        (11, 12, "878 888"),
    )
    for code in map(int, codes.split())
}
"""Country calling codes (ITU-T E.164, list of assigned codes) and the digits of a national number, fewest and most:
the national numbering plans that the ITU collects (E.129)."""

_SPACE = r" \xa0\u2009\u202f"
_DASH = r"\-\u2010-\u2013\u2212"
_SIGN = rf"[{_SPACE}.{_DASH}/]"
_BETWEEN = rf"(?:{_SIGN}|[{_SPACE}]?\([{_SPACE}]?|[{_SPACE}]?\){_SIGN}?|[{_SPACE}][{_DASH}/][{_SPACE}])"
"""What stands between two groups of digits of one number."""
_RUN = re.compile(rf"\d(?:[{_SPACE}.{_DASH}/()+]{{0,3}}+\d){{5,}}+")
"""Digits near each other: wherever a phone number stands, and the only places that are looked at twice."""
_BEFORE_RUN = 2
"""A plus and a bracket."""

_START = r"(?<![\w.,/=#&+$€£\-])(?<!\d:)"
_END = rf"(?![\w%°€$£])(?!{_SIGN}?\d)"
_LOOSE_END = rf"(?![\w%°€$£])(?![.{_DASH}/:]\d)"
"""Another number may follow after a space."""
_NO_ROW = r"(?<!\d[ \xa0])(?<![\da-fA-F]{2} [\da-fA-F]{2} )"
"""Not in a row of numbers, or of bytes in hexadecimal digits."""

_INTERNATIONAL = re.compile(rf"(?<![\w+])\+\(?\d{{1,17}}(?:{_BETWEEN}\d{{1,14}}){{0,14}}")
_PREFIXED = re.compile(
    rf"{_START}{_NO_ROW}(?:00|011(?={_SIGN})){_SIGN}?(?P<number>[1-9]\d{{0,14}}(?:{_BETWEEN}\d{{1,14}}){{1,14}}){_END}"
)
_TRUNK = re.compile(r"\(0+\)")
_GROUP = re.compile(r"\d+")
_MOST_DIGITS = 15
"""Of a whole number with its country code: ITU-T E.164."""
_FEWEST_UNPARTED_DIGITS = 10
"""+5000000 may be a gain or a difference; that many digits in one piece are none."""

_AREA = r"[2-9][0-8]\d"
_EXCHANGE = r"[2-9]\d\d"
_NATIONAL = re.compile(
    "|".join(
        (
            # North America: (212) 555-0123, 1-212-555-0123, 212.555.0123, 212/555-0123.
            rf"{_START}(?:1[ .{_DASH}])?\({_AREA}\)[ {_DASH}]?{_EXCHANGE}[ .{_DASH}]\d{{4}}{_LOOSE_END}",
            rf"{_START}(?:1[ .{_DASH}])?{_AREA}(?P<a>[.{_DASH}])[ ]?{_EXCHANGE}(?P=a)\d{{4}}{_LOOSE_END}",
            rf"{_START}{_AREA}[/ ]{_EXCHANGE}[{_DASH}]\d{{4}}{_LOOSE_END}",
            # Area code in brackets, as in Brazil, (11) 91234-5678, and Russia, 8 (495) 123-45-67.
            rf"{_START}\([1-9]\d\)[ ]?9?\d{{4}}[ .{_DASH}]\d{{4}}{_LOOSE_END}",
            rf"{_START}(?:8[ ]?)?\([3489]\d\d\)[ ]?\d{{3}}[ {_DASH}]\d\d[ {_DASH}]\d\d{_LOOSE_END}",
            rf"{_START}8[ {_DASH}][3489]\d\d[ {_DASH}]\d{{3}}[ {_DASH}]\d\d[ {_DASH}]\d\d{_LOOSE_END}",
            # Mobile numbers of China.
            rf"{_START}{_NO_ROW}1[3-9]\d(?P<b>[ {_DASH}])\d{{4}}(?P=b)\d{{4}}{_LOOSE_END}(?!(?P=b)\d{{4}})",
            # France and others: five pairs, the first of which begins with the trunk prefix.
            rf"{_START}{_NO_ROW}0[1-9](?P<c>[{_SPACE}.{_DASH}])\d\d(?:(?P=c)\d\d){{3}}{_LOOSE_END}(?!(?P=c)\d\d)",
        )
    )
)
"""Shapes that hardly anything but a phone number has."""

_TRUNK_ZERO = re.compile(
    rf"{_START}{_NO_ROW}(?:\(0[1-9]\d{{0,4}}\)[{_SPACE}]?|0[1-9]\d{{0,4}}[{_SPACE}{_DASH}/]"
    rf"|0[{_SPACE}]?\([1-9]\d{{1,3}}\)[{_SPACE}]?)"
    rf"\d{{2,8}}(?:[{_SPACE}{_DASH}]\d{{2,8}}){{0,4}}+{_END}"
)
"""An area code that begins with the trunk prefix 0, in brackets or parted from the rest, as in most of the world."""
_TRUNK_ZERO_DIGITS = range(9, 13)
_NO_TRUNK_ZERO = re.compile(
    # Dates, postal codes of the United States, rows of numbers of three digits.
    r"\d\d?[./\-]\d\d?[./\-](?:\d\d|\d{4})(?!\d)|\d{5}-\d{4}(?!\d)|\d{3}(?: \d{3}){3}"
)
_DATE = re.compile(r"\d\d?[./\-]\d\d?[./\-](?:\d\d|\d{4})(?!\d)|\d{4}[./\-]\d\d?[./\-]\d\d?(?!\d)")

_CUE = re.compile(
    r"""
    (?: (?<!\w) (?: tel | telephones? | phones? | fon | fax | telefax | facsimile | mobile? | mobiltelefon | handy
        | cell | cellphone | whatsapp | (?:hot|help)line | gsm | sms | pager | voicemail | rufnummer | tlf
        | telefon(?:e|o|u|nr)? | telefoon | telefonnummer
        | telefonszám | teléfono | móvil | celular | téléphone | tél | portable | cellulare
        | puh | puhelin | тел | телефон | факс | моб | τηλ | τηλέφωνο | फ़ोन | फोन | هاتف | تلفن | טלפון )
      | 电话 | 電話 | 手机 | 전화 | [☎☏📞📱✆] )
    (?: [^\w\n]{1,3} (?: no | nr | num | numbers? | numero | número | numéro | nummer | is | at | us | me | him | her
        | on | to | the | and | fax | or | office | home | work | toll | free | n° | № ) ){0,4}
    [^\w\n]{0,4} \Z
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A word for a phone before a number, perhaps with few words between."""
_CUE_CHARACTERS = 48
_NAMED = re.compile(rf"(?<![\w.,/#$€£+\-])\(?\d{{1,14}}+\)?(?:{_BETWEEN}\d{{1,14}}+){{0,14}}+(?![\w%°€$£])")
_NAMED_DIGITS = range(6, 14)
_NOT_NAMED = re.compile(
    # Years, amounts of thousands, fractions, addresses of machines.
    rf"(?:1\d|20)\d\d[{_SPACE}]?[{_DASH}/][{_SPACE}]?(?:(?:1\d|20)\d\d|\d\d)(?!\d)"
    r"|[1-9]\d{0,2}(?:[ .]\d00)?(?:[ .]000)+(?!\d)"
    r"|[1-9]\d*[ ]?/"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)"
)


def find_phones(text: str) -> Iterator[Span]:
    """Phone numbers; of several readings that overlap, each is given.

    International: a plus, an assigned country code and as many digits as its numbers have; 00 or 011 in the plus's
    place where the digits are parted. National: shapes of North America, Russia, Brazil, China and France, and area
    codes that begin with the trunk prefix 0. Elsewhere a word for a phone, in many languages, must stand before it.
    """
    for run in _RUN.finditer(text):
        start, end = max(0, run.start() - _BEFORE_RUN), min(len(text), run.end() + _BEFORE_RUN)
        yield from _international(text, start, end)
        yield from (match.span() for match in _NATIONAL.finditer(text, start, end))
        for match in _TRUNK_ZERO.finditer(text, start, end):
            if _n_digits(match[0]) in _TRUNK_ZERO_DIGITS and not _NO_TRUNK_ZERO.match(match[0]):
                yield match.span()
        yield from _named(text, start, end)


def _n_digits(written: str) -> int:
    return sum(map(str.isdigit, written))


def _international(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _INTERNATIONAL.finditer(text, start, end):
        if length := _number_length(match[0], text[match.end() : match.end() + 1]):
            yield match.start(), match.start() + length
    for match in _PREFIXED.finditer(text, start, end):
        if _number_length(match["number"], "") == len(match["number"]):
            yield match.span()


def _number_length(written: str, following: str) -> int:
    """Characters of the number with country code that `written` begins with; 0 where it is none.

    A group of digits that would make it longer than its country's numbers belongs to what follows.
    """
    without_trunk = _TRUNK.sub(lambda trunk: " " * len(trunk[0]), written)
    groups = list(_GROUP.finditer(without_trunk))
    digits = "".join(group[0] for group in groups)
    code = next((digits[:n] for n in (1, 2, 3) if int(digits[:n]) in _NATIONAL_DIGITS), None)
    if code is None or len(groups[0][0]) < len(code):
        return 0
    fewest, most = _NATIONAL_DIGITS[int(code)]
    most = min(most, _MOST_DIGITS - len(code))
    if following.isalnum() or following in ("_", "%"):
        groups.pop()
    if len(groups) == 1 and len(digits) < _FEWEST_UNPARTED_DIGITS:
        return 0
    length, n_digits = 0, -len(code)
    for group in groups:
        n_digits += len(group[0])
        if fewest <= n_digits <= most:
            length = group.end()
    return length


def _named(text: str, start: int, end: int) -> Iterator[Span]:
    """Numbers before which a word for a phone stands."""
    for match in _NAMED.finditer(text, start, end):
        before = text[max(0, match.start() - _CUE_CHARACTERS) : match.start()]
        no_phone = _NOT_NAMED.match(match[0]) or _DATE.match(match[0])
        if _n_digits(match[0]) in _NAMED_DIGITS and not no_phone and _CUE.search(before):
            yield match.span()
