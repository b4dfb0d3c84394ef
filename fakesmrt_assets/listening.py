"""Who hears how a build advances: Dagster's event log, or a person at a terminal.

What lives here: the listener's contract and the one that writes to Dagster's log. What does not: terminals
(``cli/console.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from warehouse.progress import Progress
from warehouse.stages.stage import StageReport

SECONDS_BETWEEN_LOGS = 30.0
"""Dagster's SQLite event log takes about 46 lines a second, and nobody reads more often."""


class Listener(Protocol):
    """Hears of each stage of a build."""

    def progress(self, asset: str, log: Callable[[str], object]) -> Progress:
        """The progress callback of a stage that begins; `log` writes a line to the run's event log."""

    def finished(self, report: StageReport) -> None:
        """A stage has ended well."""


def logged_progress(
    log: Callable[[str], object],
    clock: Callable[[], float] = time.monotonic,
    every: float = SECONDS_BETWEEN_LOGS,
) -> Progress:
    """A progress callback that writes a line to `log` at most every `every` seconds, none in the first."""
    last = clock()

    def progress(done: float, total: float, note: str) -> None:
        nonlocal last
        if clock() - last >= every:
            last = clock()
            share = f"{done / total:.0%}" if total else f"{done:,.0f}"
            log(f"{share} {note}".rstrip())

    return progress


class EventLogListener:
    """Writes a line to the run's event log from time to time."""

    def progress(self, asset: str, log: Callable[[str], object]) -> Progress:
        del asset
        return logged_progress(log)

    def finished(self, report: StageReport) -> None:
        del report
