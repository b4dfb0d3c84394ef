"""Stage corpus/repeated_passage: paragraphs and lines that stand in several documents, and where.

::

    new chunks -> index_batch -> index/*.parquet        (workers, one file a batch of chunks)
    index files + current chunks -> ranges, passages    (one scratch database, out of core)
    ranges, passages -> corpus.repeated_*               (one commit, the chunking's rows replaced)

A chunk's text is read once; afterwards its hashes are counted, among the chunks that are current. So the result
depends on these alone, whichever came first. What of it is left out of training is a recipe's choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as parquet

from warehouse.database import Connection, query, run_script
from warehouse.dedup.passages import PassageParameters, find_passages
from warehouse.files import fetched_all, written_whole
from warehouse.identity import fingerprint
from warehouse.stages.arrow import PASSAGE_INDEX, arrow_table
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.duplicate import TextPlace, texts_at
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, map_bounded

ASSET = "corpus/repeated_passage"
CODE = ("warehouse.dedup.passages", "warehouse.dedup.shingles", "warehouse.stages.repeated_passage")

BATCH_CHUNKS = 4096
MEMORY_LIMIT = "512MiB"
"""What DuckDB may take before it spills: with the interpreter and the libraries the stage stays below 1 GiB."""

PASSAGE = pa.schema(
    {
        "chunk_id": pa.uuid(),
        "passage_id": pa.uint64(),
        "is_line": pa.bool_(),
        "char_start": pa.int32(),
        "char_end": pa.int32(),
    }
)
"""A row of an index file: a passage of a chunk, as `warehouse.dedup.passages.Passages` tells it."""


def passage_table(chunk_ids: Sequence[UUID], texts: Sequence[str], parameters: PassageParameters) -> pa.Table:
    """The passages of a batch of chunks, rows of `PASSAGE`."""
    found = find_passages(texts, parameters)
    ids = pa.array([chunk_id.bytes for chunk_id in chunk_ids], pa.binary(16)).take(pa.array(found.text))
    return pa.table(
        [
            pa.ExtensionArray.from_storage(pa.uuid(), ids),
            pa.array(found.hashes),
            pa.array(found.is_line),
            pa.array(found.char_start, pa.int32()),
            pa.array(found.char_end, pa.int32()),
        ],
        schema=PASSAGE,
    )


def index_batch(
    places: Sequence[TextPlace], text_folder: Path, index_folder: Path, parameters: PassageParameters
) -> pa.Table:
    """Write the passages of some chunks; return their rows of ``corpus.passage_index``. Runs in a worker process."""
    chunk_ids = [place.chunk_id for place in places]
    name = fingerprint(parameters.rule, *(chunk_id.bytes for chunk_id in chunk_ids)) + ".parquet"
    texts = texts_at(text_folder, places)
    table = passage_table(chunk_ids, [texts[chunk_id] for chunk_id in chunk_ids], parameters)
    with written_whole(index_folder / name) as partial_path:
        # Hashes are random bits; the ids of chunks, one for many rows, are told once.
        parquet.write_table(table, partial_path, compression="zstd", use_dictionary=["chunk_id"])
    rows = [{"chunk_id": chunk_id, "rule": parameters.rule, "index_file": name} for chunk_id in chunk_ids]
    return arrow_table(PASSAGE_INDEX, rows)


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.recipe
    inputs = {
        **input_versions(context, {"corpus/chunk": recipe.name}),
        "rule": PassageParameters().rule,
    }
    return StageRun(context, ASSET, recipe.name, inputs, CODE)


def _batches(path: Path) -> Iterator[list[TextPlace]]:
    for batch in parquet.ParquetFile(path).iter_batches(BATCH_CHUNKS):
        yield [TextPlace(**row) for row in batch.to_pylist()]


def _index_new(context: StageContext, chunking_id: UUID, parameters: PassageParameters, folder: Path) -> int:
    """Read the chunks that are not in the index; returns how many there were."""
    waiting = folder / "waiting.parquet"
    with context.warehouse.read() as connection:
        connection.execute(
            query("passage_chunks_to_read"),
            {"chunking_id": chunking_id, "rule": parameters.rule, "path": str(waiting)},
        )
    n_waiting: int = parquet.read_metadata(waiting).num_rows
    if n_waiting == 0:
        return 0
    home = context.warehouse.home
    index = partial(index_batch, text_folder=home.text, index_folder=home.index, parameters=parameters)
    done = 0
    with context.executor() as executor:
        for rows in map_bounded(executor, index, _batches(waiting)):
            with context.warehouse.write("recording passages") as connection:
                connection.register("indexed", rows)
                connection.execute(query("record_passage_index"))
            done += rows.num_rows
            context.progress(done, n_waiting, "hashing passages")
    return n_waiting


def find_repeated(scratch: Connection, members: Path, index_files: Sequence[Path], folder: Path) -> None:
    """Which passages stand in two or more documents, and where.

    Args:
        scratch: a database with memory_limit and temp_directory set; temporary tables are left in it.
        members: Parquet file of the current chunks, as ``passage_members.sql`` writes it.
        index_files: files of rows of `PASSAGE` that hold every one of them; other chunks in them do not count.
        folder: where ``ranges.parquet`` and ``passages.parquet`` are written, rows as the tables
            ``corpus.repeated_range`` and ``corpus.repeated_passage`` have them, sorted.
    """
    files = [str(path) for path in index_files]
    run_script(scratch, "passage_repeated", {"members": str(members), "index_files": files})
    scratch.execute(query("passage_write_ranges"), {"path": str(folder / "ranges.parquet")})
    scratch.execute(query("passage_write_passages"), {"path": str(folder / "passages.parquet")})


def _count_all(context: StageContext, chunking_id: UUID, parameters: PassageParameters, folder: Path) -> None:
    """Count the passages of all current chunks; the results lie in `folder`."""
    context.progress(0, 1, "counting passages")
    members = folder / "members.parquet"
    with context.warehouse.read() as connection:
        connection.execute(query("passage_members"), {"chunking_id": chunking_id, "path": str(members)})
        names = connection.execute(
            query("passage_index_files"), {"chunking_id": chunking_id, "rule": parameters.rule}
        ).fetchall()
    index_files = fetched_all(context.warehouse.home.index / name for (name,) in names)
    empty = folder / "none.parquet"
    # A corpus without chunks has no index file, and DuckDB wants one to read.
    parquet.write_table(PASSAGE.empty_table(), empty)
    with context.warehouse.scratch() as scratch:
        find_repeated(scratch, members, [empty, *index_files], folder)


def run(context: StageContext) -> StageReport:
    """Read the chunks that are new, count the passages of all, replace the chunking's rows."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    stage.begin()
    parameters, chunking_id = PassageParameters(), recipe_chunking(context)[1]
    context = replace(context, warehouse=replace(context.warehouse, memory_limit=MEMORY_LIMIT))
    with TemporaryDirectory(dir=context.warehouse.home.temporary) as name:
        folder = Path(name)
        n_read = _index_new(context, chunking_id, parameters, folder)
        _count_all(context, chunking_id, parameters, folder)
        with context.warehouse.write("recording repeated passages") as connection:
            run_script(
                connection,
                "record_repeated_passages",
                {
                    "chunking_id": chunking_id,
                    "ranges": str(folder / "ranges.parquet"),
                    "passages": str(folder / "passages.parquet"),
                },
            )
            n_passages = parquet.read_metadata(folder / "passages.parquet").num_rows
            stage.record(connection, n_passages)
        n_ranges = parquet.read_metadata(folder / "ranges.parquet").num_rows
    return stage.report(n_passages, {"n_chunks_read": n_read, "n_ranges": n_ranges})
