"""Ctrl-C in the middle of a training: one line, exit status 130, nobody goes on training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from pydoc_data.topics import topics

from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.locks import exclusive

PATIENCE_SECONDS = 200.0


def test_ctrl_c_stops_the_build_and_its_training(tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    for name, text in topics.items():
        (letters / f"{name}.txt").write_text(text)
    home = Home(tmp_path / "home")
    Warehouse(home).initialise("salt")
    with Warehouse(home).write("test") as connection:
        register(connection, Registration("letters", [str(letters)], "PSF-2.0"))
    command = [sys.executable, "-m", "fakesmrt_assets.cli.main", "build", "--steps", "100000"]
    with subprocess.Popen(
        command,
        env={**os.environ, "FAKESMRT_HOME": str(home.root)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as build:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any(home.models.glob("*/trunk/metrics.jsonl")) and time.monotonic() < deadline:
            assert build.poll() is None, build.stderr and build.stderr.read()
            time.sleep(0.1)
        os.killpg(build.pid, signal.SIGINT)
        assert build.stderr is not None
        said = build.stderr.read()
        assert build.wait() == 130
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("fakesmrt: interrupted.")
    lock = next(home.models.glob("*/trunk/lock"))
    with exclusive(lock, "the training", "test", timeout=0.0):
        pass
