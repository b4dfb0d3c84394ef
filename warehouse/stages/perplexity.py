"""Stage corpus/perplexity: how likely each chunk is, under a pinned n-gram reference that never saw it.

The reference is trained once on a stored sample and kept (DESIGN §8); afterwards only chunks without a score are
scored. A sampled chunk and its near-duplicates are scored by the fold model that was trained without them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa

from warehouse.database import Connection, query, read_rows, run_script, scalar
from warehouse.identity import content_id
from warehouse.perplexity.calibration import assign_folds, choose_model, choose_sample
from warehouse.perplexity.reference import score_texts, train_reference
from warehouse.recipes import Recipe
from warehouse.stages.arrow import PERPLEXITY, REFERENCE_SAMPLE, arrow_table
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.duplicate import TextPlace, texts_at
from warehouse.stages.stage import (
    StageContext,
    StageReport,
    StageRun,
    code_version,
    input_versions,
    map_bounded,
)

ASSET = "corpus/perplexity"
CODE = ("warehouse.perplexity", "warehouse.tokens.tokenizer", "warehouse.stages.perplexity")

N_FOLDS = 2
BATCH_CHUNKS = 4096


@dataclass(frozen=True)
class PinnedReference:
    """A reference that stands in ``references/``."""

    reference_id: UUID
    path: str


@dataclass(frozen=True)
class ReferenceCandidate:
    """A chunk that may be sampled; cluster_key is its cluster, or itself where it is in none."""

    chunk_id: UUID
    cluster_key: UUID
    n_bytes: int
    text_file: str
    text_row: int


@dataclass(frozen=True)
class ChunkToScore:
    """A chunk without a score; sampled_folds are those of the sampled chunks of its cluster."""

    chunk_id: UUID
    cluster_key: UUID
    text_file: str
    text_row: int
    sampled_folds: list[int]


def reference_definition(context: StageContext) -> str:
    """What a reference is pinned for, as canonical JSON: recipes that agree here share one."""
    recipe = context.recipe
    return json.dumps(
        {
            "chunking_id": str(recipe_chunking(context)[1]),
            "threshold": recipe.duplicates.threshold,
            "order": recipe.perplexity.order,
            "vocab_size": recipe.perplexity.vocab_size,
            "sample_bytes": recipe.perplexity.sample_bytes,
            "n_folds": N_FOLDS,
            "seed": recipe.seed,
        },
        sort_keys=True,
    )


def pinned_reference(connection: Connection, context: StageContext) -> PinnedReference | None:
    """The newest reference that is pinned for the build's recipe; None where there is none yet."""
    rows = read_rows(
        connection, query("pinned_reference"), ["ngram", reference_definition(context)], PinnedReference
    )
    return rows[0] if rows else None


def _seed(recipe: Recipe) -> str:
    return f"reference-{recipe.seed}"


def _pin_reference(context: StageContext, recipe: Recipe) -> PinnedReference:
    """Draw the sample, train the fold models, save them, record the pin."""
    parameters = {"chunking_id": recipe_chunking(context)[1], "threshold": recipe.duplicates.threshold}
    with context.warehouse.read() as connection:
        candidates = read_rows(connection, query("reference_candidates"), parameters, ReferenceCandidate)
    chosen = choose_sample(
        [row.chunk_id for row in candidates],
        [row.n_bytes for row in candidates],
        recipe.perplexity.sample_bytes,
        _seed(recipe),
    )
    sample = [candidates[number] for number in chosen]
    folds = assign_folds([row.cluster_key for row in sample], N_FOLDS, _seed(recipe))
    home = context.warehouse.home
    texts = texts_at(home.text, [TextPlace(row.chunk_id, row.text_file, row.text_row) for row in sample])
    reference = train_reference(
        [texts[row.chunk_id] for row in sample],
        folds,
        n_folds=N_FOLDS,
        order=recipe.perplexity.order,
        vocab_size=recipe.perplexity.vocab_size,
        progress=context.progress,
    )
    definition = reference_definition(context)
    identity = content_id(
        "ngram", definition, code_version("warehouse.perplexity"), *(row.chunk_id.bytes for row in sample)
    )
    name = f"ngram-{identity.hex[:16]}"
    sha256 = reference.save(home.references / name, json.loads(definition))
    rows = [
        {"reference_id": identity, "chunk_id": row.chunk_id, "fold": fold}
        for row, fold in zip(sample, folds, strict=True)
    ]
    with context.warehouse.write("pinning the perplexity reference") as connection:
        connection.register("sampled", arrow_table(REFERENCE_SAMPLE, rows))
        run_script(
            connection,
            "record_reference",
            {
                "reference_id": identity,
                "kind": "ngram",
                "path": name,
                "sha256": bytes.fromhex(sha256),
                "definition": definition,
            },
        )
    return PinnedReference(identity, name)


