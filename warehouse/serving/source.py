"""Streams from the published versions of a home, in this process; the server serves the same ones.

What lives here: which version a stream reads, and going on where its file was replaced. What does not: the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa

from warehouse.database import Warehouse
from warehouse.errors import FakesmrtError, InvalidConfiguration
from warehouse.home import Home, default_home
from warehouse.serving.batches import TOKEN_SCHEMA, Batch, ChunkBatch, TokenBatch
from warehouse.serving.requests import ChunkRequest, StreamRequest, TokenRequest
from warehouse.serving.selection import ChunkSelection, TokenSelection
from warehouse.serving.snapshot import ReplacedError, Snapshot, version_file
from warehouse.serving.streams import chunk_batches, token_batches, with_texts
from warehouse.serving.tickets import POSITION, Header, Position, last_position, read_token

AnyBatch = TypeVar("AnyBatch", TokenBatch, ChunkBatch)
AnySelection = TypeVar("AnySelection", TokenSelection, ChunkSelection)
Made = TypeVar("Made")

KEPT_OPEN = 4
"""Versions that stay open when no stream begins in them any more."""


@dataclass(frozen=True)
class Warm:
    """A version that is ready.

    Attributes:
        version: its number.
        failures: why the tokens of a recipe cannot be streamed, by the recipe's name.
    """

    version: int
    failures: Mapping[str, FakesmrtError]


class Source:
    """Streams from one home."""

    def __init__(self, warehouse: Warehouse | None = None) -> None:
        """Of the default home where none is named."""
        self._warehouse = warehouse or Warehouse(Home(default_home()))
        self._lock = threading.Lock()
        self._snapshots: dict[int, Snapshot] = {}

    def close(self) -> None:
        """Close every version."""
        with self._lock:
            for snapshot in self._snapshots.values():
                snapshot.close()
            self._snapshots.clear()

    def tokens(self, request: TokenRequest, resume: str | None = None) -> Iterator[TokenBatch]:
        """Sequences of tokens.

        Args:
            request: what is asked for.
            resume: token of a batch of an earlier stream for the same request; the stream goes on behind it.

        Raises:
            FakesmrtError: if the request or the token cannot be carried out; the cause and the remedy in one line.
        """
        return self._stream(
            request, resume, lambda snapshot: TokenSelection(snapshot, request), token_batches
        )

    def chunks(self, request: ChunkRequest, resume: str | None = None) -> Iterator[ChunkBatch]:
        """Chunks with their text; otherwise as `tokens`."""
        return self._stream(
            request, resume, lambda snapshot: ChunkSelection(snapshot, request), chunk_batches
        )

    def stream(self, request: StreamRequest, resume: str | None = None) -> Iterator[Batch]:
        """Whichever of both the request asks for."""
        if isinstance(request, TokenRequest):
            return self.tokens(request, resume)
        if isinstance(request, ChunkRequest):
            return self.chunks(request, resume)
        raise InvalidConfiguration(f"There are no streams of {request.kind}", "Ask for tokens or chunks")

    def schema(self, request: StreamRequest) -> pa.Schema:
        """The Arrow schema of a stream.

        Raises:
            FakesmrtError: as `tokens`.
        """
        if isinstance(request, TokenRequest):
            return TOKEN_SCHEMA
        if not isinstance(request, ChunkRequest):
            raise InvalidConfiguration(f"There are no streams of {request.kind}", "Ask for tokens or chunks")
        return self._with_snapshot(
            request.version, lambda snapshot: _chunk_schema(ChunkSelection(snapshot, request))
        )

    def warm(self) -> Warm:
        """Open the newest version, and read a little of it where it is large, so that a first stream need not wait for
        that."""
        return self._with_snapshot(None, _warmed)

    def snapshot(self, number: int | None) -> Snapshot:
        """An open version; None for the newest.

        Raises:
            InputUnreadable: if it is no longer kept.
        """
        path = version_file(self._warehouse, number)
        number = int(path.stem)
        with self._lock:
            known = self._snapshots.get(number)
            if known is not None and known.is_current:
                return known
            opened = Snapshot(self._warehouse, path)
            self._snapshots[number] = opened
            self._close_expired()
            return opened

    def _close_expired(self) -> None:
        """Let go of versions that are no longer kept, once there are many."""
        for number in sorted(self._snapshots)[:-KEPT_OPEN]:
            if not self._snapshots[number].is_current:
                self._snapshots.pop(number).close()

    def _stream(
        self,
        request: StreamRequest,
        resume: str | None,
        select: Callable[[Snapshot], AnySelection],
        batches: Callable[[AnySelection, Header, Position], Iterator[AnyBatch]],
    ) -> Iterator[AnyBatch]:
        stated: tuple[Header, Position] | None = None if resume is None else read_token(resume)
        if stated is not None:
            _require_same_request(stated[0], request)

        def begun(snapshot: Snapshot) -> tuple[AnySelection, Header, Position]:
            if stated is None:
                selection = select(snapshot)
                return selection, selection.header(), Position()
            _require_same_version(stated[0], snapshot)
            header, position = stated
            return select(snapshot), header, position

        selection, header, position = self._with_snapshot(
            request.version if stated is None else stated[0].version, begun
        )
        return self._going_on(selection, select, batches, header, position)

    def _with_snapshot(self, number: int | None, make: Callable[[Snapshot], Made]) -> Made:
        """What is made of an open version, in the new file where its file is replaced meanwhile."""
        while True:
            try:
                return make(self.snapshot(number))
            except ReplacedError:
                continue

    def _going_on(
        self,
        selection: AnySelection,
        select: Callable[[Snapshot], AnySelection],
        batches: Callable[[AnySelection, Header, Position], Iterator[AnyBatch]],
        header: Header,
        position: Position,
    ) -> Iterator[AnyBatch]:
        """The batches; where the version's file is replaced, what is in the new one goes on at the same place."""
        while True:
            try:
                for batch in batches(selection, header, position):
                    # What was forgotten while the batch was made is not given away.
                    if self.snapshot(header.version) is not selection.snapshot:
                        raise ReplacedError
                    yield batch
                    position = last_position(batch.positions)
            except ReplacedError:
                selection = self._with_snapshot(header.version, select)
            else:
                return


