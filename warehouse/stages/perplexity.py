"""Stage corpus/perplexity: how likely each chunk is, under a pinned reference that saw neither it nor its likeness.

The reference is made once and kept (``references.py``, DESIGN §8); afterwards only chunks without a score are scored.
Cross-fitting: a reference has several models, and a chunk is scored by one that was trained neither on the chunk, nor
on a copy, a near-duplicate or a member of its cluster. Where a cluster grows, so that a score's model has seen a
likeness after all, the score is taken back and another model scores the chunk, or none does.

Where a chunk stands among those of its corpus and its language is stored beside its score, and told anew whenever a
chunk came, went or changed its language: so thresholds are comparisons.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute

from warehouse.database import Connection, query, scalar
from warehouse.errors import InvalidConfiguration
from warehouse.perplexity.reference import Scores
from warehouse.perplexity.reference import score_texts as score_by_ngrams
from warehouse.stages.references import (
    NGRAM,
    PinnedReference,
    number_of_models,
    outgrown,
    pin_reference,
    pinned_reference,
    reference_definition,
    reference_folder,
    reference_kind,
    reference_manifest,
    scoring_parameters,
    texts_of,
)
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, map_bounded

ASSET = "corpus/perplexity"
CODE = (
    "warehouse.perplexity",
    "warehouse.tokens.tokenizer",
    "warehouse.stages.perplexity",
    "warehouse.stages.references",
)

BATCH_CHUNKS = 4096
COMMIT_BATCHES = 8
"""Batches that one commit records: what a run that is killed has to score again."""

ScoreTexts = Callable[[str, Sequence[str], Sequence[int]], Scores]
"""(folder of a reference, texts, the model for each) -> scores; of a module's top level, for worker processes."""


@dataclass(frozen=True)
class _Waiting:
    """Chunks of a spill that wait for a score.

    Attributes:
        n_chunks: with a model that may score them.
        n_without_model: without one.
        n_stale: with a score that no longer stands.
    """

    n_chunks: int
    n_without_model: int
    n_stale: int


def score_batch(batch: pa.RecordBatch, folder: Path, text_folder: Path, score: ScoreTexts) -> pa.Table:
    """Scores of some chunks, each by the model in its column fold. Runs in a worker process.

    Args:
        batch: rows of ``chunks_to_score.sql``, in the order of their text files.
        folder: of the reference.
        text_folder: of the text files.
        score: asks the reference.

    Returns:
        Columns of ``record_perplexity.sql``; a text without a finite score has no row.
    """
    texts = texts_of(batch, text_folder)
    scores = score(str(folder), texts, batch.column("fold").to_pylist())
    table = pa.table(
        {
            "chunk_id": batch.column("chunk_id"),
            "fold": batch.column("fold"),
            "bits_per_byte": pa.array(scores.bits_per_byte, pa.float32()),
            "perplexity": pa.array(scores.perplexity, pa.float32()),
            "n_tokens": pa.array(scores.n_tokens, pa.int32()),
        }
    )
    return table.filter(pa.array(np.isfinite(scores.bits_per_byte)))


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.recipe
    with context.warehouse.read() as connection:
        reference = pinned_reference(connection, context)
    inputs = {
        **input_versions(context, {"corpus/duplicate": recipe.name}),
        "reference_kind": reference_kind(recipe),
        "definition": reference_definition(context),
        "reference": str(reference.reference_id) if reference else "not pinned yet",
    }
    return StageRun(context, ASSET, recipe.name, inputs, CODE)


