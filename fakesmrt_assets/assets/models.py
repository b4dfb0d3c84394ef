"""The model stages: a population of micromodels, their mix, and the model in use.

torch is imported by the child process that trains and inside the stages' functions, never when definitions
load."""

import dagster as dg

from fakesmrt_assets.assets.stage_asset import stage_asset
from fakesmrt_assets.stages import micromodel as micromodel_stage
from fakesmrt_assets.stages import mixed_model as mixed_model_stage
from fakesmrt_assets.stages import promoted_model as promoted_model_stage
from warehouse.stages.stage import StageContext, StageReport

RESUMED_ONCE = dg.RetryPolicy(max_retries=1, delay=5)
"""Training that was killed goes on from its last checkpoint, so a second try costs little."""


@stage_asset(
    "models/micromodel",
    after=["tokens/shard"],
    kinds={"pytorch", "duckdb"},
    retry_policy=RESUMED_ONCE,
    code=micromodel_stage.CODE,
)
def micromodel(context: StageContext) -> StageReport:
    """One row is a trained member of the population, each on its own Poisson bootstrap replicate of the
    documents.

    The population exists because members that saw different documents err differently, which is what a
    mix lives on. Training runs in a child process that dies with its parent and is resumed by the next
    run.
    """
    return micromodel_stage.run(context)


@stage_asset(
    "models/mixed_model",
    after=["models/micromodel"],
    kinds={"pytorch", "duckdb"},
    code=mixed_model_stage.CODE,
)
def mixed_model(context: StageContext) -> StageReport:
    """One row is the mix of a population, or its best member where no mix was better.

    Candidates are compared on the select split; the winner counts only if it beats the best member on the
    confirm split as well. So mixing never makes the model worse unnoticed.
    """
    return mixed_model_stage.run(context)


@stage_asset(
    "models/promoted_model",
    after=["models/mixed_model"],
    kinds={"pytorch", "duckdb"},
    code=promoted_model_stage.CODE,
)
def promoted_model(context: StageContext) -> StageReport:
    """One row is the model in use: the newest mix, if it is better on the confirm split than the one
    before.

    It exists so that a bad night changes nothing for those who use the model.
    """
    return promoted_model_stage.run(context)


MODEL_ASSETS = [micromodel, mixed_model, promoted_model]
