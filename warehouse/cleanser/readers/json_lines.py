"""JSON: lines of values, an array of values, or values one after another. A record is one value.

Values are found by a scan that knows brackets and strings only, at hundreds of megabytes a second; whether they are
valid is found when text is extracted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import cast

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.json_structure import scan_array, scan_members, scan_values
from warehouse.cleanser.readers.reader import (
    DocumentRange,
    DroppedRange,
    Extracted,
    NoTextError,
    Reader,
    stream_head,
)
from warehouse.cleanser.readers.syntax import Scan, record_ranges, scan_lines
from warehouse.cleanser.readers.text_fields import Value, text_of_record
from warehouse.cleanser.streams import Stream

_BEGIN = re.compile(r"\s*(?:\{\s*(?:[\"}]|\Z)|\[\s*(?:[\[{\"\]\d-]|true|false|null|\Z))")

_AROUND = " \t\r\n\x85\x1e\ufeff"
"""White space, the line end of EBCDIC, the record separator of RFC 7464, and the mark of a file appended to another."""

# Numbers are no text: they are not computed, so that none is too long (sys.set_int_max_str_digits).
_ignored = cast(Callable[[str], None], bool)
# Writers leave tabs and other control characters in strings unescaped: not `strict`, or their text would be lost.
_DECODER = json.JSONDecoder(parse_int=_ignored, parse_float=_ignored, parse_constant=_ignored, strict=False)


def find_documents(stream: Stream, decision: EncodingDecision) -> Iterator[DocumentRange | DroppedRange]:
    """A record for each value, with the line end or comma after it; what is around an array is dropped as
    ``markup``. Of a value that is too large for a record, the values in its arrays are records."""
    return record_ranges(stream, decision, scan_for(stream_head(stream, decision.encoding)), scan_members)


def extract(record: str) -> Extracted:
    """The text of one value; of keys that are there twice the last counts.

    Raises:
        NoTextError: ``invalid_json``, ``nested_too_deeply`` or ``no_text_field``.
    """
    return text_of_record(parsed(record))


def parsed(record: str) -> Value:
    """One value, whose numbers are only placeholders; a comma after it is allowed.

    Raises:
        NoTextError: ``invalid_json`` or ``nested_too_deeply``.
    """
    try:
        return cast(Value, _DECODER.decode(record.strip(_AROUND).removesuffix(",")))
    except RecursionError:
        raise NoTextError("nested_too_deeply") from None
    except ValueError:
        raise NoTextError("invalid_json") from None


def scan_for(head: str) -> Scan:
    """How the values of a stream that begins so are found."""
    head = head.lstrip()
    first, newline, others = head.partition("\n")
    if not head.startswith(("[", "{")):
        return scan_lines
    if head.startswith("["):
        return scan_lines if _is_value(first) and others.strip() else scan_array
    if not newline or _is_value(first):
        return scan_lines
    if first.strip() == "{":
        return scan_values
    # The first line is no value: it is damaged, or values go over several lines.
    *lines, last = others.split("\n")
    is_by_line = last.startswith('{"') or any(line.startswith("{") and _is_value(line) for line in lines)
    return scan_lines if is_by_line else scan_values


def accepts(head: str) -> bool:
    """Whether a stream may be JSON: it begins as an object or array does, or one of its first lines is a value."""
    if _BEGIN.match(head):
        return True
    return any(line[:1] in ("{", "[", '"') and _is_value(line) for line in head.split("\n"))


def proves(head: str) -> bool:
    """Whether a stream is JSON, whatever it is called: its first two lines are objects, or it is an array and its
    first value is an object."""
    head = head.lstrip()
    if head.startswith("{"):
        lines = [line for line in head.split("\n", 8)[:-1] if line.strip()][:2]
        return len(lines) == 2 and all(line.startswith("{") and _is_value(line) for line in lines)
    inner = head[1:].lstrip()
    if not (head.startswith("[") and inner.startswith("{")):
        return False
    try:
        _, end = _DECODER.raw_decode(inner)
    except (ValueError, RecursionError):
        return False
    return inner[end:].lstrip().startswith((",", "]"))


def _is_value(line: str) -> bool:
    try:
        parsed(line)
    except NoTextError as failure:
        return failure.reason != "invalid_json"
    return True


JSON = Reader(
    "json",
    "1",
    frozenset({".json", ".jsonl", ".ndjson", ".jsonlines"}),
    find_documents,
    accepts,
    proves,
    extract,
)
