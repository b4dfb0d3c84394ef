"""Byte streams: what the cleanser reads, block by block, and proves to be what was found.

What lives here: opening, hashing and reading; and the walk over a file that yields its streams, containers undone.
What does not: any idea of what the bytes mean, or of a container's format (that is in ``containers/``).

A stream is proved twice over. Its file is hashed before the stream is made, and its *stamp* (size and times) is
taken before that: while the stamp holds, so does the proof, and a range can be read alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from warehouse.cleanser.containers.container import HEAD_BYTES, Container, DamagedContainer, Limits, Member
from warehouse.cleanser.containers.reading import ForwardFile
from warehouse.cleanser.containers.registry import container_of
from warehouse.cleanser.spool import Spool, spooling
from warehouse.errors import InputUnreadable
from warehouse.files import BLOCK_BYTES

SETTLED_NS = 20_000_000
"""Two changes within one tick of the kernel (at most 10 ms) leave the same times on a file, so a stamp of a file that
changed just now proves nothing yet (the "racy" entries of git's index)."""

QUICKLY_HASHED_BYTES = 16 << 20
"""Files up to this size are hashed in less time than a stamp needs to settle."""

_COMPRESSION_SUFFIX = re.compile(r"\.(gz|bz2|xz|lzma|zst)$", re.IGNORECASE)
_TAR_SUFFIX = re.compile(r"\.t(gz|bz2|bz|xz|lzma|zst)$", re.IGNORECASE)
_REPEATED_NAME = re.compile(r"#[0-9]+$")


def display_name(path: Path | str) -> str:
    r"""The path as text that any terminal and table takes; bytes that are not UTF-8 appear as \xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Stamp:
    """What tells without reading that a file is the same: its size, and the times of its last changes."""

    n_bytes: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, file: BinaryIO) -> Stamp:
        """The stamp of an open file."""
        status = os.fstat(file.fileno())
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True)
class Stream:
    """A byte stream in a file: the file itself, or one that lies in it compressed or archived. Random access.

    Attributes:
        path: the file.
        n_bytes: length of the stream, decompressed.
        sha256: hash that its bytes must have.
        container: ``file``, or the chain of formats around it, outermost first, such as ``gz+tar``.
        member: its name in the archive, one inside the other as in ``inner.zip/a.txt``; unique in its file. None for
            the file itself and for what lies in it compressed alone.
        data: where the bytes lie if not in `path`: in memory, or in a temporary file.
        error: why the stream ends where it does if that is not its end; None if it is whole.
        stamp: of the file where the bytes lie, when they were hashed; None if it would prove nothing.
    """

    path: Path
    n_bytes: int
    sha256: bytes
    container: str = "file"
    member: str | None = None
    data: Path | bytes | None = field(default=None, repr=False)
    error: str | None = None
    stamp: Stamp | None = None

    @property
    def name(self) -> str:
        """The file name by which a reader is chosen: ``a.txt`` for ``a.txt.gz``, ``a.tar`` for ``a.tgz``."""
        if self.member is None:
            name = display_name(self.path.name)
        else:
            name = _REPEATED_NAME.sub("", self.member.rpartition("/")[2])
        return _TAR_SUFFIX.sub(".tar", _COMPRESSION_SUFFIX.sub("", name))

    def open(self) -> BinaryIO:
        """Open the stream at its first byte.

        Raises:
            InputUnreadable: if there is no such file, or it may not be read.
        """
        if isinstance(self.data, bytes):
            return BytesIO(self.data)
        return _opened(self.path if self.data is None else self.data)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, in blocks of at most 1 MiB.

        Raises:
            InputUnreadable: after the last block, if the bytes read are not those that were hashed.
        """
        digest = hashlib.sha256()
        with self.open() as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
                yield block
        if digest.digest() != self.sha256:
            raise _changed(self.path)

    def range_blocks(self, byte_start: int, byte_end: int) -> Iterator[bytes]:
        """The bytes [byte_start, byte_end), in blocks of at most 1 MiB.

        Only they are read, and the stamp proves them. A stream without one is read whole, because a hash proves nothing
        about a part.

        Raises:
            InputUnreadable: before the first or after the last block, if the stream is not the one that was hashed.
        """
        if self.stamp is None and not isinstance(self.data, bytes):
            yield from self._range_of_all(byte_start, byte_end)
            return
        with self.open() as file:
            self._prove(file)
            file.seek(byte_start)
            while block := file.read(max(0, min(BLOCK_BYTES, byte_end - file.tell()))):
                yield block
            self._prove(file)

    def _range_of_all(self, byte_start: int, byte_end: int) -> Iterator[bytes]:
        position = 0
        for block in self.blocks():
            part = block[max(0, byte_start - position) : max(0, byte_end - position)]
            position += len(block)
            if part:
                yield part

    def _prove(self, file: BinaryIO) -> None:
        if self.stamp is not None and Stamp.of(file) != self.stamp:
            raise _changed(self.path)

    def peek(self, byte_start: int, n_bytes: int) -> bytes:
        """At most `n_bytes` bytes from `byte_start` on, unproven: for looks ahead and samples."""
        with self.open() as file:
            file.seek(byte_start)
            return file.read(n_bytes)


def stream_of_bytes(data: bytes, name: str) -> Stream:
    """A stream that lies in memory, for text that is in no file."""
    return Stream(Path(name), len(data), hashlib.sha256(data).digest(), data=data)


def walk_streams(
    path: Path,
    sha256: bytes | None = None,
    spool_folder: Path | None = None,
    limits: Limits | None = None,
    wanted: Collection[str | None] | None = None,
) -> Iterator[Stream]:
    """The streams of a file, containers undone, in the order of the file.

    Each is valid until the next one is asked for or the generator is closed, also in other processes. A member that is
    damaged is a stream of what could be read, with `Stream.error`; a container in which no (further) member can be
    found is a stream without bytes, with the error. The file is hashed before anything in it is given out.

    Args:
        path: the file; its name need not be UTF-8.
        sha256: the hash that the file had when it was found; None accepts it as it is.
        spool_folder: where members above 8 MiB lie while they are read; the system's temporary folder by default.
        limits: on what the file may unfold into.
        wanted: the members to give out, all by default; the others cost as little as their format allows.

    Raises:
        InputUnreadable: if the file cannot be read, is not the one that was hashed, or changes meanwhile.
        FakesmrtError: if the disk is full.
    """
    folder = Path(tempfile.gettempdir()) if spool_folder is None else spool_folder
    with _opened(path) as file:
        try:
            stamp, is_settled = _stamp(file)
            container = container_of(file.read(HEAD_BYTES))
            digest = _digest(file)
            if (sha256 is not None and digest != sha256) or Stamp.of(file) != stamp:
                raise _changed(path)
            if container is None:
                if wanted is None or None in wanted:
                    yield Stream(path, stamp.n_bytes, digest, stamp=stamp if is_settled else None)
                return
            file.seek(0)
            walk = _Walk(path, stamp.n_bytes, folder, limits or Limits(), wanted)
            for stream in walk.unfold(container, file, (), None):
                if Stamp.of(file) != stamp:
                    raise _changed(path)
                yield stream
            if not is_settled and _digest(file) != digest:
                raise _changed(path)
        except OSError as failure:
            raise _unreadable(path, failure) from failure


@dataclass
class _Walk:
    """The walk over one file: what bounds it, and how much of that is used up."""

    path: Path
    n_file: int
    folder: Path
    limits: Limits
    wanted: Collection[str | None] | None
    n_members: int = 0
    n_unfolded: dict[int, int] = field(default_factory=dict)
    times_named: dict[bytes, int] = field(default_factory=dict)
    is_exhausted: bool = False

    def unfold(
        self,
        container: Container,
        file: BinaryIO,
        around: tuple[str, ...],
        label: str | None,
        broken: str | None = None,
    ) -> Iterator[Stream]:
        """The streams in a container.

        Args:
            container: its format.
            file: its bytes.
            around: the formats around it, outermost first.
            label: its name in them.
            broken: why its bytes end too early, if they do.
        """
        chain = (*around, container.name)
        told: str | None = None
        try:
            for member in container.members(file):
                self.n_members += 1
                if self.n_members > self.limits.max_members:
                    self.is_exhausted = True
                    broken = f"more than {self.limits.max_members:,} members; the rest is not read"
                    break
                for stream in self._streams_of(member, chain, label):
                    told = stream.error or told
                    yield stream
                if self.is_exhausted:
                    return
        except DamagedContainer as damage:
            broken = broken or damage.reason
        if broken is not None and broken != told:
            yield from self._failed(chain, label, broken)

    def _streams_of(self, member: Member, chain: tuple[str, ...], label: str | None) -> Iterator[Stream]:
        name = label if member.name is None else self._unique(member.name, label)
        if not self._wants(name):
            return
        source = ForwardFile(self._bounded(member.blocks, len(chain)))
        nested = container_of(source.peek(HEAD_BYTES))
        if nested is None:
            yield from self._leaf(source, chain, name)
        elif len(chain) >= self.limits.max_depth:
            reason = f"containers lie more than {self.limits.max_depth} deep in each other"
            yield from self._failed((*chain, nested.name), name, reason)
        elif nested.random_access:
            with spooling(self.folder) as spool:
                broken = _spooled(source, spool, hashlib.sha256())
                with spool.open() as file:
                    yield from self.unfold(nested, file, chain, name, broken)
        else:
            yield from self.unfold(nested, source.as_file(), chain, name)

    def _leaf(self, source: ForwardFile, chain: tuple[str, ...], name: str | None) -> Iterator[Stream]:
        if self.wanted is not None and name not in self.wanted:
            return
        with spooling(self.folder) as spool:
            digest = hashlib.sha256()
            error = _spooled(source, spool, digest)
            data = spool.data()
            stamp = None
            if isinstance(data, Path):
                with data.open("rb") as file:
                    stamp = Stamp.of(file)
            yield Stream(self.path, spool.n_bytes, digest.digest(), "+".join(chain), name, data, error, stamp)

    def _failed(self, chain: tuple[str, ...], name: str | None, reason: str) -> Iterator[Stream]:
        if self.wanted is None or name in self.wanted:
            nothing = hashlib.sha256().digest()
            yield Stream(self.path, 0, nothing, "+".join(chain), name, b"", reason)

    def _bounded(self, blocks: Iterator[bytes], depth: int) -> Iterator[bytes]:
        limits = self.limits
        allowed = max(limits.min_bytes_before_ratio, limits.max_ratio * self.n_file)
        for block in blocks:
            self.n_unfolded[depth] = self.n_unfolded.get(depth, 0) + len(block)
            yield block
            if self.n_unfolded[depth] > allowed:
                self.is_exhausted = True
                raise DamagedContainer(
                    f"unfolds to more than {limits.max_ratio} times the size of its file; the rest is not read"
                )

    def _unique(self, name: str, label: str | None) -> str:
        """The member's name in the file, with ``#2`` and so on where it was taken. Hashes are kept, not names: an
        archive may have a million of them."""
        base = name if label is None else f"{label}/{name}"
        unique = base
        while (
            key := hashlib.blake2b(unique.encode("utf-8", "backslashreplace"), digest_size=16).digest()
        ) in self.times_named:
            self.times_named[key] += 1
            unique = f"{base}#{self.times_named[key]}"
        self.times_named[key] = 1
        return unique

    def _wants(self, name: str | None) -> bool:
        """Whether the stream, or one that may lie in it, is wanted."""
        if self.wanted is None or name is None or name in self.wanted:
            return True
        return any(other is not None and other.startswith(f"{name}/") for other in self.wanted)


def _spooled(source: ForwardFile, spool: Spool, digest: hashlib._Hash) -> str | None:
    """Spool and hash what can be read; returns why that is not all."""
    try:
        for block in source.blocks():
            digest.update(block)
            spool.write(block)
    except DamagedContainer as damage:
        return damage.reason
    return None


def _stamp(file: BinaryIO) -> tuple[Stamp, bool]:
    """The file's stamp, and whether it proves anything: of a small file that changed just now it does not."""
    stamp = Stamp.of(file)
    age_ns = time.time_ns() - stamp.ctime_ns
    if not 0 <= age_ns < SETTLED_NS:
        return stamp, True
    if stamp.n_bytes <= QUICKLY_HASHED_BYTES:
        return stamp, False
    time.sleep((SETTLED_NS - age_ns) / 1e9)
    return Stamp.of(file), True


def _digest(file: BinaryIO) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return digest.digest()


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():
            raise InputUnreadable(
                f"{display_name(path)} is no regular file", "Name files; a shell pattern names many at once"
            )
        return path.open("rb")
    except OSError as failure:
        raise _unreadable(path, failure) from failure


def _unreadable(path: Path, failure: OSError) -> InputUnreadable:
    return InputUnreadable(
        f"{display_name(path)} cannot be read: {failure.strerror or failure}",
        "Check its name and permissions, then run the command again",
    )


def _changed(path: Path) -> InputUnreadable:
    return InputUnreadable(
        f"{display_name(path)} changed while it was read", "Run the command again when nothing writes to it"
    )
