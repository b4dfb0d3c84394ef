"""Which encoding a stream is in, with the evidence for it.

What lives here: the chain of conditions, from proof (byte order marks, well-formed UTF-8) to comparison of
what the candidates make of the bytes. What does not: the comparison (`comparison.py`), encodings that do not
extend ASCII (`beyond_ascii.py`), streams whose encoding changes midway (`regions.py`), counting (`survey.py`).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import replace

from warehouse.cleanser.code_units import EXTENSIONS, FAMILIES
from warehouse.cleanser.encoding_decision import CONFIDENCE_SCALE, EncodingDecision, confidence_of
from warehouse.cleanser.encodings.beyond_ascii import by_ebcdic, by_escapes, by_wide_units
from warehouse.cleanser.encodings.comparison import (
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
from warehouse.cleanser.encodings.plausibility import is_gibberish, n_witnesses
from warehouse.cleanser.encodings.regions import find_regions
from warehouse.cleanser.encodings.survey import CONTROLS, HIGHEST_CONTROL_SHARE, ByteSurvey, survey_bytes
from warehouse.cleanser.streams import Stream, stream_of_bytes

__all__ = ["EncodingDecision", "decide_bytes", "decide_encoding"]

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

CONFIDENT = 0.8
DOUBTFUL = 0.95
"""Below this confidence the detectors are asked, too."""

UNUSUAL_NATS = -5.5
UNUSUAL_CONFIDENCE = 0.75
"""A reading whose witnesses are likely by less than this on average is no usual text (right readings of 2 KiB are
it in 2 % of cases), and however far ahead of others, it may be in an encoding for which there is no codec."""


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
    for rule in (_by_byte_order_mark, by_wide_units, by_ebcdic, _as_binary, by_escapes, _by_utf8):
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


def _as_binary(survey: ByteSurvey) -> EncodingDecision | None:
    controls = survey.share(CONTROLS)
    if controls > HIGHEST_CONTROL_SHARE:
        return EncodingDecision(None, 1.0, (f"{controls:.1%} control bytes",), flags=("binary",))
    no_text = survey.counts[0] or survey.n_broken
    for signature in BINARY_SIGNATURES:
        if survey.head.startswith(signature) and no_text:
            return EncodingDecision(None, 1.0, (f"signature {signature!r}",), flags=("binary",))
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


def _by_comparison(survey: ByteSurvey) -> EncodingDecision:
    declared = declared_encoding(survey.head)
    bonuses = {declared: DECLARED_BONUS} if declared else {}
    mixed = ("utf-8",) if survey.n_multibyte else ()
    ranking = ranked(survey.sample, survey.counts, (*mixed, *bonuses), bonuses)
    detected: tuple[str, ...] = ()
    if not ranking or confidence_of(_margin(ranking)) < DOUBTFUL:
        detected = detected_encodings(survey.sample)
        for name in detected:
            bonuses[name] = bonuses.get(name, 0.0) + DETECTED_BONUS
        ranking = ranked(survey.sample, survey.counts, (*mixed, *bonuses), bonuses)
    if not ranking or is_gibberish(ranking[0].text):
        return EncodingDecision(None, 0.9, ("no encoding reads the bytes as text",), flags=("binary",))
    best, margin = ranking[0], _margin(ranking)
    confidence = confidence_of(margin)
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
