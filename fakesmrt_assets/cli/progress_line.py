"""How a training looks in a terminal while it goes on: one line that is written over."""

from __future__ import annotations

import os
from typing import TextIO

import typer

BAR_WIDTH = 10
COLUMNS = 80


class ProgressLine:
    """A line on stderr that is written over; where that is no terminal, a line every tenth of the way."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, stderr by default."""
        self._stream = stream or typer.get_text_stream("stderr")
        self._shown_tenth = -1
        self._open = False

    def show(self, done: float, total: float, note: str) -> None:
        """Show how far a training is (`warehouse.progress.Progress`)."""
        if self._stream.isatty():
            self._write(f"\r\033[K{shown(done, total, note, self._columns())}")
            self._open = True
        elif int(10 * done / total) > self._shown_tenth:
            self._shown_tenth = int(10 * done / total)
            self._write(f"step {done:,.0f} of {total:,.0f}: {note}\n" if done else f"{note}\n")

    def end(self) -> None:
        """Leave the line."""
        if self._open:
            self._write("\n")
            self._open = False

    def _columns(self) -> int:
        # Asked of stderr, because stdout may be a file; 0 where the terminal does not know its size.
        return os.get_terminal_size(self._stream.fileno()).columns or COLUMNS

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def shown(done: float, total: float, note: str, columns: int) -> str:
    """Bar, steps and note that do not break the line (only an unbroken one can be written over): the bar goes first."""
    full = round(BAR_WIDTH * done / total)
    bar = f"{'━' * full}{'·' * (BAR_WIDTH - full)} {done / total:4.0%} "
    text = f"{done:.0f}/{total:.0f} {note}" if done else note
    if len(bar + text) < columns:
        return bar + text
    return text if len(text) < columns else text[: columns - 2] + "…"
