"""The line of a training in a terminal, and its lines in a log file."""

from __future__ import annotations

import io
import os

import pytest

from fakesmrt_assets.cli.progress_line import ProgressLine, shown
from fakesmrt_models.training.progress import note


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


def test_a_terminal_shows_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((78 + descriptor, 24)))
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.show(0, 1, "preparing")
    line.show(1_000, 4_000, "5 s left, loss 3.250, 18,240 tokens/s")
    line.end()
    assert terminal.getvalue().count("\n") == 1
    last = terminal.getvalue().split("\r\033[K")[-1]
    assert last == "━━········  25% 1000/4000 5 s left, loss 3.250, 18,240 tokens/s\n"


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
    assert shown(0, 1, "x" * 200, 80) == "x" * 78 + "…"


def test_eighty_columns_hold_every_figure_of_a_long_training() -> None:
    measured = {
        "step": 12_345, "n_steps": 20_000, "loss": 3.25, "train_bits_per_byte": 2.0794, "bits_per_byte": 2.1031,
        "tokens_per_second": 18_240.4, "utilisation": 0.471, "seconds": 1_216.0,
    }  # fmt: skip
    assert shown(12_345, 20_000, note([measured]), 80) == (
        "12345/20000 12:34 left, loss 3.25, 2.079 bits/B, unseen 2.103, 18k tok/s at 47%"
    )
