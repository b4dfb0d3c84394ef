"""Text that was once decoded wrongly, and how it is mended: by ftfy, line by line, only where it is called for.

What lives here: which lines are worth a look, and ftfy's plan for each. What does not: the other steps of the
repair (`repair.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FixSteps = tuple[tuple[str, str], ...]
"""Steps of ftfy's plan: an action and its parameter."""

Bits = NDArray[np.uint16]

_SPACE, _QUESTION_MARK, _SUBSTITUTE, _REPLACEMENT = 0x20, 0x3F, 0x1A, 0xFFFD
_LEADS_BEFORE_SPACE = b"\xc2\xc3\xc5\xce\xd0\xd9"
"""Lead bytes whose sequence with 0xA0 is a likely character: ftfy takes a plain space for it there
(``ALTERED_UTF8_RE`` in its ``chardata.py``)."""


@dataclass(frozen=True)
class LineFix:
    """What mends one line.

    Attributes:
        line: its number in the text, from 0.
        steps: ftfy's plan.
        text: the mended line.
        n_changed: characters of the line that are no longer there.
    """

    line: int
    steps: FixSteps
    text: str
    n_changed: int


@dataclass(frozen=True)
class _ByteRoles:
    """For each UTF-16 unit, in which of ftfy's encodings (a bit each) it is which byte of a UTF-8 sequence."""

    lead_of_two: Bits
    lead_of_three: Bits
    lead_of_four: Bits
    before_space: Bits
    continuation: Bits


@lru_cache(maxsize=1)
def _byte_roles() -> _ByteRoles:
    from ftfy.chardata import CHARMAP_ENCODINGS

    def table(members: bytes) -> Bits:
        bits = np.zeros(1 << 16, np.uint16)
        for number, encoding in enumerate(CHARMAP_ENCODINGS):
            for character in members.decode(encoding, "ignore"):
                bits[ord(character)] |= 1 << number
        return bits

    return _ByteRoles(
        lead_of_two=table(bytes(range(0xC0, 0xE0))),
        lead_of_three=table(bytes(range(0xE0, 0xF0))),
        lead_of_four=table(bytes(range(0xF0, 0xF5))),
        before_space=table(_LEADS_BEFORE_SPACE),
        continuation=table(bytes(range(0x80, 0xC0))),
    )


def suspect_lines(text: str) -> list[int]:
    """Numbers of the lines that ftfy could change, from 0.

    Whatever ftfy mends holds a control character of Latin-1, or characters that in one of its encodings are the
    bytes of a UTF-8 sequence, some of them perhaps lost. A scan for these is many times faster than its measure
    of badness, and leaves few lines of sound text to that.
    """
    if text.isascii():
        return []
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
    hits = _sequence_starts(units)
    if not len(hits):
        return []
    line_ends = np.flatnonzero(units == 0x0A)
    return [int(line) for line in np.unique(np.searchsorted(line_ends, hits))]


def _sequence_starts(units: NDArray[np.uint16]) -> NDArray[np.intp]:
    roles = _byte_roles()
    positions = np.flatnonzero(units > 0x7F)
    padded = np.concatenate([units, np.zeros(3, units.dtype)])
    first, second, third, fourth = (padded[positions + step] for step in range(4))
    after, later, last = (_continues(unit, roles) for unit in (second, third, fourth))
    two = roles.lead_of_two[first] & np.where(second > 0x7F, after, 0)
    two |= np.where((second == _SPACE) | (second == _QUESTION_MARK), roles.before_space[first], 0)
    two |= np.where(second == _SUBSTITUTE, roles.lead_of_two[first], 0)
    three = roles.lead_of_three[first] & after & later & np.where((second | third) > 0x7F, 0xFFFF, 0)
    four = roles.lead_of_four[first] & after & later & last & np.where((second | third) > 0x7F, 0xFFFF, 0)
    is_control = (first >= 0x80) & (first <= 0x9F)
    found: NDArray[np.intp] = positions[(two | three | four).astype(bool) | is_control]
    return found


def _continues(units: NDArray[np.uint16], roles: _ByteRoles) -> Bits:
    lost = (units == _SPACE) | (units == _QUESTION_MARK) | (units == _SUBSTITUTE) | (units == _REPLACEMENT)
    found: Bits = np.where(lost, np.uint16(0xFFFF), roles.continuation[units])
    return found


def find_fixes(text: str) -> list[LineFix]:
    """ftfy's plan for each line that it finds bad and can mend; sound lines beside them stay untouched."""
    numbers = suspect_lines(text)
    if not numbers:
        return []
    from ftfy import fix_encoding_and_explain

    lines = text.split("\n")
    fixes: list[LineFix] = []
    for number in numbers:
        line = lines[number]
        fixed, explanation = fix_encoding_and_explain(line)
        if fixed != line and "\n" not in fixed:
            steps = tuple((step.action, step.parameter) for step in explanation or ())
            fixes.append(LineFix(number, steps, fixed, _n_gone(line, fixed)))
    return fixes


def _n_gone(before: str, after: str) -> int:
    return sum(max(0, before.count(character) - after.count(character)) for character in set(before))


def apply_steps(line: str, steps: FixSteps) -> str:
    """The line after ftfy's steps."""
    from ftfy import apply_plan

    fixed: str = apply_plan(line, list(steps))
    return fixed
