"""``kill -9`` of ``fakesmrt build`` at random moments: after each the home must be sound, and the end the same.

One home is built undisturbed. In others, with the same text, builds are killed at moments drawn from a seed, every
other one alone, so that the processes that it started must notice by themselves. After each kill: nobody of that
build lives and no lock is held; the doctor finds nothing but leftovers of the dead, which ``--fix`` removes; every
committed stream and document is tiled, and every stored text is replayed from its raw bytes. After five kills the home
is built to its end and must hold in every table what the undisturbed one holds; then the next home is begun.

Example: python -m benchmarks.killed_builds --kills 50 --seed 1
prints one JSON line: kills by the stage that was at work, what the doctor found, homes that were built to their end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any
from uuid import UUID

from fakesmrt_assets.checks import inspect_documents
from warehouse.cleanser.replaying import ChunkDecision, replay
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse, query, read_rows
from warehouse.doctor import Finding, examine_home
from warehouse.home import Home
from warehouse.locks import in_turn
from warehouse.stages.feeding import filesystem_path, streams_in
from warehouse.stages.stage import BuildSettings
from warehouse.textstore import read_rows as read_texts

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 30.0
"""For the processes of a killed build to notice."""

KILLS_A_HOME = 5
"""So many, and the next build of that home may work to its end."""

OF_A_RUN = frozenset(
    {"first_seen_at", "added_at", "pinned_at", "created_at", "at", "run_id", "seconds", "tokens_per_second"}
)
"""Columns that tell when and how fast something was made, or by which run."""


def new_home(root: Path, folder: Path) -> Warehouse:
    """A home that watches the folder."""
    warehouse = Warehouse(Home(root))
    warehouse.initialise("salt")
    with warehouse.write("registering the text") as connection:
        register(connection, Registration("letters", [str(folder)], "PSF-2.0"))
    return warehouse


def write_topics(folder: Path) -> Path:
    """Python's documentation topics as files: 79 texts, 465 kB."""
    folder.mkdir()
    for name, text in topics.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


@dataclass(frozen=True)
class Attempt:
    """A build that ended or was killed.

    Attributes:
        status: of the process.
        seconds: that it took.
        stage: the last one that it had finished.
    """

    status: int
    seconds: float
    stage: str


def build(home: Path, arguments: Sequence[str], patience: float | None, *, alone: bool = False) -> Attempt:
    """``fakesmrt build`` in a process of its own, killed after `patience` seconds, `alone` or with all its children."""
    started = time.monotonic()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [sys.executable, "-m", "fakesmrt_assets.cli.main", "build", *arguments],
            cwd=ROOT,
            env={**os.environ, "FAKESMRT_HOME": str(home)},
            stderr=said,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process,
    ):
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
        status = process.wait()
        seconds = time.monotonic() - started
        said.seek(0)
        lines = said.read().decode(errors="replace")
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"The build ended with status {status}: {lines}")
    stages = re.findall(r"^\[ *\d+/\d+\] (\w+/\w+) ", lines, re.MULTILINE)
    return Attempt(status, seconds, stages[-1] if stages else "nothing")


def living(home: Path) -> list[int]:
    """Processes that work for a home: it is in their environment."""
    needle = f"FAKESMRT_HOME={home}\0".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if needle in environ.read_bytes():
                found.append(int(environ.parent.name))
        except OSError:
            continue
    return found


def assert_nobody_lives(home: Home) -> None:
    """Nobody of a killed build is left, nor any lock."""
    locks = [home.root / "warehouse.duckdb.lock", home.root / "build.lock", *home.models.glob("*/*/lock")]
    deadline = time.monotonic() + PATIENCE_SECONDS
    # A process that ends gives up its memory, with its environment, before its files.
    while left := [*living(home.root), *(holder.pid for lock in locks for holder in in_turn(lock))]:
        assert time.monotonic() < deadline, f"these live on: {left}"
        time.sleep(0.05)


def assert_sound(warehouse: Warehouse, settings: BuildSettings) -> list[Finding]:
    """The doctor finds leftovers alone and removes them; what is committed is tiled and replayed.

    Returns:
        What the doctor found and mended.
    """
    assert_nobody_lives(warehouse.home)
    mended = examine_home(warehouse, fix=True)
    others = [finding for finding in mended if "was left by a process that is gone" not in finding.what]
    assert not others, f"the doctor found more than leftovers: {others}"
    again = examine_home(warehouse, fix=False)
    assert not again, f"the doctor finds after --fix: {again}"
    assert_tiled(warehouse, settings)
    assert_replayed(warehouse)
    return mended


def assert_tiled(warehouse: Warehouse, settings: BuildSettings) -> None:
    """No gap and no overlap in any committed stream, nor in any document that was cut."""
    with warehouse.read() as connection:
        streams = connection.execute(query("check_streams_tiled")).fetchall()[0]
        uncut = connection.execute(
            "SELECT count(*) FROM corpus.document ANTI JOIN corpus.chunk USING (document_id)"
        ).fetchall()[0][0]
    assert streams[1] == 0, f"streams are not tiled: {streams}"
    documents = inspect_documents(warehouse, settings)
    assert documents.n_violations == uncut, f"{uncut} documents wait to be cut, but: {documents}"


