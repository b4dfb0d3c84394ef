"""Text that grows paragraph by paragraph while markup is read.

What lives here: white space. What does not: tags.
"""

from __future__ import annotations

import re

_SPACE = re.compile(r"[ \t\r\n\f]+")


class Paragraphs:
    """Paragraphs of a text: white space inside them is collapsed as XML and HTML demand, blank lines part them.

    White space that is more than layout (no-break spaces, ideographic spaces) stays.

    Attributes:
        pending: parts of the paragraph that is being read.
    """

    def __init__(self) -> None:
        self.pending: list[str] = []
        self._done: list[str] = []

    def take(self) -> str:
        """End the paragraph without writing it."""
        text = _SPACE.sub(" ", "".join(self.pending)).strip(" ")
        self.pending.clear()
        return text

    def take_preformatted(self) -> str:
        """End the paragraph, whose line breaks and spaces are text, without writing it."""
        lines = "".join(self.pending).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.pending.clear()
        return "\n".join(line.rstrip() for line in lines).strip("\n")

    def write(self, text: str, separator: str = "\n\n") -> None:
        """Write a paragraph, or a line of one with the separator ``\\n``; nothing where it is blank."""
        if text and not text.isspace():
            self._done += [text, separator]
        elif self._done and len(separator) > len(self._done[-1]):
            self._done[-1] = separator

    @property
    def text(self) -> str:
        """What has been written."""
        return "".join(self._done).strip("\n")
