"""Which encodings a text may be in, how common each is, and for which languages people use it.

What lives here: prior knowledge, as numbers. What does not: looking at bytes (`decoding.py`) or at the text
that an encoding makes of them (`plausibility.py`).
"""

from __future__ import annotations

COMMONNESS = {
    "cp1252": 0.0, "iso8859-1": -0.5, "cp1251": -1.0, "cp1250": -1.5, "iso8859-2": -1.5, "gb2312": -1.5,
    "shift_jis": -1.4, "cp932": -1.5, "euc_kr": -1.8, "cp949": -2.0, "gbk": -2.0, "euc_jp": -2.0,
    "big5": -2.0, "cp950": -2.2, "gb18030": -2.5, "iso8859-15": -2.5, "koi8-r": -2.0, "cp1253": -2.0,
    "cp1254": -2.0, "cp1255": -2.0, "cp1256": -2.0, "cp874": -2.0, "iso8859-7": -2.2, "iso8859-9": -2.2,
    "tis-620": -2.2, "cp1257": -2.5, "iso8859-11": -2.5, "cp866": -2.5, "koi8-u": -3.0, "iso8859-5": -3.0,
    "iso8859-6": -3.0, "iso8859-8": -3.0, "mac-roman": -3.0, "cp437": -3.0, "cp850": -3.0, "cp852": -3.5,
    "cp1258": -3.5, "big5hkscs": -3.5, "iso8859-3": -4.0, "iso8859-4": -4.0, "iso8859-13": -4.0,
    "mac-cyrillic": -4.0, "mac-latin2": -4.0, "cp855": -4.0, "iso8859-10": -5.0, "iso8859-14": -5.0,
    "iso8859-16": -5.0, "johab": -5.0, "cp857": -5.0, "cp858": -5.0, "cp862": -5.0, "mac-greek": -5.5,
    "mac-turkish": -5.5, "cp737": -5.5, "cp775": -5.5, "cp865": -5.5, "mac-iceland": -6.0, "cp720": -6.0,
    "cp860": -6.0, "cp861": -6.0, "cp863": -6.0, "cp864": -6.0, "cp869": -6.0, "cp1125": -6.0,
    "euc_jis_2004": -6.0, "shift_jis_2004": -6.0, "kz1048": -6.5, "cp856": -7.0, "ptcp154": -7.0,
    "hp-roman8": -10.0, "koi8-t": -8.0,
}  # fmt: skip
"""Nats by which a legacy encoding is less expected than Windows-1252: orders of magnitude of the shares of web
pages (W3Techs, "Usage statistics of character encodings for websites"); DOS and Macintosh encodings, which no
survey counts, are taken to be as rare as the rarest there."""

UNLISTED = -9.0
"""Commonness of an encoding that only a detector or the text itself names."""

EAST_ASIAN = {
    "gb2312": "zh_Hans", "gbk": "zh_Hans", "gb18030": "zh_Hans", "big5": "zh_Hant", "cp950": "zh_Hant",
    "big5hkscs": "zh_Hant", "shift_jis": "ja", "cp932": "ja", "shift_jis_2004": "ja", "euc_jp": "ja",
    "euc_jis_2004": "ja", "euc_kr": "ko", "cp949": "ko", "johab": "ko",
}  # fmt: skip
"""The language for which an encoding with thousands of characters was made."""

_CENTRAL = frozenset(
    ["cs", "sk", "pl", "hu", "sl", "hr", "bs", "sr_Latn", "ro", "sq", "dsb", "hsb", "szl", "tk"]
)
_BALTIC = frozenset(["lt", "lv", "et"])
_TURKIC = frozenset(["tr", "az", "ku", "uz", "tk"])
REGIONS = {
    **dict.fromkeys(("cp1250", "iso8859-2", "cp852", "mac-latin2"), _CENTRAL),
    **dict.fromkeys(("cp1257", "iso8859-13", "iso8859-4", "cp775"), _BALTIC),
    **dict.fromkeys(("cp1254", "iso8859-9", "mac-turkish", "cp857"), _TURKIC),
    "iso8859-3": frozenset({"mt", "eo", "tr"}),
    "iso8859-10": frozenset(["se", "smn", "is", "kl", "lt", "lv", "et"]),
    "iso8859-14": frozenset(["cy", "ga", "gd", "br"]),
    "iso8859-16": frozenset(["ro", "hr", "sl", "pl", "hu"]),
    "cp1258": frozenset({"vi_cp1258"}),
    "cp860": frozenset({"pt"}),
    "cp861": frozenset({"is"}),
    "cp863": frozenset({"fr"}),
    "cp865": frozenset(["no", "da", "nn"]),
    "mac-iceland": frozenset(["is", "fo"]),
}
"""Languages of Latin script for which an encoding was made (ISO/IEC 8859, code page names of IBM, Microsoft and
Apple); the other encodings of Latin script serve all of them."""

UTF8 = 1.0
"""Nats by which UTF-8 is more expected than Windows-1252, where a stream has both."""

WORLDWIDE = frozenset(
    {"utf-8", "cp1252", "iso8859-1", "iso8859-15", "mac-roman", "cp437", "cp850", "cp858", "hp-roman8"}
)
"""Encodings in which people wrote any language of Latin script, fitting or not."""

FOREIGN_REGION = -5.0
FOREIGN_SCRIPT = -5.0
FOREIGN_EAST_ASIAN = -4.0
"""Nats for a language in an encoding that was made for other languages, and for another script."""

LOST_LETTER = -2_000.0
LOST_LETTERS = -7.0
"""Nats for each share 1 of a language's characters that an encoding lacks, and the most that it may cost: a
language is seldom written in an encoding that lacks one character in 500."""

FREQUENT_LANGUAGES = {
    "en": 1.4, "ru": 1.4, "es": 0.7, "fr": 0.7, "de": 0.7, "pt": 0.7, "it": 0.7, "pl": 0.7, "ja": 0.7,
    "zh_Hans": 0.7, "ko": 0.7, "nl": 0.35, "tr": 0.35, "cs": 0.35, "hu": 0.35, "sv": 0.35, "ro": 0.35,
}  # fmt: skip
RARE_LANGUAGE = -1.4
"""Nats by which a language is more or less expected than others: a rough share of the texts on the web.
Rare is one into which no catalogue of the sources was translated."""


def commonness(encoding: str) -> float:
    """Nats by which an encoding is more expected than Windows-1252, for some language that it suits."""
    if encoding == "utf-8":
        return UTF8
    return COMMONNESS.get(encoding, UNLISTED)


def suitability(encoding: str, language: str, script: str, lost_share: float) -> float:
    """How much an encoding is expected for a language, in nats, 0 or less.

    Args:
        encoding: Python's name of the codec.
        language: as the character statistics name it.
        script: the script of its group there, "LATIN" for one.
        lost_share: share of the characters of the language's text that the encoding cannot express.
    """
    if encoding in EAST_ASIAN:
        return 0.0 if language == EAST_ASIAN[encoding] else FOREIGN_EAST_ASIAN
    nats = max(LOST_LETTERS, LOST_LETTER * lost_share)
    if script != "LATIN" or encoding in WORLDWIDE:
        return nats
    if encoding in REGIONS:
        return nats + (0.0 if language in REGIONS[encoding] else FOREIGN_REGION)
    return nats + FOREIGN_SCRIPT
