"""The part of stage corpus/contamination that compares training chunks with held-out ones.

New training chunks are compared with all held-out chunks, those compared before with new held-out ones only. What is
found and what was compared is committed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa

from warehouse.database import query, read_rows, run_script
from warehouse.decontamination import held_out
from warehouse.decontamination.items import LONG_WORDS
from warehouse.identity import fingerprint
from warehouse.stages.duplicate import TextPlace, texts_at
from warehouse.stages.stage import StageContext, map_bounded

BATCH_CHUNKS = 2048


@dataclass(frozen=True)
class Comparable:
    """A chunk's part in the comparison."""

    chunk_id: UUID
    text_file: str
    text_row: int
    is_held_out: bool
    is_new: bool

    @property
    def place(self) -> TextPlace:
        return TextPlace(self.chunk_id, self.text_file, self.text_row)


def write_batch(
    places: Sequence[TextPlace], text_folder: Path, folder: Path, passed: Path | None
) -> tuple[Path, int]:
    """Write the runs of words of some chunks; the file and how many they are. Runs in a worker process."""
    path = folder / (fingerprint(*(place.chunk_id.bytes for place in places)) + ".parquet")
    texts = texts_at(text_folder, places)
    ids = [place.chunk_id for place in places]
    n_runs = held_out.write_runs(path, [own.bytes for own in ids], [texts[own] for own in ids], passed)
    return path, n_runs


def compare_held_out(context: StageContext, executor: Executor, chunking_id: UUID) -> int:
    """Record which training chunks hold text of held-out ones; how many chunks were compared for the first time."""
    version = {"rule_version": held_out.HELD_OUT_VERSION}
    with context.warehouse.write("forgetting old held-out text") as connection:
        run_script(connection, "take_out_held_out", version)
    with context.warehouse.read() as connection:
        parameters = {"chunking_id": chunking_id, **version}
        chunks = read_rows(connection, query("held_out_chunks"), parameters, Comparable)
    new = [chunk for chunk in chunks if chunk.is_new]
    if not new:
        return 0
    kept = [chunk.place for chunk in chunks if chunk.is_held_out]
    new_kept = [chunk.place for chunk in new if chunk.is_held_out]
    trained = [chunk.place for chunk in chunks if not chunk.is_held_out and not chunk.is_new]
    new_trained = [chunk.place for chunk in new if not chunk.is_held_out]
    found = pa.concat_tables(
        [_compare(context, executor, kept, new_trained), _compare(context, executor, new_kept, trained)]
    )
    compared = pa.table({"chunk_id": pa.array([chunk.chunk_id.bytes for chunk in new], pa.uuid())})
    with context.warehouse.write("recording held-out text") as connection:
        connection.register("found", found)
        connection.register("compared", compared)
        run_script(
            connection,
            "record_held_out",
            {"long_words": LONG_WORDS, "most_held_out": held_out.MOST_HELD_OUT, **version},
        )
    return len(new)


def _compare(
    context: StageContext, executor: Executor, kept: Sequence[TextPlace], trained: Sequence[TextPlace]
) -> pa.Table:
    """What of the held-out chunks `kept` stands in the chunks `trained`."""
    if not kept or not trained:
        return held_out.SHARES.empty_table()
    home = context.warehouse.home
    with TemporaryDirectory(dir=home.temporary) as name:
        folder, passed = Path(name), Path(name) / "filter.npy"
        kept_files, n_runs = _written(context, executor, kept, folder, None)
        held_out.write_filter(passed, kept_files, n_runs)
        trained_files, _ = _written(context, executor, trained, folder, passed)
        with context.warehouse.scratch() as scratch:
            return held_out.shared_runs(scratch, kept_files, trained_files)


def _written(
    context: StageContext,
    executor: Executor,
    places: Sequence[TextPlace],
    folder: Path,
    passed: Path | None,
) -> tuple[list[Path], int]:
    batches = [places[start : start + BATCH_CHUNKS] for start in range(0, len(places), BATCH_CHUNKS)]
    write = partial(write_batch, text_folder=context.warehouse.home.text, folder=folder, passed=passed)
    files, n_runs, done = [], 0, 0
    for batch, (path, n_written) in zip(batches, map_bounded(executor, write, batches), strict=True):
        files.append(path)
        n_runs += n_written
        done += len(batch)
        context.progress(done, len(places), "comparing with held-out text")
    return files, n_runs