def _warmed(snapshot: Snapshot) -> Warm:
    failures: dict[str, FakesmrtError] = {}
    for recipe in snapshot.recipes_with_shards():
        try:
            TokenSelection(snapshot, TokenRequest(recipe=recipe, where="TRUE")).header()
        except FakesmrtError as error:
            failures[recipe] = error
    return Warm(snapshot.number, failures)


def _chunk_schema(selection: ChunkSelection) -> pa.Schema:
    positions, rows = with_texts(selection, np.empty(0, POSITION), selection.no_rows())
    return ChunkBatch(rows, positions, b"").to_arrow().schema


def _require_same_request(header: Header, request: StreamRequest) -> None:
    """Raise `InvalidConfiguration` where a resume token comes from a stream for something else."""
    if request.version not in (None, header.version):
        raise _refused(f"is of version {header.version}, not of {request.version}")
    if (header.rank, header.world_size) != (request.rank, request.world_size):
        raise _refused(
            f"is of rank {header.rank} of {header.world_size}, not of {request.rank} of {request.world_size}"
        )
    if header.seed != request.seed:
        raise _refused(f"is of seed {header.seed}, not of {request.seed}")
    if header.selection != request.identity():
        raise _refused("is of another selection")


def _require_same_version(header: Header, snapshot: Snapshot) -> None:
    if header.stamp != snapshot.stamp:
        raise _refused(f"is of another home, or of an earlier version of the number {header.version}")


def _refused(why: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"The resume token {why}",
        "Ask for the same as the stream that it comes from, or begin anew without it",
    )
