"""The visible text of HTML, read tag by tag in time and memory linear in its length, whatever is in it.

For what a parser that builds a tree cannot bear (`html_cost.py`), and for pieces of HTML in other formats.

What lives here: which tags part paragraphs and which hide their content. What does not: what is main text.
"""

from __future__ import annotations

from collections import Counter

from warehouse.cleanser.readers.markup_text import Paragraphs
from warehouse.cleanser.readers.markup_tokens import decoder, names, tokens
from warehouse.cleanser.readers.reader import Extracted

_RAW = names("script style textarea iframe noembed noframes")
_HIDDEN = names("title template noscript select button nav footer svg object audio video")
_PARAGRAPHS = names(
    """p h1 h2 h3 h4 h5 h6 pre blockquote ul ol dl table section article header main aside figure address details
    fieldset form hr body"""
)
_LINES = names("br div li dt dd tr caption figcaption option legend center summary")
_CELLS = names("td th")


def visible_text(text: str) -> Extracted:
    """What a reader of the page would see, without its navigation and footer, and its title; may be empty."""
    found = _without(_HIDDEN, text)
    return found if found.text else _without(names("title"), text)


def _without(hidden: frozenset[str], text: str) -> Extracted:
    page = _Page(hidden)
    for kind, content, _ in tokens(text, _RAW):
        if kind == "start":
            page.pass_tag(content.lower(), 1)
        elif kind == "end":
            page.pass_tag(content.lower(), -1)
        elif kind != "doctype":
            page.add(content)
    page.paragraphs.write(page.paragraphs.take())
    return Extracted(page.paragraphs.text, page.title)


class _Page:
    """What has been read of a page."""

    def __init__(self, hidden: frozenset[str]) -> None:
        self.paragraphs = Paragraphs()
        self.title: str | None = None
        self._hidden = hidden
        self._decode = decoder({})
        self._open: Counter[str] = Counter()
        self._n_hidden = 0

    def add(self, text: str) -> None:
        """Take text."""
        if not self._n_hidden:
            self.paragraphs.pending.append(self._decode(text))
        elif self._open["title"] and self.title is None:
            self.title = " ".join(self._decode(text).split()) or None

    def pass_tag(self, name: str, step: int) -> None:
        """Take a start tag (step 1) or an end tag (step -1)."""
        if name in _PARAGRAPHS or name in _LINES:
            is_preformatted = self._open["pre"] > 0
            taken = self.paragraphs.take_preformatted() if is_preformatted else self.paragraphs.take()
            self.paragraphs.write(taken, "\n" if name in _LINES else "\n\n")
        elif name in _CELLS:
            self.paragraphs.pending.append(" ")
        if (name == "pre" or name in self._hidden) and self._open[name] + step >= 0:
            self._open[name] += step
            self._n_hidden += step * (name != "pre")
