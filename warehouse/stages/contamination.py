"""Stage corpus/contamination: which chunks hold evaluation items, or text of held-out chunks.

Each chunk's collection of evaluation files that it was searched for is known, so a chunk is searched for what is new
only: new chunks for all items, all chunks for new items. Held-out text is an evaluation set of its own: new training
chunks are compared with all held-out ones, all training chunks with new held-out ones. What a recipe makes of the
findings is decided in ``corpus.training_chunk``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa

from warehouse.database import query, read_rows, run_script, scalar
from warehouse.decontamination.evaluation_files import read_file
from warehouse.decontamination.item_index import (
    ItemIndex,
    SearchedItem,
    blocks_of_items,
    build_index,
    searched_items,
)
from warehouse.decontamination.items import LONG_WORDS
from warehouse.decontamination.registry import (
    EvaluationFile,
    current_files,
    registered_locations,
    require_sets,
)
from warehouse.decontamination.search import NEAR_DUPLICATE, NGRAM_OVERLAP, RULE_VERSION, Searcher
from warehouse.decontamination.words import split_words
from warehouse.identity import content_id, fingerprint
from warehouse.stages.arrow import CONTAMINATION, EVALUATION_FILE, EVALUATION_ITEM, arrow_table
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.duplicate import TextPlace, texts_at
from warehouse.stages.held_out_overlap import compare_held_out
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, map_bounded

ASSET = "corpus/contamination"
CODE = ("warehouse.decontamination", "warehouse.stages.contamination", "warehouse.stages.held_out_overlap")

BATCH_CHUNKS = 2048

COMMON_SCORE = 0.8
COMMON_CHUNKS = 5
COMMON_SHARE = 0.0005
"""A short passage that stands in more different chunks than `COMMON_CHUNKS` and this share of all, at this score, is a
phrase of the language: a benchmark's item stands in few places, "once upon a time there was" in every other book."""


@dataclass(frozen=True)
class Waiting:
    """A chunk to be searched, and the collection that it was searched for before."""

    chunk_id: UUID
    text_file: str
    text_row: int
    collection_id: UUID | None

    @property
    def place(self) -> TextPlace:
        return TextPlace(self.chunk_id, self.text_file, self.text_row)


@lru_cache(maxsize=1)
def _searcher(path: Path) -> tuple[Searcher, ItemIndex]:
    index = ItemIndex.load(path)
    return Searcher(index), index


def search_batch(places: Sequence[TextPlace], text_folder: Path, index: Path) -> pa.Table:
    """What of an index stands in some chunks: rows for ``corpus.contamination``. Runs in a worker process."""
    searcher, items = _searcher(index)
    texts = texts_at(text_folder, places)
    found = searcher.search(split_words([texts[place.chunk_id] for place in places]))
    ids = [items.item_ids[item].tobytes() for item in found.items]
    rules = [NEAR_DUPLICATE if is_near else NGRAM_OVERLAP for is_near in found.is_near]
    columns = [
        pa.array(
            [places[chunk].chunk_id.bytes for chunk in found.chunks], CONTAMINATION.field("chunk_id").type
        ),
        pa.array(ids, CONTAMINATION.field("item_id").type),
        pa.array(rules, pa.string()),
        pa.array(found.scores),
        pa.array(found.sizes.astype("int32")),
    ]
    return pa.Table.from_arrays(columns, schema=CONTAMINATION)


def _files(context: StageContext) -> list[EvaluationFile]:
    with context.warehouse.read() as connection:
        require_sets(connection, context.recipe.decontamination.evaluation_sets)
        locations = registered_locations(connection)
    return current_files(locations)


