"""The line of a training in a terminal, and its lines in a log file."""

from __future__ import annotations

import io
import os

import pytest

from fakesmrt_assets.cli.progress_line import ProgressLine, fitted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


def test_a_terminal_shows_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((56 + descriptor, 24)))
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.show(0, 1, "preparing")
    line.show(1_000, 4_000, "5 s left, loss 3.250, 18,240 tokens/s")
    line.end()
    assert terminal.getvalue().count("\n") == 1
    shown = terminal.getvalue().split("\r\033[K")[-1]
    assert shown == "━━········  25% step 1,000 of 4,000: 5 s left, loss 3.25…\n"


def test_a_log_file_gets_a_line_every_tenth_of_the_way() -> None:
    log = io.StringIO()
    line = ProgressLine(log)
    for step in range(101):
        line.show(step, 100, "on" if step else "preparing")
    line.end()
    assert log.getvalue().splitlines() == [
        "preparing",
        *(f"step {step} of 100: on" for step in range(10, 101, 10)),
    ]


def test_a_line_never_reaches_the_edge_of_the_terminal() -> None:
    assert fitted("x" * 200, 80) == "x" * 78 + "…"
    assert fitted("short", 80) == "short"
