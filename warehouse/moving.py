"""Taking the files of a home into an object store, and bringing them back.

Interrupted at any moment, the files are all where they were or all there too; the same call again ends it.

What lives here: the two ways. What does not: what a store is (``object_store.py``), and which file is where from then
on (``files.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from warehouse.database import Warehouse, query
from warehouse.errors import InvalidConfiguration
from warehouse.files import TRANSFERS, fetched, sync_folder, write_bytes_whole
from warehouse.home import Home
from warehouse.identity import content_id
from warehouse.locks import build_lock
from warehouse.object_store import (
    SETTINGS_FILE,
    STORED_ROOMS,
    Json,
    ObjectStore,
    StoreSettings,
    read_settings,
    store_of_home,
)
from warehouse.progress import Progress, silent
from warehouse.published_relations import add_file_views
from warehouse.publishing import rewrite_version, versions

PURPOSE = "moving the files"
LEFT_FILES = "store-left-*.json"
"""Settings of stores that a home was brought back from."""


def move_to_store(
    warehouse: Warehouse, url: str, options: Mapping[str, Json] | None = None, progress: Progress = silent
) -> int:
    """Keep ``text/``, ``index/``, ``tokens/`` and ``models/`` of a home in an object store from now on.

    Args:
        warehouse: of the home.
        url: fsspec URL of a folder for this home alone; a bucket must be there already.
        options: arguments of the URL's filesystem; None keeps those of the home's store, where it has one.
        progress: told of files.

    Returns:
        How many files the store has.

    Raises:
        InvalidConfiguration: for a URL that cannot be opened, another store than the home has, or another home's.
        StoreUnavailable: if the store refuses or does not answer.
        LockHeld: while a build runs.
    """
    home = warehouse.home
    home.require()
    with build_lock(home.root, PURPOSE):
        settings = _settings(warehouse, url.rstrip("/"), options)
        store = ObjectStore(settings)
        store.claim()
        if not (home.root / SETTINGS_FILE).exists():
            paths = _local_files(home)
            _each(paths, lambda path: store.put(path, _key(home, path)), "storing", progress)
            _remove_others(store, {_key(home, path) for path in paths})
        write_bytes_whole(home.root / SETTINGS_FILE, settings.to_json().encode())
        _left_file(home.root, settings.url).unlink(missing_ok=True)
        _point_versions(warehouse)
        for path in home.text.glob("[!.]*"):
            path.unlink()
        return sum(len(store.sizes(room)) for room in STORED_ROOMS)


def bring_back(warehouse: Warehouse, progress: Progress = silent) -> int:
    """Keep all files of a home on this machine again. Those in the store stay there until somebody removes them.

    The home remembers where (`left_stores`), because they hold what may be forgotten later.

    Returns:
        How many files the store has.

    Raises:
        StoreUnavailable: if the store refuses or does not answer.
        LockHeld: while a build runs.
    """
    home = warehouse.home
    home.require()
    with build_lock(home.root, PURPOSE):
        store = store_of_home(home.root)
        keys = [key for room in STORED_ROOMS for key in store.sizes(room)] if store else []
        _each([home.root / key for key in keys], lambda path: fetched(path), "fetching", progress)
        if store:
            left = store.settings
            write_bytes_whole(_left_file(home.root, left.url), left.to_json().encode())
        (home.root / SETTINGS_FILE).unlink(missing_ok=True)
        sync_folder(home.root)
        _point_versions(warehouse)
    return len(keys)


def left_stores(root: Path) -> list[StoreSettings]:
    """Stores that the home at `root` was brought back from and has not moved to again, by URL: its files of then may
    still lie there. Whoever has removed them removes the home's ``store-left-*.json`` too.

    Raises:
        InvalidConfiguration: if such a file is damaged.
    """
    current = store_of_home(root)
    found = [read_settings(path) for path in root.glob(LEFT_FILES)]
    return sorted(
        (left for left in found if current is None or left.url != current.settings.url),
        key=lambda left: left.url,
    )


def _left_file(root: Path, url: str) -> Path:
    return root / LEFT_FILES.replace("*", content_id(url).hex)


def _settings(warehouse: Warehouse, url: str, options: Mapping[str, Json] | None) -> StoreSettings:
    path = warehouse.home.root / SETTINGS_FILE
    known = read_settings(path) if path.exists() else None
    if known and known.url != url:
        raise InvalidConfiguration(
            f"The files of {warehouse.home.root} lie at {known.url}",
            "Bring them back first: fakesmrt store --local",
        )
    with warehouse.read() as connection:
        [identity] = connection.execute(query("home_identity")).fetchall()
    # Of the database, so that an interrupted move is continued, and a restored copy finds its files.
    return StoreSettings(
        url,
        content_id("object store", *map(str, identity)).hex,
        dict(options) if options is not None else dict(known.options) if known else {},
    )


def _key(home: Home, path: Path) -> str:
    return path.relative_to(home.root).as_posix()


def _remove_others(store: ObjectStore, keys: set[str]) -> None:
    """What lies in the store since an earlier move may have been forgotten here."""
    for room in STORED_ROOMS:
        for key in sorted(store.sizes(room).keys() - keys):
            store.remove(key)


def _local_files(home: Home) -> list[Path]:
    return [
        path
        for room in STORED_ROOMS
        for path in sorted((home.root / room).rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(home.root).parts)
    ]


def _each(paths: Sequence[Path], transfer: Callable[[Path], object], note: str, progress: Progress) -> None:
    with ThreadPoolExecutor(TRANSFERS) as threads:
        for done, _ in enumerate(threads.map(transfer, paths), start=1):
            progress(done, len(paths), note)


def _point_versions(warehouse: Warehouse) -> None:
    """Make the views of every retained copy name the files by where they lie now."""
    for version in versions(warehouse.home):
        rewrite_version(
            warehouse, version.path, lambda connection: add_file_views(connection, warehouse.home)
        )
