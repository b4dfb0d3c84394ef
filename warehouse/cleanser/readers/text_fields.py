"""Which strings of a record are text: one rule for JSON objects, table rows and Parquet rows.

What lives here: the rule, on values as JSON has them. What does not: how a format is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from warehouse.cleanser.readers.reader import Extracted, NoTextError
from warehouse.cleanser.text_keys import TASK_KEYS, TEXT_KEYS, TITLE_KEYS

Value = str | int | float | None | list["Value"] | dict[str, "Value"]
"""A value as JSON has it."""

TITLE_CHARACTERS = 120

MOST_LEVELS = 100
"""Values nested deeper are no records that anybody wrote."""

_TWO_WORDS = re.compile(r"[\W\d_]*+[^\W\d_]\S*+\s[\W\d_]*+[^\W\d_]")
_TWO_TOKENS = re.compile(r"[\W_]*+[^\W_]\S*+\s[\W_]*+[^\W_]")
_UNSPACED_LETTER = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
_UNSPACED_LETTERS = 5
"""Thai, Lao, Tibetan, Burmese, Khmer, kana and ideographs: so many letters are some two words."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def text_of_record(value: Value) -> Extracted:
    """What of a record is text.

    - A plain string is text.
    - A record with one of `TEXT_KEYS` has its text there, unless `TASK_KEYS` hold something that is not part of it.
    - Else its text is every string that is prose-like, or is a part of a task or turn, in the order of the record
      and at any depth, with blank lines between; if none of them has white space in it, they are values and no text.

    Raises:
        NoTextError: ``no_text_field`` if nothing is left, ``nested_too_deeply`` above `MOST_LEVELS`.
    """
    if n_levels(value, MOST_LEVELS) > MOST_LEVELS:
        raise NoTextError("nested_too_deeply")
    text = _main_text(value) if isinstance(value, dict) else None
    if text is None:
        parts = list(_parts(value, is_text=isinstance(value, str)))
        is_text = isinstance(value, str) or any(
            _TWO_TOKENS.match(part) or is_prose_like(part) for part in parts
        )
        text = "\n\n".join(part.strip() for part in parts) if is_text else None
    if not text:
        raise NoTextError("no_text_field")
    return Extracted(_well_formed(text), _title(value) if isinstance(value, dict) else None)


def is_prose_like(text: str) -> bool:
    """Whether a string has white space between letters, or several letters of a script written without it: names,
    sentences and code have; ids, labels, addresses, hashes, numbers and dates in figures have not."""
    if _TWO_WORDS.match(text):
        return True
    if text.isascii():
        return False
    letters = islice(_UNSPACED_LETTER.finditer(text), _UNSPACED_LETTERS)
    return sum(1 for _ in letters) == _UNSPACED_LETTERS


def n_levels(value: Value, enough: int) -> int:
    """Nesting levels of a value: 0 for a string, 1 for a list of strings; counts no further than `enough` + 1."""
    level = [value]
    for n in range(enough + 1):
        containers = [part for part in level if isinstance(part, list | dict)]
        if not containers:
            return n
        level = [
            part for outer in containers for part in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return enough + 1


def _main_text(record: dict[str, Value]) -> str | None:
    """The text under the first of `TEXT_KEYS` that has one; None where there is none, or it is a part among
    others."""
    by_name = {key.lower(): value for key, value in record.items()}
    for key in TEXT_KEYS:
        value = by_name.get(key)
        text = "\n\n".join(_strings(value)) if isinstance(value, list) else value
        if isinstance(text, str) and _counts(text):
            others = (
                part for name in TASK_KEYS & by_name.keys() for part in _parts(by_name[name], is_text=True)
            )
            return text if all(part.strip() in text for part in others) else None
    return None


def _strings(values: list[Value]) -> list[str]:
    """The members of a list that consists of strings; nothing for another."""
    strings = [value for value in values if isinstance(value, str)]
    return strings if len(strings) == len(values) else []


def _counts(text: str) -> bool:
    return any(map(str.isalnum, text))


def _parts(value: Value, is_text: bool) -> Iterator[str]:
    """Strings that count, in order.

    Args:
        value: any value.
        is_text: whether its key says that it is text.
    """
    if isinstance(value, str):
        if _counts(value) if is_text else is_prose_like(value):
            yield value
    elif isinstance(value, dict):
        is_turn = "from" in value and "value" in value
        for key, part in value.items():
            name = key.lower()
            yield from _parts(part, name in TEXT_KEYS or name in TASK_KEYS or (is_turn and name == "value"))
    elif isinstance(value, list):
        for part in value:
            yield from _parts(part, is_text)


def _title(record: dict[str, Value]) -> str | None:
    by_name = {key.lower(): value for key, value in record.items()}
    titles = (by_name.get(key) for key in TITLE_KEYS)
    title = next((title for title in titles if isinstance(title, str) and title.strip()), None)
    return None if title is None else _well_formed(" ".join(title.split())[:TITLE_CHARACTERS])


def _well_formed(text: str) -> str:
    """JSON can spell halves of surrogate pairs, which are no characters and have no UTF-8."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
