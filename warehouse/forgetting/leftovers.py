"""What lies in a home beside what is recorded: temporary files, reports, references and raw files.

What lives here: removing those that hold, or may hold, forgotten text. What does not: what is recorded in a database.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from warehouse.files import file_sha256, remove_unfinished
from warehouse.home import Home
from warehouse.leftovers import left_behind
from warehouse.stages.feeding import filesystem_path

REPORT_SUFFIXES = (".html", ".json", ".md")
PINNED_FOLDER = re.compile(r"(ngram|micromodel)-[0-9a-f]{16}")


def remove_reports(home: Home) -> list[str]:
    """Remove the reports, which quote text or show what a model made of it; the next build writes them again. Pictures
    of figures stay."""
    reports = sorted(path for path in home.reports.glob("*") if path.suffix in REPORT_SUFFIXES)
    for path in reports:
        path.unlink()
    return [path.name for path in reports]


def remove_references(home: Home, recorded: Collection[str]) -> list[str]:
    """Remove the references that are pinned no more, or were never finished; returns the names of their folders."""
    removed = []
    for folder in sorted(home.references.glob("*")):
        if folder.name not in recorded and PINNED_FOLDER.fullmatch(folder.name):
            shutil.rmtree(folder)
            removed.append(folder.name)
    return removed


def remove_temporary(home: Home) -> list[str]:
    """Remove what processes left behind that are gone, and damaged databases that were put aside; what a living process
    has open is its own affair.

    Nothing of a build is there: only one process builds a home, and this one holds its place.
    """
    in_use = set(open_files())
    removed = []
    damaged = home.root.glob(f"{home.database.name}*.damaged")
    for path in [*left_behind(home, alone=True), *damaged]:
        if any(used == path or path in used.parents for used in in_use):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        removed.append(str(path.relative_to(home.root)))
    return sorted([*removed, *remove_unfinished(home.root)])


def remove_raw_files(home: Home, paths: Sequence[tuple[str, bytes, bool]]) -> tuple[list[str], list[str]]:
    """Remove forgotten files that lie in the home itself, in ``raw/``.

    Args:
        home: the home.
        paths: of files that hold forgotten text: the path as the database shows it, the file's hash, and whether the
            file is forgotten as a whole. One that holds other documents too stays.

    Returns:
        Paths of the files that were removed, and of those that still hold the text and are their owner's to remove.
    """
    removed, kept = [], []
    for shown, sha256, is_whole in paths:
        path = filesystem_path(shown)
        if not path.is_file() or file_sha256(path) != sha256:
            continue
        if is_whole and home.raw.resolve() in path.resolve().parents:
            path.unlink()
            removed.append(shown)
        else:
            kept.append(shown)
    return removed, kept


def open_files() -> Iterator[Path]:
    """Files that processes of this machine have open, as far as this user may see."""
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            yield descriptor.readlink()
        except OSError:
            continue  # It is closed by now.


def old_versions_open(home: Home) -> list[int]:
    """Processes that still have a published version open that was replaced or removed: its bytes stay until they close
    it."""
    found = set()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith(f"{home.published_versions}/") and target.endswith(" (deleted)"):
            found.add(int(descriptor.parts[2]))
    return sorted(found - {os.getpid()})
