"""A disk that fills in the middle of a build: one line, nothing half-written, and the next build goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.errors import FakesmrtError
from warehouse.home import Home


def mounted(path: Path, size: str, *options: str) -> bool:
    """Mount or remount a disk of that size in memory; only root may."""
    mount = shutil.which("mount")
    if mount is None:
        return False
    command = [mount, "-t", "tmpfs", "-o", ",".join([*options, f"size={size}"]), "fakesmrt-test", str(path)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted(disk, "5m"):
        pytest.skip("only root may mount a small disk")
    yield disk
    umount = shutil.which("umount")
    assert umount is not None
    subprocess.run([umount, "--lazy", str(disk)], check=True)


def build_corpus(home: Path) -> subprocess.CompletedProcess[str]:
    """``fakesmrt build corpus`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "fakesmrt_assets.cli.main", "build", "corpus"],
        env={**os.environ, "FAKESMRT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_one_line_and_the_next_build_goes_on(small_disk: Path, tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    for name, text in topics.items():
        (letters / f"{name}.txt").write_text(text)
    home = Home(small_disk / "home")
    Warehouse(home).initialise("salt")
    with Warehouse(home).write("test") as connection:
        from warehouse.corpora import Registration, register

        register(connection, Registration("letters", [str(letters)], "PSF-2.0"))
    result = build_corpus(home.root)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "Free some space" in result.stderr.strip().splitlines()[-1]
    assert mounted(small_disk, "200m", "remount")
    assert all(finding.mended for finding in examine_home(Warehouse(home), fix=True))
    assert build_corpus(home.root).returncode == 0
    assert examine_home(Warehouse(home), fix=False) == []
    with Warehouse(home).read_published() as connection:
        assert connection.execute(
            "SELECT count(*) > 200 FROM corpus.training_chunk WHERE kept"
        ).fetchall() == [(True,)]


def fill(disk: Path) -> None:
    """Leave no byte on it."""
    with suppress(OSError), (disk / "more").open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def commits(warehouse: Warehouse) -> list[tuple[str, int]]:
    """The corpora of corpus.location, each with the number of its rows."""
    with warehouse.read() as connection:
        return connection.execute(
            "SELECT corpus, count(*) FROM corpus.location GROUP BY ALL ORDER BY ALL"
        ).fetchall()


@pytest.mark.parametrize("n_rows", [60_000, 1_000_000])
def test_a_disk_that_fills_in_the_middle_of_a_commit_loses_nothing(small_disk: Path, n_rows: int) -> None:
    """The log of the commit no longer fits on the disk; with few rows it does, and the checkpoint after it does not."""
    warehouse = Warehouse(Home(small_disk / "home"))
    warehouse.initialise("salt")
    with warehouse.write("a small commit") as connection:
        connection.execute("INSERT INTO corpus.location VALUES ('small', '/letters')")
    warehouse.publish()
    with (
        pytest.raises(FakesmrtError, match=r"The disk is full.*Free some space"),
        warehouse.write("a large commit") as connection,
    ):
        connection.execute(
            "INSERT INTO corpus.location SELECT 'large', md5(i::VARCHAR) || md5('x' || i) FROM range(?) AS t (i)",
            [n_rows],
        )
    fill(small_disk)
    found = commits(warehouse)
    assert mounted(small_disk, "300m", "remount")
    # All of it or nothing: a commit whose log is whole counts.
    assert found in ([("small", 1)], [("large", n_rows), ("small", 1)])
    assert commits(warehouse) == found
    with warehouse.write("the same command again") as connection:
        connection.execute("INSERT INTO corpus.location VALUES ('again', '/letters')")
    assert commits(warehouse)[0] == ("again", 1)
    with warehouse.read_published() as connection:
        assert connection.execute("SELECT corpus FROM corpus.location").fetchall() == [("small",)]
    assert all(finding.mended for finding in examine_home(warehouse, fix=True))
    assert examine_home(warehouse, fix=False) == []
