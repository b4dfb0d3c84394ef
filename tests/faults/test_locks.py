"""Locks: in turn, shared by readers, gone with a killed holder, and whoever waits hears for whom."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from warehouse import locks
from warehouse.errors import LockHeld
from warehouse.locks import Holder, exclusive, in_turn, shared

PATIENCE_SECONDS = 60.0
WAIT_OR_HOLD = """
import sys
from pathlib import Path
from warehouse.locks import exclusive
with exclusive(Path(sys.argv[1]), "The shelf", sys.argv[2], 60.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A file to lock."""
    return tmp_path / "shelf.lock"


@contextmanager
def another_process(lock: Path, purpose: str, n_before: int) -> Iterator[subprocess.Popen[str]]:
    """A process that wants the lock alone; so many have or want it before."""
    with subprocess.Popen(
        [sys.executable, "-c", WAIT_OR_HOLD, str(lock), purpose],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        until_in_turn(lock, n_before + 1)
        yield process
        process.kill()


def until(lock: Path, condition: Callable[[list[Holder]], bool]) -> None:
    """Wait until those who have or want the lock are so."""
    tick = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.002)):
        if condition(in_turn(lock)):
            return
        tick.wait(0.002)
    raise AssertionError(f"This never came: {in_turn(lock)}")


def until_in_turn(lock: Path, n_holders: int) -> None:
    """Wait until so many have or want the lock."""
    until(lock, lambda holders: len(holders) == n_holders)


class Visitors:
    """Threads that want a lock, each when the one before stands in turn."""

    def __init__(self, lock: Path) -> None:
        self.lock = lock
        self.came: list[str] = []
        self._threads: list[threading.Thread] = []

    def send(self, name: str) -> None:
        """One more; a name that begins with ``reader`` shares the lock."""
        thread = threading.Thread(target=self.visit, args=(name,))
        thread.start()
        self._threads.append(thread)
        # One behind whoever holds the lock.
        until_in_turn(self.lock, len(self._threads) + 1)

    def visit(self, name: str) -> None:
        """Get the lock once."""
        reading = name.startswith("reader")
        with (
            shared(self.lock, "The shelf", PATIENCE_SECONDS, name)
            if reading
            else exclusive(self.lock, "The shelf", name, PATIENCE_SECONDS)
        ):
            self.came.append(name)

    def gone(self) -> list[str]:
        """Wait for all; their names in the order in which they got the lock."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        return self.came


def test_writers_get_the_lock_in_the_order_in_which_they_asked(lock: Path) -> None:
    visitors = Visitors(lock)
    names = [f"writer {number}" for number in range(12)]
    with exclusive(lock, "The shelf", "the test", 0.0):
        for name in names:
            visitors.send(name)
        assert [holder.purpose for holder in in_turn(lock)] == ["the test", *names]
    assert visitors.gone() == names
    assert in_turn(lock) == []


def test_a_reader_who_comes_after_a_waiting_writer_waits_too(lock: Path) -> None:
    visitors = Visitors(lock)
    with shared(lock, "The shelf", 0.0):
        with shared(lock, "The shelf", 0.0):
            visitors.send("writer")
            # Whoever reads already may read on: it would wait for itself.
            with shared(lock, "The shelf", 0.0):
                visitors.send("reader")
        with pytest.raises(LockHeld, match="this very thread"), exclusive(lock, "The shelf", "more", 0.0):
            pass
        assert visitors.came == []
    assert visitors.gone() == ["writer", "reader"]


def test_readers_do_not_wait_for_each_other(lock: Path) -> None:
    visitors = Visitors(lock)
    with shared(lock, "The shelf", 0.0):
        done = threading.Thread(target=visitors.visit, args=("reader",))
        done.start()
        done.join(PATIENCE_SECONDS)
        assert visitors.came == ["reader"]


def test_who_died_waiting_or_holding_is_forgotten(lock: Path) -> None:
    with another_process(lock, "holding", 0) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with another_process(lock, "waiting", 1) as waiter:
            visitors = Visitors(lock)
            last = threading.Thread(target=visitors.visit, args=("writer",))
            last.start()
            until_in_turn(lock, 3)
            waiter.kill()
            until_in_turn(lock, 2)
            assert visitors.came == []
            holder.kill()
            last.join(PATIENCE_SECONDS)
    assert visitors.came == ["writer"]
    assert in_turn(lock) == []


def test_who_waits_hears_for_whom(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SAY_AFTER_SECONDS", 0.0)
    said: list[str] = []
    with another_process(lock, "counting letters", 0) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        def heard(line: str) -> None:
            said.append(line)
            holder.kill()

        with exclusive(lock, "The shelf", "the test", PATIENCE_SECONDS, heard):
            pass
    assert len(said) == 1
    assert said[0].startswith(f"The shelf is held by process {holder.pid} (counting letters, since 20")
    assert said[0].endswith("; waiting for our turn")


def test_without_another_listener_it_is_a_line_on_stderr(
    lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "SAY_AFTER_SECONDS", 0.0)
    with (
        another_process(lock, "counting letters", 0) as holder,
        another_process(lock, "sorting letters", 1),
        pytest.raises(LockHeld, match=rf"process {holder.pid} .* with 1 more before us\. Wait until"),
        exclusive(lock, "The shelf", "the test", 0.05),
    ):
        pass
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "with 1 more before us; waiting for our turn" in said[0]


def test_more_than_can_be_named_wait_in_turn_all_the_same(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "N_NAMES", 1)
    with exclusive(lock, "The shelf", "the test", 0.0):
        late = threading.Thread(target=Visitors(lock).visit, args=("reader",))
        late.start()
        until(lock, lambda holders: [holder.purpose for holder in holders] == ["reader"])
        visitors = Visitors(lock)
        latest = threading.Thread(target=visitors.visit, args=("writer",))
        latest.start()
        until(lock, lambda holders: [holder.purpose for holder in holders] == ["writer"])
        assert visitors.came == []
    latest.join(PATIENCE_SECONDS)
    assert visitors.came == ["writer"]


@pytest.mark.parametrize("found", [b"", b'{"pid": 7, "purpose": "of an older fakesmrt"}', b"\xff" * 40_000])
def test_whatever_is_in_the_file_it_can_be_locked(lock: Path, found: bytes) -> None:
    lock.write_bytes(found)
    for _ in range(3):
        with exclusive(lock, "The shelf", "ein Wört \N{GRINNING FACE}" * 99, 0.0):
            assert [holder.pid for holder in in_turn(lock)] == [os.getpid()]
        # Later names take no more space: a full disk keeps nobody from reading.
        assert lock.stat().st_size >= locks.RECORD_BYTES * (1 + locks.N_NAMES)
    assert in_turn(lock) == []