def _stage(context: StageContext, files: Iterable[EvaluationFile]) -> StageRun:
    inputs = {
        **input_versions(context, {"corpus/duplicate": context.recipe.name}),
        "evaluation sets": fingerprint(*sorted(f"{file.file_id} {file.path}" for file in files)),
    }
    return StageRun(context, ASSET, context.recipe.name, inputs, CODE)


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now.

    Raises:
        InputUnreadable: if a registered evaluation file is gone.
        InvalidConfiguration: if the recipe names a set that is not registered.
    """
    return _stage(context, _files(context))


def _record_items(context: StageContext, files: Sequence[EvaluationFile], collection_id: UUID) -> None:
    """Make the tables of evaluation items what the files are now."""
    with context.warehouse.read() as connection:
        known = set(connection.execute("SELECT file_id, path FROM corpus.evaluation_set").fetchall())
    described, items = [], []
    for file in files:
        is_new = (file.file_id, str(file.path)) not in known
        found = searched_items(read_file(file.path, file.fields)) if is_new else []
        described.append(
            {
                "evaluation_set": file.evaluation_set,
                "path": str(file.path),
                "sha256": file.sha256,
                "file_id": file.file_id,
                "n_items": len(found),
                "n_unsearched": sum(not item.passages for item in found),
                "is_new": is_new,
            }
        )
        items += [
            {
                "item_id": item.item_id,
                "evaluation_set": file.evaluation_set,
                "path": str(file.path),
                "ordinal": ordinal,
                "n_words": item.n_words,
                "is_searched": bool(item.passages),
            }
            for ordinal, item in enumerate(found)
        ]
    with context.warehouse.write("recording evaluation items") as connection:
        connection.register("evaluation_files", arrow_table(EVALUATION_FILE, described))
        connection.register("new_items", arrow_table(EVALUATION_ITEM, items))
        run_script(
            connection,
            "record_evaluation_items",
            {"collection_id": collection_id, "rule_version": RULE_VERSION},
        )


def _search(
    context: StageContext, executor: Executor, files: Sequence[EvaluationFile], chunking_id: UUID
) -> int:
    """Search every chunk for the files that it was not searched for; how many chunks that were."""
    collection_id = content_id("evaluation files", *sorted({file.file_id.bytes for file in files}))
    _record_items(context, files, collection_id)
    parameters = {"chunking_id": chunking_id, "collection_id": collection_id}
    with context.warehouse.read() as connection:
        waiting = (
            read_rows(connection, query("contamination_to_search"), parameters, Waiting) if files else []
        )
        collections = connection.execute(
            "SELECT collection_id, file_id FROM corpus.evaluation_collection"
        ).fetchall()
    for before, group in groupby(waiting, key=lambda chunk: chunk.collection_id):
        searched = {file_id for collection, file_id in collections if collection == before}
        needed = [file for file in files if file.file_id not in searched]
        _search_group(context, executor, [chunk.place for chunk in group], needed, collection_id)
    return len(waiting)


def _search_group(
    context: StageContext,
    executor: Executor,
    places: Sequence[TextPlace],
    files: Sequence[EvaluationFile],
    collection_id: UUID,
) -> None:
    """Search chunks for files; a batch is marked when it was searched for all of their items."""
    items = [item for file in files for item in searched_items(read_file(file.path, file.fields))]
    batches = [places[start : start + BATCH_CHUNKS] for start in range(0, len(places), BATCH_CHUNKS)]
    home, done = context.warehouse.home, 0
    with TemporaryDirectory(dir=home.temporary) as folder:
        # Where nothing is to be looked for, as after a set was removed, an empty index marks the chunks.
        blocks = list(_saved_blocks(Path(folder), items)) or [_saved(Path(folder), 0, [])]
        for index in blocks:
            search = partial(search_batch, text_folder=home.text, index=index)
            for batch, rows in zip(batches, map_bounded(executor, search, batches), strict=True):
                _record(context, rows, batch if index == blocks[-1] else [], collection_id)
                done += len(batch)
                context.progress(done, len(blocks) * len(places), "searching evaluation items")


def _saved(folder: Path, number: int, block: Sequence[SearchedItem]) -> Path:
    path = folder / f"{number}.npz"
    build_index(block).save(path)
    return path


def _saved_blocks(folder: Path, items: Sequence[SearchedItem]) -> Iterator[Path]:
    for number, block in enumerate(blocks_of_items(items)):
        yield _saved(folder, number, block)


def _record(
    context: StageContext, rows: pa.Table, searched: Sequence[TextPlace], collection_id: UUID
) -> None:
    chunks = pa.table({"chunk_id": pa.array([place.chunk_id.bytes for place in searched], pa.uuid())})
    with context.warehouse.write("recording evaluation items found") as connection:
        connection.register("found", rows)
        connection.execute(query("record_contamination"), {"rule_version": RULE_VERSION})
        connection.register("searched", chunks)
        run_script(connection, "mark_searched", {"collection_id": collection_id})


def run(context: StageContext) -> StageReport:
    """Search what is new: chunks for evaluation items, training chunks for held-out text."""
    files = _files(context)
    stage = _stage(context, files)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    stage.begin()
    chunking_id = recipe_chunking(context)[1]
    with context.executor() as executor:
        n_searched = _search(context, executor, files, chunking_id)
        n_compared = compare_held_out(context, executor, chunking_id)
    parameters = {
        "chunking_id": chunking_id,
        "long_words": LONG_WORDS,
        "common_score": COMMON_SCORE,
        "common_chunks": COMMON_CHUNKS,
        "common_share": COMMON_SHARE,
        "threshold": context.recipe.duplicates.threshold,
    }
    with context.warehouse.write("recording contamination") as connection:
        connection.execute(query("mark_common_phrases"), parameters)
        n_rows = scalar(connection, "SELECT count(*) FROM corpus.contamination")
        n_items, n_unsearched = connection.execute(
            "SELECT coalesce(sum(n_items), 0), coalesce(sum(n_unsearched), 0) FROM corpus.evaluation_set"
        ).fetchall()[0]
        stage.record(connection, n_rows)
    facts = {
        "n_evaluation_items": int(n_items),
        "n_items_too_short_to_search": int(n_unsearched),
        "n_chunks_searched": n_searched,
        "n_chunks_compared_with_held_out": n_compared,
    }
    return stage.report(n_rows, facts)
