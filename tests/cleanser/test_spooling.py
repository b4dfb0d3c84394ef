"""Unpacked members are proved, lie in memory or in a file for a while, and leave nothing."""

from __future__ import annotations

import gzip
import io
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cleanser.packing import (
    TEXT,
    tarred,
    zipped,
)
from warehouse.cleanser import spool
from warehouse.cleanser.streams import Stream, walk_streams
from warehouse.errors import FakesmrtError, InputUnreadable


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lambda text: zipped({"a.txt": text})])
def test_another_file_than_was_hashed_gives_nothing(tmp_path: Path, wrap: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "file"
    path.write_bytes(wrap(TEXT))
    (stream,) = walk_streams(path)
    with pytest.raises(InputUnreadable, match="changed while it was read"):
        next(walk_streams(path, stream.sha256[::-1]))


def test_a_range_is_read_alone_and_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT * 100)
    time.sleep(0.05)
    (stream,) = walk_streams(path)
    read: list[int] = []
    opened = Path.open

    class Counting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            read.append(len(data))
            return data

    monkeypatch.setattr(Path, "open", lambda self, mode="r": Counting(self, mode))
    assert b"".join(stream.range_blocks(1_000_000, 1_000_100)) == (TEXT * 100)[1_000_000:1_000_100]
    assert sum(read) == 100
    monkeypatch.setattr(Path, "open", opened)
    with path.open("r+b") as file:
        file.write(b"#")
    with pytest.raises(InputUnreadable, match="changed while it was read"):
        next(stream.range_blocks(1_000_000, 1_000_100))


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_a_container_that_changes_while_it_is_read_is_noticed(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack({"a.txt": TEXT, "b.txt": TEXT, "c.txt": TEXT}))
    walk = walk_streams(path)
    next(walk)
    with path.open("ab") as file:
        file.write(b"#")
    with pytest.raises(InputUnreadable, match="changed while it was read"):
        list(walk)


LARGE = (b"%d " % 10**15) * 600_000


def spooled(stream: Stream) -> Path:
    assert isinstance(stream.data, Path)
    return stream.data


def test_a_large_member_lies_in_a_file_until_the_next_is_asked_for(tmp_path: Path) -> None:
    path, folder = tmp_path / "file", tmp_path / "spool"
    path.write_bytes(zipped({"a.txt": LARGE, "in.zip": zipped({"b.txt": LARGE}, 0), "c.txt": TEXT}))
    walk = walk_streams(path, spool_folder=folder)
    first = next(walk)
    assert spooled(first).parent == folder
    assert spooled(first).stat().st_mode & 0o777 == 0o600
    assert b"".join(first.range_blocks(5_000_000, 5_000_007)) == LARGE[5_000_000:5_000_007]
    second = next(walk)
    assert not spooled(first).exists()
    assert b"".join(second.blocks()) == LARGE
    # The inner archive is spooled too, because its directory stands at its end.
    assert len(list(folder.iterdir())) == 2
    assert next(walk).data == TEXT
    assert list(folder.iterdir()) == []
    with pytest.raises(InputUnreadable, match="No such file"):
        list(first.blocks())


def test_closing_the_walk_removes_what_it_spooled(tmp_path: Path) -> None:
    path, folder = tmp_path / "file", tmp_path / "spool"
    path.write_bytes(gzip.compress(LARGE))
    walk: Iterator[Stream] = walk_streams(path, spool_folder=folder)
    assert spooled(next(walk)).exists()
    walk.close()  # type: ignore[attr-defined] # it is a generator
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_spooled_is_swept(tmp_path: Path) -> None:
    path, folder = tmp_path / "file", tmp_path / "spool"
    path.write_bytes(gzip.compress(LARGE))
    program = (
        "import sys, pathlib; from warehouse.cleanser.streams import walk_streams\n"
        "walk = walk_streams(*map(pathlib.Path, sys.argv[1:2]), spool_folder=pathlib.Path(sys.argv[2]))\n"
        "next(walk); print('ready', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    (left,) = folder.iterdir()
    walk = walk_streams(path, spool_folder=folder)
    mine = spooled(next(walk))
    assert set(folder.iterdir()) == {left, mine}, "the child lives and needs its file"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    other = spooled(next(walk_streams(path, spool_folder=folder)))
    assert left not in folder.iterdir()
    assert mine.exists()
    assert not other.exists(), "its walk was dropped"


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, folder = tmp_path / "file", tmp_path / "spool"
    path.write_bytes(gzip.compress(LARGE))
    named = folder / f"{spool.PREFIX}x"
    folder.mkdir()
    named.touch()
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(spool, "_new_file", lambda _: (full, named))
        with pytest.raises(FakesmrtError, match="disk is full"):
            next(walk_streams(path, spool_folder=folder))
    assert list(folder.iterdir()) == []


def test_memory_does_not_grow_with_the_stream(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, re; from warehouse.cleanser.streams import walk_streams\n"
        "n = sum(stream.n_bytes for stream in walk_streams(pathlib.Path(sys.argv[1])))\n"
        "print(n, *re.findall(r'VmHWM:\\s*(\\d+)', pathlib.Path('/proc/self/status').read_text()))"
    )
    block = gzip.compress(random.Random(1).randbytes(1 << 20), 0)
    peaks = {}
    for n_blocks in (20, 300):
        path = tmp_path / str(n_blocks)
        with path.open("wb") as file:
            for _ in range(n_blocks):
                file.write(block)
        run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True)
        n_bytes, peaks[n_blocks] = map(int, run.stdout.split())
        assert n_bytes == n_blocks << 20
    assert peaks[300] < peaks[20] * 1.1
