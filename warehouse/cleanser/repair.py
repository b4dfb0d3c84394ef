"""From the raw bytes of a chunk to its clean text, by a plan that can be stored and replayed.

What lives here: the steps after cutting: decoding, line endings, mojibake (by ftfy, only where its badness
measure finds some), control characters. Quotes, widths, ligatures and normalisation forms stay as the author
wrote them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from warehouse.cleanser.code_units import EBCDIC, RunningDecoder

STRICT = "strict"
REPLACE = "replace"
LONE_WINDOWS_1252 = "fakesmrt.lone_windows_1252"
"""Codec error handler for UTF-8 into which Windows-1252 was pasted: a broken byte between ASCII neighbours
becomes its Windows-1252 character, any other becomes U+FFFD."""

LINE_ENDINGS = "line_endings"
NEXT_LINES = "next_lines"
CONTROL_CHARACTERS = "control_characters"
FIX_ENCODING = "fix_encoding"

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")

_SUSPECT = re.compile("[^\x00-\x7f\u2018\u2019\u201c\u201d\u2013\u2014\u2026]")
"""Misread UTF-8 shows at least one character other than these, the usual quotes and dashes: in Windows-1252
its lead bytes are letters, in Mac Roman, where these are lead bytes, its continuation bytes are."""

FixSteps = tuple[tuple[str, str], ...]


def _lone_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data, start, end = error.object, error.start, error.end
    neighbours = data[max(0, start - 1) : start] + data[end : end + 1]
    if end - start == 1 and neighbours.isascii() and error.reason != "unexpected end of data":
        return data[start:end].decode("cp1252", "replace"), end
    return "\ufffd", end


codecs.register_error(LONE_WINDOWS_1252, _lone_windows_1252)


@dataclass(frozen=True)
class RepairPlan:
    """What was done between the bytes and the stored text.

    Attributes:
        errors: name of the codec error handler: ``strict`` where every byte had a meaning.
        steps: what changed the decoded text, in order: a name, and for ``fix_encoding`` the number of the
            line (from 0) with ftfy's steps for it.
    """

    errors: str = STRICT
    steps: tuple[tuple[str] | tuple[str, int, FixSteps], ...] = ()

    def to_json(self) -> str:
        """The plan as the Training Database stores it."""
        return json.dumps({"errors": self.errors, "steps": self.steps})

    @classmethod
    def from_json(cls, stored: str) -> RepairPlan:
        """The plan that `to_json` wrote."""
        content = json.loads(stored)
        steps: list[tuple[str] | tuple[str, int, FixSteps]] = []
        for name, *rest in content["steps"]:
            if rest:
                line, fixes = rest
                steps.append((name, line, tuple((action, parameter) for action, parameter in fixes)))
            else:
                steps.append((name,))
        return cls(content["errors"], tuple(steps))


@dataclass(frozen=True)
class Repaired:
    """A chunk's clean text.

    Attributes:
        text: the text, with \\n for every line end and without control characters other than tabs.
        plan: how it came about.
        n_replaced: characters that stand for bytes which the encoding does not define.
    """

    text: str
    plan: RepairPlan
    n_replaced: int


def repair_chunk(
    raw: bytes, encoding: str, decoder_state: str | None = None, repair_mojibake: bool = True
) -> Repaired:
    """Decode and clean the bytes of a chunk.

    Args:
        raw: bytes that begin and end at characters.
        encoding: a Python codec.
        decoder_state: what `RunningDecoder` knew at the first byte; None for stateless encodings.
        repair_mojibake: whether to undo wrong decodings that happened before the text was written to the
            file.
    """
    errors = STRICT
    n_replaced = 0
    try:
        text = _decoded(raw, encoding, decoder_state, STRICT)
    except UnicodeDecodeError:
        errors = LONE_WINDOWS_1252 if encoding == "utf-8" else REPLACE
        text = _decoded(raw, encoding, decoder_state, errors)
        n_replaced = len(text) - len(_decoded(raw, encoding, decoder_state, "ignore"))
    steps: list[tuple[str] | tuple[str, int, FixSteps]] = []
    if encoding in EBCDIC and "\x85" in text:
        steps.append((NEXT_LINES,))
    if "\r" in text:
        steps.append((LINE_ENDINGS,))
    for step in steps:
        text = _TEXT_STEPS[step[0]](text)
    if repair_mojibake and _SUSPECT.search(text):
        fixes = _mojibake_fixes(text)
        steps += fixes
        text = _with_fixes(text, fixes)
    if _CONTROL.search(text):
        steps.append((CONTROL_CHARACTERS,))
        text = _TEXT_STEPS[CONTROL_CHARACTERS](text)
    return Repaired(text, RepairPlan(errors, tuple(steps)), n_replaced)


def replay(raw: bytes, encoding: str, decoder_state: str | None, repair: str) -> str:
    """The stored text of a chunk, from its bytes and what the Training Database holds about it.

    Args:
        raw: the stream's bytes [byte_start, byte_end).
        encoding: column ``encoding``.
        decoder_state: column ``decoder_state``.
        repair: column ``repair``, JSON.
    """
    plan = RepairPlan.from_json(repair)
    text = _decoded(raw, encoding, decoder_state, plan.errors)
    for step in plan.steps:
        text = _with_fixes(text, [step]) if len(step) == 3 else _TEXT_STEPS[step[0]](text)
    return text


def _decoded(raw: bytes, encoding: str, decoder_state: str | None, errors: str) -> str:
    if decoder_state is None:
        return raw.decode(encoding, errors)
    return RunningDecoder(encoding, decoder_state, errors).decode(raw)


def _next_lines(text: str) -> str:
    return text.replace("\r\x85", "\n").replace("\x85", "\n")


def _line_endings(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_controls(text: str) -> str:
    return _CONTROL.sub("", text)


_TEXT_STEPS: dict[str, Callable[[str], str]] = {
    NEXT_LINES: _next_lines,
    LINE_ENDINGS: _line_endings,
    CONTROL_CHARACTERS: _without_controls,
}


def _mojibake_fixes(text: str) -> list[tuple[str, int, FixSteps]]:
    """ftfy's plan for each line that it finds bad and can mend, line by line so that sound ones stay
    untouched."""
    from ftfy import fix_encoding_and_explain
    from ftfy.badness import is_bad

    fixes: list[tuple[str, int, FixSteps]] = []
    for number, line in enumerate(text.split("\n")):
        if line.isascii() or not is_bad(line):
            continue
        explained = fix_encoding_and_explain(line)
        if explained.text != line and "\n" not in explained.text:
            fixes.append(
                (
                    FIX_ENCODING,
                    number,
                    tuple((step.action, step.parameter) for step in explained.explanation or ()),
                )
            )
    return fixes


def _with_fixes(text: str, fixes: list[tuple[str, int, FixSteps]]) -> str:
    if not fixes:
        return text
    from ftfy import apply_plan

    lines = text.split("\n")
    for _, number, plan in fixes:
        lines[number] = apply_plan(lines[number], list(plan))
    return "\n".join(lines)
