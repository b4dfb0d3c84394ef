"""``kill -9`` of a build at several moments: after each the home is sound, and the end is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.doctor import examine_home
from warehouse.home import Home

CONTENT = (
    "SELECT chunk_id, text_sha256, split FROM corpus.chunk ORDER BY ALL",
    "SELECT chunk_id, cluster_id FROM corpus.duplicate_cluster ORDER BY ALL",
    "SELECT chunk_id, bits_per_byte FROM corpus.perplexity ORDER BY ALL",
    "SELECT chunk_id, kept, reason FROM corpus.training_chunk ORDER BY ALL",
)


def new_home(root: Path, letters: Path) -> Warehouse:
    """A home that watches the letters."""
    warehouse = Warehouse(Home(root))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("letters", [str(letters)], "PSF-2.0"))
    return warehouse


def build_until(root: Path, line: str | None) -> int:
    """Build the corpus; kill the build and its workers when a line of its output holds `line`."""
    with subprocess.Popen(
        [sys.executable, "-m", "fakesmrt_assets.cli.main", "build", "corpus"],
        env={**os.environ, "FAKESMRT_HOME": str(root)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as build:
        assert build.stderr is not None
        for said in build.stderr:
            if line is not None and line in said:
                os.killpg(build.pid, signal.SIGKILL)
                break
        return build.wait()


def content(warehouse: Warehouse) -> list[object]:
    """What a build computed."""
    with warehouse.read() as connection:
        return [connection.execute(sql).fetchall() for sql in CONTENT]


def test_killed_builds_end_like_an_undisturbed_one(tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    for name, text in topics.items():
        (letters / f"{name}.txt").write_text(text)
    undisturbed = new_home(tmp_path / "undisturbed", letters)
    assert build_until(undisturbed.home.root, None) == 0
    killed = new_home(tmp_path / "killed", letters)
    for stage in ("corpus/source_file", "corpus/document", "corpus/chunk", "corpus/duplicate"):
        assert build_until(killed.home.root, stage) == -signal.SIGKILL
        assert all(finding.mended for finding in examine_home(killed, fix=True))
    assert build_until(killed.home.root, None) == 0
    assert content(killed) == content(undisturbed)
    assert examine_home(killed, fix=False) == []
