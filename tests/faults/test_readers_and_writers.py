"""Readers of the published copy and writers, one of whom publishes, at the same time: no error, nothing lost."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.made_up_home import make_home
from benchmarks.readers_and_writers import run

SECONDS = float(os.environ.get("FAKESMRT_READERS_AND_WRITERS_SECONDS", "3"))
"""How long they work; a minute shows more."""


def test_nobody_is_locked_out_and_nothing_is_lost(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", 2_000).home.root
    seen = run(home, SECONDS, n_readers=4, n_writers=2, publish_every=SECONDS / 4)
    assert seen["errors"] == []
    assert seen["rows_lost"] == 0
    assert min(seen["commits"]) > 0
    assert seen["reader_questions"] > 0
    assert seen["publish_seconds"]
