"""The token stage: from kept chunks to files that a trainer maps into memory."""

from fakesmrt_assets.assets.stage_asset import stage_asset
from warehouse.stages import shard as shard_stage
from warehouse.stages.stage import StageContext, StageReport


@stage_asset(
    "tokens/shard",
    after=["corpus/training_chunk"],
    kinds={"python", "numpy", "duckdb"},
    code=shard_stage.CODE,
)
def shard(context: StageContext) -> StageReport:
    """One row is a flat file of uint16 token ids with a manifest and an index of its chunks.

    It exists so that training reads tokens instead of text, and so that a range of tokens leads back to
    its chunk. The tokenizer is pinned; a document's hash chooses its shard, so new text touches few
    files.
    """
    return shard_stage.run(context)


TOKEN_ASSETS = [shard]
