"""How files reach the processes that work on them: in batches, member by member, or section by section.

What lives here: tasks in flight, and the streams of a file. What does not: what is done with the bytes.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from warehouse.cleanser.chunks import SECTION_BYTES
from warehouse.cleanser.containers.container import HEAD_BYTES
from warehouse.cleanser.containers.registry import container_of
from warehouse.cleanser.streams import Stream, display_name, walk_streams
from warehouse.errors import InputUnreadable
from warehouse.workers import tasks_in_flight

BATCH_BYTES = 16_000_000
BATCH_ITEMS = 500

LARGE_BYTES = SECTION_BYTES
"""A longer stream is worked on in sections by many processes; a shorter one by one process, in memory."""

LARGE_ARCHIVE_BYTES = 1 << 20
"""A larger archive is unpacked once, by the process that hands out the work; a smaller one by whoever gets it."""

MEMBERS_BYTES = 4_000_000
"""Members of a large archive are handed out with their bytes, about so many at a time."""


def filesystem_path(shown: str) -> Path:
    """The path that `display_name` shows."""
    if os.path.lexists(shown):
        return Path(shown)
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match.group(1).decode()), shown.encode())
    return Path(os.fsdecode(raw))


class Sized(Protocol):
    @property
    def n_bytes(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


def batches(
    items: Sequence[Item], max_bytes: int = BATCH_BYTES, max_items: int = BATCH_ITEMS
) -> Iterator[list[Item]]:
    """Consecutive groups of items of at most so many bytes and items; one item may exceed the bytes alone."""
    batch: list[Item] = []
    n_bytes = 0
    for item in items:
        if batch and (n_bytes + item.n_bytes > max_bytes or len(batch) == max_items):
            yield batch
            batch, n_bytes = [], 0
        batch.append(item)
        n_bytes += item.n_bytes
    if batch:
        yield batch


class Lane:
    """Tasks in flight, of which the results are taken in the order in which the tasks were given."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._in_flight = tasks_in_flight(executor)
        self._waiting: deque[tuple[Future[Any], Callable[[Any], None]]] = deque()

    def submit(self, function: Callable[..., Any], *arguments: object, then: Callable[[Any], None]) -> None:
        """Hand out a task; where too many are in flight, first take the results of the oldest.

        Args:
            function: what to call, in a worker.
            arguments: with what.
            then: what to do with the result, here; it may hand out further tasks.
        """
        while len(self._waiting) >= self._in_flight:
            self._take()
        self._waiting.append((self._executor.submit(function, *arguments), then))

    def drain(self) -> None:
        """Take all results, those of tasks that `then` hands out included."""
        while self._waiting:
            self._take()

    def _take(self) -> None:
        future, then = self._waiting.popleft()
        then(future.result())


def is_archive(path: Path) -> bool:
    """Whether a file holds other streams than itself.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        return container_of(file.read(HEAD_BYTES)) is not None


def in_memory(stream: Stream) -> Stream:
    """The same stream with its bytes read once, proved and held.

    Raises:
        InputUnreadable: if they are not those that were hashed when it was found.
    """
    if isinstance(stream.data, bytes):
        return stream
    return replace(stream, data=b"".join(stream.range_blocks(0, stream.n_bytes)), stamp=None)


def whole_file(path: Path, sha256: bytes) -> Stream:
    """A file that is no archive as a stream, proved. Runs in a worker process: hashing a large file takes a while.

    Raises:
        InputUnreadable: if it cannot be read, or is not the one that was hashed.
    """
    with stream_in(path, sha256, None) as stream:
        return stream


@contextmanager
def stream_in(
    path: Path, sha256: bytes, member: str | None, spool_folder: Path | None = None
) -> Iterator[Stream]:
    """A stream of a file, by its name in it. Valid inside the block.

    Raises:
        InputUnreadable: if the file cannot be read, is not the one that was hashed, or holds no such stream.
    """
    for stream in streams_in(path, sha256, {member}, spool_folder):
        yield stream
        return
    raise InputUnreadable(
        f"{display_name(path)} holds no {member or 'stream'} any more", "Run: fakesmrt build corpus"
    )


def streams_in(
    path: Path, sha256: bytes, members: Collection[str | None], spool_folder: Path | None = None
) -> Iterator[Stream]:
    """Some streams of a file, in its order; each is valid until the next is asked for.

    Raises:
        InputUnreadable: if the file cannot be read, or is not the one that was hashed.
    """
    for stream in walk_streams(path, sha256, spool_folder, wanted=members):
        if stream.member in members:
            yield stream


@contextmanager
def explained_reading() -> Iterator[None]:
    """What the operating system says of a file that cannot be read, as a failure of the file."""
    try:
        yield
    except OSError as failure:
        raise InputUnreadable(
            f"cannot be read: {failure.strerror or failure}", "Check the file and build again"
        ) from failure
