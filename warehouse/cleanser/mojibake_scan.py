"""A quick look for lines that were perhaps decoded wrongly: what ftfy could mend has traits that a scan can find.

What lives here: necessary conditions, and their vectorised test. What does not: the verdict (`mojibake.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint16]

_SPACE, _QUESTION_MARK, _SUBSTITUTE, _REPLACEMENT = 0x20, 0x3F, 0x1A, 0xFFFD
_LOST = (_SPACE, _QUESTION_MARK, _SUBSTITUTE, _REPLACEMENT)
"""What may stand where a continuation byte was: a space for 0xA0, the others for any."""

_EVERY_ENCODING = 0x3FFF
_CONTROL = 1 << 15
_QUOTE = 1 << 14

_WHOLE_LINES_ONLY = ("macroman", "cp437")
"""Encodings that ftfy undoes for a line as a whole or not at all (``UTF8_CLUES`` in its ``chardata.py`` lacks them)."""


@dataclass(frozen=True)
class _Roles:
    """For each UTF-16 unit, in which of ftfy's encodings (a bit each) it is which byte of a UTF-8 sequence.

    A plain space may stand for 0xA0 only where the sequence is then a likely character: the tables before spaces
    are those of ``ALTERED_UTF8_RE`` in ftfy's ``chardata.py``.
    """

    lead: Bits
    lead_of_two: Bits
    lead_of_three: Bits
    lead_of_four: Bits
    two_before_space: Bits
    three_before_space: Bits
    three_before_another_and_space: Bits
    four_before_space: Bits
    continuation: Bits
    whole_lines_only: int


@lru_cache(maxsize=1)
def _roles() -> _Roles:
    from ftfy.chardata import CHARMAP_ENCODINGS

    def table(members: bytes) -> Bits:
        bits = np.zeros(1 << 16, np.uint16)
        for number, encoding in enumerate(CHARMAP_ENCODINGS):
            for character in members.decode(encoding, "ignore"):
                bits[ord(character)] |= 1 << number
        return bits

    lead = table(bytes(range(0xC0, 0xF5)))
    continuation = table(bytes(range(0x80, 0xC0)))
    continuation[list(_LOST)] = _EVERY_ENCODING
    lead[0x80:0xA0] |= _CONTROL
    continuation |= _CONTROL
    lead[ord("â")] |= _QUOTE
    continuation[ord("€")] |= _QUOTE
    whole_lines_only = (
        1 << number for number, name in enumerate(CHARMAP_ENCODINGS) if name in _WHOLE_LINES_ONLY
    )
    return _Roles(
        lead=lead,
        lead_of_two=table(bytes(range(0xC0, 0xE0))),
        lead_of_three=table(bytes(range(0xE0, 0xF0))),
        lead_of_four=table(bytes(range(0xF0, 0xF5))),
        two_before_space=table(b"\xc2\xc3\xc5\xce\xd0\xd9"),
        three_before_space=table(b"\xe2\xe3"),
        three_before_another_and_space=table(b"\xe0\xe1\xe2\xe3"),
        four_before_space=table(b"\xf0"),
        continuation=continuation,
        whole_lines_only=sum(whole_lines_only),
    )


def suspect_lines(text: str) -> list[int]:
    """Numbers of the lines that ftfy could change, from 0.

    Whatever ftfy mends holds a control character of Latin-1, or characters that in one of its encodings are the
    bytes of a UTF-8 sequence, some of them perhaps lost; and ``â€`` is left of a quotation mark. A scan for these
    is many times faster than its measure of badness, and leaves few lines of sound text to that.
    """
    if text.isascii():
        return []
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass") + bytes(6), "<u2")
    roles = _roles()
    positions = np.flatnonzero(units > 0x7F)
    # Whatever follows, a first and a second byte come first.
    positions = positions[(roles.lead[units[positions]] & roles.continuation[units[positions + 1]]) != 0]
    if not len(positions):
        return []
    found = _sequences(units, positions, roles)
    if not found.any():
        return []
    numbers = np.searchsorted(np.flatnonzero(units == 0x0A), positions)
    certain = set(numbers[(found & ~np.uint16(roles.whole_lines_only)) != 0].tolist())
    doubtful = set(numbers[found != 0].tolist()) - certain
    if doubtful:
        lines = text.split("\n")
        certain |= {number for number in doubtful if _may_be_whole(lines[number])}
    return sorted(certain)


def _sequences(units: NDArray[np.uint16], positions: NDArray[np.intp], roles: _Roles) -> Bits:
    """In which encodings a sequence of UTF-8 begins at each position; or what else is suspect there."""
    first, second, third, fourth = (units[positions + step] for step in range(4))
    after, later, last = (roles.continuation[unit] for unit in (second, third, fourth))
    is_blank = (second == _SPACE, third == _SPACE, fourth == _SPACE)
    two = roles.lead_of_two[first] & after
    two &= np.where(is_blank[0] | (second == _QUESTION_MARK), roles.two_before_space[first], 0xFFFF)
    # At least one byte is not lost.
    kept = np.where((second | third) > 0x7F, np.uint16(0xFFFF), np.uint16(0))
    three = roles.lead_of_three[first] & after & later & kept
    three &= np.where(is_blank[0], roles.three_before_space[first], 0xFFFF)
    three &= np.where(is_blank[1], roles.three_before_another_and_space[first], 0xFFFF)
    four = roles.lead_of_four[first] & after & later & last & kept
    four &= np.where(is_blank[0] | is_blank[1] | is_blank[2], roles.four_before_space[first], 0xFFFF)
    others = roles.lead[first] & after & (_CONTROL | _QUOTE)
    found: Bits = two | three | four | others
    return found


def _may_be_whole(line: str) -> bool:
    for encoding in _WHOLE_LINES_ONLY:
        try:
            encoded = line.encode(encoding)
        except UnicodeEncodeError:
            continue
        # Bytes for which ftfy has more ways than UTF-8.
        if encoding == "cp437" or b"\xed" in encoded or b"\xc0" in encoded:
            return True
        try:
            encoded.decode()
        except UnicodeDecodeError:
            continue
        return True
    return False
