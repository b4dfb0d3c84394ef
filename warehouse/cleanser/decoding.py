"""Which encoding a stream is in, with the evidence for it.

What lives here: the chain of conditions, from proof (byte order marks, well-formed UTF-8) to comparison of
what the candidates make of the bytes. What does not: the comparison (`comparison.py`), streams whose encoding
changes midway (`regions.py`), decoding and repair (`repair.py`), counting (`survey.py`).
"""

from __future__ import annotations

import codecs
import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from warehouse.cleanser.code_units import EBCDIC, EXTENSIONS, FAMILIES, WIDTHS
from warehouse.cleanser.comparison import (
    DECLARED_BONUS,
    DETECTED_BONUS,
    Reading,
    compared_part,
    declared_encoding,
    detected_encodings,
    is_comparable,
    others,
    ranked,
)
from warehouse.cleanser.plausibility import (
    alone,
    is_gibberish,
    is_strange,
    log_likelihood,
    n_witnesses,
)
from warehouse.cleanser.regions import EncodingRegion, find_regions
from warehouse.cleanser.streams import Stream, stream_of_bytes
from warehouse.cleanser.survey import ByteSurvey, survey_bytes

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Longer marks first: that of UTF-32 begins with that of UTF-16."""

BINARY_SIGNATURES = (
    b"\x7fELF", b"\x89PNG", b"PK\x03\x04", b"\x1f\x8b", b"%PDF-", b"\xff\xd8\xff", b"GIF8", b"BZh",
    b"\xfd7z", b"7z\xbc\xaf", b"RIFF", b"OggS", b"ID3", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe",
    b"\x28\xb5\x2f\xfd", b"MZ", b"fLaC", b"SQLite format 3\x00", b"\x00asm", b"PAR1", b"II*\x00",
    b"MM\x00*", b"wOFF", b"\xd0\xcf\x11\xe0",
)  # fmt: skip
"""First bytes of common formats (file(1), magic numbers); proof only beside bytes that no text has."""

CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\x0b\x0c\r\x0e\x0f\x1a\x1b")) + b"\x7f"
"""Control bytes that text does without: not white space, shifts, escape and the end mark of DOS."""

HIGHEST_CONTROL_SHARE = 0.01
"""Random bytes have a tenth of these; text with a stray one is text."""

CONFIDENCE_SCALE = 4.0
"""Nats of margin over the best different reading that make 73 % confidence (logistic curve): fitted to
`benchmarks/decoding_generated.py`, because characters of a text are no independent witnesses."""

CONFIDENT = 0.8
DOUBTFUL = 0.95
"""Below this confidence the detectors are asked, too."""

UNUSUAL_NATS = -5.5
UNUSUAL_CONFIDENCE = 0.75
"""A reading whose witnesses are likely by less than this on average is no usual text (right readings of 2 KiB are
it in 2 % of cases), and however far ahead of others, it may be in an encoding for which there is no codec."""

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


@dataclass(frozen=True)
class EncodingDecision:
    """What a stream's encoding is taken to be, and why.

    Attributes:
        encoding: Python's name of the codec, with explicit byte order; None where the bytes are no text.
        confidence: 0 to 1.
        evidence: short phrases, strongest first.
        runners_up: codecs that read the bytes as another text, most plausible first.
        flags: what a person may want to look at: ``broken_bytes``, ``cut_off_character``, ``ambiguous``,
            ``unusual_text``, ``declaration_contradicted``, ``control_characters``, ``mixed_encodings``,
            ``binary``, ``empty``.
        byte_order_mark_bytes: length of the byte order mark at the start, 0 where there is none.
        regions: parts in different encodings, empty unless the encoding changes midway; they tile the stream
            after its byte order mark and begin at line starts.
    """

    encoding: str | None
    confidence: float
    evidence: tuple[str, ...]
    runners_up: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    byte_order_mark_bytes: int = 0
    regions: tuple[EncodingRegion, ...] = ()

    def evidence_json(self) -> str:
        """Evidence, runners-up, flags and, if there are any, regions, as the Training Database stores them."""
        told: dict[str, object] = {
            "evidence": self.evidence,
            "runners_up": self.runners_up,
            "flags": self.flags,
        }
        if self.regions:
            told["n_regions"] = len(self.regions)
        return json.dumps(told, ensure_ascii=False)

    def region_at(self, byte: int) -> EncodingRegion | None:
        """The region that a byte of the stream lies in; None if there are no regions, or it lies in none."""
        place = bisect_right(self.regions, byte, key=lambda region: region.byte_start) - 1
        if place < 0 or byte >= self.regions[place].byte_end:
            return None
        return self.regions[place]

    def encoding_at(self, byte: int) -> str | None:
        """The encoding that a byte of the stream is in."""
        region = self.region_at(byte)
        return self.encoding if region is None else region.encoding


def decide_encoding(stream: Stream) -> EncodingDecision:
    """Decide a stream's encoding by reading all of it once or twice, with bounded memory.

    Returns:
        The decision; its encoding is None where the bytes are no text.

    Raises:
        InputUnreadable: if the stream cannot be read, or is not the one that was hashed.
    """
    survey = survey_bytes(stream)
    if not survey.n_bytes:
        return EncodingDecision("utf-8", 1.0, ("no bytes",), flags=("empty",))
    for rule in (_by_byte_order_mark, _by_wide_units, _by_ebcdic, _as_binary, _by_escapes, _by_utf8):
        decision = rule(survey)
        if decision is not None:
            return _with_regions(stream, survey, decision)
    return _with_regions(stream, survey, _narrowed(stream, survey, _by_comparison(survey)))


def decide_bytes(data: bytes) -> EncodingDecision:
    """Decide the encoding of bytes in memory."""
    return decide_encoding(stream_of_bytes(data, "bytes"))


def _with_regions(stream: Stream, survey: ByteSurvey, decision: EncodingDecision) -> EncodingDecision:
    if decision.encoding is None or not is_comparable(decision.encoding):
        return decision
    regions = find_regions(stream, survey, decision.encoding, decision.byte_order_mark_bytes)
    if not regions:
        return decision
    sizes: dict[str, int] = {}
    for region in regions:
        sizes[region.encoding] = sizes.get(region.encoding, 0) + region.byte_end - region.byte_start
    main = max(sizes, key=lambda encoding: sizes[encoding])
    flags = tuple(flag for flag in decision.flags if flag != "broken_bytes")
    return replace(
        decision,
        encoding=main,
        evidence=(f"{len(regions)} regions in {', '.join(sorted(sizes))}", *decision.evidence),
        flags=("mixed_encodings", *flags),
        regions=regions,
    )


def _by_byte_order_mark(survey: ByteSurvey) -> EncodingDecision | None:
    for mark, encoding in BYTE_ORDER_MARKS:
        if not survey.head.startswith(mark):
            continue
        text = survey.head[len(mark) :].decode(encoding, "replace")
        if text.count("\ufffd") * 20 <= len(text):
            flags = _utf8_flags(survey) if encoding == "utf-8" else ()
            return EncodingDecision(encoding, 1.0, ("byte order mark",), (), flags, len(mark))
    return None


def _by_wide_units(survey: ByteSurvey) -> EncodingDecision | None:
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
    return EncodingDecision(encoding, _confidence(wide - ranking[0].score), (evidence,), rivals)


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


def _by_ebcdic(survey: ByteSurvey) -> EncodingDecision | None:
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


def _as_binary(survey: ByteSurvey) -> EncodingDecision | None:
    controls = survey.share(CONTROLS)
    if controls > HIGHEST_CONTROL_SHARE:
        return EncodingDecision(None, 1.0, (f"{controls:.1%} control bytes",), flags=("binary",))
    no_text = survey.counts[0] or survey.n_broken
    for signature in BINARY_SIGNATURES:
        if survey.head.startswith(signature) and no_text:
            return EncodingDecision(None, 1.0, (f"signature {signature!r}",), flags=("binary",))
    return None


def _by_escapes(survey: ByteSurvey) -> EncodingDecision | None:
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


def _by_utf8(survey: ByteSurvey) -> EncodingDecision | None:
    if not survey.counts[0x80:].any():
        return EncodingDecision("ascii", 1.0, ("ASCII only",), flags=_control_flags(survey))
    if survey.n_multibyte < 4 * survey.n_broken or not survey.n_multibyte:
        return None
    evidence = f"{survey.n_multibyte} well-formed UTF-8 characters, {survey.n_broken} broken bytes"
    wrong = survey.n_broken / survey.n_multibyte
    return EncodingDecision("utf-8", 1.0 - wrong, (evidence,), flags=_utf8_flags(survey))


def _utf8_flags(survey: ByteSurvey) -> tuple[str, ...]:
    broken = ("broken_bytes",) if survey.n_broken else ()
    cut_off = ("cut_off_character",) if survey.n_cut_off else ()
    return broken + cut_off + _control_flags(survey)


def _control_flags(survey: ByteSurvey) -> tuple[str, ...]:
    return ("control_characters",) if survey.share(CONTROLS) else ()


def _by_comparison(survey: ByteSurvey) -> EncodingDecision:
    declared = declared_encoding(survey.head)
    bonuses = {declared: DECLARED_BONUS} if declared else {}
    mixed = ("utf-8",) if survey.n_multibyte else ()
    ranking = ranked(survey.sample, survey.counts, (*mixed, *bonuses), bonuses)
    detected: tuple[str, ...] = ()
    if not ranking or _confidence(_margin(ranking)) < DOUBTFUL:
        detected = detected_encodings(survey.sample)
        for name in detected:
            bonuses[name] = bonuses.get(name, 0.0) + DETECTED_BONUS
        ranking = ranked(survey.sample, survey.counts, (*mixed, *bonuses), bonuses)
    if not ranking or is_gibberish(ranking[0].text):
        return EncodingDecision(None, 0.9, ("no encoding reads the bytes as text",), flags=("binary",))
    best, margin = ranking[0], _margin(ranking)
    confidence = _confidence(margin)
    if _is_unusual(best, survey):
        confidence = min(confidence, UNUSUAL_CONFIDENCE)
    return EncodingDecision(
        best.encoding,
        confidence,
        tuple(_evidence(best, margin, declared, detected)),
        tuple(reading.encoding for reading in others(ranking)[:3]),
        tuple(_comparison_flags(best, confidence, declared, survey)),
    )


def _margin(ranking: list[Reading]) -> float:
    rivals = others(ranking)
    return ranking[0].score - rivals[0].score if rivals else 10 * CONFIDENCE_SCALE


def _confidence(margin: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(100.0, max(0.0, margin)) / CONFIDENCE_SCALE))


def _is_unusual(best: Reading, survey: ByteSurvey) -> bool:
    return best.score < UNUSUAL_NATS * n_witnesses(best.text, compared_part(survey.sample))


def _evidence(best: Reading, margin: float, declared: str | None, detected: tuple[str, ...]) -> Iterator[str]:
    yield f"most plausible reading, by {margin:.0f} nats"
    if declared:
        yield f"declares {declared}"
    if detected:
        yield f"detectors say {', '.join(dict.fromkeys(detected))}"
    if best.n_broken:
        yield f"{best.n_broken} bytes without meaning"


def _comparison_flags(
    best: Reading, confidence: float, declared: str | None, survey: ByteSurvey
) -> Iterator[str]:
    if best.n_broken:
        yield "broken_bytes"
    if confidence < CONFIDENT:
        yield "ambiguous"
    if _is_unusual(best, survey):
        yield "unusual_text"
    if declared and declared != best.encoding:
        yield "declaration_contradicted"
    yield from _control_flags(survey)


def _narrowed(stream: Stream, survey: ByteSurvey, decision: EncodingDecision) -> EncodingDecision:
    """The narrowest encoding of the family that decodes the whole stream strictly: the standard before its
    extensions."""
    encoding = decision.encoding
    if encoding in EXTENSIONS and survey.counts[0x80:0xA0].any():
        return replace(decision, encoding=EXTENSIONS[encoding])
    for family in FAMILIES:
        if encoding in family:
            narrowest = next((member for member in family if _decodes(stream, member)), None)
            flags = tuple(flag for flag in decision.flags if flag != "broken_bytes")
            if narrowest is None:
                return replace(decision, encoding=family[-1], flags=("broken_bytes", *flags))
            return replace(decision, encoding=narrowest, flags=flags)
    return decision


def _decodes(stream: Stream, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in stream.blocks():
            decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True
