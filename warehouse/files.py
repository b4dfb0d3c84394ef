"""Files that are whole or absent: temporary name, fsync, rename.

The files of ``text/``, ``index/``, ``tokens/`` and ``models/`` may lie in an object store (``object_store.py``). Then a
text file lies there alone and is read by ranges; of the others the home holds copies, each fetched once, which may
be removed at any time. Where there is no store every function here is the plain call on the local file.

What lives here: how every file of the home that is not DuckDB's own is written, found, fetched, removed and hashed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from warehouse.errors import CorruptArtefact
from warehouse.object_store import store_of_home, stored_file

BLOCK_BYTES = 1 << 20
TRANSFERS = 8
"""Files that travel at a time."""


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path; after the block the file stands at `path`, whole and on disk.

    The temporary name keeps the suffix, because writers choose a format by it. If the block raises,
    nothing is left behind.

    Raises:
        StoreUnavailable: if the file belongs into an object store that does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(path)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        if _lies_in_store_alone(partial, path):
            path.unlink(missing_ok=True)
        else:
            partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f".{os.getpid()}.{path.name}")


def _lies_in_store_alone(partial: Path, path: Path) -> bool:
    """Store a finished file, if it belongs into a store; whether no copy of it shall stay here."""
    stored = stored_file(path)
    # A model is stored as a folder, when it is finished.
    if stored is None or stored.room == "models":
        return False
    stored.store.put(partial, stored.key)
    return stored.room == "text"


def write_bytes_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part."""
    with written_whole(path) as partial:
        partial.write_bytes(data)


def file_sha256(path: Path) -> bytes:
    """SHA-256 of a file's bytes, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.digest()


def exists(path: Path) -> bool:
    """Whether there is such a file, here or in the object store of its home."""
    if path.is_file():
        return True
    stored = stored_file(path)
    return stored is not None and stored.store.has(stored.key)


def names(folder: Path, pattern: str = "*") -> list[str]:
    """Names of the whole files in a folder that match `pattern`, sorted; in a store home those of the store."""
    stored = stored_file(folder)
    if stored is None:
        found = [path.name for path in folder.glob(pattern) if path.is_file()]
    else:
        keys = (PurePosixPath(key) for key in stored.store.sizes(stored.key))
        found = [key.name for key in keys if str(key.parent) == stored.key and key.match(pattern)]
    return sorted(name for name in found if not name.startswith("."))


def folders(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted; in a store home those that hold a file of the store."""
    stored = stored_file(folder)
    if stored is None:
        found = {path.name for path in folder.glob("*") if path.is_dir()}
    else:
        inside = (PurePosixPath(key).relative_to(stored.key) for key in stored.store.sizes(stored.key))
        found = {path.parts[0] for path in inside if len(path.parts) > 1}
    return sorted(name for name in found if not name.startswith("."))


def remove(path: Path) -> None:
    """Remove a file that may not be there, here and in the object store of its home."""
    # Here first: what is listed is what the store has, and nobody would find a copy that outlives it.
    path.unlink(missing_ok=True)
    if stored := stored_file(path):
        stored.store.remove(stored.key)


def remove_unfinished(root: Path) -> list[str]:
    """Remove from the object store of the home at `root` what killed processes put there in part; returns the keys.

    Only the process that holds the home's build lock may do so: another one's work would vanish too.
    """
    store = store_of_home(root)
    if store is None:
        return []
    keys = store.unfinished()
    for key in keys:
        store.remove(key)
    return keys


def fetched(path: Path, sha256: bytes | None = None) -> Path:
    """The same path; before, the file is brought there from the object store of its home, if it is not there yet.

    Args:
        path: any path; one that belongs into no store is returned as it is.
        sha256: what a file that comes from the store must hash to; None to take it as it comes.

    Raises:
        FileNotFoundError: if the store has no such file.
        CorruptArtefact: if the file in the store is another than `sha256` says.
        StoreUnavailable: if the store does not give it.
    """
    if path.is_file():
        return path
    stored = stored_file(path)
    if stored is None:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(path)
    try:
        stored.store.get(stored.key, partial)
        if sha256 is not None and file_sha256(partial) != sha256:
            raise CorruptArtefact(
                f"{stored.store.address(stored.key)} does not have the hash that its manifest states",
                "Run: fakesmrt doctor --fix, then fakesmrt build",
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def fetched_all(paths: Iterable[Path]) -> list[Path]:
    """`fetched` for many files, some at a time; in their order."""
    wanted = list(paths)
    missing = [path for path in dict.fromkeys(wanted) if not path.is_file() and stored_file(path)]
    with ThreadPoolExecutor(TRANSFERS) as threads:
        list(threads.map(fetched, missing))
    return wanted


@contextmanager
def opened(path: Path) -> Iterator[Path | BinaryIO]:
    """What random access reads from: the local file, else the one in the object store of its home.

    Raises:
        FileNotFoundError: if the store has no such file; a local one that is missing is returned all the same.
    """
    stored = None if path.is_file() else stored_file(path)
    if stored is None:
        yield path
        return
    with stored.store.opened(stored.key) as stream:
        yield stream


def address(path: Path) -> str:
    """What another program reads the file by: its URL in the object store of its home, else its path."""
    stored = stored_file(path)
    return str(path) if stored is None else stored.store.address(stored.key)


def store_folder(folder: Path, without: Collection[str] = ()) -> None:
    """Make the object store's copy of a finished folder equal to it; does nothing where there is no store.

    Args:
        folder: in the home.
        without: names of files and folders in it that nobody elsewhere needs.
    """
    stored = stored_file(folder)
    if stored is None:
        return
    inside = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    here = {
        f"{stored.key}/{name.as_posix()}": path
        for name, path in inside.items()
        if name.parts[0] not in without and not any(part.startswith(".") for part in name.parts)
    }
    with ThreadPoolExecutor(TRANSFERS) as threads:
        list(threads.map(lambda item: stored.store.put(item[1], item[0]), here.items()))
    for key in sorted(stored.store.sizes(stored.key).keys() - here.keys()):
        stored.store.remove(key)


def fetched_folder(folder: Path) -> Path:
    """The same path; before, what is missing of the folder is brought there from the object store of its home.

    Raises:
        StoreUnavailable: if the store does not give it.
    """
    if stored := stored_file(folder):
        keys = stored.store.sizes(stored.key)
        fetched_all(folder / PurePosixPath(key).relative_to(stored.key) for key in keys)
    return folder
