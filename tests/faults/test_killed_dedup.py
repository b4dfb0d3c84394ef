"""``kill -9`` of the search for near-duplicates at random moments: the next run goes on, and the end is the same."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.stages.chunk_home import CLUSTERS, PAIRS_OF_CURRENT_TEXTS, ChunkHome

ROOT = Path(__file__).parents[2]
N_KILLS = 4
COMPARE = """
import sys
from pathlib import Path
from tests.stages.chunk_home import SMALL_LIMITS, ChunkHome
from warehouse.stages import duplicate
duplicate.LIMITS, duplicate.BATCH_CHUNKS = SMALL_LIMITS, 16
home = ChunkHome(Path(sys.argv[1]))
print("ready", flush=True)
home.compare()
"""


def form_letters(n_letters: int) -> dict[str, str]:
    """Letters that are much alike, each with two words of its own."""
    source = random.Random(4)
    form = [f"word{source.randrange(300)}" for _ in range(200)]
    texts = {}
    for number in range(n_letters):
        letter = list(form)
        for place in source.sample(range(200), 2):
            letter[place] = f"reader{number % 50}"
        texts[f"letter{number}"] = " ".join(letter)
    return texts


def compare(home: Path, patience: float | None = None) -> tuple[int, float]:
    """Run the stage in a process of its own; kill it when it takes longer than `patience`.

    Returns:
        Its status, and the seconds that it worked.
    """
    with subprocess.Popen(
        [sys.executable, "-c", COMPARE, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        return process.wait(), time.monotonic() - started


def test_killed_comparisons_end_like_an_undisturbed_one(tmp_path: Path) -> None:
    texts = list(form_letters(60).items())
    undisturbed, killed = ChunkHome(tmp_path / "undisturbed"), ChunkHome(tmp_path / "killed")
    undisturbed.add(dict(texts))
    status, seconds = compare(undisturbed.warehouse.home.root)
    assert status == 0
    moments = random.Random(9)
    statuses = []
    for part in range(N_KILLS):
        killed.add(dict(texts[part * 15 : part * 15 + 15]))
        statuses.append(compare(killed.warehouse.home.root, moments.uniform(0.05, 0.95) * seconds)[0])
    assert -signal.SIGKILL in statuses
    assert compare(killed.warehouse.home.root)[0] == 0
    for sql in (CLUSTERS, PAIRS_OF_CURRENT_TEXTS):
        assert killed.rows(sql) == undisturbed.rows(sql) != []
