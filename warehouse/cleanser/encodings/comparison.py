"""The readings of some bytes in every encoding that they may be in, compared.

What lives here: which encodings are proposed (all common ones, what the text declares, what two detectors say)
and the ranking of the texts that they yield. What does not: the score of one text (`plausibility.py`), and what
follows from the ranking (`decoding.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.code_units import EBCDIC, FAMILIES, STATEFUL, WIDTHS, codec_name
from warehouse.cleanser.encodings.candidates import COMMONNESS, EAST_ASIAN, commonness
from warehouse.cleanser.encodings.plausibility import BROKEN_BYTE, Surroundings, evidence, surroundings

BROKEN_BYTES_TOLD_APART = 20
"""More broken bytes than this weigh no more."""

HIGHEST_BROKEN_SHARE = 0.02
"""An encoding that does not define more of a sample than this is no candidate."""

DECLARED_BONUS = 6.0
DETECTED_BONUS = 2.0
"""Nats for the encoding that the text itself declares (often a lie) and for the first choice of each of
charset-normalizer and chardet."""

COMPARED_BYTES = 1 << 12
SCREENINGS = ((256, 50.0, 16), (1024, 100.0, 8))
"""All candidates read a part of the sample, the best of them a larger part, the best of those all of it. For each
screening: bytes read; nats by which a candidate may be behind the best to go on; how many texts go on at most."""

DECLARED_IN_BYTES = 4096

_DECLARATION = re.compile(
    rb"""(?:<\?xml[^>]{0,100}?encoding\s*=\s*|<meta[^>]{0,200}?charset\s*=\s*|coding[:=]\s*|charset=|"""
    rb"""character set encoding:\s*)["']?([a-z0-9_.:-]{2,30})""",
    re.IGNORECASE,
)
_NOT_COMPARED = STATEFUL | EBCDIC | frozenset(WIDTHS) | {"ascii", "utf-7", "utf-8-sig", "utf-16", "utf-32"}


@dataclass(frozen=True)
class Reading:
    """The same bytes read in one of the candidate encodings.

    Attributes:
        encoding: the candidate.
        text: what it makes of the sample.
        score: log-likelihood with bonuses, in nats.
        n_broken: bytes that it does not define; those of the whole stream where that can be known.
    """

    encoding: str
    text: str
    score: float
    n_broken: int


def declared_encoding(head: bytes) -> str | None:
    """The codec that a text names as its own in an XML, HTML, Python, e-mail or Project Gutenberg declaration."""
    found = _DECLARATION.search(head[:DECLARED_IN_BYTES])
    try:
        name = codec_name(found[1].decode()) if found else None
    except LookupError:
        return None
    return "cp1252" if name in {"iso8859-1", "ascii"} else name


def detected_encodings(sample: bytes) -> tuple[str, ...]:
    """The first choices of charset-normalizer and of chardet for a bounded sample, by Python's names."""
    import chardet
    from charset_normalizer import from_bytes

    start = compared_part(sample)
    best = from_bytes(start).best()
    found = []
    for name in (best.encoding if best else None, chardet.detect(start)["encoding"]):
        if name is None:
            continue
        try:
            found.append(codec_name(name))
        except LookupError:
            continue
    return tuple(found)


def is_comparable(encoding: str) -> bool:
    """Whether an encoding extends ASCII, so that its readings compare with the others'."""
    return encoding not in _NOT_COMPARED


@cache
def undefined_bytes(encoding: str) -> NDArray[np.int64]:
    """Bytes above 0x7F that a single-byte encoding does not define; none for other encodings."""
    if encoding in EAST_ASIAN or encoding == "utf-8":
        return np.zeros(0, np.int64)
    text = bytes(range(0x80, 0x100)).decode(encoding, "replace")
    if len(text) != 0x80:
        return np.zeros(0, np.int64)
    return np.array([0x80 + place for place, character in enumerate(text) if character == "\ufffd"], np.int64)


def ranked(
    sample: bytes,
    counts: NDArray[np.int64],
    encodings: Iterable[str] = (),
    bonuses: dict[str, float] | None = None,
) -> list[Reading]:
    """Readings of a sample, most plausible first.

    Args:
        sample: whole lines; some 4 KiB of them are read.
        counts: how often each byte value occurs in the stream that it is from; shape (256,).
        encodings: candidates beside the common ones.
        bonuses: nats by encoding.

    Returns:
        A reading for each candidate that got as far as the whole sample; several may have the same text.
    """
    compared = compared_part(sample)
    around = surroundings(compared, counts)
    names = [name for name in dict.fromkeys((*COMMONNESS, *encodings)) if is_comparable(name)]
    bonuses = bonuses or {}
    for n_bytes, margin, n_texts in SCREENINGS:
        if len(compared) <= n_bytes:
            break
        readings = _scored(spread(compared, n_bytes), names, counts, around, bonuses)
        texts = list(dict.fromkeys(reading.text for reading in readings))[:n_texts]
        names = [
            reading.encoding
            for reading in readings
            if reading.encoding in bonuses
            or reading.text in texts[:2]
            or (reading.score >= readings[0].score - margin and reading.text in texts)
        ]
    return _scored(compared, names, counts, around, bonuses)


def compared_part(sample: bytes) -> bytes:
    """The lines of a sample that its readings are scored by."""
    return spread(sample, COMPARED_BYTES)


def spread(sample: bytes, n_bytes: int) -> bytes:
    """At most `n_bytes` bytes in lines from all over a sample, from its start where it is short or one line."""
    if len(sample) <= n_bytes:
        return sample
    lines = sample.splitlines(keepends=True)
    step = max(1, len(sample) // n_bytes)
    kept = b"".join(lines[::step])
    return kept[:n_bytes] if 2 * len(kept) > n_bytes else sample[:n_bytes]


def _scored(
    sample: bytes,
    encodings: Sequence[str],
    counts: NDArray[np.int64],
    around: Surroundings,
    bonuses: dict[str, float],
) -> list[Reading]:
    texts: dict[str, list[str]] = {}
    for encoding in encodings:
        text = sample.decode(encoding, "replace")
        # The sample may end inside a character.
        text = text[:-1] if text.endswith("\ufffd") and not len(undefined_bytes(encoding)) else text
        if text.count("\ufffd") <= HIGHEST_BROKEN_SHARE * len(sample) + 1:
            texts.setdefault(text, []).append(encoding)
    readings = []
    found = evidence(list(texts), around)
    for (text, names), text_evidence in zip(texts.items(), found, strict=True):
        for name in sorted(names, key=commonness, reverse=True):
            n_broken = max(text.count("\ufffd"), int(counts[undefined_bytes(name)].sum()))
            more = min(BROKEN_BYTES_TOLD_APART, n_broken) - min(BROKEN_BYTES_TOLD_APART, text.count("\ufffd"))
            score = text_evidence.log_likelihood(name) + BROKEN_BYTE * more + bonuses.get(name, 0.0)
            readings.append(Reading(name, text, score, n_broken))
    return sorted(readings, key=lambda reading: -reading.score)


def others(ranking: Sequence[Reading]) -> list[Reading]:
    """The readings that yield another text than the best one, each text once; not those in a narrower or wider
    encoding of the best one's family."""
    found: dict[str, Reading] = {}
    family = next((family for family in FAMILIES if ranking[0].encoding in family), ())
    for reading in ranking:
        if reading.text != ranking[0].text and reading.encoding not in family:
            found.setdefault(reading.text, reading)
    return list(found.values())
