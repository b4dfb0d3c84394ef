"""Encodings that do not extend ASCII: wide units, EBCDIC, shift states and UTF-7.

What lives here: the rules by which they are told before anything else. What does not: encodings that extend
ASCII (`comparison.py`), and the order of the rules (`decoding.py`).
"""

from __future__ import annotations

import codecs
import re

import numpy as np

from warehouse.cleanser.code_units import EBCDIC, WIDTHS
from warehouse.cleanser.encoding_decision import EncodingDecision, confidence_of
from warehouse.cleanser.encodings.comparison import ranked
from warehouse.cleanser.encodings.plausibility import alone, is_strange, log_likelihood
from warehouse.cleanser.encodings.survey import CONTROLS, HIGHEST_CONTROL_SHARE, ByteSurvey

COMPARED_WIDE_BYTES = 1 << 13
LETTERS_OF_ONE_SCRIPT = 0.9
"""Share of the code units that must be letters of scripts without NUL bytes, where UTF-16 has no NUL."""

LEAST_WIDE_UNITS = 4
LARGEST_SPACE_SHARE = 0.02
"""UTF-16 without NUL bytes has neither spaces nor line ends, unless by chance."""

LEAST_UTF7_RUNS = 3

SIGN_IN_WORD = -8.0
"""Nats for a sign inside a word of EBCDIC: there national variants have letters."""

_SIGN_IN_WORD = re.compile(r"(?<=[A-Za-z])[\[\]{|}~^@$#!\\](?=[A-Za-z])")
_UTF7_RUN = re.compile(rb"\+[A-Za-z0-9+/]{2,}-?")
_ESCAPES = (
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$B", "iso2022_jp"),
    (b"\x1b$@", "iso2022_jp"),
    (b"\x1b(J", "iso2022_jp"),
    (b"\x1b$(", "iso2022_jp_2"),
    (b"~{", "hz"),
)


