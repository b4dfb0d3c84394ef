"""How a build looks in a terminal: a line a stage, with a bar and the time left while it works.

Where the output is no terminal, each stage is one line when it has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from warehouse.progress import Progress, readable_seconds
from warehouse.stages.stage import ASSETS, StageReport

QUIET_SECONDS = 20.0
"""Without a terminal, a stage that works longer says so this often."""


def readable_bytes(n_bytes: float) -> str:
    """12.3 MB and the like (powers of ten)."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(n_bytes) < 1000 or unit == "GB":
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    raise AssertionError("unreachable")


def _facts(counts: Mapping[str, int | float | str]) -> str:
    shown = []
    for name, value in counts.items():
        if value in (0, "") or name.startswith("n_dropped_") or isinstance(value, str):
            continue
        if name.endswith("_bytes"):
            shown.append(f"{name.removesuffix('_bytes').replace('_', ' ')} {readable_bytes(float(value))}")
        else:
            label = name.removeprefix("n_").replace("_", " ")
            shown.append(f"{label} {value:,}" if isinstance(value, int) else f"{label} {value:.4g}")
    return ", ".join(shown[:5])


class ConsoleListener:
    """Shows a build on a console; use it as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.reports: list[StageReport] = []
        self._bars = Bars(
            TextColumn("{task.fields[asset]:<24}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> ConsoleListener:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def progress(self, asset: str, log: Callable[[str], object]) -> Progress:
        """A bar for the stage that begins."""
        del log
        self._drop_bar()
        task = self._task = self._bars.add_task("", asset=asset, note="", total=None)
        place = f"[{ASSETS.index(asset) + 1}/{len(ASSETS)}] {asset}"
        last = time.monotonic()

        def show(done: float, total: float, note: str) -> None:
            nonlocal last
            self._bars.update(task, completed=done, total=total or None, note=note)
            if not self.console.is_terminal and time.monotonic() - last >= QUIET_SECONDS:
                last = time.monotonic()
                share = f"{done / total:.0%} " if total else ""
                self.console.print(f"{place}: {share}{note}", markup=False, highlight=False, soft_wrap=True)

        return show

    def finished(self, report: StageReport) -> None:
        """A line for the stage that has ended, and one for each problem."""
        self._drop_bar()
        self.reports.append(report)
        ending = (
            "up to date"
            if report.up_to_date
            else f"{readable_seconds(report.seconds):>12}  {_facts(report.counts)}"
        )
        place = f"[{ASSETS.index(report.asset) + 1:>2}/{len(ASSETS)}] {report.asset:<24}"
        self.console.print(f"{place} {ending}", markup=False, highlight=False, soft_wrap=True)
        for problem in report.problems[:10]:
            self.console.print(f"        {problem}", markup=False, highlight=False, soft_wrap=True)
        if len(report.problems) > 10:
            self.console.print(
                f"        … and {len(report.problems) - 10} more", markup=False, highlight=False
            )

    def _drop_bar(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
