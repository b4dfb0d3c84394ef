"""Readers of the published copy and writers of the working database at the same time, for some minutes.

Eight readers ask the questions of ``readers_and_writers.sql`` without a pause, each on the newest published copy
(opened anew whenever another is published); two writers commit small rows, one of them publishes now and then; one more
process reads the working database. Counted are errors, seconds of each question (opening included), seconds that a
writer waited for its turn, and at the end whether every committed row is there.

With --peer-seconds a peer does all of that once more, but for publishing: who uses the working database takes no lock
and opens the file as dagster-duckdb's resource does, ten times, with pauses from 0.1 s that double.

Example: python -m benchmarks.readers_and_writers --minutes 10 --chunks 1000000 --peer-seconds 30
prints one JSON line; --home takes a home that ``made_up_home.py`` has made, which is written to.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from warehouse.database import Connection, Warehouse
from warehouse.errors import FakesmrtError
from warehouse.home import Home

QUESTIONS = ("model_licences", "model_files", "file_models", "chunk_by_id", "filter_histogram")
N_IDS = 500
PUBLISH_EVERY_SECONDS = 60.0
COMMIT = """
    INSERT INTO models.training_metric (experiment, replicate, step, n_tokens, loss, learning_rate, tokens_per_second)
    VALUES (?, ?, ?, 0, 0.0, 0.0, 0.0)
"""
EXPERIMENT = "readers and writers"


@dataclass
class Seen:
    """What one process saw.

    Attributes:
        seconds: of each question, or of each wait for a turn, by its name.
        spans: start and end of each publication, on the clock of `time.monotonic`.
        waits: start and end of each wait for a turn.
        errors: what went wrong, in words.
        n_commits: rows committed.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    spans: list[tuple[float, float]] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    n_commits: int = 0


@contextmanager
def noted(seen: Seen) -> Iterator[None]:
    """An error is counted, and the process goes on."""
    try:
        yield
    except (FakesmrtError, duckdb.Error, OSError) as error:
        seen.errors.append(f"{type(error).__name__}: {error}"[:300])


class Reader:
    """Asks the published copy."""

    def __init__(self, home: Path, number: int) -> None:
        self.warehouse = Warehouse(Home(home))
        self.choice = random.Random(number)  # noqa: S311  # a benchmark's choice, not a secret
        with self.warehouse.read_published() as connection:
            self.statements = connection.extract_statements(Path(__file__).with_suffix(".sql").read_text())
            self.ids = {
                "checkpoint_id": self._ids(
                    connection, "SELECT DISTINCT checkpoint_id FROM models.checkpoint_source"
                ),
                "source_id": self._ids(connection, "SELECT source_id FROM corpus.source_file"),
                "chunk_id": self._ids(connection, "SELECT chunk_id FROM corpus.chunk"),
            }

    def _ids(self, connection: Connection, sql: str) -> list[object]:
        rows = connection.execute(f"FROM ({sql}) USING SAMPLE {N_IDS} ROWS (reservoir, 1)").fetchall()
        return [row[0] for row in rows]

    def read(self, seconds: float) -> Seen:
        """Ask for so long."""
        seen = Seen(seconds={name: [] for name in QUESTIONS})
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with noted(seen):
                self._read_one_copy(until, seen)
        return seen

    def _read_one_copy(self, until: float, seen: Seen) -> None:
        started = time.monotonic()
        newest = self.warehouse.home.published.resolve()
        with self.warehouse.read_published() as connection:
            while self.warehouse.home.published.resolve() == newest and started < until:
                question = self.choice.randrange(len(QUESTIONS))
                statement = self.statements[question]
                parameters = {name: self.choice.choice(self.ids[name]) for name in statement.named_parameters}
                connection.execute(statement, parameters).fetchall()
                now = time.monotonic()
                seen.seconds[QUESTIONS[question]].append(now - started)
                started = now


def read_published(home: Path, number: int, seconds: float) -> Seen:
    """A reader of the published copy."""
    return Reader(home, number).read(seconds)


def read_working(home: Path, seconds: float) -> Seen:
    """A reader of the working database, who shares its lock."""
    seen, warehouse = Seen(seconds={"working": []}), Warehouse(Home(home))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        with noted(seen), warehouse.read() as connection:
            connection.execute("SELECT count(*) FROM meta.materialization").fetchall()
            seen.seconds["working"].append(time.monotonic() - started)
    return seen


def write(home: Path, number: int, seconds: float, publish_every: float | None) -> Seen:
    """A writer: one row a commit; it publishes every so many seconds."""
    seen, warehouse = Seen(), Warehouse(Home(home))
    publish_at = time.monotonic() + (publish_every or float("inf"))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        asked = time.monotonic()
        with noted(seen):
            with warehouse.write(f"commit {seen.n_commits} of writer {number}") as connection:
                seen.waits.append((asked, time.monotonic()))
                connection.execute(COMMIT, [EXPERIMENT, number, seen.n_commits])
            seen.n_commits += 1
        if publish_every is not None and time.monotonic() >= publish_at:
            started = time.monotonic()
            with noted(seen):
                warehouse.publish()
            seen.spans.append((started, time.monotonic()))
            publish_at = time.monotonic() + publish_every
    return seen


def open_as_the_peer(database: Path, *, read_only: bool) -> Connection:
    """Try ten times, with pauses from 0.1 s that double."""
    pause = 0.1
    for _ in range(9):
        try:
            return duckdb.connect(database, read_only=read_only)
        except duckdb.IOException:
            time.sleep(pause)
            pause *= 2
    return duckdb.connect(database, read_only=read_only)


