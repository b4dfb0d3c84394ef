"""What it would cost to build a tree of an HTML page, told from its tags before it is tried.

The algorithm of the HTML standard (§13.2.6, tree construction) looks through all open elements at many tags, and
compares each attribute of a tag with those before it: both take time that grows with the square of what is nested or
listed. A page of 3 MB of ``<div>`` keeps a parser busy for hours. Real pages stay far below the limits here.

What lives here: limits, and counting. What does not: what happens to a page that is too costly.
"""

from __future__ import annotations

import re
from collections import Counter

from warehouse.cleanser.readers.markup_tokens import names

MOST_TAGS = 500_000
"""More would fill some 100 MiB with nodes: measured with Lexbor, 150 bytes a tag and its text."""

FEW_TAGS = 2_000
"""So few tags cannot be nested so deep that it matters (0.06 s, measured as below)."""

MOST_STEPS = 20_000_000
"""Open elements that are passed by, summed over all tags: 30 ns each, so 0.6 s."""

MOST_REREAD_CHARACTERS = 200_000_000
"""Resiliparse reads all text in a ``div`` to tell menus from articles: nesting times length, 20 ns each, so 4 s."""

LONG_TAG_CHARACTERS = 1 << 12
MOST_ATTRIBUTES = 1_000

_TAG = re.compile(
    r"""<(?:!--.*?(?:-->|\Z)
        | (?P<raw>script|style|textarea|title)\b[^>]*+>.*?(?:</(?P=raw)|\Z)
        | (?P<closing>/?)(?P<name>[A-Za-z][^\s/>]*+)(?:[^=>]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+(?:>|\Z))""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""[^\s"'/=<>]+(?:\s*=\s*(?:"[^"]*+"|'[^']*+'|[^\s"'>]++))?""")
_NEVER_NESTED = names(
    """area base br col embed hr img input link meta source track wbr param p li td th tr dt dd option thead tbody tfoot
    colgroup html head body"""
)
"""Elements without content, and those that the next of their kind closes."""

_REREAD = names("div ul article footer section")


def is_costly(text: str) -> bool:
    """Whether a tree of the page would take more time or memory than a reader may.

    >>> is_costly("<div>" * 100), is_costly("<div>" * 10_000)
    (False, True)
    """
    n_tags = text.count("<")
    if n_tags > MOST_TAGS:
        return True
    if any(map(_has_many_attributes, _TAG.finditer(text))):
        return True
    return n_tags > FEW_TAGS and _is_deep(text)


def _has_many_attributes(found: re.Match[str]) -> bool:
    is_long = found.end() - found.start() > LONG_TAG_CHARACTERS and found["name"] is not None
    return is_long and sum(1 for _ in _ATTRIBUTE.finditer(found[0])) > MOST_ATTRIBUTES


def _is_deep(text: str) -> bool:
    inside: Counter[str] = Counter()
    depth = n_steps = n_reread = deepest_reread = 0
    for found in _TAG.finditer(text):
        name = (found["name"] or "p").lower()
        n_steps += depth
        if name in _NEVER_NESTED:
            continue
        step = -1 if found["closing"] else 1
        if inside[name] + step >= 0:
            inside[name] += step
            depth += step
            if name in _REREAD:
                n_reread += step
                deepest_reread = max(deepest_reread, n_reread)
        if n_steps > MOST_STEPS:
            return True
    return deepest_reread * len(text) > MOST_REREAD_CHARACTERS
