"""``kill -9`` of a build at several moments: after each the home is sound, and the end is the same.

``benchmarks/killed_builds.py`` does it at random moments, with models.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.killed_builds import assert_same, assert_sound, content, new_home, write_topics
from warehouse.doctor import examine_home
from warehouse.stages.stage import BuildSettings


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


def test_killed_builds_end_like_an_undisturbed_one(tmp_path: Path) -> None:
    letters = write_topics(tmp_path / "letters")
    undisturbed = new_home(tmp_path / "undisturbed", letters)
    assert build_until(undisturbed.home.root, None) == 0
    killed = new_home(tmp_path / "killed", letters)
    for stage in ("corpus/source_file", "corpus/chunk", "corpus/perplexity"):
        assert build_until(killed.home.root, stage) == -signal.SIGKILL
        assert_sound(killed, BuildSettings())
    assert build_until(killed.home.root, None) == 0
    assert_same(content(killed), content(undisturbed))
    assert examine_home(killed, fix=False) == []
