"""Stories that share a file without a separator: known by how they open.

Some collections put a blank line between paragraphs and none between stories. Then the lines that follow a line of
text at once are of another kind than those that follow a blank one: many begin with the same words ("Once upon ...").

What lives here: which openings a file's lines give away, and where they stand. What does not: other layouts
(`structure.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from warehouse.cleanser.readers.line_views import LineView

SAMPLE_UNITS = 1 << 22
"""Openings are learned from the first 4 Mi code units, whole lines."""

FEWEST_STORIES = 20
FEWEST_OF_AN_OPENING = 3
LIFT = 10
"""How many times more often an opening has to follow text than a blank line."""

LEAST_SHARE = 0.2
"""Of the lines that follow text at once, so many have the opening that is most frequent among them."""


@dataclass
class LineEnds:
    """How text and blank lines alternate in a sample: a count that is cheap, to spare most files the rest.

    Attributes:
        n_units: code units seen.
        n_after_text: lines of text that follow one at once.
        n_after_blank: lines of text that follow a blank one.
    """

    n_units: int = 0
    n_after_text: int = 0
    n_after_blank: int = 0
    _before: bytes = b"\n\n"

    def add(self, view: LineView) -> None:
        """Look at some more lines, as long as the sample lasts."""
        data = view.data[: SAMPLE_UNITS - self.n_units]
        if not data:
            return
        self.n_units += len(data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        seen = self._before + data
        # Line feeds are few among the bytes: from here on only they are looked at.
        ends = np.flatnonzero(np.frombuffer(seen, np.uint8) == _LINE_FEED)
        gaps = np.diff(ends, prepend=-2, append=len(seen))
        begins_text = (gaps[1:] > 1) & (ends > 0)
        n_after_blank = int(np.count_nonzero(begins_text & (gaps[:-1] == 1)))
        self.n_after_blank += n_after_blank
        self.n_after_text += int(np.count_nonzero(begins_text)) - n_after_blank
        self._before = seen[-2:]

    def may_be_stories(self) -> bool:
        """Whether there are enough of both kinds of lines, and more paragraphs than stories."""
        return FEWEST_STORIES <= self.n_after_text <= self.n_after_blank


_LINE_FEED = 0x0A
_OPENING = re.compile(rb"[A-Za-z][A-Za-z'-]*,? [A-Za-z][A-Za-z'-]*")
_CLOSING = frozenset(b".!?\"'") | frozenset(range(0x80, 0x100))
LEAST_CLOSED = 0.8
"""Of the lines, so many end as sentences do: these are paragraphs, not verses or lists."""


@dataclass
class Openings:
    """How the lines of a sample begin, each line counted once.

    Attributes:
        n_units: code units seen.
        seen: the lines.
        n_closed: lines that end as sentences do.
        after_text: openings of lines that follow a line of text.
        after_blank: openings of lines that follow a blank one.
        previous_is_text: whether the line before the next one is not blank.
    """

    n_units: int = 0
    seen: set[bytes] = field(default_factory=set)
    n_closed: int = 0
    after_text: Counter[bytes] = field(default_factory=Counter)
    after_blank: Counter[bytes] = field(default_factory=Counter)
    previous_is_text: bool = False

    def add(self, view: LineView) -> None:
        """Look at some more lines, as long as the sample lasts."""
        for line in view.data.split(b"\n"):
            if self.n_units >= SAMPLE_UNITS:
                return
            self.n_units += len(line) + 1
            is_text = bool(line) and not line.isspace()
            # What is repeated word for word is no story's first line.
            if is_text and line not in self.seen:
                self.seen.add(line)
                opening = _OPENING.match(line)
                counter = self.after_text if self.previous_is_text else self.after_blank
                counter[opening[0] if opening else b""] += 1
                self.n_closed += line.rstrip()[-1] in _CLOSING
            self.previous_is_text = is_text

    def of_stories(self) -> list[bytes]:
        """The openings by which stories are known; none where the lines do not give any away."""
        n_text, n_blank = self.after_text.total(), self.after_blank.total()
        if n_text < FEWEST_STORIES or n_blank < n_text or self.n_closed < LEAST_CLOSED * (n_text + n_blank):
            return []
        telling = [
            (count, opening)
            for opening, count in self.after_text.items()
            if opening
            and count >= FEWEST_OF_AN_OPENING
            and count * (n_blank + 1) >= LIFT * (self.after_blank[opening] + 1) * n_text
        ]
        if not telling or max(telling)[0] < LEAST_SHARE * n_text:
            return []
        return sorted(opening for _, opening in telling)


class StoryFinder:
    """Finds the lines that begin stories, view by view."""

    def __init__(self, openings: list[bytes]) -> None:
        self._pattern = re.compile(rb"(?m)^(?:" + b"|".join(map(re.escape, openings)) + rb")(?![A-Za-z'-])")
        self._previous_is_text = False

    def __call__(self, view: LineView) -> Iterator[re.Match[bytes]]:
        """The first words of the stories that begin in `view`, which follows the last one."""
        previous_is_text, self._previous_is_text = self._previous_is_text, _ends_with_text(view.data)
        for found in self._pattern.finditer(view.data):
            if found.start():
                follows_text = _ends_with_text(view.data[: found.start()][-4096:])
            else:
                follows_text = previous_is_text and view.begins_line
            if follows_text:
                yield found


def _ends_with_text(lines: bytes) -> bool:
    last = lines[lines.rfind(b"\n", 0, len(lines) - 1) + 1 :]
    return bool(last) and not last.isspace()
