"""The command ``decode``: the Data Cleanser alone, without a database.

What lives here: arguments, processes, and how the outcome looks. What does not: what is done with a file
(``decoding.py``). Heavy imports are inside the functions.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fakesmrt_assets.cli.decoding import DecodedFile, DecodeOrder

INLINE_BYTES = 4_000_000
"""Fewer bytes are decoded before a worker process has started."""

LISTED_STREAMS = 500
"""Rows of the table for people; ``--json`` lists all."""


def decode(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files of any encoding, archives, or folders of them.", metavar="FILE..."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line instead of a table.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the clean texts: each under its own relative path with .txt added."),
    ] = None,
    no_repair: Annotated[bool, typer.Option("--no-repair", help="Leave mojibake as it is.")] = False,
    jobs: Annotated[int | None, typer.Option(help="Processes; one a core by default.", min=1)] = None,
    masked: Annotated[
        str | None,
        typer.Option("--mask", help="Kinds of private data to mask: email,phone,public_ip,card,iban."),
    ] = None,
) -> None:
    """Decide the encoding of files, with evidence, and write them as clean UTF-8. Archives are read member by member.

    Example: fakesmrt decode letters old.zip --output clean
    """
    from fakesmrt_assets.cli.decoding import DecodeOrder
    from warehouse.cleanser.chunking import Chunking

    kinds = _kinds(masked)
    problems: list[str] = []
    found = list(_found(files, problems))
    if output is not None:
        _refuse_collisions(found, output)
    for problem in problems:
        sys.stderr.write(f"fakesmrt: {problem}\n")
    with _workplace(output) as workplace:
        order = DecodeOrder(Chunking(repair_mojibake=not no_repair), output, kinds, workplace)
        n_problems = len(problems) + _decode_all(found, order, jobs, _Display(as_json))
    if n_problems:
        raise typer.Exit(1)


def _kinds(masked: str | None) -> tuple[str, ...]:
    from warehouse.cleanser.privacy import KINDS

    kinds = tuple(kind.strip() for kind in (masked or "").split(",") if kind.strip())
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise typer.BadParameter(f"there is no kind {unknown[0]!r}; there are {', '.join(KINDS)}")
    return kinds


def _found(files: Iterable[Path], problems: list[str]) -> Iterator[Path]:
    """The files, those in folders included, each once; hidden ones in folders and links to folders are left out."""
    from warehouse.cleanser.streams import display_name

    def unlisted(failure: OSError) -> None:
        problems.append(f"{display_name(failure.filename)} cannot be listed: {failure.strerror}.")

    seen: set[Path] = set()
    for named in files:
        inside = _files_in(named, unlisted) if named.is_dir() else iter((named,))
        for file in inside:
            if file not in seen:
                seen.add(file)
                yield file


def _files_in(folder: Path, unlisted: Any) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _refuse_collisions(files: Iterable[Path], output: Path) -> None:
    from fakesmrt_assets.cli.decoding import target_below
    from warehouse.cleanser.streams import display_name
    from warehouse.errors import InvalidConfiguration

    owners: dict[Path, Path] = {}
    for file in files:
        target = target_below(file, output)
        owner = owners.setdefault(target, file)
        if owner != file:
            raise InvalidConfiguration(
                f"{display_name(owner)} and {display_name(file)} have the same output {display_name(target)}",
                "Decode them into different folders",
            )


@contextmanager
def _workplace(output: Path | None) -> Iterator[Path]:
    """A folder for what is not finished, which is gone when the block ends, however it ends."""
    from tempfile import TemporaryDirectory

    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".fakesmrt-", dir=output, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _decode_all(files: list[Path], order: DecodeOrder, jobs: int | None, display: _Display) -> int:
    """Decode files and show what became of them, in their order; returns the number of problems."""
    from rich.console import Console
    from rich.progress import Progress

    n_problems = 0
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("decoding", total=len(files))
            for decoded in _decoded(files, order, jobs):
                n_problems += decoded.n_problems
                display.take(decoded)
                progress.advance(task)
    except KeyboardInterrupt:
        sys.stderr.write("fakesmrt: interrupted. The clean texts that were finished are kept.\n")
        raise typer.Exit(130) from None
    display.close()
    return n_problems


def _decoded(files: list[Path], order: DecodeOrder, jobs: int | None) -> Iterator[DecodedFile]:
    from fakesmrt_assets.cli.decoding import decode_file

    n_workers = min(jobs or os.cpu_count() or 1, len(files))
    if n_workers == 1 or (jobs is None and _n_bytes(files) < INLINE_BYTES):
        yield from (decode_file(file, number, order) for number, file in enumerate(files))
    else:
        yield from _decoded_by_workers(files, order, n_workers)


def _n_bytes(files: Iterable[Path]) -> int:
    total = 0
    for file in files:
        with suppress(OSError):
            total += file.stat().st_size
    return total


def _decoded_by_workers(files: list[Path], order: DecodeOrder, n_workers: int) -> Iterator[DecodedFile]:
    from collections import deque
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing import get_context

    from fakesmrt_assets.cli.decoding import decode_file, start_decoder

    executor = ProcessPoolExecutor(
        n_workers,
        mp_context=get_context("spawn"),
        initializer=start_decoder,
        initargs=(os.getpid(), order.workplace),
    )
    waiting: deque[Future[DecodedFile]] = deque()
    try:
        for number, file in enumerate(files):
            waiting.append(executor.submit(decode_file, file, number, order))
            if len(waiting) > 4 * n_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        _kill_workers(order.workplace)
        raise
    executor.shutdown()


def _kill_workers(workplace: Path) -> None:
    """End workers in the middle of their files: what they were writing lies in the workplace alone."""
    from signal import SIGKILL

    for marker in workplace.glob("*.pid"):
        with suppress(ProcessLookupError):
            os.kill(int(marker.stem), SIGKILL)


class _Display:
    """Shows what became of the files: lines for machines, or tables for people."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._rows: list[dict[str, Any]] = []
        self._n_rows = 0
        self._dropped: Counter[str] = Counter()

    def take(self, decoded: DecodedFile) -> None:
        """Show, or keep for the table, the streams of a file."""
        with decoded.rows.open(encoding="utf-8") as rows:
            for line in rows:
                self._n_rows += 1
                if self._as_json:
                    typer.echo(line, nl=False)
                elif len(self._rows) < LISTED_STREAMS:
                    self._rows.append(json.loads(line))
        with decoded.problems.open(encoding="utf-8") as problems:
            for problem in problems:
                sys.stderr.write(f"fakesmrt: {problem}")
        self._dropped += decoded.dropped
        decoded.rows.unlink()
        decoded.problems.unlink()

    def close(self) -> None:
        """Print the tables."""
        if self._rows:
            _show_streams(self._rows, self._n_rows)
        if self._dropped and not self._as_json:
            _show_dropped(self._dropped)


def _show_streams(rows: list[dict[str, Any]], n_rows: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("file", overflow="fold")
    for name in ("encoding", "sure", "lang", "characters", "dropped"):
        table.add_column(name, no_wrap=True)
    table.add_column("notes", overflow="fold")
    for row in rows:
        repair = [f"{name} {count}" for name, count in row["repair"].items() if count]
        cells = (
            row["path"],
            row["encoding"] or "no text",
            f"{row['confidence']:.2f}",
            row["language"],
            f"{row['n_characters']:,}",
            f"{row['n_dropped_bytes']:,}",
            ", ".join([*row["flags"], *repair]),
        )
        table.add_row(*(Text(cell) for cell in cells))
    console = Console()
    console.print(table)
    if n_rows > len(rows):
        console.print(f"… and {n_rows - len(rows):,} more; --json lists all")


def _show_dropped(dropped: Counter[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("bytes that became no text")
    table.add_column("bytes", justify="right")
    for reason, n_bytes in dropped.most_common():
        table.add_row(reason, f"{n_bytes:,}")
    Console().print(table)