def score_batch(
    chunks: Sequence[tuple[TextPlace, int]], reference: PinnedReference, folder: Path, text_folder: Path
) -> pa.Table:
    """Rows of ``corpus.perplexity`` for some chunks, each with the fold that scores it. Runs in a worker process."""
    texts = texts_at(text_folder, [place for place, _ in chunks])
    scores = score_texts(
        str(folder), [texts[place.chunk_id] for place, _ in chunks], [fold for _, fold in chunks]
    )
    values = zip(chunks, scores.bits_per_byte, scores.perplexity, scores.n_tokens, strict=True)
    return arrow_table(
        PERPLEXITY,
        [
            {
                "chunk_id": place.chunk_id,
                "reference_id": reference.reference_id,
                "fold": fold,
                "bits_per_byte": bits_per_byte,
                "perplexity": perplexity,
                "n_tokens": n_tokens,
            }
            for (place, fold), bits_per_byte, perplexity, n_tokens in values
            if np.isfinite(bits_per_byte)
        ],
    )


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.recipe
    with context.warehouse.read() as connection:
        reference = pinned_reference(connection, context)
    inputs = {
        **input_versions(context, {"corpus/duplicate": recipe.name}),
        "definition": reference_definition(context),
        "reference": str(reference.reference_id) if reference else "not pinned yet",
    }
    return StageRun(context, ASSET, recipe.name, inputs, CODE)


def _score_new(context: StageContext, recipe: Recipe, reference: PinnedReference) -> tuple[int, int]:
    """Score the chunks that have no score; returns how many were scored and how many cannot be."""
    parameters = {
        "chunking_id": recipe_chunking(context)[1],
        "threshold": recipe.duplicates.threshold,
        "reference_id": reference.reference_id,
    }
    with context.warehouse.read() as connection:
        waiting = read_rows(connection, query("chunks_to_score"), parameters, ChunkToScore)
    chosen = [
        (TextPlace(row.chunk_id, row.text_file, row.text_row), fold)
        for row in waiting
        if (fold := choose_model(row.sampled_folds, row.cluster_key, N_FOLDS, _seed(recipe))) is not None
    ]
    home, done = context.warehouse.home, 0
    groups = [chosen[start : start + BATCH_CHUNKS] for start in range(0, len(chosen), BATCH_CHUNKS)]
    if groups:
        with context.executor() as executor:
            score = partial(
                score_batch,
                reference=reference,
                folder=home.references / reference.path,
                text_folder=home.text,
            )
            for rows in map_bounded(executor, score, groups):
                with context.warehouse.write("recording perplexity") as connection:
                    connection.register("scored", rows)
                    connection.execute("INSERT INTO corpus.perplexity BY NAME FROM scored")
                done += BATCH_CHUNKS
                context.progress(min(done, len(chosen)), len(chosen), "scoring")
    return len(chosen), len(waiting) - len(chosen)


def run(context: StageContext) -> StageReport:
    """Pin a reference where the recipe has none; score what has no score."""
    recipe = context.recipe
    stage = version(context)
    if stage.up_to_date() and not context.settings.new_references:
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    with context.warehouse.read() as connection:
        reference = pinned_reference(connection, context)
    pinned_now = reference is None or context.settings.new_references
    if reference is None or pinned_now:
        reference = _pin_reference(context, recipe)
        stage = StageRun(
            context, ASSET, recipe.name, {**stage.inputs, "reference": str(reference.reference_id)}, CODE
        )
    n_scored, n_without_model = _score_new(context, recipe, reference)
    with context.warehouse.write("recording perplexity") as connection:
        n_rows = scalar(
            connection,
            "SELECT count(*) FROM corpus.perplexity WHERE reference_id = ?",
            [reference.reference_id],
        )
        stage.record(connection, n_rows)
    facts: dict[str, int | float | str] = {
        "n_chunks_scored": n_scored,
        "n_chunks_without_clean_model": n_without_model,
        "reference": reference.path,
        "reference_pinned": "now" if pinned_now else "before",
    }
    return stage.report(n_rows, facts)
