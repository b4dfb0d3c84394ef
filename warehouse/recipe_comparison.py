"""What changes between two recipes: counts by corpus and reason, and chunks on both sides of each changed bound.

Nothing is written and nothing is computed about text: both recipes are applied to the newest published copy by the
view ``corpus.training_chunk``. What cannot be known without a build is said in `Comparison.notes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from warehouse.borderline import Example, borderline_examples
from warehouse.database import Connection, query, read_rows, run_script, scalar
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.references import pinned_reference
from warehouse.stages.stage import BuildSettings, StageContext

LEAST_STORED_HELD_OUT_SHARE = 0.2
"""Smaller overlaps with held-out text are not stored."""


@dataclass(frozen=True)
class AppliedRecipe:
    """A recipe as it is applied to the published copy.

    Attributes:
        name: as people are told of it.
        definition: its keys, as stored.
        chunking_id: the chunks that it judges.
        reference_id: whose scores it reads; None where there are none.
        notes: what of it the published copy cannot tell.
    """

    name: str
    definition: Mapping[str, Any]
    chunking_id: UUID
    reference_id: UUID | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecisionCount:
    """Chunks of a corpus that share a reason (None: kept), their clean bytes and their tokens of the reference."""

    corpus: str
    reason: str | None
    n_chunks: int
    n_bytes: int
    n_tokens: int


@dataclass(frozen=True)
class Change:
    """A key that two recipes answer differently."""

    key: str
    before: object
    after: object


@dataclass(frozen=True)
class Comparison:
    """What would change.

    Attributes:
        before: name of the recipe that is compared with.
        after: name of the recipe that is asked about.
        changes: keys that differ.
        counts: by corpus and reason what each decides; a side without such chunks has zeros.
        examples: chunks near the bounds that changed.
        notes: what a build alone can tell.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    counts: tuple[tuple[DecisionCount, DecisionCount], ...]
    examples: tuple[Example, ...]
    notes: tuple[str, ...]


def _flat(definition: Mapping[str, Any]) -> dict[str, object]:
    return {
        f"{section}.{key}" if isinstance(values, dict) else section: value
        for section, values in definition.items()
        if section not in {"name", "description"}
        for key, value in (values.items() if isinstance(values, dict) else [("", values)])
    }


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The keys that two definitions answer differently, in the order of the second."""
    old, new = _flat(before), _flat(after)
    return tuple(Change(key, old.get(key), new.get(key)) for key in new | old if old.get(key) != new.get(key))


def recorded_recipe(connection: Connection, name: str) -> AppliedRecipe | None:
    """The recipe as it was last built; None where it never was."""
    rows = connection.execute(query("recorded_recipe"), {"recipe": name}).fetchall()
    if not rows:
        return None
    definition, chunking_id, reference_id = rows[0]
    return AppliedRecipe(f"{name} as last built", json.loads(definition), chunking_id, reference_id)


def current_recipe(connection: Connection, context: StageContext) -> AppliedRecipe | None:
    """The recipe of the context as its file says now; None where the published copy has no chunk to judge.

    Chunks and scores that were never made are taken from what is there, and a note says so.
    """
    recipe = context.recipe
    notes = []
    chunking_id: UUID | None = recipe_chunking(context)[1]
    if not scalar(connection, "SELECT count(*) FROM corpus.chunk WHERE chunking_id = ?", [chunking_id]):
        chunking_id = scalar(connection, query("most_used_chunking"))
        notes.append("its chunks are not cut yet: the counts are of the chunks that there are")
    reference = pinned_reference(connection, context)
    reference_id = reference.reference_id if reference else None
    if reference_id is None:
        reference_id = scalar(connection, query("most_used_reference"))
        notes.append("its perplexity reference is not trained yet: the percentiles are those of another")
    thresholds = connection.execute("SELECT DISTINCT threshold FROM corpus.duplicate_cluster").fetchall()
    if thresholds and not any(abs(row[0] - recipe.duplicates.threshold) < 1e-6 for row in thresholds):
        notes.append(
            f"its threshold {recipe.duplicates.threshold:g} of near-duplicates is not searched yet:"
            " duplicates are counted by the pairs that are known"
        )
    if recipe.decontamination.held_out_share < LEAST_STORED_HELD_OUT_SHARE:
        notes.append(f"overlaps with held-out text below {LEAST_STORED_HELD_OUT_SHARE:g} are not stored")
    if chunking_id is None:
        return None
    definition = json.loads(recipe.to_json())
    return AppliedRecipe(recipe.name, definition, chunking_id, reference_id, tuple(notes))


def apply_recipe(connection: Connection, recipe: AppliedRecipe) -> None:
    """Make the recipe the only one in the connection's own ``corpus.recipe``, so that the view applies it alone."""
    parameters = {
        "recipe": recipe.name,
        "sha256": b"",
        "chunking_id": recipe.chunking_id,
        "reference_id": recipe.reference_id,
        "definition": json.dumps(recipe.definition),
    }
    connection.execute(query("empty_own_recipes"))
    run_script(connection, "record_recipe", parameters)


