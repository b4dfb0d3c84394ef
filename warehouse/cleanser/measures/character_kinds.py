"""What kind of character each one is: white space, digit, punctuation, symbol, or a letter of a script.

What lives here: the table, and shares counted with it. What does not: sets that single rules ask for.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

LINE_BREAK, BLANK, DIGIT, PUNCTUATION, SYMBOL, OTHER, FIRST_LETTER = range(7)
"""Kinds; from FIRST_LETTER on there are two for each of SCRIPTS, its letters and its capital letters. A line break is
what `str.splitlines` takes for one; marks and control characters are OTHER."""

N_KINDS = 256

_RANGES = {
    "Latin": "41-5a 61-7a aa ba c0-2b8 1d00-1d25 1d2c-1d5c 1d62-1d65 1d6b-1d77 1d79-1dbe 1e00-1eff 2071 207f 2090-209c "
    "212a-212b 2132 214e 2160-2188 2c60-2c7f a722-a787 a78b-a7ff ab30-ab5a ab5c-ab64 ab66-ab69 fb00-fb06 ff21-ff3a "
    "ff41-ff5a",
    "Greek": "370-3e1 3f0-3ff 1d26-1d2a 1f00-1fff 2126",
    "Cyrillic": "400-52f 1c80-1c8f 1d2b 1d78 2de0-2dff a640-a69f",
    "Armenian": "531-58f fb13-fb17",
    "Hebrew": "591-5f4 fb1d-fb4f",
    "Arabic": "600-6ff 750-77f 870-8ff fb50-fdff fe70-fefc 1ee00-1eeff",
    "Syriac": "700-74f 860-86f",
    "Thaana": "780-7bf",
    "Nko": "7c0-7ff",
    "Devanagari": "900-97f a8e0-a8ff",
    "Bengali": "980-9ff",
    "Gurmukhi": "a00-a7f",
    "Gujarati": "a80-aff",
    "Oriya": "b00-b7f",
    "Tamil": "b80-bff",
    "Telugu": "c00-c7f",
    "Kannada": "c80-cff",
    "Malayalam": "d00-d7f",
    "Sinhala": "d80-dff",
    "Thai": "e00-e7f",
    "Lao": "e80-eff",
    "Tibetan": "f00-fff",
    "Myanmar": "1000-109f a9e0-a9ff aa60-aa7f",
    "Georgian": "10a0-10ff 1c90-1cbf 2d00-2d2f",
    "Hangul": "1100-11ff 3131-318e a960-a97f ac00-d7ff ffa0-ffdc",
    "Ethiopic": "1200-139f 2d80-2ddf ab01-ab2f 1e7e0-1e7ff",
    "Cherokee": "13a0-13ff ab70-abbf",
    "Canadian_Aboriginal": "1400-167f 18b0-18f5",
    "Ogham": "1681-169a",
    "Runic": "16a0-16ea 16ee-16f8",
    "Khmer": "1780-17ff",
    "Mongolian": "1800-18aa",
    "Tai_Le": "1950-1974",
    "New_Tai_Lue": "1980-19df",
    "Balinese": "1b00-1b7e",
    "Sundanese": "1b80-1bbf",
    "Ol_Chiki": "1c50-1c7d",
    "Glagolitic": "2c00-2c5f",
    "Coptic": "3e2-3ef 2c80-2cff",
    "Tifinagh": "2d30-2d7f",
    "Hiragana": "3041-3096 309d-309f 1b001-1b11f 1f200",
    "Katakana": "30a1-30fa 30fd-30ff 31f0-31ff ff66-ff6f ff71-ff9d",
    "Bopomofo": "2ea-2eb 3105-312f 31a0-31bf",
    "Han": "3005 3007 3021-3029 3038-303b 3400-4dbf 4e00-9fff f900-faff 20000-323af",
    "Yi": "a000-a4c6",
    "Lisu": "a4d0-a4ff",
    "Vai": "a500-a62b",
    "Javanese": "a980-a9df",
    "Cham": "aa00-aa5f",
    "Meetei_Mayek": "aae0-aaf6 abc0-abf9",
    "Gothic": "10330-1034a",
    "Deseret": "10400-1044f",
}
"""Unicode's scripts (Scripts.txt) with a literature, by the ranges that hold their letters."""

SCRIPTS = ("Common", *_RANGES)
"""Common has the letters of no single script, and those of rare ones."""

_ASSIGNED = (range(0x4E00), range(0xA000, 0xAC00), range(0xF900, 0x20000), range(0x2A6E0, 0x323B0))
_LETTERS_ALL = ((0x4E00, 0xA000), (0xAC00, 0xD7A4), (0x20000, 0x2A6E0))
"""Blocks of Han and Hangul: looking up 90,000 characters one by one would take as long as all the others."""


@cache
def kind_of_code_point() -> NDArray[np.uint8]:
    """The kind of every code point."""
    script = np.zeros(0x110000, np.uint8)
    for number, ranges in enumerate(_RANGES.values(), 1):
        for item in ranges.split():
            first, _, last = item.partition("-")
            script[int(first, 16) : int(last or first, 16) + 1] = number
    kinds = np.full(0x110000, OTHER, np.uint8)
    by_category = {"N": OTHER, "P": PUNCTUATION, "S": SYMBOL, "M": OTHER, "C": OTHER, "Z": BLANK}
    for start, end in _LETTERS_ALL:
        kinds[start:end] = FIRST_LETTER + 2 * script[start:end]
    for point in chain.from_iterable(_ASSIGNED):
        character = chr(point)
        category = unicodedata.category(character)
        if category[0] == "L":
            kinds[point] = FIRST_LETTER + 2 * int(script[point]) + character.isupper()
        elif category == "Nd":
            kinds[point] = DIGIT
        elif character.isspace():
            kinds[point] = LINE_BREAK if len(f"{character}.".splitlines()) > 1 else BLANK
        else:
            kinds[point] = by_category[category[0]]
    kinds.flags.writeable = False
    return kinds


def character_shares(
    counts: NDArray[np.int64], n_characters: NDArray[np.int64]
) -> dict[str, NDArray[np.generic]]:
    """Shares of the kinds among the characters, and the script of most of the letters.

    Args:
        counts: of text and kind.
        n_characters: of each text.

    Returns:
        letter_share, digit_share, punctuation_share, symbol_share and whitespace_share of all characters,
        uppercase_share and script_share of the letters, and script; 0 and "Common" where there are none.
    """
    letters = counts[:, FIRST_LETTER : FIRST_LETTER + 2 * len(SCRIPTS)].reshape(len(counts), len(SCRIPTS), 2)
    n_letters = letters.sum(axis=(1, 2))
    by_script = letters.sum(axis=2)
    of_characters = {
        "letter_share": n_letters,
        "digit_share": counts[:, DIGIT],
        "punctuation_share": counts[:, PUNCTUATION],
        "symbol_share": counts[:, SYMBOL],
        "whitespace_share": counts[:, LINE_BREAK] + counts[:, BLANK],
    }
    shares: dict[str, NDArray[np.generic]] = {
        name: part / np.maximum(n_characters, 1) for name, part in of_characters.items()
    }
    shares["uppercase_share"] = letters[:, :, 1].sum(axis=1) / np.maximum(n_letters, 1)
    shares["script"] = np.array(SCRIPTS, dtype=object)[by_script.argmax(axis=1)]
    shares["script_share"] = by_script.max(axis=1) / np.maximum(n_letters, 1)
    return shares
