"""Perplexity references: what one is pinned for, and how it comes about (DESIGN §8).

An n-gram reference is trained on a sample of the text; a population of micromodels that was trained before may take
its place. Either way ``corpus.reference_sample`` says which of the reference's models has not seen which chunk.

Only training text is sampled, though every text is scored: a reference decides which training text stays, so held-out
text must have no say in it, or a filter would look better on held-out text than it is. Held-out chunks are scored by a
model that saw no likeness of theirs, as all others are.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa

from warehouse.code_versions import code_version
from warehouse.database import Connection, query, read_rows, run_script
from warehouse.errors import CheckFailed, CorruptArtefact, InvalidConfiguration
from warehouse.identity import content_id
from warehouse.perplexity import population
from warehouse.perplexity.population import PopulationMember, population_manifest, save_population
from warehouse.perplexity.reference import MANIFEST, reference_sha256, train_reference
from warehouse.recipes import Recipe
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import StageContext
from warehouse.textstore import read_rows as read_text_rows
from warehouse.textstore import text_file

NGRAM = "ngram"
MICROMODEL = population.KIND

N_FOLDS = 2

BATCH_TEXTS = 4096

OUTGROWN = 2.0
"""From this many times the text that a reference was trained on, a new one is advised."""

MAX_UNSCORED_SHARE = 0.5
"""A reference that leaves more of the corpus without a score says nothing of it."""


@dataclass(frozen=True)
class PinnedReference:
    """A reference that stands in ``references/``."""

    reference_id: UUID
    path: str


@dataclass(frozen=True)
class _Checkpoint:
    checkpoint_id: UUID
    replicate: int
    path: str


def reference_seed(recipe: Recipe) -> str:
    """Seed of every draw about a reference."""
    return f"reference-{recipe.seed}"


def reference_definition(context: StageContext) -> str:
    """What a reference is pinned for, as canonical JSON: recipes that agree here share one.

    It holds whatever decides the sample, the models and which of them scores a chunk; percentiles and buckets, which
    are compared with the scores afterwards, do not.
    """
    recipe, rules = context.recipe, context.recipe.perplexity
    definition: dict[str, object] = {
        "chunking_id": str(recipe_chunking(context)[1]),
        "threshold": recipe.duplicates.threshold,
        "seed": recipe.seed,
    }
    if rules.reference == NGRAM:
        named = rules.sample_corpora or recipe.corpora.include
        excluded = [] if rules.sample_corpora else _weightless(recipe.corpora.weights)
        definition |= {
            "order": rules.order,
            "vocab_size": rules.vocab_size,
            "sample_bytes": rules.sample_bytes,
            "sample_corpora": sorted(set(named)),
            "excluded_corpora": excluded,
            "n_folds": N_FOLDS,
        }
    return json.dumps(definition, sort_keys=True)


def _weightless(weights: Mapping[str, float]) -> list[str]:
    return sorted(corpus for corpus, weight in weights.items() if weight == 0)


def reference_kind(recipe: Recipe) -> str:
    """``ngram`` or ``micromodel``.

    Raises:
        InvalidConfiguration: for anything else.
    """
    kind = recipe.perplexity.reference
    if kind not in (NGRAM, MICROMODEL):
        raise InvalidConfiguration(
            f"Recipe {recipe.name}.perplexity.reference cannot be {kind!r}",
            f"Choose {NGRAM} or {MICROMODEL}",
        )
    return kind


def pinned_reference(connection: Connection, context: StageContext) -> PinnedReference | None:
    """The newest reference that is pinned for the build's recipe; None where there is none yet."""
    parameters = [reference_kind(context.recipe), reference_definition(context)]
    rows = read_rows(connection, query("pinned_reference"), parameters, PinnedReference)
    return rows[0] if rows else None


def reference_folder(context: StageContext, reference: PinnedReference) -> Path:
    """Where the reference lies."""
    return context.warehouse.home.references / reference.path


def reference_manifest(context: StageContext, reference: PinnedReference) -> dict[str, Any]:
    """The reference's own ``reference.json``, of either kind.

    Raises:
        CorruptArtefact: if it cannot be read.
    """
    path = reference_folder(context, reference) / MANIFEST
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise CorruptArtefact(
            f"The pinned reference's {path} cannot be read ({error!r})",
            "Make it anew with: fakesmrt build --new-references",
        ) from error


def number_of_models(context: StageContext, reference: PinnedReference) -> int:
    """How many models the reference has; they are numbered from 0."""
    if reference_kind(context.recipe) == NGRAM:
        return N_FOLDS
    return len(reference_manifest(context, reference)["models"])


