"""Stage corpus/search_index: which words stand in which texts, for full-text search.

::

    text files of current chunks -> segments -> index/search-*.parquet     (workers, some text files a segment)
    texts in segments that are no current chunk -> corpus.search_omission  (one commit, with corpus.search_index)

A text file never changes, so its words are found once. What a search answers depends on the current chunks alone, not
on which segments there are: texts that a segment holds beyond them are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.database import Connection, Warehouse, query, read_rows, run_script
from warehouse.errors import CorruptArtefact
from warehouse.files import exists, fetched, fetched_all, names, remove
from warehouse.identity import fingerprint
from warehouse.publishing import versions
from warehouse.retrieval.segments import (
    FILE_PATTERN,
    POSTING,
    NumberedFile,
    index_rule,
    indexed_files,
    write_segment,
)
from warehouse.stages.arrow import SEARCH_INDEX, arrow_table
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, map_bounded

ASSET = "corpus/search_index"
CODE = ("warehouse.retrieval.segments", "warehouse.stages.search_index")

SEGMENT_CHUNKS = 1 << 15
"""Texts of a segment: few enough to be indexed in some 500 MB of memory, many enough that a search opens few files."""

SMALL_CHUNKS = 1 << 12
MOST_SMALL_SEGMENTS = 16
"""Every night leaves a small segment; when there are more than so many below `SMALL_CHUNKS`, they become one."""

MEMORY_LIMIT = "512MiB"


@dataclass(frozen=True)
class WantedFile:
    """A text file and how many of its texts are to be found."""

    text_file: str
    n_wanted: int


@dataclass(frozen=True)
class RecordedFile:
    """A row of ``corpus.search_index``."""

    text_file: str
    file_number: int
    rule: str
    index_file: str
    n_chunks: int


RECORDED_FILE = pa.schema(
    {
        "text_file": pa.string(),
        "file_number": pa.int32(),
        "rule": pa.string(),
        "index_file": pa.string(),
        "n_chunks": pa.int32(),
    }
)


@dataclass(frozen=True)
class SegmentPlan:
    """Which segments stay, and the text files of each that is to be written."""

    kept: tuple[str, ...]
    new: tuple[tuple[NumberedFile, ...], ...]


def plan_segments(wanted: Sequence[WantedFile], recorded: Sequence[RecordedFile], rule: str) -> SegmentPlan:
    """Decide which text files share a segment.

    A segment is written anew, without what is no longer wanted, if it has another rule, if less than half of its
    texts are wanted, or if there are too many small ones; each text is so indexed a few times in the life of a home.

    Args:
        wanted: text files with current chunks.
        recorded: what is indexed.
        rule: of segments today.
    """
    n_wanted = {file.text_file: file.n_wanted for file in wanted}
    segments: dict[str, list[RecordedFile]] = {}
    for row in recorded:
        segments.setdefault(row.index_file, []).append(row)
    usable = {
        name: sum(n_wanted.get(row.text_file, 0) for row in rows)
        for name, rows in segments.items()
        if all(row.rule == rule for row in rows)
    }
    usable = {
        name: n for name, n in usable.items() if n and 2 * n >= sum(row.n_chunks for row in segments[name])
    }
    small = [name for name, n in usable.items() if n < SMALL_CHUNKS]
    dissolved = set(small) if len(small) > MOST_SMALL_SEGMENTS else set()
    kept = sorted(usable.keys() - dissolved)
    indexed = {row.text_file for name in kept for row in segments[name]}
    numbers = {row.text_file: row.file_number for row in recorded}
    free = 1 + max(numbers.values(), default=0)
    new = sorted(file.text_file for file in wanted if file.text_file not in numbers)
    numbers |= {name: free + place for place, name in enumerate(new)}
    loose = [
        NumberedFile(name, numbers[name])
        for name in sorted(n_wanted.keys() - indexed, key=lambda name: numbers[name])
    ]
    return SegmentPlan(tuple(kept), tuple(_packed(loose, n_wanted)))


def _packed(files: Sequence[NumberedFile], n_wanted: Mapping[str, int]) -> list[tuple[NumberedFile, ...]]:
    """The files in runs of about `SEGMENT_CHUNKS` texts; a larger file is a run of its own."""
    runs: list[list[NumberedFile]] = []
    n_chunks = 0
    for file in files:
        n_chunks += n_wanted[file.text_file]
        if not runs or n_chunks > SEGMENT_CHUNKS:
            runs.append([])
            n_chunks = n_wanted[file.text_file]
        runs[-1].append(file)
    return [tuple(run) for run in runs]


def index_files(
    numbered: Sequence[NumberedFile], text_folder: Path, index_folder: Path, rule: str
) -> pa.Table:
    """Write the segment of some text files; return their rows of ``corpus.search_index``. Runs in a worker process."""
    parts = [part for file in numbered for part in (str(file.file_number), file.text_file)]
    path = index_folder / f"search-{fingerprint(rule, *parts)}.parquet"
    # A run that was killed may have written it and not recorded it.
    if not exists(path):
        write_segment(path, text_folder, numbered)
    rows = [
        {
            "text_file": file.text_file,
            "file_number": file.file_number,
            "rule": rule,
            "index_file": path.name,
            "n_chunks": file.n_chunks,
            "n_words": file.n_words,
        }
        for file in indexed_files(fetched(path))
    ]
    return arrow_table(SEARCH_INDEX, rows)


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.recipe
    inputs = {**input_versions(context, {"corpus/chunk": recipe.name}), "rule": index_rule()}
    return StageRun(context, ASSET, recipe.name, inputs, CODE)


def _write_segments(context: StageContext, plan: SegmentPlan) -> pa.Table:
    """Write what the plan asks for; returns rows of ``corpus.search_index``."""
    home = context.warehouse.home
    index = partial(index_files, text_folder=home.text, index_folder=home.index, rule=index_rule())
    tables = [SEARCH_INDEX.empty_table()]
    with context.executor() as executor:
        for table in map_bounded(executor, index, plan.new):
            tables.append(table)
            context.progress(len(tables) - 1, len(plan.new), "indexing words")
    return pa.concat_tables(tables)


def _write_omitted(warehouse: Warehouse, texts: Path, indexed: Sequence[RecordedFile], path: Path) -> int:
    """Write the texts that segments hold and a search passes over, rows of ``corpus.search_omission``.

    Args:
        warehouse: its home holds the segments.
        texts: Parquet file of the texts that are to be found.
        indexed: what the segments hold.
        path: of the Parquet file to be written.

    Returns:
        How many these texts are.
    """
    with warehouse.scratch() as scratch:
        scratch.register("indexed", pa.Table.from_pylist([asdict(row) for row in indexed], RECORDED_FILE))
        found = scratch.execute(query("search_surplus_segments"), {"wanted": str(texts)}).fetchall()
        segments = fetched_all(warehouse.home.index / name for (name,) in found)
        # Where nothing is surplus no segment is read; this one holds no text.
        empty = path.with_name("no_postings.parquet")
        parquet.write_table(POSTING.empty_table(), empty)
        files = [str(empty), *map(str, segments)]
        scratch.execute(
            query("search_omitted_texts"), {"wanted": str(texts), "index_files": files, "path": str(path)}
        )
    return int(parquet.read_metadata(path).num_rows)


def _remove_unused(warehouse: Warehouse) -> None:
    """Remove the segments that neither the working database nor a published copy names.

    All stay while a copy is damaged: what it names is not known. The doctor says so, and the next removal takes them.
    """
    used = set()
    with warehouse.read() as connection:
        used |= _index_files(connection)
    try:
        for published in versions(warehouse.home):
            with warehouse.published_file(published.path) as connection:
                used |= _index_files(connection)
    except CorruptArtefact:
        return
    for name in set(names(warehouse.home.index, FILE_PATTERN)) - used:
        remove(warehouse.home.index / name)


def _index_files(connection: Connection) -> set[str]:
    # A copy of an earlier fakesmrt has no such table.
    if not connection.execute(query("has_search_index")).fetchall():
        return set()
    return {name for (name,) in connection.execute(query("search_index_files")).fetchall()}


def run(context: StageContext) -> StageReport:
    """Index the text files that are not in the index; tell which of its texts a search passes over."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    context = replace(context, warehouse=replace(context.warehouse, memory_limit=MEMORY_LIMIT))
    with TemporaryDirectory(dir=context.warehouse.home.temporary) as name:
        return _run(context, stage, recipe_chunking(context)[1], Path(name))


