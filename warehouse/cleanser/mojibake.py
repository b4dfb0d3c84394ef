"""Text that was once decoded wrongly, and how it is mended: by ftfy, line by line, only where it is called for.

What lives here: which lines are worth a look, and ftfy's plan for each. What does not: the other steps of the
repair (`repair.py`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from warehouse.cleanser.mojibake_scan import suspect_lines

FixSteps = tuple[tuple[str, str], ...]
"""Steps of ftfy's plan, or our own before them: an action and its parameter."""

APPLY = "apply"
CLOSING_QUOTES = "restore_closing_quotes"

SEQUENCES_THAT_PROVE = 3
"""Sequences of UTF-8 that make up all of a line but its ASCII, and so are no accident."""

_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})
_ANYWHERE = frozenset({"", "LATIN", "COMBINING", "MODIFIER"})
"""First words of the Unicode names of letters and marks that stand beside any."""

_ALL_LOST = re.compile(rb"[\xe0-\xef]\x1a\x1a|[\xf0-\xf4]\x1a\x1a\x1a")
"""How ftfy's codecs encode a character before U+FFFD alone."""

_CUT_QUOTE = re.compile("â€(?![€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\x80-\xbf?\ufffd])")  # noqa: RUF001  # Windows-1252
_OPENING = ("â€œ", "“")
_CLOSING = ("â€\x9d", "”")
_BEFORE_CLOSING = (".", ",", "!", "?", ";", ":", "…", "-", "'", "â€™", "â€¦", "â€”", "â€“")


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


def find_fixes(text: str) -> list[LineFix]:
    """The plan for each line that ftfy finds bad and can mend; sound lines beside them stay untouched."""
    numbers = suspect_lines(text)
    if not numbers:
        return []
    lines = text.split("\n")
    fixes: list[LineFix] = []
    for number in numbers:
        line = lines[number]
        steps = _plan(line)
        fixed = apply_steps(line, steps)
        if fixed != line and "\n" not in fixed:
            fixes.append(LineFix(number, steps, fixed, _n_gone(line, fixed)))
    return fixes


def _plan(line: str) -> FixSteps:
    """ftfy's plan, up to the first step after which the line is no more likely than before."""
    from ftfy import fix_encoding_and_explain

    steps: FixSteps = ()
    restored = _with_closing_quotes(line)
    if restored != line:
        steps = ((APPLY, CLOSING_QUOTES),)
    _, explanation = fix_encoding_and_explain(restored)
    fixed = restored
    accepted: FixSteps = ()
    if not explanation:
        return _whole_line_plan(line)
    for stage in _stages(tuple((step.action, step.parameter) for step in explanation)):
        before, fixed = fixed, apply_steps(fixed, stage)
        if not _is_likelier(before, fixed, stage):
            break
        accepted += stage
    return steps + accepted if accepted else ()


def _whole_line_plan(line: str) -> FixSteps:
    """A plan for a line that ftfy's measure does not find bad: if in one of its encodings every character that is not
    ASCII belongs to a sequence of UTF-8, and there are three or more of these and not all the same.

    Sound text of any language leaves most of its letters outside such sequences.
    """
    from ftfy.chardata import CHARMAP_ENCODINGS

    for encoding in CHARMAP_ENCODINGS:
        try:
            fixed = line.encode(encoding).decode()
        except UnicodeError:
            continue
        found = [character for character in fixed if character > "\x7f"]
        steps = (("encode", encoding), ("decode", "utf-8"))
        # Drawings made of boxes are in codepage 437 what they look like.
        is_proof = len(found) >= SEQUENCES_THAT_PROVE and len(set(found)) > 1 and encoding != "cp437"
        if is_proof and _is_likelier(line, fixed, steps) and not _makes_strangers(line, fixed):
            return steps
    return ()


def _stages(steps: FixSteps) -> list[FixSteps]:
    """A plan's steps by the wrong decodings that they undo, last one first."""
    stages: list[FixSteps] = []
    stage: FixSteps = ()
    for step in steps:
        stage += (step,)
        if step[0] in ("decode", APPLY) or step == ("transcode", "fix_c1_controls"):
            stages.append(stage)
            stage = ()
    return stages


def _is_likelier(before: str, after: str, stage: FixSteps) -> bool:
    """Whether a stage of ftfy's plan is to be believed. It is not where it

    - makes characters that no text holds: unassigned ones, private ones, control characters;
    - takes for UTF-8 what has lost all its continuation bytes, two or more;
    - leaves most of a line as it is and yet makes a single letter of another script in it.
    """
    made = set(after) - set(before)
    if any(unicodedata.category(character) in _NO_TEXT for character in made):
        return False
    action, parameter = stage[0]
    if action == "encode" and _ALL_LOST.search(before.encode(parameter, "replace")):
        return False
    return parameter != "decode_inconsistent_utf8" or not _makes_strangers(before, after)


def _makes_strangers(before: str, after: str) -> bool:
    """Whether the text after has a letter that is not Latin and stands beside none of its own script."""
    made = set(after) - set(before)
    return any(_is_stranger(after, position) for position, character in enumerate(after) if character in made)


def _is_stranger(text: str, position: int) -> bool:
    script = _script(text[position])
    neighbours = text[max(0, position - 1) : position] + text[position + 1 : position + 2]
    return script not in _ANYWHERE and script not in map(_script, neighbours)


def _script(character: str) -> str:
    if not (character.isalpha() or unicodedata.combining(character)):
        return ""
    return unicodedata.name(character, "").partition(" ")[0]


def _with_closing_quotes(line: str) -> str:
    """The third byte of a closing quotation mark, which Windows-1252 does not define, where programs left it out:
    after a quotation that is open or a punctuation mark."""
    if _CUT_QUOTE.search(line) is None:
        return line
    parts: list[str] = []
    start = 0
    for found in _CUT_QUOTE.finditer(line):
        so_far = line[: found.start()]
        n_open = sum(map(so_far.count, _OPENING)) - sum(map(so_far.count, _CLOSING))
        n_open -= len(parts)
        if n_open > 0 or so_far.endswith(_BEFORE_CLOSING):
            parts.append(line[start : found.end()] + "\x9d")
            start = found.end()
    return "".join(parts) + line[start:]


def _n_gone(before: str, after: str) -> int:
    return sum(max(0, before.count(character) - after.count(character)) for character in set(before))


def apply_steps(line: str, steps: FixSteps) -> str:
    """The line after the steps of its plan."""
    from ftfy import apply_plan

    if (APPLY, CLOSING_QUOTES) in steps[:1]:
        line, steps = _with_closing_quotes(line), steps[1:]
    fixed: str = apply_plan(line, list(steps))
    return fixed
