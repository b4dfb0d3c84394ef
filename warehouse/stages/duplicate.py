"""Stage corpus/duplicate: which chunks are near-duplicates of each other.

Band keys of new chunks are written to ``index/`` by workers; DuckDB joins them band by band, new against all; every
candidate is verified by its true Jaccard similarity; clusters follow from the verified pairs. Which member of a
cluster is kept is not decided here but in ``corpus.training_chunk``.

After a run the pairs whose texts are both current, and the clusters, depend on the current chunks alone: not on what
came first, what was here before, the number of workers, or where a run was killed. What is proportional to the
number of chunks lies in files; DuckDB works on them under `MEMORY_LIMIT`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.database import Warehouse, query, run_script, scalar
from warehouse.dedup.candidates import (
    CandidateParameters,
    CandidateSummary,
    find_candidates,
    write_band_file,
    write_obsolete_pairs,
)
from warehouse.dedup.clusters import ClusterParameters, ClusterSummary, write_clusters
from warehouse.dedup.minhash import SketchParameters
from warehouse.dedup.verification import VerificationParameters, verify_candidates
from warehouse.files import exists, fetched_all
from warehouse.identity import fingerprint
from warehouse.stages.arrow import SIGNATURE, arrow_table
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, map_bounded
from warehouse.textstore import read_rows as read_text_rows
from warehouse.textstore import text_file

ASSET = "corpus/duplicate"
CODE = ("warehouse.dedup", "warehouse.stages.duplicate")

BATCH_CHUNKS = 4096
MEMORY_LIMIT = "384MiB"
"""What DuckDB may take before it spills: with the interpreter, the libraries and a batch of texts the stage stays far
below 1 GiB."""

LIMITS = CandidateParameters()


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


def read_places(path: Path) -> Iterator[list[TextPlace]]:
    """The places in a Parquet file of chunk_id, text_file, text_row: `BATCH_CHUNKS` at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_CHUNKS):
            yield [
                TextPlace(UUID(bytes=chunk_id), name, row)
                for chunk_id, name, row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
            ]


def sign_batch(
    places: Sequence[TextPlace], text_folder: Path, index_folder: Path, sketch: SketchParameters
) -> pa.Table:
    """Write the band keys of some chunks; return their rows of ``corpus.signature``. Runs in a worker process."""
    name = fingerprint(sketch.sketch_id().bytes, *(place.chunk_id.bytes for place in places)) + ".parquet"
    # A run that was killed may have written the file and not recorded it.
    if not exists(index_folder / name):
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


@dataclass(frozen=True)
class _Comparison:
    """What the steps of one run share.

    Attributes:
        context: the build, its database under `MEMORY_LIMIT`.
        chunking_id: the chunks that are compared.
        folder: where what passes from one step to the next lies; removed at the end.
        sketch: how a text becomes band keys.
        rule: which pairs are stored.
    """

    context: StageContext
    chunking_id: UUID
    folder: Path
    sketch: SketchParameters = field(default_factory=SketchParameters)
    rule: VerificationParameters = field(default_factory=VerificationParameters)

    @property
    def warehouse(self) -> Warehouse:
        return self.context.warehouse

    @property
    def signed(self) -> dict[str, UUID]:
        """Names the chunks and their keys in queries."""
        return {"chunking_id": self.chunking_id, "sketch_id": self.sketch.sketch_id()}

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"


def _forget_lost(warehouse: Warehouse) -> None:
    """Take out the signatures of chunks that are gone; files that are only retired keep theirs."""
    with warehouse.read() as connection:
        n_lost = scalar(connection, query("count_lost_signatures"))
    if n_lost:
        with warehouse.write("taking out lost signatures") as connection:
            run_script(connection, "take_out_lost_signatures", {})


def _sign_new(comparison: _Comparison) -> int:
    """Write and record the band keys of the chunks that have none; returns how many these were."""
    context, home, waiting = comparison.context, comparison.warehouse.home, comparison.path("waiting")
    with comparison.warehouse.read() as connection:
        connection.execute(query("chunks_to_sign"), {**comparison.signed, "path": str(waiting)})
    n_waiting, done = int(pq.read_metadata(waiting).num_rows), 0
    if not n_waiting:
        return 0
    with context.executor() as executor:
        sign = partial(sign_batch, text_folder=home.text, index_folder=home.index, sketch=comparison.sketch)
        for rows in map_bounded(executor, sign, read_places(waiting)):
            with comparison.warehouse.write("recording signatures") as connection:
                connection.register("signed", rows)
                connection.execute(query("record_signatures"))
            done += rows.num_rows
            context.progress(done, n_waiting, "hashing shingles")
    return n_waiting


