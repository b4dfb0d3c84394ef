"""The plan of a whole build: every stage's version, and which stage comes after which."""

from __future__ import annotations

from fakesmrt_assets.stages import (
    corpus_report,
    eval_report,
    lineage_audit,
    micromodel,
    mixed_model,
    model_card,
    promoted_model,
)
from warehouse.database import Warehouse, require_current_version
from warehouse.errors import InvalidConfiguration
from warehouse.home import Home
from warehouse.plan import PlannedStage, Version, plan_stages
from warehouse.stages import (
    chunk,
    contamination,
    document,
    duplicate,
    perplexity,
    repeated_passage,
    search_index,
    shard,
    training_chunk,
)
from warehouse.stages.stage import BuildSettings, StageContext

VERSIONS: dict[str, Version] = {
    document.ASSET: document.version,
    chunk.ASSET: chunk.version,
    search_index.ASSET: search_index.version,
    repeated_passage.ASSET: repeated_passage.version,
    duplicate.ASSET: duplicate.version,
    contamination.ASSET: contamination.version,
    perplexity.ASSET: perplexity.version,
    training_chunk.ASSET: training_chunk.version,
    shard.ASSET: shard.version,
    micromodel.ASSET: micromodel.version,
    mixed_model.ASSET: mixed_model.version,
    promoted_model.ASSET: promoted_model.version,
    corpus_report.ASSET: corpus_report.version,
    eval_report.ASSET: eval_report.version,
    model_card.ASSET: model_card.version,
    lineage_audit.ASSET: lineage_audit.version,
}

UPSTREAM = {
    document.ASSET: ["corpus/source_file"],
    chunk.ASSET: [document.ASSET],
    search_index.ASSET: [chunk.ASSET],
    repeated_passage.ASSET: [chunk.ASSET],
    duplicate.ASSET: [chunk.ASSET],
    contamination.ASSET: [duplicate.ASSET],
    perplexity.ASSET: [duplicate.ASSET],
    training_chunk.ASSET: [
        perplexity.ASSET,
        repeated_passage.ASSET,
        contamination.ASSET,
        "corpus/source_file",
    ],
    shard.ASSET: [training_chunk.ASSET],
    micromodel.ASSET: [shard.ASSET],
    mixed_model.ASSET: [micromodel.ASSET],
    promoted_model.ASSET: [mixed_model.ASSET],
    corpus_report.ASSET: [training_chunk.ASSET, "corpus/source_file", search_index.ASSET],
    eval_report.ASSET: [mixed_model.ASSET],
    model_card.ASSET: [promoted_model.ASSET, eval_report.ASSET, "corpus/source_file"],
    lineage_audit.ASSET: [promoted_model.ASSET],
}
"""Each asset's inputs; a test compares them with the Dagster graph."""


EVERYTHING = "nightly"


def plan_build(home: Home, settings: BuildSettings, target: str = EVERYTHING) -> list[PlannedStage]:
    """What a build would do.

    Args:
        home: where.
        settings: what is asked for.
        target: a name of `fakesmrt_assets.jobs.SELECTIONS`.

    Raises:
        InputUnreadable: if there is no home.
        InvalidConfiguration: for an unknown target, recipe or corpus.
    """
    home.require()
    context = StageContext(Warehouse(home), settings)
    _ = context.recipe
    with context.warehouse.read() as connection:
        require_current_version(connection)
    return plan_stages(context, VERSIONS, UPSTREAM, None if target == EVERYTHING else _selected(target))


def _selected(target: str) -> set[str]:
    """The assets that a build of `target` materialises; this loads Dagster."""
    from fakesmrt_assets.definitions import defs
    from fakesmrt_assets.jobs import SELECTIONS

    if target not in SELECTIONS:
        raise InvalidConfiguration(f"There is no build {target!r}", f"Choose one of: {', '.join(SELECTIONS)}")
    keys = SELECTIONS[target].resolve(defs.resolve_asset_graph())
    return {key.to_user_string() for key in keys}
