"""The command ``decode``: the Data Cleanser alone, without a database.

Heavy imports are inside the functions.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from warehouse.cleanser.chunking import Chunking

PARENT_FOLDER = "_parent"
"""What ``..`` in a given path becomes below the output folder."""


def decode(
    files: Annotated[list[Path], typer.Argument(help="Files of any encoding.", metavar="FILE...")],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line instead of a table.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the clean texts: each under its own relative path with .txt added."),
    ] = None,
    no_repair: Annotated[bool, typer.Option("--no-repair", help="Leave mojibake as it is.")] = False,
) -> None:
    """Decide the encoding of files, with evidence, and write them as clean UTF-8.

    Example: fakesmrt decode letters/*.txt --output clean
    """
    from warehouse.cleanser.chunking import Chunking
    from warehouse.errors import FakesmrtError

    targets = _targets(files, output)
    chunking = Chunking(repair_mojibake=not no_repair)
    rows: list[dict[str, Any]] = []
    n_failed = 0
    for file in files:
        try:
            row = decoded_file(file, targets.get(file), chunking)
        except FakesmrtError as failure:
            n_failed += 1
            sys.stderr.write(f"fakesmrt: {failure}\n")
            continue
        if as_json:
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            rows.append(row)
    if rows:
        _show(rows)
    if n_failed:
        raise typer.Exit(1)


def target_below(file: Path, output: Path) -> Path:
    """Where the clean text of a file goes: always below `output`, whatever the file's path holds."""
    parts = [PARENT_FOLDER if part == ".." else part for part in file.parts if part != file.anchor]
    return output.joinpath(*parts[:-1], f"{parts[-1]}.txt") if parts else output / f"{PARENT_FOLDER}.txt"


def _targets(files: Iterable[Path], output: Path | None) -> dict[Path, Path]:
    from warehouse.cleanser.streams import display_name
    from warehouse.errors import InvalidConfiguration

    if output is None:
        return {}
    targets: dict[Path, Path] = {}
    owners: dict[Path, Path] = {}
    for file in files:
        target = target_below(file, output)
        owner = owners.setdefault(target, file)
        if owner != file:
            raise InvalidConfiguration(
                f"{display_name(owner)} and {display_name(file)} have the same output {display_name(target)}",
                "Decode them into different folders",
            )
        targets[file] = target
    return targets


def decoded_file(file: Path, target: Path | None, chunking: Chunking) -> dict[str, Any]:
    """Cleanse one file with bounded memory.

    Args:
        file: what to read.
        target: where to write the clean text; None writes nothing. A file that is no text writes nothing
            either.
        chunking: how to cut and repair.

    Returns:
        The row that ``--json`` prints; `encoding` and `text_sha256` are None where the file is no text.

    Raises:
        InputUnreadable: if the file cannot be read or changes while it is read.
    """
    from warehouse.cleanser.cleansing import examine_stream
    from warehouse.cleanser.streams import display_name, open_streams
    from warehouse.files import written_whole

    stream = open_streams(file)[0]
    found = examine_stream(stream)
    totals = _Totals()
    if target is not None and found.decision.encoding is not None:
        with written_whole(target) as partial, partial.open("w", encoding="utf-8", newline="") as clean:
            for text in totals.texts(stream, found, chunking):
                clean.write(text)
    else:
        for _ in totals.texts(stream, found, chunking):
            pass
    decision = found.decision
    return {
        "path": display_name(file),
        "encoding": decision.encoding,
        "confidence": round(decision.confidence, 4),
        "evidence": list(decision.evidence),
        "runners_up": list(decision.runners_up),
        "language": found.documents[0].language if found.documents else "und",
        "repair": totals.repair(),
        "n_bytes": stream.n_bytes,
        "n_characters": totals.n_characters,
        "n_dropped_bytes": totals.n_dropped_bytes,
        "text_sha256": totals.digest.hexdigest() if decision.encoding is not None else None,
        "flags": list(decision.flags),
    }


class _Totals:
    """Sums over a file's chunks as they pass by."""

    def __init__(self) -> None:
        import hashlib
        from collections import Counter

        self.digest = hashlib.sha256()
        self.n_characters = self.n_dropped_bytes = self.n_replaced = 0
        self.n_chunks_with: Counter[str] = Counter()

    def texts(self, stream: Any, found: Any, chunking: Chunking) -> Iterable[str]:
        """The clean texts of a stream, counted."""
        from warehouse.cleanser.cleansing import ChunkRecord, cut_document
        from warehouse.cleanser.repair import RepairPlan

        self.n_dropped_bytes += sum(gap.byte_end - gap.byte_start for gap in found.dropped)
        for document in found.documents:
            for part in cut_document(stream, document, chunking):
                if not isinstance(part, ChunkRecord):
                    self.n_dropped_bytes += part.byte_end - part.byte_start
                    continue
                self.digest.update(part.text.encode())
                self.n_characters += part.n_characters
                self.n_replaced += part.n_replaced
                self.n_chunks_with.update({step[0] for step in RepairPlan.from_json(part.repair).steps})
                yield part.text

    def repair(self) -> dict[str, int]:
        """Chunks that each kind of repair changed, and characters that stand for bytes without meaning."""
        return {**dict(sorted(self.n_chunks_with.items())), "n_replaced": self.n_replaced}


def _show(rows: list[dict[str, Any]]) -> None:
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
    Console().print(table)
