"""From characters of a clean text back to what they come from, proved by replaying parts.

Nothing here knows how a step works. A text is taken apart where the step, applied to both parts, gives the same as
applied to the whole; so the range that is found gives these characters, and what is before and after it gives what is
before and after them. Where no cut is found, the range is longer than it might be, and never wrong.

What lives here: that search, for decoding and for every step of a repair plan. What does not: which text it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise

from warehouse.cleanser.code_units import STATEFUL, RunningDecoder
from warehouse.cleanser.records import EncodedSpan, decode_record
from warehouse.cleanser.repair import FIX_ENCODING, RepairPlan, Step, apply_repair

TRIED_CUTS = 128
"""Places around the middle at which a cut is tried: more than the bytes of any character or escape sequence."""

Result = Callable[[int, int], str | None]
"""What the part [begin, end) of a source gives on its own; None where it gives nothing."""


def found_range(result_of: Result, length: int, result: str, character: int) -> tuple[int, int, int]:
    """The part of a source that a character of its result comes from.

    Args:
        result_of: the step.
        length: of the source.
        result: what the whole source gives.
        character: which character of it, from 0.

    Returns:
        [begin, end) in the source, never empty; and which character of what that part gives it is.
    """
    begin, end = 0, length
    while (cut := _cut(result_of, begin, end, result)) is not None:
        middle, n_left = cut
        if character < n_left:
            end, result = middle, result[:n_left]
        else:
            begin, result, character = middle, result[n_left:], character - n_left
    return begin, end, character


def _cut(result_of: Result, begin: int, end: int, result: str) -> tuple[int, int] | None:
    """A cut near the middle that the step does not notice, and the characters that come from the left of it."""
    for middle in _around((begin + end) // 2, begin + 1, end):
        left = result_of(begin, middle)
        if left is not None and result.startswith(left) and result_of(middle, end) == result[len(left) :]:
            return middle, len(left)
    return None


def _around(middle: int, first: int, end: int) -> Iterator[int]:
    for distance in range(TRIED_CUTS // 2):
        for place in (middle - distance, middle + distance):
            if first <= place < end:
                yield place


def bytes_of_character(
    raw: bytes,
    spans: tuple[EncodedSpan, ...],
    decoder_state: str | None,
    errors: str,
    text: str,
    character: int,
) -> tuple[int, int]:
    """The bytes that a decoded character comes from.

    Args:
        raw: bytes of a chunk or record.
        spans: their encodings, counted in the stream.
        decoder_state: of a stateful decoder, before the first byte.
        errors: name of the codec error handler.
        text: what they decode to.
        character: which character of it, from 0.

    Returns:
        [begin, end) in `raw`.
    """
    start = spans[0].byte_start

    def decoded(begin: int, end: int) -> str | None:
        within = tuple(
            replace(
                span, byte_start=max(span.byte_start, start + begin), byte_end=min(span.byte_end, start + end)
            )
            for span in spans
            if span.byte_start < start + end and start + begin < span.byte_end
        )
        try:
            state = _state_at(raw, spans[0].encoding, decoder_state, errors, begin)
            return decode_record(raw[begin:end], within, state, errors)[0]
        except UnicodeError:
            return None

    return found_range(decoded, len(raw), text, character)[:2]


def _state_at(raw: bytes, encoding: str, state: str | None, errors: str, position: int) -> str | None:
    if encoding not in STATEFUL or position == 0:
        return state
    decoder = RunningDecoder(encoding, state, errors)
    decoder.decode(raw[:position])
    return decoder.state


def characters_before_repair(text: str, plan: RepairPlan, first: int, last: int) -> tuple[int, int]:
    """The characters of a text that some characters of its repaired form come from.

    Args:
        text: decoded or extracted text.
        plan: its repair.
        first: first character of the repaired text.
        last: one past the last; more than `first`.

    Returns:
        [first, last) in `text`.
    """
    texts = [text]
    for step in plan.steps:
        texts.append(apply_repair(texts[-1], RepairPlan(steps=(step,))))
    for step, (before, after) in reversed(list(zip(plan.steps, pairwise(texts), strict=True))):
        begin, _ = _before_step(step, before, after, first)
        _, end = _before_step(step, before, after, last - 1)
        first, last = begin, end
    return first, last


def _before_step(step: Step, before: str, after: str, character: int) -> tuple[int, int]:
    """The characters of `before` that a character of `after` comes from."""
    begin, end = 0, len(before)
    if step[0] == FIX_ENCODING and len(step) == 3:
        lines = before.split("\n")
        begin = sum(len(line) + 1 for line in lines[: step[1]])
        end = begin + len(lines[step[1]])
        step = (step[0], 0, step[2])
    grown = len(after) - len(before)
    if character < begin:
        return character, character + 1
    if character >= end + grown:
        return character - grown, character - grown + 1
    part = before[begin:end]
    first, last, place = found_range(
        partial(_repaired, part, step), len(part), after[begin : end + grown], character - begin
    )
    n_before, n_after = _carried_around(part[first:last], step, place)
    return begin + first + n_before, begin + last - n_after


def _carried_around(text: str, step: Step, character: int) -> tuple[int, int]:
    """How many characters at the beginning and at the end of a text, which a step takes as one, come out as they are
    around a character of its result: a page break, say, is one only between others."""
    result = _repaired(text, step, 0, len(text)) or ""
    most_before = min(character, len(text) - 1)
    n_before = n_after = 0
    while n_before < most_before and _is_carried(text, n_before, result, n_before, step):
        n_before += 1
    most_after = min(len(result) - 1 - character, len(text) - 1 - n_before)
    while n_after < most_after and _is_carried(text, ~n_after, result, ~n_after, step):
        n_after += 1
    return n_before, n_after


def _is_carried(text: str, place: int, result: str, place_in_result: int, step: Step) -> bool:
    """Whether another letter at a place of a text comes out at that place of its result, and nothing else changes."""
    if text[place] != result[place_in_result]:
        return False
    letter = "q" if text[place] != "q" else "z"
    changed = _with_letter(text, place, letter)
    return _repaired(changed, step, 0, len(changed)) == _with_letter(result, place_in_result, letter)


def _with_letter(text: str, place: int, letter: str) -> str:
    letters = list(text)
    letters[place] = letter
    return "".join(letters)


def _repaired(text: str, step: Step, begin: int, end: int) -> str | None:
    """What a step makes of a part of a text; None where it cannot be applied to it."""
    try:
        return apply_repair(text[begin:end], RepairPlan(steps=(step,)))
    except UnicodeError:
        return None