def scoring_parameters(context: StageContext, reference: PinnedReference, n_models: int) -> dict[str, object]:
    """What ``chunks_to_score.sql`` asks for."""
    recipe = context.recipe
    return {
        "chunking_id": recipe_chunking(context)[1],
        "threshold": recipe.duplicates.threshold,
        "reference_id": reference.reference_id,
        "n_models": n_models,
        "seed": reference_seed(recipe),
    }


def pin_reference(context: StageContext) -> PinnedReference:
    """Make the reference that the recipe asks for, save it, record the pin.

    Raises:
        InvalidConfiguration: for a corpus that is not registered.
        CheckFailed: if there is no text for the sample, or no population, or it saw most of the corpus.
    """
    return _pin_ngram(context) if reference_kind(context.recipe) == NGRAM else _pin_population(context)


def require_corpora(recipe: Recipe, known: Iterable[str]) -> None:
    """Raise unless every corpus that a recipe names is known: a misspelled name would change nothing, without a word.

    Raises:
        InvalidConfiguration: names key and corpus, and the nearest that is known.
    """
    registered = sorted(known)
    named = {
        "corpora.include": recipe.corpora.include,
        "corpora.weights": recipe.corpora.weights,
        "perplexity.sample_corpora": recipe.perplexity.sample_corpora,
        "perplexity.max_percentile_by_corpus": recipe.perplexity.max_percentile_by_corpus,
    }
    for key, corpora in named.items():
        for corpus in corpora:
            if corpus not in registered:
                near = difflib.get_close_matches(corpus, registered, n=1)
                raise InvalidConfiguration(
                    f"Recipe {recipe.name}.{key} names a corpus {corpus!r} that is not registered",
                    f"Did you mean {near[0]}?" if near else f"There are: {', '.join(registered)}",
                )


def sample_corpora(connection: Connection, recipe: Recipe) -> list[str]:
    """The corpora that an n-gram reference's sample is drawn from.

    Those named in ``perplexity.sample_corpora``, also where the recipe does not train on them; without such a list all
    that the recipe includes.

    Raises:
        InvalidConfiguration: if the recipe names a corpus, here or elsewhere, that is not registered.
    """
    weights = dict(connection.execute("SELECT corpus, weight FROM corpus.corpus ORDER BY corpus").fetchall())
    require_corpora(recipe, weights)
    if recipe.perplexity.sample_corpora:
        return sorted(set(recipe.perplexity.sample_corpora))
    included = set(recipe.corpora.include or weights)
    return [
        corpus
        for corpus, weight in weights.items()
        if corpus in included and weight * recipe.corpora.weights.get(corpus, 1.0) > 0
    ]


def draw_sample(connection: Connection, context: StageContext) -> pa.Table:
    """The sample of an n-gram reference from the text as it is now: rows of ``reference_sample.sql``."""
    recipe = context.recipe
    parameters = {
        "chunking_id": recipe_chunking(context)[1],
        "threshold": recipe.duplicates.threshold,
        "corpora": sample_corpora(connection, recipe),
        "sample_bytes": recipe.perplexity.sample_bytes,
        "n_folds": N_FOLDS,
        "seed": reference_seed(recipe),
    }
    return connection.sql(query("reference_sample"), params=parameters).to_arrow_table()


def rest_of_broken_pin(connection: Connection, definition: str) -> pa.Table:
    """What is left of the sample of a reference that was removed because its sample held forgotten text.

    Args:
        connection: the working database.
        definition: what it was pinned for.

    Returns:
        Rows as those of `draw_sample`; none where no such pin was broken since the last one was made.
    """
    return connection.sql(query("broken_pin_sample"), params={"definition": definition}).to_arrow_table()


def outgrown(context: StageContext, reference: PinnedReference) -> list[str]:
    """A line of advice where an n-gram reference was trained on much less text than the recipe would sample now."""
    if reference_kind(context.recipe) != NGRAM:
        return []
    with context.warehouse.read() as connection:
        now = int(sum(draw_sample(connection, context).column("n_bytes").to_numpy()))
        parameters = {"reference_id": reference.reference_id}
        ((before,),) = connection.execute(query("reference_sample_bytes"), parameters).fetchall()
    if now < OUTGROWN * before or not now:
        return []
    return [
        f"The perplexity reference was trained on {before:,} bytes of text; there are {now:,} to train one on now: "
        "fakesmrt build --new-references"
    ]


def texts_of(batch: pa.RecordBatch, text_folder: Path) -> list[str]:
    """The texts of rows with the columns text_file and text_row, in the order of the text files."""
    places = zip(batch.column("text_file").to_pylist(), batch.column("text_row").to_pylist(), strict=True)
    return [
        text
        for name, rows in groupby(places, key=itemgetter(0))
        for text in read_text_rows(text_file(text_folder, name), [row for _, row in rows])
    ]