def by_wide_units(survey: ByteSurvey) -> EncodingDecision | None:
    """UTF-32 and UTF-16 without a mark: a reading of the first 8 KiB that holds nothing strange, and NUL bytes
    or, in UTF-16, hardly anything but letters of a script that needs none."""
    has_nuls = bool(survey.counts[0])
    if not has_nuls and not _may_be_wide_without_nuls(survey):
        return None
    readings: list[tuple[float, str]] = []
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        start = survey.head[:COMPARED_WIDE_BYTES]
        text = start[: len(start) // WIDTHS[encoding] * WIDTHS[encoding]].decode(encoding, "replace")
        if not text or is_strange(text) or not _is_mostly_letters(text) or _is_swapped(text):
            continue
        if has_nuls or _is_of_one_script(text):
            score = log_likelihood(text, encoding, alone(text))
            readings.append((score + 1e6 * (WIDTHS[encoding] == 4), encoding))
    if not readings:
        return None
    encoding = max(readings)[1]
    runners_up = tuple(other for _, other in sorted(readings)[-2::-1])
    evidence = f"{WIDTHS[encoding]}-byte units that read as text"
    if has_nuls:
        return EncodingDecision(encoding, 0.97, (f"NUL bytes, {evidence}",), runners_up)
    return _wide_unless_legacy(survey, encoding, evidence, runners_up)


def _wide_unless_legacy(
    survey: ByteSurvey, encoding: str, evidence: str, runners_up: tuple[str, ...]
) -> EncodingDecision | None:
    """UTF-16 if it is likelier than any reading of the same bytes that extends ASCII."""
    start = survey.head[: min(len(survey.head), COMPARED_WIDE_BYTES // 2) // 2 * 2]
    text = start.decode(encoding, "replace")
    wide = log_likelihood(text, encoding, alone(text))
    ranking = [] if survey.share(CONTROLS) > HIGHEST_CONTROL_SHARE else ranked(start, survey.counts)
    if not ranking:
        return EncodingDecision(encoding, 0.9, (evidence,), runners_up)
    if ranking[0].score >= wide:
        return None
    rivals = (*runners_up, ranking[0].encoding)
    return EncodingDecision(encoding, confidence_of(wide - ranking[0].score), (evidence,), rivals)


def _may_be_wide_without_nuls(survey: ByteSurvey) -> bool:
    """Whether an even number of bytes that are neither ASCII nor UTF-8 may be UTF-16 all the same."""
    return (
        survey.n_bytes % 2 == 0
        and survey.n_bytes >= 2 * LEAST_WIDE_UNITS
        and (survey.n_broken > 0 or survey.share(CONTROLS) > HIGHEST_CONTROL_SHARE)
        and (survey.share(CONTROLS) > 0 or survey.share(b" ") < LARGEST_SPACE_SHARE)
    )


def _is_of_one_script(text: str) -> bool:
    """Whether hardly anything but letters outside Latin-1 is there, most of them near one another."""
    units = np.frombuffer(text.encode("utf-16-le"), np.uint16)
    blocks = units >> 8
    is_ideograph = (blocks >= 0x4E) & (blocks < 0xA0) | (blocks >= 0x30) & (blocks < 0x32) | (blocks == 0xFF)
    is_hangul = (blocks >= 0xAC) & (blocks < 0xD8)
    of_alphabet = np.bincount(blocks[(blocks > 0x02) & (blocks < 0x11)] // 2, minlength=1).max()
    largest = max(is_ideograph.sum(), is_hangul.sum(), of_alphabet)
    return bool(largest >= LETTERS_OF_ONE_SCRIPT * len(units))


def _is_mostly_letters(text: str) -> bool:
    return 2 * sum(1 for character in text if character.isalnum() or character.isspace()) > len(text)


def _is_swapped(text: str) -> bool:
    """Whether a quarter of the code points end in a zero byte, as those of byte-swapped ASCII do."""
    return 4 * sum(1 for character in text if not ord(character) & 0xFF) > len(text)


def by_ebcdic(survey: ByteSurvey) -> EncodingDecision | None:
    """EBCDIC: its space (0x40) is frequent and ASCII's (0x20) is missing; its letters lie above 0x80."""
    if (
        survey.share(b"\x40") < 0.05
        or survey.share(b" ") > 0.01
        or survey.share(bytes(range(0x81, 0xEA))) < 0.4
    ):
        return None
    readings = []
    for encoding in sorted(EBCDIC):
        text = survey.head[:COMPARED_WIDE_BYTES].decode(encoding, "replace")
        score = log_likelihood(text, encoding, alone(text), counts_ascii=True)
        readings.append((score + SIGN_IN_WORD * len(_SIGN_IN_WORD.findall(text)), encoding, text))
    readings.sort(key=lambda reading: -reading[0])
    _, encoding, best = readings[0]
    runners_up = tuple(other for _, other, text in readings if text != best)[:3]
    return EncodingDecision(encoding, 0.9, ("EBCDIC spaces",), runners_up)


def by_escapes(survey: ByteSurvey) -> EncodingDecision | None:
    """Seven-bit encodings with shift states, by a designation in the first 64 KiB that then reads
    strictly; and UTF-7, whose runs must all read as letters or signs of writing."""
    if survey.counts[0x80:].any():
        return None
    for escape, encoding in _ESCAPES:
        if escape not in survey.head:
            continue
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(survey.head)
        except UnicodeDecodeError:
            continue
        if not text.isascii() and not is_strange(text):
            return EncodingDecision(encoding, 0.98, (f"escape sequence {escape!r}",))
    return _by_utf7(survey)


def _by_utf7(survey: ByteSurvey) -> EncodingDecision | None:
    runs = _UTF7_RUN.findall(survey.head)
    plain = _UTF7_RUN.sub(b"", survey.head).replace(b"+-", b"")
    if len(runs) < LEAST_UTF7_RUNS or b"+" in plain:
        return None
    try:
        text = codecs.getincrementaldecoder("utf-7")().decode(survey.head)
        letters = "".join(run.decode("utf-7") for run in runs)
    except UnicodeDecodeError:
        return None
    foreign = [letter for letter in letters if not letter.isascii()]
    if len(foreign) < len(runs) or is_strange(text):
        return None
    blocks = {ord(letter) >> 8 for letter in foreign}
    if len(blocks) > 3 and not _is_of_one_script("".join(foreign)):
        return None
    return EncodingDecision("utf-7", 0.9, (f"{len(runs)} runs of UTF-7 that read as text",), ("ascii",))