@dataclass(frozen=True)
class StoredChunk:
    """A chunk with its place in the raw files and in ``text/``."""

    chunk_id: UUID
    path: str
    sha256: bytes
    member: str | None
    text_file: str
    text_row: int
    text_sha256: bytes
    byte_start: int
    byte_end: int
    char_start: int
    char_end: int
    encoding: str
    decoder_state: str | None
    repair: str
    reader: str
    reader_version: str
    encoding_regions: str | None

    @property
    def decision(self) -> ChunkDecision:
        """What decides its text."""
        return ChunkDecision(**{field.name: getattr(self, field.name) for field in fields(ChunkDecision)})


def assert_replayed(warehouse: Warehouse) -> None:
    """Every stored text is what its raw bytes give by the recorded decision."""
    sql = Path(__file__).with_suffix(".sql").read_text()
    with warehouse.read() as connection:
        chunks = read_rows(connection, sql, [], StoredChunk)
    for (path, sha256, member), group in groupby(
        chunks, lambda chunk: (chunk.path, chunk.sha256, chunk.member)
    ):
        for stream in streams_in(filesystem_path(path), sha256, [member], warehouse.home.temporary):
            for chunk in group:
                text = replay(stream, chunk.decision)
                [stored] = read_texts(warehouse.home.text / chunk.text_file, [chunk.text_row])
                assert text == stored, f"chunk {chunk.chunk_id} of {path} is not replayed"
                assert hashlib.sha256(stored.encode()).digest() == chunk.text_sha256


def content(warehouse: Warehouse) -> dict[str, str]:
    """A hash of every table's rows, in any order, without the columns `OF_A_RUN`."""
    with warehouse.read() as connection:
        tables = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name <> 'meta' ORDER BY ALL"
        ).fetchall()
        hashes = {}
        for schema, table in tables:
            relation = connection.table(f"{schema}.{table}")
            compared = [column for column in relation.columns if column not in OF_A_RUN]
            rows = sorted(map(repr, relation.select(*compared).fetchall()))
            hashes[f"{schema}.{table}"] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return hashes


def assert_same(made: dict[str, str], expected: dict[str, str]) -> None:
    """Every table holds what it should."""
    other = sorted(table for table in expected if made.get(table) != expected[table])
    assert made.keys() == expected.keys(), "there are other tables"
    assert not other, f"these tables differ from the undisturbed build's: {other}"


class Killer:
    """Kills builds of one text until there were enough; use `run`."""

    def __init__(self, folder: Path, text: Path, arguments: Sequence[str], seed: int) -> None:
        self.folder = folder
        self.text = text
        self.arguments = arguments
        self.moments = random.Random(seed)  # noqa: S311  # a benchmark's choice, not a secret
        self.settings = BuildSettings()
        self.kills: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()
        self.n_homes = 0

    def run(self, n_kills: int, longest_share: float) -> dict[str, Any]:
        """Kill so many builds, each after at most this share of the undisturbed build's time; the facts for the report.

        Raises:
            AssertionError: an invariant does not hold.
        """
        undisturbed = new_home(self.folder / "undisturbed", self.text)
        whole = build(undisturbed.home.root, self.arguments, None)
        assert_sound(undisturbed, self.settings)
        expected = content(undisturbed)
        while self.kills.total() < n_kills:
            self._kill_one_home(expected, n_kills, longest_share * whole.seconds)
        return {
            "kills": self.kills.total(),
            "kills_after_stage": dict(sorted(self.kills.items())),
            "leftovers_removed_by_doctor_fix": dict(sorted(self.mended.items())),
            "other_findings": 0,
            "homes_built_to_the_end": self.n_homes,
            "homes_that_differ": 0,
            "tables_compared": len(expected),
            "undisturbed_seconds": round(whole.seconds, 1),
        }

    def _kill_one_home(self, expected: dict[str, str], n_kills: int, longest: float) -> None:
        killed = new_home(self.folder / f"killed-{self.n_homes}", self.text)
        before = self.kills.total()
        while True:
            enough = self.kills.total() >= min(n_kills, before + KILLS_A_HOME)
            patience = None if enough else self.moments.uniform(0.0, longest)
            alone = self.moments.random() < 0.5
            attempt = build(killed.home.root, self.arguments, patience, alone=alone)
            for finding in assert_sound(killed, self.settings):
                name = Path(finding.what.split()[0]).name
                self.mended[re.sub(r"\d+", "N", name.partition("-")[0])] += 1
            if attempt.status == 0:
                break
            self.kills[attempt.stage] += 1
            print(
                f"kill {self.kills.total()}: after {attempt.stage}, {attempt.seconds:.1f} s",
                file=sys.stderr,
                flush=True,
            )
        assert_same(content(killed), expected)
        self.n_homes += 1


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=4, help="training budget of one micromodel")
    parser.add_argument("--text", type=Path, help="folder of text; Python's documentation topics by default")
    parser.add_argument(
        "--share", type=float, default=0.5, help="latest moment, of the undisturbed build's time"
    )
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        text = options.text.absolute() if options.text else write_topics(Path(folder) / "letters")
        facts = Killer(Path(folder), text, ["--steps", str(options.steps)], options.seed).run(
            options.kills, options.share
        )
    print(json.dumps({"seed": options.seed, **facts, "seconds": round(time.monotonic() - started)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
