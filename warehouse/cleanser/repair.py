"""From the raw bytes of a chunk to its clean text, by a plan that can be stored and replayed.

What lives here: the steps after cutting: decoding, line ends, mojibake (`mojibake.py`), characters that only a
terminal or printer obeys. Quotes, widths, ligatures and normalisation forms stay as the author wrote them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from warehouse.cleanser.code_units import EBCDIC, RunningDecoder
from warehouse.cleanser.mojibake import FixSteps, LineFix, apply_steps, find_fixes

STRICT = "strict"
REPLACE = "replace"
LONE_WINDOWS_1252 = "fakesmrt.lone_windows_1252"
"""Codec error handler for UTF-8 into which Windows-1252 was pasted: a broken byte between ASCII neighbours
becomes its Windows-1252 character, any other becomes U+FFFD."""

NEXT_LINES = "next_lines"
LONE_SURROGATES = "lone_surrogates"
LINE_ENDINGS = "line_endings"
TERMINAL_ESCAPES = "terminal_escapes"
FIX_ENCODING = "fix_encoding"
BYTE_ORDER_MARKS = "byte_order_marks"
PAGE_BREAKS = "page_breaks"
CONTROL_CHARACTERS = "control_characters"

_CONTROL_BYTES = bytes([*range(9), *range(0x0B, 0x20), 0x7F])
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NEXT_LINE = re.compile("\r?\x85")
_ESCAPE = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")
"""A control sequence as ECMA-48, section 5.4, has it."""
_MARK_AT_LINE_START = re.compile("^\ufeff+", re.MULTILINE)
_PAGE_BREAK = re.compile("(?P<before>\n?)[\x0b\x0c]+(?P<after>\n?)")


def _lone_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data, start, end = error.object, error.start, error.end
    neighbours = data[max(0, start - 1) : start] + data[end : end + 1]
    if end - start == 1 and neighbours.isascii() and error.reason != "unexpected end of data":
        return data[start:end].decode("cp1252", "replace"), end
    return "\ufffd", end


codecs.register_error(LONE_WINDOWS_1252, _lone_windows_1252)

Step = tuple[str] | tuple[str, int, FixSteps]


@dataclass(frozen=True)
class RepairPlan:
    """What was done between the bytes and the stored text.

    Attributes:
        errors: name of the codec error handler: ``strict`` where every byte had a meaning.
        steps: what changed the decoded text, in order: a name, and for ``fix_encoding`` the number of the
            line (from 0) with ftfy's steps for it.
        counts: characters that each step took away or replaced, by its name.
    """

    errors: str = STRICT
    steps: tuple[Step, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> str:
        """The plan as the Training Database stores it."""
        if not self.steps and self.errors == STRICT:
            return _UNTOUCHED
        return _plan_as_json(self.errors, self.steps, tuple(self.counts.items()))

    @classmethod
    def from_json(cls, stored: str) -> RepairPlan:
        """The plan that `to_json` wrote."""
        content = json.loads(stored)
        steps: list[Step] = []
        for name, *rest in content["steps"]:
            if rest:
                line, fixes = rest
                steps.append((name, line, tuple((action, parameter) for action, parameter in fixes)))
            else:
                steps.append((name,))
        return cls(content["errors"], tuple(steps), content.get("counts", {}))


@lru_cache(maxsize=1024)
def _plan_as_json(errors: str, steps: tuple[Step, ...], counts: tuple[tuple[str, int], ...]) -> str:
    """As stored. Remembered, because the chunks of a document are much alike: so many line ends, and no more."""
    content: dict[str, object] = {"errors": errors, "steps": steps}
    if counts:
        content["counts"] = dict(counts)
    return json.dumps(content)


_UNTOUCHED = json.dumps({"errors": STRICT, "steps": []})


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
    n_replaced: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Characters that each step took away or replaced, by its name."""
        return self.plan.counts


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
    return _repaired(text, errors, n_replaced, encoding in EBCDIC, repair_mojibake)


def repair_text(text: str, repair_mojibake: bool = True) -> Repaired:
    """Clean text that is decoded or extracted already; `apply_repair` replays it.

    Args:
        text: any text, even one that cannot be encoded.
        repair_mojibake: as for `repair_chunk`.
    """
    return _repaired(text, STRICT, 0, False, repair_mojibake)


def _repaired(text: str, errors: str, n_replaced: int, next_lines: bool, repair_mojibake: bool) -> Repaired:
    early, late = _applicable(text, next_lines)
    steps: list[Step] = []
    counts: dict[str, int] = {}
    text = _stepped(text, early, steps, counts)
    if repair_mojibake and (fixes := find_fixes(text)):
        text = _with_fixes(text, fixes)
        steps += [(FIX_ENCODING, fix.line, fix.steps) for fix in fixes]
        counts[FIX_ENCODING] = sum(fix.n_changed for fix in fixes)
        late = _LATE_STEPS
    text = _stepped(text, late, steps, counts)
    if not steps and errors == STRICT:
        return Repaired(text, _NOTHING)
    return Repaired(text, RepairPlan(errors, tuple(steps), counts), n_replaced)


