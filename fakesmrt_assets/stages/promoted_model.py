"""Stage models/promoted_model: the model in use moves only to a better one (DESIGN §10).

The newest mix and the promoted model are compared on the confirm split, document by document. The promoted alias
moves if the newest is better by more than chance, if there is nothing to compare it with, or if the promoted model saw
text that was forgotten since.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from fakesmrt_assets.apart import run_apart
from fakesmrt_assets.stages import micromodel, mixed_model
from warehouse.database import query, read_rows
from warehouse.errors import CheckFailed
from warehouse.files import fetched, fetched_folder, file_sha256
from warehouse.identity import fingerprint
from warehouse.progress import Progress
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions
from warehouse.tokens.shards import TOKENIZER_FILE

if TYPE_CHECKING:
    from fakesmrt_models.mixing.acceptance import MixDecision

ASSET = "models/promoted_model"
CODE = ("fakesmrt_models.mixing.acceptance", "fakesmrt_assets.stages.promoted_model")

PROMOTED = "promoted"


@dataclass(frozen=True)
class PromotedRow:
    """The model in use."""

    checkpoint_id: UUID
    experiment: str
    path: str


@dataclass(frozen=True)
class Verdict:
    """Whether the newest mix takes over, and why; `gain_low` is NaN where nothing was compared."""

    promote: bool
    reason: str
    gain_low: float = math.nan


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    with context.warehouse.read() as connection:
        stale = connection.execute(query("stale_models"), {"recipe": context.settings.recipe}).fetchall()
    inputs = {
        **input_versions(context, {mixed_model.ASSET: context.settings.recipe}),
        "stale_models": fingerprint(*(str(checkpoint_id) for (checkpoint_id,) in stale)),
    }
    return StageRun(context, ASSET, context.settings.recipe, inputs, CODE)


def promoted_row(context: StageContext) -> PromotedRow | None:
    """The recipe's model in use; None before the first."""
    with context.warehouse.read() as connection:
        rows = read_rows(
            connection, query("promoted_model"), {"recipe": context.settings.recipe}, PromotedRow
        )
    return rows[0] if rows else None


def _is_stale(context: StageContext, checkpoint_id: UUID) -> bool:
    """Whether a model saw text that was forgotten since."""
    with context.warehouse.read() as connection:
        sql = "SELECT 1 FROM models.stale_checkpoint WHERE checkpoint_id = ?"
        return bool(connection.execute(sql, [checkpoint_id]).fetchall())


def _same_tokenizer(context: StageContext, promoted: PromotedRow) -> bool:
    folder = fetched_folder(context.warehouse.home.models / promoted.path)
    current = fetched(micromodel.tokens_folder(context, context.recipe) / TOKENIZER_FILE)
    own = folder / TOKENIZER_FILE
    return own.exists() and file_sha256(own) == file_sha256(current)


def _compared(context: StageContext, promoted: PromotedRow, candidate: mixed_model.CheckpointRow) -> Verdict:
    home = context.warehouse.home
    decision = run_apart(
        context.progress,
        decided,
        models={"promoted": home.models / promoted.path, "newest": home.models / candidate.path},
        tokens_folder=micromodel.tokens_folder(context, context.recipe),
        seed=context.recipe.seed,
    )
    old, new = decision.confirm_bits_per_byte["promoted"], decision.confirm_bits_per_byte["newest"]
    comparison = f"on confirm the newest has {new:.4f} bits a byte, the promoted one {old:.4f}"
    if decision.accepted:
        return Verdict(True, f"{comparison}: it takes over", decision.confirm_gain_low)
    return Verdict(
        False,
        f"{comparison}: not better by more than chance, the promoted one stays",
        decision.confirm_gain_low,
    )


def decided(models: dict[str, Path], tokens_folder: Path, seed: int, progress: Progress) -> MixDecision:
    """Compare the two in this process, which loads torch."""
    from fakesmrt_models.evaluation.population import evaluate_population
    from fakesmrt_models.mixing.acceptance import decide

    confirm = evaluate_population(
        models,
        tokens_folder,
        "confirm",
        max_tokens=mixed_model.EVALUATION_TOKENS,
        seed=seed,
        progress=progress,
    )
    # Nothing is chosen here, so confirm takes the place of select too: one candidate, one test.
    return decide(["promoted"], ["newest"], confirm, confirm, seed)


def _judge(
    context: StageContext, promoted: PromotedRow | None, candidate: mixed_model.CheckpointRow
) -> Verdict:
    if promoted is None:
        return Verdict(True, "it is the first model of the recipe")
    if promoted.checkpoint_id == candidate.checkpoint_id:
        return Verdict(True, "it is the promoted model already")
    if not fetched_folder(context.warehouse.home.models / promoted.path).is_dir():
        return Verdict(True, "the promoted model's files are gone")
    if _is_stale(context, promoted.checkpoint_id) and not _is_stale(context, candidate.checkpoint_id):
        return Verdict(
            True,
            "the promoted model saw text that was forgotten since, so the newest takes over, better or not",
        )
    if not _same_tokenizer(context, promoted):
        return Verdict(True, "the tokenizer was replaced, so the two cannot be compared token by token")
    return _compared(context, promoted, candidate)


def run(context: StageContext) -> StageReport:
    """Promote the newest mix if it is better than the model in use."""
    stage = version(context)
    if stage.up_to_date():
        return stage.report(1, {}, up_to_date=True)
    experiment = mixed_model.current_experiment(context)
    candidates = [row for row in mixed_model.checkpoints(context, experiment) if row.kind == "mixed_model"]
    if not candidates:
        raise CheckFailed(f"Experiment {experiment} has no mixed model", "Run: fakesmrt build models")
    promoted = promoted_row(context)
    verdict = _judge(context, promoted, candidates[0])
    with context.warehouse.write("promoting a model") as connection:
        if verdict.promote:
            connection.execute(
                "UPDATE models.checkpoint SET alias = NULL WHERE recipe = ? AND alias = ?",
                [context.settings.recipe, PROMOTED],
            )
            connection.execute(
                "UPDATE models.checkpoint SET alias = ? WHERE checkpoint_id = ?",
                [PROMOTED, candidates[0].checkpoint_id],
            )
        stage.record(connection, 1)
    facts: dict[str, int | float | str] = {
        "experiment": experiment,
        "promoted": str(verdict.promote),
        "decision": verdict.reason,
    }
    if not math.isnan(verdict.gain_low):
        facts["confirm_gain_low"] = verdict.gain_low
    return stage.report(1, facts)
