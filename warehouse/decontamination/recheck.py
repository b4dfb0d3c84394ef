"""A second, plain search for evaluation items: one chunk at a time, with Python's own tuples and dictionaries.

It shares no hash, no index and no word splitting with `search.py`, so that a check by it can tell when that one is
broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from warehouse.decontamination.items import LONG_WORDS, MIN_WORDS

WORD = re.compile(r"\w+")

Needles = dict[tuple[str, ...], list[tuple[str, ...]]]


def needles(passages: Iterable[str]) -> Needles:
    """What must not stand in a chunk: runs of `LONG_WORDS` words, shorter passages whole, by their first words."""
    found: Needles = {}
    for passage in passages:
        words = tuple(WORD.findall(passage.casefold()))
        size = min(LONG_WORDS, len(words))
        for start in range(len(words) - size + 1 if size >= MIN_WORDS else 0):
            run = words[start : start + size]
            found.setdefault(run[:MIN_WORDS], []).append(run)
    return found


def first_found(sought: Needles, text: str) -> str | None:
    """A run of words that stands in a text; None if there is none."""
    words = WORD.findall(text.casefold())
    for start in range(len(words) - MIN_WORDS + 1):
        for run in sought.get(tuple(words[start : start + MIN_WORDS]), ()):
            if run == tuple(words[start : start + len(run)]):
                return " ".join(run)
    return None