def _candidate_texts(comparison: _Comparison) -> Iterator[tuple[list[bytes], list[str]]]:
    """The texts of the candidates, each once, in the order in which they lie."""
    places_file = comparison.path("places")
    parameters = {"candidates": str(comparison.path("candidates")), "path": str(places_file)}
    with comparison.warehouse.read() as connection:
        connection.execute(query("text_places"), parameters)
    n_texts, done = pq.read_metadata(places_file).num_rows, 0
    for places in read_places(places_file):
        texts = texts_at(comparison.warehouse.home.text, places)
        yield [place.chunk_id.bytes for place in places], [texts[place.chunk_id] for place in places]
        done += len(places)
        comparison.context.progress(done, n_texts, "reading candidates")


def _find_candidates(comparison: _Comparison) -> CandidateSummary:
    """Join the band keys of what is current: pairs to verify, and stored pairs that are obsolete."""
    home, members, stored = comparison.warehouse.home, comparison.path("members"), comparison.path("stored")
    with comparison.warehouse.read() as connection:
        connection.execute(query("dedup_members"), {**comparison.signed, "path": str(members)})
        names = connection.execute(query("index_files"), comparison.signed).fetchall()
        everything = {"rule_version": comparison.rule.rule_version, "threshold": 0.0, "path": str(stored)}
        connection.execute(query("cluster_pairs"), everything)
    with comparison.warehouse.scratch() as scratch:
        found = find_candidates(
            scratch,
            members,
            fetched_all(home.index / name for (name,) in names),
            comparison.path("candidates"),
            comparison.sketch,
            LIMITS,
            comparison.context.progress,
        )
        write_obsolete_pairs(scratch, members, stored, comparison.path("obsolete"), comparison.sketch)
    return found


def _compare_new(comparison: _Comparison) -> dict[str, int]:
    """Verify what is proposed for the first time, and commit it; returns counts for people."""
    found = _find_candidates(comparison)
    verified = verify_candidates(
        comparison.path("candidates"),
        _candidate_texts(comparison),
        comparison.path("pairs"),
        comparison.rule,
        comparison.context.progress,
    )
    parameters = {name: str(comparison.path(name)) for name in ("obsolete", "pairs", "members")}
    with comparison.warehouse.write("recording near-duplicates") as connection:
        run_script(connection, "record_pairs", {**parameters, "rule_version": comparison.rule.rule_version})
        run_script(connection, "mark_compared", {**parameters, **comparison.signed})
    return {
        "n_candidate_pairs": verified.n_candidates,
        "n_verified_pairs": verified.n_pairs,
        "n_pairs_left_out": found.n_pairs_left_out,
    }


def _cluster(comparison: _Comparison, threshold: float) -> ClusterSummary:
    """Group what is alike at a threshold, into a file."""
    pairs = comparison.path("alike")
    rule = {"rule_version": comparison.rule.rule_version, "threshold": threshold}
    with comparison.warehouse.read() as connection:
        connection.execute(query("cluster_pairs"), {**rule, "path": str(pairs)})
    with comparison.warehouse.scratch() as scratch:
        return write_clusters(
            scratch,
            comparison.path("members"),
            pairs,
            comparison.path("clusters"),
            ClusterParameters(threshold),
        )


def run(context: StageContext) -> StageReport:
    """Compare the chunks that are new with all; group what is alike."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    stage.begin()
    threshold, chunking_id = context.recipe.duplicates.threshold, recipe_chunking(context)[1]
    bounded = replace(context, warehouse=replace(context.warehouse, memory_limit=MEMORY_LIMIT))
    with TemporaryDirectory(dir=context.warehouse.home.temporary) as folder:
        comparison = _Comparison(bounded, chunking_id, Path(folder))
        _forget_lost(bounded.warehouse)
        n_signed = _sign_new(comparison)
        counts = _compare_new(comparison)
        clusters = _cluster(comparison, threshold)
        with bounded.warehouse.write("recording near-duplicates") as connection:
            run_script(
                connection,
                "record_clusters",
                {
                    "chunking_id": chunking_id,
                    "threshold": threshold,
                    "clusters": str(comparison.path("clusters")),
                },
            )
            stage.record(connection, clusters.n_members)
    facts = {"n_chunks_hashed": n_signed, **counts, "n_clusters": clusters.n_clusters}
    return stage.report(clusters.n_members, facts)