def _sampled_texts(sample: pa.Table, text_folder: Path) -> Iterator[list[str]]:
    for batch in sample.to_batches(max_chunksize=BATCH_TEXTS):
        yield texts_of(batch, text_folder)


def _pin_ngram(context: StageContext) -> PinnedReference:
    """Draw the sample, train the fold models, save them."""
    recipe, home, definition = context.recipe, context.warehouse.home, reference_definition(context)
    with context.warehouse.read() as connection:
        sample = rest_of_broken_pin(connection, definition)
        if context.settings.new_references or not sample.num_rows:
            sample = draw_sample(connection, context)
    if not sample.num_rows and recipe.perplexity.sample_corpora:
        raise CheckFailed(
            f"There is no training text in {', '.join(recipe.perplexity.sample_corpora)} for a perplexity reference",
            "Add text to them, or name others in perplexity.sample_corpora",
        )
    identity = content_id(
        NGRAM,
        definition,
        code_version("warehouse.perplexity"),
        *sorted(str(chunk_id) for chunk_id in sample.column("chunk_id").to_pylist()),
    )
    pinned = PinnedReference(identity, f"{NGRAM}-{identity.hex[:16]}")
    train_reference(
        home.references / pinned.path,
        partial(_sampled_texts, sample, home.text),
        sample.column("fold").to_numpy(),
        n_folds=N_FOLDS,
        order=recipe.perplexity.order,
        vocab_size=recipe.perplexity.vocab_size,
        temporary=home.temporary,
        definition=json.loads(definition),
        progress=context.progress,
    )
    sha256 = bytes.fromhex(reference_sha256(home.references / pinned.path))
    with context.warehouse.write("pinning the perplexity reference") as connection:
        connection.register("drawn", sample)
        connection.execute(query("ngram_sample"), {"reference_id": identity})
        _record(connection, pinned, NGRAM, sha256, definition)
    return pinned


def _record(
    connection: Connection, pinned: PinnedReference, kind: str, sha256: bytes, definition: str
) -> None:
    """Record a pin; the temporary table ``sampled`` says what each of its models has not seen."""
    run_script(
        connection,
        "record_reference",
        {
            "reference_id": pinned.reference_id,
            "kind": kind,
            "path": pinned.path,
            "sha256": sha256,
            "definition": definition,
        },
    )


def _newest_population(context: StageContext) -> list[PopulationMember]:
    with context.warehouse.read() as connection:
        rows = read_rows(
            connection,
            query("reference_population"),
            {"recipe": context.recipe.name, "chunking_id": recipe_chunking(context)[1]},
            _Checkpoint,
        )
    if not rows:
        raise CheckFailed(
            "There is no population of micromodels whose text was cut as this recipe cuts it",
            "Train one first by a recipe with perplexity.reference = 'ngram': "
            "fakesmrt build --independent --replicates 4",
        )
    models = context.warehouse.home.models
    return [PopulationMember(row.checkpoint_id, models / row.path) for row in rows[: population.MAX_MODELS]]


def _pin_population(context: StageContext) -> PinnedReference:
    """Copy the newest population, with what each of its models was really trained on."""
    members = _newest_population(context)
    definition = reference_definition(context)
    identity = content_id(MICROMODEL, definition, *(member.checkpoint_id.bytes for member in members))
    pinned = PinnedReference(identity, f"{MICROMODEL}-{identity.hex[:16]}")
    manifest = population_manifest(members, json.loads(definition))
    folder = context.warehouse.home.references / pinned.path
    with context.warehouse.write("pinning micromodels as the perplexity reference") as connection:
        connection.execute(
            query("population_sample"),
            {"reference_id": identity, "checkpoint_ids": [member.checkpoint_id for member in members]},
        )
        _record(connection, pinned, MICROMODEL, hashlib.sha256(manifest).digest(), definition)
        _require_clean_models(connection, scoring_parameters(context, pinned, len(members)))
        save_population(folder, members, manifest)
    return pinned


def _require_clean_models(connection: Connection, parameters: dict[str, object]) -> None:
    """Refuse a population that saw too much; what it saw is known by its record alone."""
    found = connection.sql(query("chunks_to_score"), params=parameters)
    n_waiting, n_scored = found.aggregate("count(*), count(fold)").fetchall()[0]
    if n_waiting - n_scored > MAX_UNSCORED_SHARE * n_waiting:
        raise CheckFailed(
            f"Every micromodel of the newest population saw {n_waiting - n_scored} of {n_waiting} chunks, "
            "or a near-duplicate of them, so that none may score them",
            "Train replicates of their own start, some 4 or more: fakesmrt build models --independent --replicates 4",
        )