def _spill_waiting(context: StageContext, reference: PinnedReference, spill: Path) -> _Waiting:
    """Write the chunks that wait to a file: they may be millions."""
    n_rows = n_scorable = n_stale = 0
    n_models = number_of_models(context, reference)
    with context.warehouse.read() as connection, pa.OSFile(str(spill), "wb") as file:
        parameters = scoring_parameters(context, reference, n_models)
        reader = connection.sql(query("chunks_to_score"), params=parameters).to_arrow_reader(BATCH_CHUNKS)
        with pa.ipc.new_file(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
                n_rows += batch.num_rows
                n_scorable += batch.num_rows - batch.column("fold").null_count
                n_stale += compute.sum(batch.column("is_stale")).as_py() or 0
    return _Waiting(n_scorable, n_rows - n_scorable, n_stale)


def _batches(spill: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(spill), "rb") as file:
        reader = pa.ipc.open_file(file)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _drop_stale(context: StageContext, reference: PinnedReference, spill: Path) -> None:
    """Take back the scores by models that have seen a likeness since."""
    stale = [batch.filter(batch.column("is_stale")).select(["chunk_id"]) for batch in _batches(spill)]
    with context.warehouse.write("taking back perplexity") as connection:
        connection.register("stale", pa.Table.from_batches(stale))
        connection.execute(query("drop_stale_perplexity"), {"reference_id": reference.reference_id})


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _score_waiting(context: StageContext, reference: PinnedReference, score: ScoreTexts) -> _Waiting:
    """Score the chunks that have no score; committed some batches at a time."""
    home = context.warehouse.home
    with _temporary(home.temporary / f"perplexity-{os.getpid()}.arrow") as spill:
        waiting = _spill_waiting(context, reference, spill)
        if waiting.n_stale:
            _drop_stale(context, reference, spill)
        if not waiting.n_chunks:
            return waiting
        scorable = (batch.filter(compute.is_valid(batch.column("fold"))) for batch in _batches(spill))
        work = partial(
            score_batch,
            folder=reference_folder(context, reference),
            text_folder=home.text,
            score=score,
        )
        done, scored = 0, []
        with context.executor() as executor:
            for rows in map_bounded(executor, work, scorable):
                scored.append(rows)
                done += rows.num_rows
                if len(scored) == COMMIT_BATCHES:
                    _commit(context, reference, scored)
                    scored = []
                context.progress(done, waiting.n_chunks, "scoring")
        _commit(context, reference, scored)
    return waiting


def _commit(context: StageContext, reference: PinnedReference, scored: Sequence[pa.Table]) -> None:
    if scored:
        with context.warehouse.write("recording perplexity") as connection:
            connection.register("scored", pa.concat_tables(scored))
            connection.execute(query("record_perplexity"), {"reference_id": reference.reference_id})


def _finish(connection: Connection, stage: StageRun, reference: PinnedReference) -> int:
    """Rank all scores under the reference, and record the stage; returns their number."""
    parameters = {"reference_id": reference.reference_id}
    connection.execute(query("rank_perplexity"), parameters)
    n_rows = scalar(
        connection, "SELECT count(*) FROM corpus.perplexity WHERE reference_id = ?", [reference.reference_id]
    )
    stage.record(connection, n_rows)
    return int(n_rows)


def run(context: StageContext, score_by_micromodels: ScoreTexts | None = None) -> StageReport:
    """Pin a reference where the recipe has none; score what has no score; rank the scores.

    Args:
        context: the build.
        score_by_micromodels: asks a reference of micromodels, which is the floors' above.

    Raises:
        InvalidConfiguration: if the recipe asks for micromodels and nobody is there to ask them.
        CheckFailed: if no reference can be made.
    """
    stage = version(context)
    if stage.up_to_date() and not context.settings.new_references:
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    score = score_by_ngrams if reference_kind(context.recipe) == NGRAM else score_by_micromodels
    if score is None:
        raise InvalidConfiguration(
            "Nothing here can ask micromodels, which need torch", "Run: fakesmrt build corpus"
        )
    stage.begin()
    with context.warehouse.read() as connection:
        reference = pinned_reference(connection, context)
    pinned_now = reference is None or context.settings.new_references
    if reference is None or pinned_now:
        reference = pin_reference(context)
        inputs = {**stage.inputs, "reference": str(reference.reference_id)}
        stage = StageRun(context, ASSET, context.recipe.name, inputs, CODE)
    waiting = _score_waiting(context, reference, score)
    with context.warehouse.write("recording perplexity") as connection:
        n_rows = _finish(connection, stage, reference)
    facts: dict[str, int | float | str] = {
        "n_chunks_scored": waiting.n_chunks,
        "n_chunks_without_clean_model": waiting.n_without_model,
        "n_scores_taken_back": waiting.n_stale,
        "reference": reference.path,
        "reference_pinned": "now" if pinned_now else "before",
    }
    if notes := reference_manifest(context, reference)["notes"]:
        facts["reference_notes"] = "; ".join(notes)
    return stage.report(n_rows, facts, problems=[] if pinned_now else outgrown(context, reference))
