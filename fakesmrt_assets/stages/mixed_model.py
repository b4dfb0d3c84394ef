"""Stage models/mixed_model: the mix of a population, or its best member where no mix is better (DESIGN §10)."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from fakesmrt_assets.apart import run_apart
from fakesmrt_assets.reports.picture_data import newest_experiment
from fakesmrt_assets.stages import micromodel
from warehouse.database import query, read_rows, run_script, scalar
from warehouse.errors import CheckFailed
from warehouse.files import file_sha256, store_folder
from warehouse.identity import content_id
from warehouse.progress import Progress
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions

if TYPE_CHECKING:
    from fakesmrt_models.mixing.mix import MixResult

ASSET = "models/mixed_model"
CODE = ("fakesmrt_models.mixing", "fakesmrt_models.evaluation", "fakesmrt_assets.stages.mixed_model")

EVALUATION_TOKENS = 150_000
"""Tokens of each split that every candidate is measured on."""


@dataclass(frozen=True)
class CheckpointRow:
    """A recorded model, as far as mixing and reporting need it."""

    checkpoint_id: UUID
    kind: str
    replicate: int | None
    step: int
    preset: str
    n_parameters: int
    bits_per_byte: float
    seed: int
    path: str

    @property
    def name(self) -> str:
        """Readable: trunk, micromodel 0, mixed model."""
        spoken = self.kind.replace("_", " ")
        return spoken if self.replicate is None else f"{spoken} {self.replicate}"


def checkpoints(context: StageContext, experiment: str) -> list[CheckpointRow]:
    """Every recorded model of an experiment: the trunk, the members in order, the mix."""
    with context.warehouse.read() as connection:
        return read_rows(
            connection, query("experiment_checkpoints"), {"experiment": experiment}, CheckpointRow
        )


def current_experiment(context: StageContext) -> str:
    """The experiment of the recipe's current population.

    Raises:
        CheckFailed: if there is none.
    """
    with context.warehouse.read() as connection:
        experiment = newest_experiment(connection, context.settings.recipe)
    if experiment is None:
        raise CheckFailed("There are no micromodels yet", "Run: fakesmrt build models")
    return experiment


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    inputs = {
        **input_versions(context, {micromodel.ASSET: context.settings.recipe}),
        "evaluation_tokens": str(EVALUATION_TOKENS),
    }
    return StageRun(context, ASSET, context.settings.recipe, inputs, CODE)


def model_sha256(folder: Path) -> bytes:
    """Hash of a model's weights, or of the list of an ensemble's members."""
    weights = folder / "model.safetensors"
    return file_sha256(weights if weights.exists() else folder / "ensemble.json")


def _record(
    context: StageContext, stage: StageRun, experiment: str, result: MixResult, members: list[CheckpointRow]
) -> UUID:
    sha256 = model_sha256(result.checkpoint)
    identity = content_id(experiment, "mixed_model", sha256)
    shares = [(member, weight) for member, weight in zip(members, result.weights, strict=True) if weight > 0]
    with context.warehouse.write("recording the mixed model") as connection:
        # A mix that comes out as before keeps its alias.
        alias = scalar(connection, "SELECT alias FROM models.checkpoint WHERE checkpoint_id = ?", [identity])
        connection.execute(
            """
            DELETE FROM models.checkpoint
            WHERE experiment = $1 AND kind = 'mixed_model' AND (alias IS NULL OR checkpoint_id = $2)
            """,
            [experiment, identity],
        )
        connection.execute("DELETE FROM models.checkpoint_parent WHERE checkpoint_id = ?", [identity])
        connection.execute("DELETE FROM models.checkpoint_source WHERE checkpoint_id = ?", [identity])
        connection.execute(
            query("record_checkpoint"),
            {
                "checkpoint_id": identity,
                "experiment": experiment,
                "recipe": context.settings.recipe,
                "kind": "mixed_model",
                "replicate": None,
                "step": max(member.step for member in members),
                "preset": members[0].preset,
                "n_parameters": members[0].n_parameters
                * (len(shares) if (result.checkpoint / "ensemble.json").exists() else 1),
                "sha256": sha256,
                "bits_per_byte": result.select_bits_per_byte,
                "seed": context.recipe.seed,
                "path": str(result.checkpoint.relative_to(context.warehouse.home.models)),
            },
        )
        connection.execute(
            "UPDATE models.checkpoint SET alias = ? WHERE checkpoint_id = ?", [alias, identity]
        )
        for member, weight in shares:
            connection.execute(
                "INSERT INTO models.checkpoint_parent VALUES (?, ?, 'mix', ?)",
                [identity, member.checkpoint_id, weight],
            )
        run_script(connection, "record_model_sources", {})
        stage.record(connection, 1)
    return identity


def mixed(members: list[Path], tokens_folder: Path, output: Path, seed: int, progress: Progress) -> MixResult:
    """Mix in this process, which loads torch."""
    from fakesmrt_models.mixing.mix import mix

    return mix(
        members, tokens_folder, output, evaluation_tokens=EVALUATION_TOKENS, seed=seed, progress=progress
    )


def run(context: StageContext) -> StageReport:
    """Mix the population's members; keep the mix only if it is better than the best of them."""
    stage = version(context)
    if stage.up_to_date():
        return stage.report(1, {}, up_to_date=True)
    experiment = current_experiment(context)
    members = [row for row in checkpoints(context, experiment) if row.kind == "micromodel"]
    home = context.warehouse.home
    output = home.models / experiment / f"mixed-{stage.data_version[:16]}"
    shutil.rmtree(output, ignore_errors=True)
    result = run_apart(
        context.progress,
        mixed,
        members=[(home.models / member.path).parent for member in members],
        tokens_folder=micromodel.tokens_folder(context, context.recipe),
        output=output,
        seed=context.recipe.seed,
    )
    store_folder(output)
    _record(context, stage, experiment, result, members)
    facts: dict[str, int | float | str] = {
        "experiment": experiment,
        "method": result.method,
        "accepted": str(result.accepted),
        "decision": result.decision.reason,
        "select_bits_per_byte": result.select_bits_per_byte,
        "confirm_gain_low": result.confirm_gain_low,
        "weights": json.dumps([round(weight, 4) for weight in result.weights]),
    }
    return stage.report(1, facts)
