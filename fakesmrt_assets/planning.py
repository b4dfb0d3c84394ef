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
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.plan import PlannedStage, Version, plan_stages
from warehouse.stages import (
    chunk,
    contamination,
    document,
    duplicate,
    perplexity,
    repeated_passage,
    shard,
    training_chunk,
)
from warehouse.stages.stage import BuildSettings, StageContext

VERSIONS: dict[str, Version] = {
    document.ASSET: document.version,
    chunk.ASSET: chunk.version,
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
    repeated_passage.ASSET: [chunk.ASSET],
    duplicate.ASSET: [chunk.ASSET],
    contamination.ASSET: [duplicate.ASSET],
    perplexity.ASSET: [duplicate.ASSET],
    training_chunk.ASSET: [perplexity.ASSET, repeated_passage.ASSET, contamination.ASSET],
    shard.ASSET: [training_chunk.ASSET],
    micromodel.ASSET: [shard.ASSET],
    mixed_model.ASSET: [micromodel.ASSET],
    promoted_model.ASSET: [mixed_model.ASSET],
    corpus_report.ASSET: [training_chunk.ASSET],
    eval_report.ASSET: [mixed_model.ASSET],
    model_card.ASSET: [promoted_model.ASSET, eval_report.ASSET],
    lineage_audit.ASSET: [promoted_model.ASSET],
}
"""Each asset's inputs; a test compares them with the Dagster graph."""


def plan_build(home: Home, settings: BuildSettings) -> list[PlannedStage]:
    """What a build of everything would do.

    Raises:
        InputUnreadable: if there is no home.
        InvalidConfiguration: for an unknown recipe or corpus.
    """
    home.require()
    context = StageContext(Warehouse(home), settings)
    _ = context.recipe
    return plan_stages(context, VERSIONS, UPSTREAM)