def read_working_as_the_peer(home: Path, seconds: float) -> Seen:
    """A reader of the working database who opens the file himself."""
    seen = Seen(seconds={"working": []})
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        with noted(seen), open_as_the_peer(Home(home).database, read_only=True) as connection:
            connection.execute("SELECT count(*) FROM meta.materialization").fetchall()
            seen.seconds["working"].append(time.monotonic() - started)
    return seen


def write_as_the_peer(home: Path, number: int, seconds: float) -> Seen:
    """A writer who opens the file himself."""
    seen = Seen()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        asked = time.monotonic()
        with noted(seen), open_as_the_peer(Home(home).database, read_only=False) as connection:
            seen.waits.append((asked, time.monotonic()))
            connection.execute(COMMIT, [f"{EXPERIMENT}, the peer", number, seen.n_commits])
            seen.n_commits += 1
    return seen


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and longest, in milliseconds."""
    if not seconds:
        return {}
    values = np.asarray(seconds) * 1000
    named = {"p50": np.quantile(values, 0.5), "p99": np.quantile(values, 0.99), "longest": values.max()}
    return {name: round(float(value), 1) for name, value in named.items()}


def waits_apart(
    waits: Sequence[tuple[float, float]], publications: Sequence[tuple[float, float]]
) -> list[float]:
    """Seconds of the waits during which nobody published."""
    return [
        end - start
        for start, end in waits
        if not any(start < published and began < end for began, published in publications)
    ]


def publish_something(warehouse: Warehouse) -> None:
    """A copy that holds what is committed."""
    with warehouse.write("a first row") as connection:
        connection.execute("DELETE FROM models.training_metric WHERE experiment LIKE ? || '%'", [EXPERIMENT])
    warehouse.publish()


def run(home: Path, seconds: float, n_readers: int, n_writers: int, publish_every: float) -> dict[str, Any]:
    """Let all of them work for so many seconds."""
    warehouse = Warehouse(Home(home))
    publish_something(warehouse)
    with _processes(n_readers + n_writers + 1) as pool:
        readers = [pool.submit(read_published, home, number, seconds) for number in range(n_readers)]
        working = pool.submit(read_working, home, seconds)
        writers = [
            pool.submit(write, home, number, seconds, publish_every if number == 0 else None)
            for number in range(n_writers)
        ]
        read = [reader.result() for reader in readers]
        written = [writer.result() for writer in writers]
        seen_working = working.result()
    everybody = [*read, *written, seen_working]
    publications = [span for seen in written for span in seen.spans]
    waits = [wait for seen in written for wait in seen.waits]
    return {
        "errors": [error for seen in everybody for error in seen.errors],
        "reader_milliseconds": quantiles(
            [s for seen in read for of_one in seen.seconds.values() for s in of_one]
        ),
        "reader_questions": sum(len(of_one) for seen in read for of_one in seen.seconds.values()),
        "by_question_milliseconds": {
            name: quantiles([s for seen in read for s in seen.seconds[name]]) for name in QUESTIONS
        },
        "working_reader_milliseconds": quantiles(seen_working.seconds["working"]),
        "writer_wait_milliseconds": quantiles(waits_apart(waits, publications)),
        "writer_wait_milliseconds_with_publishing": quantiles([end - start for start, end in waits]),
        "publish_seconds": [round(end - start, 1) for start, end in publications],
        "commits": [seen.n_commits for seen in written],
        "rows_lost": rows_lost(warehouse, [seen.n_commits for seen in written]),
    }


def rows_lost(warehouse: Warehouse, n_commits: Sequence[int]) -> int:
    """Committed rows that are not there, and rows that are there twice or were never committed."""
    with warehouse.read() as connection:
        found = connection.execute(
            "SELECT replicate, step FROM models.training_metric WHERE experiment = ? ORDER BY ALL",
            [EXPERIMENT],
        ).fetchall()
    expected = [(number, step) for number, n_rows in enumerate(n_commits) for step in range(n_rows)]
    return len(set(expected) ^ set(found)) + len(found) - len(set(found))


def run_peer(home: Path, seconds: float, n_readers: int, n_writers: int) -> dict[str, Any]:
    """The same readers, and writers and a reader of the working database as the peer has them."""
    with _processes(n_readers + n_writers + 1) as pool:
        readers = [pool.submit(read_published, home, number, seconds) for number in range(n_readers)]
        working = pool.submit(read_working_as_the_peer, home, seconds)
        asked = [pool.submit(write_as_the_peer, home, number, seconds) for number in range(n_writers)]
        written = [one.result() for one in asked]
        for reader in readers:
            reader.result()
        seen_working = working.result()
    return {
        "errors": sum(len(seen.errors) for seen in (*written, seen_working)),
        "working_reader_milliseconds": quantiles(seen_working.seconds["working"]),
        "writer_wait_milliseconds": quantiles([end - start for seen in written for start, end in seen.waits]),
        "commits": [seen.n_commits for seen in written],
    }


def _processes(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--chunks", type=int, default=1_000_000, help="of the home that is made up")
    parser.add_argument("--home", type=Path, help="a made-up home that is there already")
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--publish-every", type=float, default=PUBLISH_EVERY_SECONDS, metavar="SECONDS")
    parser.add_argument("--peer-seconds", type=float, default=0.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home
        if home is None:
            from benchmarks.made_up_home import make_home

            home = make_home(Path(folder) / "home", options.chunks).home.root
        facts = run(
            home.absolute(), 60 * options.minutes, options.readers, options.writers, options.publish_every
        )
        if options.peer_seconds:
            facts["peer"] = run_peer(home.absolute(), options.peer_seconds, options.readers, options.writers)
    print(json.dumps({"benchmark": "readers_and_writers", "minutes": options.minutes, **facts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
