"""Which encoding a stream is in, with the evidence for it.

What lives here: the chain of conditions, from proof (byte order marks, well-formed UTF-8) to comparison of
what the candidates make of the bytes. What does not: decoding and repair (`repair.py`), or counts and scores
(`survey.py`, `plausibility.py`).
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from warehouse.cleanser.code_units import EBCDIC, FAMILIES, STATEFUL, WIDTHS, codec_name
from warehouse.cleanser.plausibility import is_strange, n_odd_patterns, plausibility
from warehouse.cleanser.streams import Stream
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

USUAL = "cp1252"
ENCODINGS = (
    "cp1251", "cp1250", "iso8859-2", "koi8-r", "iso8859-15", "cp1253", "iso8859-7", "cp1254",
    "iso8859-9", "cp1255", "iso8859-8", "cp1256", "iso8859-6", "cp1257", "iso8859-13", "iso8859-4",
    "iso8859-10", "iso8859-3", "iso8859-14", "iso8859-16", "iso8859-5", "koi8-u", "cp866", "cp855",
    "mac-cyrillic", "cp852", "mac-latin2", "cp437", "cp850", "mac-roman", "cp874", "cp1258", "cp932",
    "euc_jp", "cp949", "johab", "gb18030", "cp950", "big5hkscs",
)  # fmt: skip
"""Candidates beside the usual one and those that charset-normalizer names."""

COMMON = frozenset({"cp1251", "cp1250", "iso8859-2", "koi8-r", "iso8859-15"})
COMMON_COST = 20.0
RARE_COST = 30.0
EXOTIC_COST = 60.0
"""Nats by which a candidate must beat Windows-1252, the most frequent of the legacy encodings: a prior.
Exotic is what only charset-normalizer proposes."""

BROKEN_BYTE_COST = 24.0
"""Nats that a byte without meaning in an encoding speaks against it: three odd patterns."""

DECLARED_BONUS = 16.0
DETECTED_BONUS = 8.0
"""Nats for the encoding that the text itself declares (often a lie) and for charset-normalizer's choice."""

CONFIDENCE_SCALE = 20.0
"""Nats of margin over the best different reading that make 73 % confidence (logistic curve)."""

BYTES_PER_BEARABLE_ODD_PATTERN = 20
"""A reading with more odd patterns is not weighed, unless all readings are nearly as odd."""

CONFIDENT = 0.8
COMPARED_BYTES = 1 << 13