_NOTHING = RepairPlan()


def _applicable(text: str, next_lines: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps before and after the search for mojibake that may change this text: a quick look that spares
    sound text the steps themselves."""
    early = (NEXT_LINES, *_EARLY_STEPS) if next_lines else _EARLY_STEPS
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return (LONE_SURROGATES, *early), _LATE_STEPS
    n_controls = len(encoded) - len(encoded.translate(None, _CONTROL_BYTES))
    n_returns = encoded.count(b"\r") if n_controls else 0
    if n_controls > n_returns or (next_lines and "\x85" in text):
        return early, _LATE_STEPS
    late = () if len(encoded) == len(text) else (BYTE_ORDER_MARKS,)
    return (LINE_ENDINGS,) if n_returns else (), late


def _stepped(text: str, names: tuple[str, ...], steps: list[Step], counts: dict[str, int]) -> str:
    for name in names:
        text, count = _TEXT_STEPS[name](text)
        if count:
            steps.append((name,))
            counts[name] = count
    return text


def _with_fixes(text: str, fixes: list[LineFix]) -> str:
    lines = text.split("\n")
    for fix in fixes:
        lines[fix.line] = fix.text
    return "\n".join(lines)


def apply_repair(text: str, plan: RepairPlan) -> str:
    """The clean text of decoded or extracted text, by the plan that was made for it."""
    for step in plan.steps:
        if len(step) == 3:
            lines = text.split("\n")
            lines[step[1]] = apply_steps(lines[step[1]], step[2])
            text = "\n".join(lines)
        else:
            text, _ = _TEXT_STEPS[step[0]](text)
    return text


def replay(raw: bytes, encoding: str, decoder_state: str | None, repair: str) -> str:
    """The stored text of a chunk, from its bytes and what the Training Database holds about it.

    Args:
        raw: the stream's bytes [byte_start, byte_end).
        encoding: column ``encoding``.
        decoder_state: column ``decoder_state``.
        repair: column ``repair``, JSON.
    """
    plan = RepairPlan.from_json(repair)
    return apply_repair(_decoded(raw, encoding, decoder_state, plan.errors), plan)


def _decoded(raw: bytes, encoding: str, decoder_state: str | None, errors: str) -> str:
    if decoder_state is None:
        return raw.decode(encoding, errors)
    return RunningDecoder(encoding, decoder_state, errors).decode(raw)


def _next_lines(text: str) -> tuple[str, int]:
    return _NEXT_LINE.subn("\n", text)


def _without_surrogates(text: str) -> tuple[str, int]:
    """Pairs become the character that they stand for, single ones U+FFFD."""
    n_surrogates = len(_SURROGATE.findall(text))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), n_surrogates


def _line_endings(text: str) -> tuple[str, int]:
    return text.replace("\r\n", "\n").replace("\r", "\n"), text.count("\r")


def _without_escapes(text: str) -> tuple[str, int]:
    without = _ESCAPE.sub("", text) if "\x1b" in text else text
    return without, len(text) - len(without)


def _without_marks(text: str) -> tuple[str, int]:
    """Less the byte order marks of files that were put together; inside a line U+FEFF joins words, and stays."""
    without = _MARK_AT_LINE_START.sub("", text) if "\ufeff" in text else text
    return without, len(text) - len(without)


def _page_breaks(text: str) -> tuple[str, int]:
    """Form feeds and vertical tabs end lines; beside a line end they are nothing."""
    n_breaks = text.count("\x0b") + text.count("\x0c")
    return _PAGE_BREAK.sub(_line_break, text) if n_breaks else text, n_breaks


def _line_break(found: re.Match[str]) -> str:
    at_edge = found.start() == 0 or found.end() == len(found.string)
    return found["before"] + found["after"] or ("" if at_edge else "\n")


def _without_controls(text: str) -> tuple[str, int]:
    return _CONTROL.subn("", text)


_TEXT_STEPS: dict[str, Callable[[str], tuple[str, int]]] = {
    NEXT_LINES: _next_lines,
    LONE_SURROGATES: _without_surrogates,
    LINE_ENDINGS: _line_endings,
    TERMINAL_ESCAPES: _without_escapes,
    BYTE_ORDER_MARKS: _without_marks,
    PAGE_BREAKS: _page_breaks,
    CONTROL_CHARACTERS: _without_controls,
}
_EARLY_STEPS = (LINE_ENDINGS, TERMINAL_ESCAPES)
_LATE_STEPS = (BYTE_ORDER_MARKS, PAGE_BREAKS, CONTROL_CHARACTERS)
