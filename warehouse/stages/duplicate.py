"""Stage corpus/duplicate: which chunks are near-duplicates of each other.

Band keys of new chunks are written to ``index/`` by workers; DuckDB joins them band by band, new against all; every
candidate is verified by its true Jaccard similarity; clusters follow from the verified pairs. Which member of a
cluster is kept is not decided here but in ``corpus.training_chunk``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa

from warehouse.database import query, read_rows, run_script, scalar
from warehouse.dedup.candidates import find_candidates, write_band_file
from warehouse.dedup.clusters import ClusterParameters, cluster_chunks
from warehouse.dedup.minhash import SketchParameters
from warehouse.dedup.verification import VerificationParameters, write_verified_pairs
from warehouse.identity import fingerprint
from warehouse.stages.arrow import SIGNATURE, arrow_table
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, map_bounded
from warehouse.textstore import read_rows as read_text_rows
from warehouse.textstore import text_file

ASSET = "corpus/duplicate"
CODE = ("warehouse.dedup", "warehouse.stages.duplicate")

BATCH_CHUNKS = 4096


@dataclass(frozen=True)
class TextPlace:
    """Where a chunk's text lies."""

    chunk_id: UUID
    text_file: str
    text_row: int


def texts_at(folder: Path, places: Sequence[TextPlace]) -> dict[UUID, str]:
    """The texts of some chunks; each file is opened once."""
    by_file: dict[str, list[TextPlace]] = {}
    for place in places:
        by_file.setdefault(place.text_file, []).append(place)
    return {
        place.chunk_id: text
        for name, there in by_file.items()
        for place, text in zip(
            there, read_text_rows(text_file(folder, name), [place.text_row for place in there]), strict=True
        )
    }


def sign_batch(
    places: Sequence[TextPlace], text_folder: Path, index_folder: Path, sketch: SketchParameters
) -> pa.Table:
    """Write the band keys of some chunks; return their rows of ``corpus.signature``. Runs in a worker process."""
    name = fingerprint(sketch.sketch_id().bytes, *(place.chunk_id.bytes for place in places)) + ".parquet"
    texts = texts_at(text_folder, places)
    write_band_file(
        index_folder / name,
        [place.chunk_id.bytes for place in places],
        [texts[place.chunk_id] for place in places],
        sketch,
    )
    return arrow_table(
        SIGNATURE,
        [
            {"chunk_id": place.chunk_id, "sketch_id": sketch.sketch_id(), "index_file": name}
            for place in places
        ],
    )


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.recipe
    inputs = {
        **input_versions(context, {"corpus/chunk": recipe.name}),
        "sketch": str(SketchParameters().sketch_id()),
        "verification": VerificationParameters().rule_version,
        "threshold": str(recipe.duplicates.threshold),
    }
    return StageRun(context, ASSET, recipe.name, inputs, CODE)


def _sign_new(context: StageContext, chunking_id: UUID, sketch: SketchParameters) -> int:
    parameters = {"chunking_id": chunking_id, "sketch_id": sketch.sketch_id()}
    with context.warehouse.read() as connection:
        waiting = read_rows(connection, query("chunks_to_sign"), parameters, TextPlace)
    home = context.warehouse.home
    groups = [waiting[start : start + BATCH_CHUNKS] for start in range(0, len(waiting), BATCH_CHUNKS)]
    done = 0
    if groups:
        with context.executor() as executor:
            sign = partial(sign_batch, text_folder=home.text, index_folder=home.index, sketch=sketch)
            for rows in map_bounded(executor, sign, groups):
                with context.warehouse.write("recording signatures") as connection:
                    connection.register("signed", rows)
                    connection.execute(query("record_signatures"))
                done += rows.num_rows
                context.progress(done, len(waiting), "hashing shingles")
    return len(waiting)


class _Texts:
    """Gives verification the texts of chunk ids, from the text files."""

    def __init__(self, context: StageContext) -> None:
        self._context = context

    def __call__(self, chunk_ids: Sequence[bytes]) -> Mapping[bytes, str]:
        ids = [UUID(bytes=chunk_id) for chunk_id in chunk_ids]
        with self._context.warehouse.read() as connection:
            places = read_rows(connection, query("text_places"), {"chunk_ids": ids}, TextPlace)
        texts = texts_at(self._context.warehouse.home.text, places)
        return {chunk_id.bytes: text for chunk_id, text in texts.items()}


@dataclass(frozen=True)
class _Compared:
    n_candidates: int
    n_pairs: int
    n_pairs_left_out: int


def _compare_new(context: StageContext, chunking_id: UUID, sketch: SketchParameters) -> _Compared:
    """Find and verify the pairs of chunks that were not compared yet; commit them."""
    parameters = {"chunking_id": chunking_id, "sketch_id": sketch.sketch_id()}
    home = context.warehouse.home
    with context.warehouse.read() as connection:
        members = connection.sql(query("dedup_members"), params=parameters).to_arrow_table()
        names = connection.execute(query("index_files"), parameters).fetchall()
    with TemporaryDirectory(dir=home.temporary) as folder:
        candidates, pairs = Path(folder) / "candidates.parquet", Path(folder) / "pairs.parquet"
        with context.warehouse.scratch() as scratch:
            found = find_candidates(
                scratch,
                members,
                [home.index / name for (name,) in names],
                candidates,
                sketch,
                progress=context.progress,
            )
        verified = write_verified_pairs(
            candidates, _Texts(context), pairs, VerificationParameters(), progress=context.progress
        )
        with context.warehouse.write("recording near-duplicates") as connection:
            connection.execute(query("record_pairs"), {"pairs": str(pairs)})
            connection.execute(query("mark_compared"), parameters)
    return _Compared(verified.n_candidates, verified.n_pairs, found.n_pairs_left_out)


def run(context: StageContext) -> StageReport:
    """Compare the chunks that are new with all; group what is alike."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    recipe, sketch = context.recipe, SketchParameters()
    chunking_id = recipe_chunking(context)[1]
    n_signed = _sign_new(context, chunking_id, sketch)
    compared = _compare_new(context, chunking_id, sketch)
    parameters = ClusterParameters(threshold=recipe.duplicates.threshold)
    with context.warehouse.read() as connection:
        members = connection.sql(
            query("cluster_members"), params={"chunking_id": chunking_id}
        ).to_arrow_table()
        pairs = connection.sql(
            query("cluster_pairs"),
            params={
                "rule_version": VerificationParameters().rule_version,
                "threshold": parameters.threshold,
            },
        ).to_arrow_table()
    clusters = cluster_chunks(members, pairs, parameters)
    with context.warehouse.write("recording near-duplicates") as connection:
        connection.register("clustered", clusters)
        run_script(
            connection, "record_clusters", {"chunking_id": chunking_id, "threshold": parameters.threshold}
        )
        n_clusters = scalar(connection, "SELECT count(DISTINCT cluster_id) FROM clustered")
        stage.record(connection, clusters.num_rows)
    facts = {
        "n_chunks_hashed": n_signed,
        "n_candidate_pairs": compared.n_candidates,
        "n_verified_pairs": compared.n_pairs,
        "n_pairs_left_out": compared.n_pairs_left_out,
        "n_clusters": n_clusters,
    }
    return stage.report(clusters.num_rows, facts)