_DECLARATION = re.compile(
    rb"""(?:<\?xml[^>]{0,100}?encoding\s*=\s*|<meta[^>]{0,200}?charset\s*=\s*|coding[:=]\s*|charset=|"""
    rb"""character set encoding:\s*)["']?([a-z0-9_.:-]{2,30})""",
    re.IGNORECASE,
)
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
            ``unusual_text``, ``declaration_contradicted``, ``control_characters``, ``binary``, ``empty``.
        byte_order_mark_bytes: length of the byte order mark at the start, 0 where there is none.
    """

    encoding: str | None
    confidence: float
    evidence: tuple[str, ...]
    runners_up: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    byte_order_mark_bytes: int = 0

    def evidence_json(self) -> str:
        """Evidence, runners-up and flags, as the Training Database stores them."""
        return json.dumps(
            {"evidence": self.evidence, "runners_up": self.runners_up, "flags": self.flags},
            ensure_ascii=False,
        )


def decide_encoding(stream: Stream) -> EncodingDecision:
    """Decide a stream's encoding by reading all of it once, with bounded memory.

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
            return decision
    return _narrowed(stream, _by_comparison(survey))


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
    """UTF-32 and UTF-16 without a mark: NUL bytes, and a reading of the first 16 KiB that holds nothing
    strange."""
    if not survey.counts[0]:
        return None
    readings: list[tuple[float, str]] = []
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        start = survey.head[:COMPARED_BYTES]
        try:
            text = start[: len(start) // WIDTHS[encoding] * WIDTHS[encoding]].decode(encoding)
        except UnicodeDecodeError:
            continue
        if text and not is_strange(text) and _is_mostly_letters(text) and not _is_swapped(text):
            readings.append((plausibility(text) + 1000 * (WIDTHS[encoding] == 4), encoding))
    if not readings:
        return None
    encoding = max(readings)[1]
    evidence = (f"NUL bytes, {WIDTHS[encoding]}-byte units that read as text",)
    return EncodingDecision(encoding, 0.97, evidence, tuple(other for _, other in sorted(readings)[-2::-1]))


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
    ranking = ranked(survey.head[:COMPARED_BYTES], EBCDIC, {})
    best = ranking[0]
    return EncodingDecision(best.encoding, 0.9, ("EBCDIC spaces",), _other_readings(ranking))


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
    strictly."""
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
    return None


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


@dataclass(frozen=True)
class Reading:
    """The same bytes read in one of the candidate encodings.

    Attributes:
        encoding: the candidate.
        text: what it makes of the sample.
        score: plausibility less costs, in nats.
        n_broken: bytes of the sample that it does not define.
    """

    encoding: str
    text: str
    score: float
    n_broken: int


def ranked(sample: bytes, encodings: Iterable[str], bonuses: dict[str, float]) -> list[Reading]:
    """Readings of a sample, most plausible first; encodings that break on more than one byte in 50 are left
    out."""
    texts: dict[str, list[str]] = {}
    for encoding in encodings:
        text = sample.decode(encoding, "replace")
        if text.count("\ufffd") * 50 <= len(sample):
            texts.setdefault(text, []).append(encoding)
    n_odd = {text: n_odd_patterns(text) for text in texts}
    bearable = 4 * min(n_odd.values(), default=0) + len(sample) // BYTES_PER_BEARABLE_ODD_PATTERN
    readings: list[Reading] = []
    for text, names in texts.items():
        if n_odd[text] > bearable:
            continue
        n_broken = text.count("\ufffd")
        score = plausibility(text) - BROKEN_BYTE_COST * n_broken
        readings += [
            Reading(name, text, score - _prior_cost(name) + bonuses.get(name, 0.0), n_broken)
            for name in names
        ]
    return sorted(readings, key=lambda reading: -reading.score)


def _prior_cost(encoding: str) -> float:
    if encoding in {USUAL, "utf-8"}:
        return 0.0
    if encoding in COMMON:
        return COMMON_COST
    return RARE_COST if encoding in ENCODINGS else EXOTIC_COST


def _by_comparison(survey: ByteSurvey) -> EncodingDecision:
    sample = survey.sample[:COMPARED_BYTES]
    declared, detected = declared_encoding(survey.head), detected_encodings(survey.sample)
    bonuses = dict.fromkeys(detected[:1], DETECTED_BONUS)
    if declared:
        bonuses[declared] = bonuses.get(declared, 0.0) + DECLARED_BONUS
    mixed = ("utf-8",) if survey.n_multibyte else ()
    candidates = dict.fromkeys((USUAL, *ENCODINGS, *mixed, *detected, *((declared,) if declared else ())))
    ranking = ranked(sample, (encoding for encoding in candidates if encoding not in STATEFUL), bonuses)
    if not ranking or 2 * n_odd_patterns(ranking[0].text) > len(ranking[0].text):
        return EncodingDecision(None, 0.9, ("no encoding reads the bytes as text",), flags=("binary",))
    best = ranking[0]
    others = [reading for reading in ranking if reading.text != best.text]
    margin = best.score - others[0].score if others else 10 * CONFIDENCE_SCALE
    confidence = 1.0 / (1.0 + math.exp(-max(0.0, margin) / CONFIDENCE_SCALE))
    return EncodingDecision(
        best.encoding,
        confidence,
        tuple(_evidence(best, margin, declared, detected)),
        tuple(reading.encoding for reading in others[:3]),
        tuple(_comparison_flags(best, confidence, declared, survey)),
    )


def _evidence(best: Reading, margin: float, declared: str | None, detected: list[str]) -> Iterator[str]:
    yield f"most plausible reading, by {margin:.0f} nats"
    if declared:
        yield f"declares {declared}"
    if detected:
        yield f"charset-normalizer says {detected[0]}"
    if best.n_broken:
        yield f"{best.n_broken} bytes of the sample without meaning"


def _comparison_flags(
    best: Reading, confidence: float, declared: str | None, survey: ByteSurvey
) -> Iterator[str]:
    if best.n_broken:
        yield "broken_bytes"
    if confidence < CONFIDENT:
        yield "ambiguous"
    if best.score < 0:
        yield "unusual_text"
    if declared and declared != best.encoding:
        yield "declaration_contradicted"
    yield from _control_flags(survey)


def declared_encoding(head: bytes) -> str | None:
    """The codec that a text names as its own in an XML, HTML, Python or Project Gutenberg declaration."""
    found = _DECLARATION.search(head[:4096])
    try:
        name = codec_name(found[1].decode()) if found else None
    except LookupError:
        return None
    return USUAL if name in {"iso8859-1", "ascii"} else name


def detected_encodings(sample: bytes) -> list[str]:
    """The codecs that charset-normalizer deems possible for a bounded sample, its choice first."""
    from charset_normalizer import from_bytes

    names = [name for match in from_bytes(sample[:COMPARED_BYTES]) for name in match.could_be_from_charset]
    known = dict.fromkeys(codec_name(name) for name in names)
    return [
        name for name in known if name not in {"ascii", "utf-7", "utf-8-sig", "utf-16", "utf-32"} | EBCDIC
    ]


def _narrowed(stream: Stream, decision: EncodingDecision) -> EncodingDecision:
    """The narrowest encoding of the family that decodes the whole stream strictly: the standard before its
    extensions."""
    for family in FAMILIES:
        if decision.encoding in family:
            narrowest = next((member for member in family if _decodes(stream, member)), decision.encoding)
            return EncodingDecision(**{**decision.__dict__, "encoding": narrowest})
    return decision


def _decodes(stream: Stream, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in stream.blocks():
            decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _other_readings(ranking: list[Reading]) -> tuple[str, ...]:
    return tuple(reading.encoding for reading in ranking if reading.text != ranking[0].text)[:3]
