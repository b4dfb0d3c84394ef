"""Payment card numbers and IBANs in text, told from other numbers by their check digits.

What lives here: where each stands in one text, and the facts about issuers and countries. What does not: which of
two readings of the same characters holds (``privacy.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

Span = tuple[int, int]

EXAMPLE_CARD = "0000 0000 0000 0000"
"""No issuer's: 0 is kept by ISO/TC 68 (ISO/IEC 7812-1)."""
EXAMPLE_IBAN = "XX00 0000 0000 0000 0000"
"""No country's: ISO 3166-1 leaves XX to its users."""

_IN_ONE_PIECE = re.compile(r"(?<![\w.,#/])(?<!\w-)\d{13,19}(?!\w|[\-.,]\d|-\w)", re.ASCII)
_IN_GROUPS = re.compile(
    # Fours, or four, six and the rest (American Express, Diners Club); a row of more fours is a table.
    r"(?<![\w.,#/])(?<!\D\d{4}[ \-\xa0])(?<!\w-)"
    r"(?P<short>\d{4}(?P<sign>[ \-\xa0])(?:\d{4}(?P=sign)\d{4}(?P=sign)\d{4}|\d{6}(?P=sign)\d{4,5}))"
    r"(?P<long>(?P=sign)\d{3})?+(?!\w|-\w|[.,]\d|(?P=sign)\d{4})",
    re.ASCII,
)

_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),  # Mastercard
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),  # American Express
    (300, 305, (14, 16, 19)),  # Diners Club
    (3095, 3095, (14, 16, 19)),  # Diners Club
    (36, 36, (14, 16, 19)),  # Diners Club
    (38, 39, (14, 16, 19)),  # Diners Club
    (6011, 6011, (16, 19)),  # Discover
    (644, 659, (16, 19)),  # Discover
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (62, 62, (16, 17, 18, 19)),  # UnionPay
    (81, 81, (16,)),  # UnionPay, RuPay
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (5018, 5018, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5020, 5020, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5038, 5038, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5893, 5893, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6304, 6304, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6759, 6763, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (60, 60, (16,)),  # RuPay
    (82, 82, (16,)),  # RuPay
    (508, 508, (16,)),  # RuPay
    (9792, 9792, (16,)),  # Troy
    (5019, 5019, (16,)),  # Dankort
)
"""First and last prefix of a range of issuer identification numbers (ISO/IEC 7812), and how many digits its cards
have, as the networks publish it."""

_EAN_DIGITS = 13
_DOUBLED = str.maketrans("0123456789", "0246813579")
"""A digit doubled, and the digits of that added."""


def find_cards(text: str) -> Iterator[Span]:
    """Payment card numbers: 13 to 19 digits in a usual grouping, of a known issuer, with a right check digit.

    A number of 13 digits that is right as an article number (EAN-13, on every product) is read as one.
    """
    for match in _IN_ONE_PIECE.finditer(text):
        if _is_card(match[0]):
            yield match.span()
    for match in _IN_GROUPS.finditer(text):
        # What stands behind sixteen digits may be the security code.
        if _is_card(match["short"]):
            yield match.span("short")
        elif match["long"] and _is_card(match[0]):
            yield match.span()


def _is_card(written: str) -> bool:
    digits = re.sub(r"\D", "", written)
    return _has_issuer(digits) and is_luhn(digits) and not _is_article_number(digits)


def is_luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    total = sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))
    return total % 10 == 0


def _has_issuer(digits: str) -> bool:
    return any(
        len(digits) in lengths and first <= int(digits[: len(str(first))]) <= last
        for first, last, lengths in _ISSUERS
    )


def _is_article_number(digits: str) -> bool:
    if len(digits) != _EAN_DIGITS:
        return False
    return (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


_IBAN_LENGTHS: Mapping[str, int] = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD FK",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
"""Characters of each country's IBAN, from the registry that SWIFT keeps for ISO 13616."""

_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?:[ \xa0]?[A-Z\d]){11,29}", re.ASCII)


def find_ibans(text: str) -> Iterator[Span]:
    """International bank account numbers (ISO 13616): as long as their country's, with right check digits (mod 97).

    In one piece or in groups by single spaces, in capitals as the standard has it.
    """
    start = 0
    while match := _IBAN.search(text, start):
        length = _IBAN_LENGTHS.get(match[0][:2])
        end = _after_characters(match[0], length) if length else 0
        whole = end and not text[match.start() + end : match.start() + end + 1].isalnum()
        if whole and _checks_mod_97(re.sub(r"\s", "", match[0][:end])):
            yield match.start(), match.start() + end
            start = match.start() + end
        else:
            start = match.start() + 2


def _after_characters(grouped: str, n_characters: int) -> int:
    """Where the `n_characters`-th character that is no space ends; 0 where there are fewer."""
    for end, character in enumerate(grouped, 1):
        n_characters -= not character.isspace()
        if not n_characters:
            return end
    return 0


def _checks_mod_97(iban: str) -> bool:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1
