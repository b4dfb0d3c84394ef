"""Work in a process of its own: its answer, its progress, its failures."""

from __future__ import annotations

import os
import signal

import pytest

from fakesmrt_assets.apart import run_apart
from warehouse.errors import InputUnreadable, TrainingFailed
from warehouse.progress import Progress, silent


def add_slowly(a: int, b: int, progress: Progress) -> tuple[int, int]:
    """A sum, and the process that computed it."""
    progress(1, 2, "half")
    progress(2, 2, "whole")
    return a + b, os.getpid()


def fail(path: str, progress: Progress) -> None:
    """A failure with its remedy."""
    del progress
    raise InputUnreadable(f"{path} cannot be read", "Look for it")


def die(progress: Progress) -> None:
    """What the kernel does when memory is short."""
    del progress
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_answer_and_the_progress_come_back_from_another_process() -> None:
    heard: list[tuple[float, float, str]] = []
    answer, process = run_apart(lambda *report: heard.append(report), add_slowly, a=2, b=3)
    assert (answer, process != os.getpid()) == (5, True)
    assert heard == [(1, 2, "half"), (2, 2, "whole")]


def test_a_failure_keeps_its_cause_and_remedy() -> None:
    with pytest.raises(InputUnreadable, match=r"letters cannot be read\. Look for it\."):
        run_apart(silent, fail, path="letters")


def test_a_process_that_is_killed_is_named() -> None:
    with pytest.raises(TrainingFailed, match="die ended with status -9"):
        run_apart(silent, die)
