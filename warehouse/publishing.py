"""Published copies (DESIGN §5): ``published/<n>.duckdb``, which nobody waits for, and ``published.duckdb``, the newest.

The working file is kept in the storage version that older clients open, so publishing is a copy of the file and two
additions that only a copy has: where each chunk's row lies, and the text view with absolute paths.

What lives here: publishing, versions and their pins, and writing a database file anew so that freed pages hold nothing.
What does not: connections, locks of the working database and transactions (``database.py``).
"""

from __future__ import annotations

import errno
import getpass
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse import locks
from warehouse.database import (
    PUBLISHED_STORAGE_VERSION,
    Connection,
    Warehouse,
    literal,
    query,
)
from warehouse.errors import FakesmrtError, InputUnreadable, InvalidConfiguration, explained
from warehouse.files import sync_folder, write_bytes_whole
from warehouse.home import Home
from warehouse.published_relations import add_published_relations

KEPT_VERSIONS = 3
PUBLISH_TIMEOUT_SECONDS = 600.0
COPY_BYTES = 1 << 27


@dataclass(frozen=True)
class Pin:
    """Why a published version stays.

    Attributes:
        who: the user who pinned it; None where the file does not say.
        why: in that person's words.
        since: ISO 8601 time; None where the file does not say.
    """

    who: str | None
    why: str
    since: str | None


@dataclass(frozen=True)
class PublishedVersion:
    """One retained copy.

    Attributes:
        number: what its file is named after; a later one is larger.
        path: the file.
        n_bytes: its size.
        published_at: ISO 8601 time of its publication, by the file's clock.
        is_newest: whether ``published.duckdb`` points at it.
        pin: why it stays; None where the next publications will remove it.
    """

    number: int
    path: Path
    n_bytes: int
    published_at: str
    is_newest: bool
    pin: Pin | None


def versions(home: Home) -> list[PublishedVersion]:
    """The retained copies, oldest first."""
    newest = newest_version(home)
    return [
        PublishedVersion(
            int(path.stem), path, path.stat().st_size,
            datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds"),
            path == newest, _read_pin(_pin_file(path)),
        )
        for path in _version_files(home)
    ]  # fmt: skip


def newest_version(home: Home) -> Path | None:
    """The copy that ``published.duckdb`` points at; None where nothing is published."""
    return home.published.resolve() if home.published.exists() else None


