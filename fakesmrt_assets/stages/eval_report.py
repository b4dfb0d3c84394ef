"""Stage reports/eval_report: every model of the experiment on the report split, beside n-gram baselines.

The report split is looked at by no decision; documents are what the intervals resample.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fakesmrt_assets.reports.evaluation import Sample, collect_eval_report, eval_report_html
from fakesmrt_assets.reports.page import write_report
from fakesmrt_assets.stages import micromodel, mixed_model
from fakesmrt_assets.stages.baselines import ORDERS, baseline_nats
from warehouse.database import Connection, query
from warehouse.errors import CheckFailed
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions
from warehouse.tokens.shards import open_split

if TYPE_CHECKING:
    from fakesmrt_models.evaluation.results import Evaluation, Score

ASSET = "reports/eval_report"
CODE = (
    "fakesmrt_models.evaluation",
    "fakesmrt_assets.reports",
    "fakesmrt_assets.stages.baselines",
    "fakesmrt_assets.stages.eval_report",
)

SUITE = "bits_per_byte"
SPLIT = "report"
SAMPLE_TOKENS = 120
SAMPLE_TEMPERATURE = 0.7


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


def _with_baselines(context: StageContext, folder: Path, evaluation: Evaluation) -> tuple[Evaluation, int]:
    """The evaluation with a row for each baseline, and the tokens that those were trained on."""
    from fakesmrt_models.evaluation.results import sum_by_document
    from fakesmrt_models.evaluation.sampling import sample_chunks

    shards = open_split(folder, SPLIT)
    chunks = sample_chunks(shards, mixed_model.EVALUATION_TOKENS, context.recipe.seed)
    measured = [np.array(tokens) for tokens in chunks.tokens]
    context.progress(0, 1, "counting n-grams for the baselines")
    with context.executor() as executor:
        nats, n_trained = executor.submit(
            baseline_nats, folder, measured, shards[0].manifest.vocab_size
        ).result()
    rows = sum_by_document(
        np.stack([nats[name] for name in ORDERS]), chunks.document, len(chunks.document_ids)
    )
    extended = replace(
        evaluation, models=(*evaluation.models, *ORDERS), nats=np.concatenate([evaluation.nats, rows])
    )
    return extended, n_trained


def _sample(context: StageContext, folder: Path) -> Sample:
    from fakesmrt_models.generation.sampling import Sampling, generate
    from fakesmrt_models.mixing.ensembles import load_ensemble
    from warehouse.tokens.tokenizer import Tokenizer

    loaded = load_ensemble(folder)
    generation = generate(
        [member.model for member in loaded.members],
        Tokenizer.from_file(loaded.tokenizer_file),
        "",
        SAMPLE_TOKENS,
        Sampling(temperature=SAMPLE_TEMPERATURE, seed=context.recipe.seed),
        loaded.weights,
    )
    return Sample("mixed model", "", generation.text)


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


def _write_page(context: StageContext, experiment: str, sample: Sample) -> Path:
    home = context.warehouse.home
    with context.warehouse.read() as connection:
        data = collect_eval_report(connection, home, context.settings.recipe, [sample])
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
    from fakesmrt_models.evaluation.population import evaluate_population

    experiment = mixed_model.current_experiment(context)
    models = _models(context, experiment)
    if "mixed model" not in models:
        raise CheckFailed(f"Experiment {experiment} has no mixed model", "Run: fakesmrt build models")
    folder = micromodel.tokens_folder(context, context.recipe)
    evaluation = evaluate_population(
        models,
        folder,
        SPLIT,
        max_tokens=mixed_model.EVALUATION_TOKENS,
        seed=context.recipe.seed,
        progress=context.progress,
    )
    evaluation, n_trained = _with_baselines(context, folder, evaluation)
    scores = evaluation.scores(context.recipe.seed)
    sample = _sample(context, models["mixed model"])
    with context.warehouse.write("recording the evaluation") as connection:
        _record(connection, context, experiment, scores)
        stage.record(connection, len(scores))
    context.warehouse.publish()
    page = _write_page(context, experiment, sample)
    overall = {score.model: score.bits_per_byte for score in scores if score.corpus == "all"}
    facts: dict[str, int | float | str] = {
        "experiment": experiment,
        "n_documents": evaluation.n_documents,
        "measured_bytes": int(evaluation.n_bytes.sum()),
        "n_tokens_baselines": n_trained,
        "page": str(page),
        "scores": json.dumps({name: round(value, 4) for name, value in overall.items()}),
    }
    return stage.report(len(scores), facts)