def count_decisions(connection: Connection, recipe: AppliedRecipe) -> list[DecisionCount]:
    """What a recipe that was applied keeps and drops."""
    return read_rows(connection, query("count_decisions"), {"recipe": recipe.name}, DecisionCount)


def _side_by_side(
    before: list[DecisionCount], after: list[DecisionCount]
) -> Iterator[tuple[DecisionCount, DecisionCount]]:
    """Counts of the same corpus and reason, what is kept first."""
    old = {(row.corpus, row.reason): row for row in before}
    new = {(row.corpus, row.reason): row for row in after}
    for key in sorted(old | new, key=lambda key: (key[0], key[1] is not None, key[1] or "")):
        nothing = DecisionCount(*key, 0, 0, 0)
        yield old.get(key, nothing), new.get(key, nothing)


def compare_recipes(context: StageContext, against: str | None, n_examples: int) -> Comparison | None:
    """Compare the context's recipe with another.

    Args:
        context: the build that is asked about.
        against: name of the other recipe; None takes the recipe as it was last built, if it has changed since, else
            ``default``.
        n_examples: chunks to show on each side of each changed bound.

    Returns:
        None where the published copy has no chunks.

    Raises:
        InputUnreadable: if nothing was published yet.
        InvalidConfiguration: if there is no such recipe, or it is not valid.
    """
    with context.warehouse.beside_published() as connection:
        after = current_recipe(connection, context)
        before = _other(connection, context, against, after)
        if after is None or before is None:
            return None
        apply_recipe(connection, before)
        old = count_decisions(connection, before)
        apply_recipe(connection, after)
        new = count_decisions(connection, after)
        changes = changed_keys(before.definition, after.definition)
        examples = borderline_examples(
            connection,
            context.warehouse.home,
            after.name,
            after.definition,
            {"chunking_id": after.chunking_id, "reference_id": after.reference_id},
            [change.key for change in changes],
            n_examples,
        )
    notes = [f"{recipe.name}: {note}" for recipe in (before, after) for note in recipe.notes]
    return Comparison(
        before.name,
        after.name,
        changes,
        tuple(_side_by_side(old, new)),
        tuple(examples),
        tuple(dict.fromkeys(notes)),
    )


def _other(
    connection: Connection, context: StageContext, against: str | None, after: AppliedRecipe | None
) -> AppliedRecipe | None:
    """What the recipe is compared with."""
    if against is None and after is not None:
        recorded = recorded_recipe(connection, after.name)
        if recorded is not None and changed_keys(recorded.definition, after.definition):
            return recorded
    other = BuildSettings(recipe=against or "default")
    return current_recipe(connection, StageContext(context.warehouse, other))