def pin(home: Home, number: int, reason: str) -> None:
    """Keep a version until it is unpinned.

    Raises:
        InputUnreadable: if there is no such version.
    """
    with _publishing(home, f"pinning version {number}"):
        path = _version_file(home, number)
        written = {
            "who": _user(),
            "why": reason,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_bytes_whole(_pin_file(path), json.dumps(written).encode())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"user {os.getuid()}"


def unpin(home: Home, number: int) -> bool:
    """Let a version go with the next publications.

    Returns:
        Whether it was pinned.

    Raises:
        InputUnreadable: if there is no such version.
    """
    with _publishing(home, f"unpinning version {number}"):
        file = _pin_file(_version_file(home, number))
        was_pinned = file.exists()
        file.unlink(missing_ok=True)
    return was_pinned


def _version_files(home: Home) -> list[Path]:
    return sorted(
        (path for path in home.published_versions.glob("*.duckdb") if path.stem.isdecimal()),
        key=lambda path: int(path.stem),
    )


def _version_file(home: Home, number: int) -> Path:
    path = home.published_versions / f"{number}.duckdb"
    if not path.is_file():
        there = ", ".join(path.stem for path in _version_files(home)) or "none"
        raise InputUnreadable(
            f"There is no published version {number} (there are: {there})", "Run: fakesmrt versions"
        )
    return path


def _pin_file(version: Path) -> Path:
    return version.with_suffix(".pin")


def _read_pin(file: Path) -> Pin | None:
    try:
        written = json.loads(file.read_text())
        return Pin(written["who"], written["why"], written["since"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        # Whatever it holds, somebody put it there to keep the version.
        return Pin(None, "pinned by hand", None)


@contextmanager
def _publishing(home: Home, purpose: str) -> Iterator[None]:
    """Be the only one who adds, changes or removes published versions; what a killed one left half is removed."""
    home.require()
    with locks.exclusive(
        home.root / "publish.lock", "The published copies", purpose, PUBLISH_TIMEOUT_SECONDS
    ):
        logs = [*home.root.glob(f"{home.published.name}.wal"), *home.published_versions.glob("*.duckdb.wal")]
        # A log stands beside a copy only where somebody wrote into it by mistake.
        for leftover in (*home.published_versions.glob(".*.duckdb*"), *logs):
            leftover.unlink(missing_ok=True)
        yield


def publish(warehouse: Warehouse) -> Path:
    """Copy the working database to ``published/<n>.duckdb`` and point ``published.duckdb`` at it.

    Nothing is copied where the newest copy is up to date. Writers wait while the file is copied, readers do not.

    Returns:
        The newest copy.

    Raises:
        LockHeld: if another process publishes or writes for too long.
        FakesmrtError: if the disk is full; what was published before is untouched.
    """
    home = warehouse.home
    with _publishing(home, "publishing"):
        newest = newest_version(home)
        if newest is not None and _is_intact(warehouse, newest) and _is_up_to_date(warehouse, newest):
            return newest
        number = 1 + max((int(path.stem) for path in _version_files(home)), default=0)
        target = home.published_versions / f"{number}.duckdb"
        with _placed(target) as partial:
            if not _is_portable(warehouse):
                rebuild(warehouse)
            with _settled(warehouse):
                _copy_file(home.database, partial)
            with warehouse.file(partial) as connection:
                add_published_relations(connection, home, number)
            _date(warehouse, partial)
        _point_at(home, target)
        _drop_old_versions(home)
        return target


def _is_up_to_date(warehouse: Warehouse, newest: Path) -> bool:
    with warehouse.read() as connection:
        committed = connection.execute(query("last_commit")).fetchall()
    with warehouse.file(newest, read_only=True) as connection:
        return committed == connection.execute(query("last_commit")).fetchall()


def _is_intact(warehouse: Warehouse, version: Path) -> bool:
    """Whether a copy is as it was published, and from where the home is now: its file's time is that in its row."""
    try:
        with warehouse.file(version, read_only=True) as connection:
            [(home, microseconds)] = connection.execute(query("published_place")).fetchall()
    except FakesmrtError:
        # Damaged, held by somebody who writes, or of an earlier fakesmrt: a new copy takes its place.
        return False
    return (home, microseconds) == (str(warehouse.home.root), version.stat().st_mtime_ns // 1000)


def _is_portable(warehouse: Warehouse) -> bool:
    """Whether the working file has the storage version of published copies; homes of earlier versions had not."""
    with warehouse.read() as connection:
        [(tags,)] = connection.execute(query("storage_version")).fetchall()
    return str(tags) == f"{PUBLISHED_STORAGE_VERSION}+"


@contextmanager
def _settled(warehouse: Warehouse) -> Iterator[None]:
    """Share the working database while its file holds all that was committed.

    A writer that was killed after its commit leaves the commit in a log beside the file.
    """
    log = warehouse.home.database.with_name(f"{warehouse.home.database.name}.wal")
    while True:
        with warehouse.sharing():
            if not log.exists():
                yield
                return
        with (
            warehouse.alone("taking in what a killed process committed"),
            warehouse.file(warehouse.home.database) as connection,
        ):
            connection.execute("CHECKPOINT")


def _copy_file(source: Path, target: Path) -> None:
    """Copy within the kernel where it can: no block passes through this process, and some file systems share them."""
    with source.open("rb") as reading, target.open("wb") as writing:
        try:
            while os.copy_file_range(reading.fileno(), writing.fileno(), COPY_BYTES):
                pass
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                raise
            reading.seek(writing.tell())
            shutil.copyfileobj(reading, writing, COPY_BYTES)


@contextmanager
def _placed(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; after the block the file stands there, whole, on disk and read-only.

    Raises:
        FakesmrtError: with a remedy, where the system refuses to write.
    """
    partial = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield partial
        partial.chmod(0o444)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise explained(error) from error
    finally:
        partial.unlink(missing_ok=True)
        partial.with_name(f"{partial.name}.wal").unlink(missing_ok=True)


def _point_at(home: Home, target: Path) -> None:
    link = home.root / f".{os.getpid()}.published.duckdb"
    link.unlink(missing_ok=True)
    link.symlink_to(target.relative_to(home.root))
    link.replace(home.published)
    sync_folder(home.root)


def _drop_old_versions(home: Home) -> None:
    for path in _version_files(home)[:-KEPT_VERSIONS]:
        if not _pin_file(path).exists():
            path.unlink()


def remove_version(home: Home, number: int) -> None:
    """Remove a version before its time, because it is damaged.

    Raises:
        InputUnreadable: if there is no such version.
        InvalidConfiguration: if it is pinned.
    """
    with _publishing(home, f"removing version {number}"):
        path = _version_file(home, number)
        if _pin_file(path).exists():
            raise InvalidConfiguration(
                f"Published version {number} is pinned", f"Let it go with: fakesmrt versions unpin {number}"
            )
        path.unlink()


def rebuild(warehouse: Warehouse) -> None:
    """Write the working file anew from its rows, so that no freed page holds what was deleted.

    Raises:
        LockHeld: if others hold the working database for too long.
        FakesmrtError: if the disk is full; the working file is untouched.
    """
    home = warehouse.home
    home.require()
    partial = home.root / f".{os.getpid()}.{home.database.name}"
    try:
        with warehouse.alone("writing the database file anew"):
            with warehouse.file(home.database) as connection:
                # The log must be in the file: beside the new one it would belong to no database.
                connection.execute("CHECKPOINT")
            _copy_rows(warehouse, home.database, partial)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(home.database)
            sync_folder(home.root)
    except OSError as error:
        raise explained(error) from error
    finally:
        partial.unlink(missing_ok=True)
        partial.with_name(f"{partial.name}.wal").unlink(missing_ok=True)


def rewrite_version(warehouse: Warehouse, path: Path, change: Callable[[Connection], None]) -> None:
    """Change a published version and write its file anew, so that no freed page holds what was taken out.

    Readers who have it open keep the old file until they close it. Interrupted at any moment, the old version is
    there or the new one.

    Args:
        warehouse: whose version it is.
        path: the version's file, as in `versions`.
        change: what to do with it; gets a connection to a copy, in a transaction.

    Raises:
        FakesmrtError: if the disk is full, or the file is damaged; the version is untouched.
    """
    with _publishing(warehouse.home, f"rewriting published version {path.stem}"), _placed(path) as partial:
        changed = partial.with_name(f".{os.getpid()}.changed.duckdb")
        try:
            _copy_file(path, changed)
            with warehouse.file(changed) as connection:
                connection.begin()
                change(connection)
                # Its rows are in other places after the copy.
                connection.execute("DROP TABLE IF EXISTS corpus.chunk_place")
                connection.commit()
            _copy_rows(warehouse, changed, partial)
        finally:
            changed.unlink(missing_ok=True)
            changed.with_name(f"{changed.name}.wal").unlink(missing_ok=True)
        with warehouse.file(partial) as connection:
            connection.execute(query("place_chunks"))
        # It is the same version as before, and as intact.
        os.utime(partial, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))


def _date(warehouse: Warehouse, version: Path) -> None:
    """Give a copy's file the time in its row, so that a change is seen without reading the file."""
    with warehouse.file(version, read_only=True) as connection:
        [(_, microseconds)] = connection.execute(query("published_place")).fetchall()
    os.utime(version, ns=(microseconds * 1000, microseconds * 1000))


def _copy_rows(warehouse: Warehouse, source: Path, target: Path) -> None:
    """Every schema, table, view and macro of a database file into a new one."""
    with warehouse.scratch() as connection:
        # ATTACH takes no bound parameters; these paths come from the home, quoted as SQL literals.
        connection.execute(f"ATTACH {literal(source)} AS old (READ_ONLY)")
        connection.execute(f"ATTACH {literal(target)} AS new (STORAGE_VERSION '{PUBLISHED_STORAGE_VERSION}')")
        connection.execute("COPY FROM DATABASE old TO new")
        connection.execute("CHECKPOINT new")
        connection.execute("DETACH new")
