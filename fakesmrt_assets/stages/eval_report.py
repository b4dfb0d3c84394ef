"""Stage reports/eval_report: every model of the experiment on the report split, beside n-gram baselines.

The report split is looked at by no decision; documents are what the intervals resample.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from fakesmrt_assets.apart import run_apart
from fakesmrt_assets.reports.evaluation import Sample, collect_eval_report, eval_report_html
from fakesmrt_assets.reports.page import write_report
from fakesmrt_assets.stages import micromodel, mixed_model
from fakesmrt_assets.stages.measuring import SPLIT, measure
from warehouse.database import Connection, query
from warehouse.errors import CheckFailed
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions

if TYPE_CHECKING:
    from fakesmrt_models.evaluation.results import Score

ASSET = "reports/eval_report"
CODE = (
    "fakesmrt_models.evaluation",
    "fakesmrt_assets.reports",
    "fakesmrt_assets.templates",
    "fakesmrt_assets.stages.measuring",
    "fakesmrt_assets.stages.eval_report",
)

SUITE = "bits_per_byte"
MIXED_MODEL = "mixed model"


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    inputs = {
        **input_versions(context, {mixed_model.ASSET: context.settings.recipe}),
        "evaluation_tokens": str(mixed_model.EVALUATION_TOKENS),
    }
    return StageRun(context, ASSET, context.settings.recipe, inputs, CODE)


def _models(context: StageContext, experiment: str) -> dict[str, Path]:
    models = context.warehouse.home.models
    return {
        row.name: models / row.path
        for row in mixed_model.checkpoints(context, experiment)
        if row.kind in {"micromodel", "mixed_model"}
    }


def _record(connection: Connection, context: StageContext, experiment: str, scores: list[Score]) -> None:
    named = connection.execute(query("experiment_model_names"), {"experiment": experiment}).fetchall()
    identities = dict(named)
    connection.execute(
        "DELETE FROM reports.evaluation WHERE experiment = ? AND suite = ?", [experiment, SUITE]
    )
    for score in scores:
        connection.execute(
            query("record_evaluation"),
            {
                "checkpoint_id": identities.get(score.model),
                "recipe": context.settings.recipe,
                "experiment": experiment,
                "model": score.model,
                "suite": SUITE,
                "item_set": f"{SPLIT}/{score.corpus}",
                "metric": "bits_per_byte",
                "value": score.bits_per_byte,
                "n_items": score.n_documents,
                "ci_low": _finite(score.ci_low),
                "ci_high": _finite(score.ci_high),
            },
        )


def _write_page(context: StageContext, experiment: str, samples: list[Sample]) -> Path:
    home = context.warehouse.home
    with context.warehouse.read() as connection:
        data = collect_eval_report(connection, home, context.settings.recipe, samples)
    return write_report(home.reports, f"eval_report-{experiment}", eval_report_html(data), data)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def run(context: StageContext) -> StageReport:
    """Measure models and baselines, record the figures, write the page."""
    stage = version(context)
    if stage.up_to_date():
        context.warehouse.publish()
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    experiment = mixed_model.current_experiment(context)
    models = _models(context, experiment)
    if MIXED_MODEL not in models:
        raise CheckFailed(f"Experiment {experiment} has no mixed model", "Run: fakesmrt build models")
    measured = run_apart(
        context.progress,
        measure,
        models=models,
        sampled=MIXED_MODEL,
        tokens_folder=micromodel.tokens_folder(context, context.recipe),
        max_tokens=mixed_model.EVALUATION_TOKENS,
        seed=context.recipe.seed,
    )
    with context.warehouse.write("recording the evaluation") as connection:
        _record(connection, context, experiment, measured.scores)
    page = _write_page(context, experiment, measured.samples)
    with context.warehouse.write("recording the evaluation") as connection:
        stage.record(connection, len(measured.scores))
    context.warehouse.publish()
    overall = {score.model: score.bits_per_byte for score in measured.scores if score.corpus == "all"}
    facts: dict[str, int | float | str] = {
        "experiment": experiment,
        "n_documents": measured.n_documents,
        "measured_bytes": measured.n_bytes,
        "n_baseline_tokens": measured.n_baseline_tokens,
        "page": str(page),
        "scores": json.dumps({name: round(value, 4) for name, value in overall.items()}),
    }
    return stage.report(len(measured.scores), facts)
