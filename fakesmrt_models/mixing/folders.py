"""Folders that are whole or absent.

What lives here: how a mix is written. A reader, or a run that comes after a crash, sees all of it or nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import InvalidConfiguration
from warehouse.files import sync_folder, write_bytes_whole


@contextmanager
def folder_written_whole(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder; after the block it stands at `folder`. If the block raises, nothing is left.

    Raises:
        InvalidConfiguration: something already lies at `folder`.
    """
    if folder.exists():
        raise InvalidConfiguration(f"{folder} exists already", "Remove it or name another output folder")
    partial = folder.with_name(f".{os.getpid()}.{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        sync_folder(partial)
        partial.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy one file so that it is whole or absent."""
    write_bytes_whole(target, source.read_bytes())