def _run(context: StageContext, stage: StageRun, chunking_id: UUID, folder: Path) -> StageReport:
    warehouse, texts, omitted = context.warehouse, folder / "wanted.parquet", folder / "omitted.parquet"
    with warehouse.read() as connection:
        connection.execute(query("search_wanted_texts"), {"chunking_id": chunking_id, "path": str(texts)})
        recorded = read_rows(connection, query("search_recorded_files"), {}, RecordedFile)
    with warehouse.scratch() as scratch:
        wanted = read_rows(scratch, query("search_wanted_files"), {"path": str(texts)}, WantedFile)
    plan = plan_segments(wanted, recorded, index_rule())
    written = _write_segments(context, plan)
    indexed = [row for row in recorded if row.index_file in plan.kept] + [
        RecordedFile(**row) for row in written.drop(["n_words"]).to_pylist()
    ]
    n_omitted = _write_omitted(warehouse, texts, indexed, omitted)
    n_chunks = sum(file.n_wanted for file in wanted)
    with warehouse.write("recording the word index") as connection:
        connection.register("indexed", written)
        run_script(connection, "record_search_index", {"kept": list(plan.kept), "omitted": str(omitted)})
        stage.record(connection, n_chunks)
    if len(plan.kept) < len({row.index_file for row in recorded}):
        _remove_unused(warehouse)
    counts = {
        "n_text_files_indexed": written.num_rows,
        "n_segments": len(plan.kept) + len(plan.new),
        "n_texts_passed_over": n_omitted,
    }
    return stage.report(n_chunks, counts)
