"""The evaluation report: how training went, how good each model is, and how the mix was decided.

What lives here: the report's values and how they are read. What does not: its look (``templates``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakesmrt_assets.reports import drawing, picture_data, pictures
from fakesmrt_assets.reports.page import render
from fakesmrt_assets.reports.pictures import Arrow, Box, Score, TrainingCurve
from warehouse.database import Connection, query, scalar
from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.home import Home

MIX_RECORD = "mix.json"
"""What the mixer writes beside the model that it returns."""


@dataclass(frozen=True)
class ModelRow:
    """A model of the experiment.

    Attributes:
        checkpoint_id: its id in ``models.checkpoint``.
        name: as people call it.
        preset: its shape.
        n_parameters: trainable parameters.
        step: training steps taken.
        seed: of initialisation and order.
        n_tokens: tokens that it was itself trained on, repetitions counted.
        bits_per_byte: on the validation split; of a mix on the select split.
        alias: promoted, or None.
        sha256: of its weights.
        path: folder below models/.
    """

    checkpoint_id: str
    name: str
    preset: str
    n_parameters: int
    step: int
    seed: int
    n_tokens: int
    bits_per_byte: float
    alias: str | None
    sha256: str
    path: str


@dataclass(frozen=True)
class Distance:
    """How far a model is from the best baseline: bits per byte, positive where the model is worse."""

    model: str
    baseline: str
    bits_per_byte: float
    share: float


@dataclass(frozen=True)
class Candidate:
    """What could have become the mixed model; bits per byte on the three splits (None where not measured)."""

    name: str
    select: float | None
    confirm: float | None
    report: float | None
    is_member: bool
    is_chosen: bool


@dataclass(frozen=True)
class MixingDecision:
    """Why the mixed model is what it is."""

    accepted: bool
    reason: str
    confirm_gain: float
    confirm_gain_low: float
    n_confirm_documents: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Sample:
    """Text that a model wrote after a prompt."""

    model: str
    prompt: str
    text: str


@dataclass(frozen=True)
class EvalReportData:
    """Everything that the evaluation report shows; `scores` are by corpus, and ``all`` is the whole split."""

    recipe: str
    experiment: str
    models: tuple[ModelRow, ...]
    training_seconds: float
    curves: tuple[TrainingCurve, ...]
    scores: Mapping[str, tuple[Score, ...]]
    distances: tuple[Distance, ...]
    decision: MixingDecision | None
    weights: Mapping[str, float]
    samples: tuple[Sample, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def collect_eval_report(
    connection: Connection, home: Home, recipe: str, samples: Sequence[Sample] = ()
) -> EvalReportData:
    """Read the values of a recipe's newest experiment.

    Args:
        connection: an open Training Database.
        home: where the mixer's record lies.
        recipe: name of the recipe.
        samples: text that the models wrote, for the report's end.

    Raises:
        InvalidConfiguration: if nothing was trained on the recipe yet.
        CorruptArtefact: if the mixer's record cannot be read.
    """
    experiment = picture_data.newest_experiment(connection, recipe)
    if experiment is None:
        raise InvalidConfiguration(f"Nothing was trained on the recipe {recipe!r} yet", "Run: fakesmrt build")
    models = read_models(connection, experiment)
    scores = picture_data.scores(connection, recipe, experiment)
    boxes, arrows = picture_data.lineage(connection, experiment)
    return EvalReportData(
        recipe=recipe,
        experiment=experiment,
        models=models,
        training_seconds=training_seconds(connection, experiment),
        curves=tuple(picture_data.training_curves(connection, experiment)),
        scores={corpus: tuple(of_corpus) for corpus, of_corpus in scores.items()},
        distances=distances(scores.get("all", ())),
        decision=_newest_decision(home, models),
        weights=picture_data.mixing_weights(connection, experiment),
        samples=tuple(samples),
        boxes=tuple(boxes),
        arrows=tuple(arrows),
    )


def read_models(connection: Connection, experiment: str) -> tuple[ModelRow, ...]:
    """The models of an experiment: the trunk, the replicates, the mix."""
    rows = connection.execute(query("report_models"), {"experiment": experiment}).fetchall()
    return tuple(
        ModelRow(checkpoint_id, picture_data.model_name(kind, replicate), *values)
        for checkpoint_id, kind, replicate, *values in rows
    )


def training_seconds(connection: Connection, experiment: str) -> float:
    """Wall time in the training loops of all models of an experiment, from their logged speeds."""
    return float(scalar(connection, query("report_training_seconds"), [experiment]))


def distances(scores: Sequence[Score]) -> tuple[Distance, ...]:
    """Each model against the baseline with the fewest bits per byte; empty without a baseline."""
    baselines = [score for score in scores if score.is_baseline]
    if not baselines:
        return ()
    best = min(baselines, key=lambda score: score.value)
    return tuple(
        Distance(score.model, best.model, score.value - best.value, (score.value - best.value) / best.value)
        for score in scores
        if not score.is_baseline
    )


def mixing_decision(path: Path) -> MixingDecision:
    """The mixer's record as the report shows it.

    Raises:
        CorruptArtefact: if it is no such record.
    """
    try:
        record = json.loads(path.read_text())
        decision = record["decision"]
        members = {member["name"] for member in record["members"]}
        return MixingDecision(
            accepted=bool(decision["accepted"]),
            reason=str(decision["reason"]),
            confirm_gain=float(decision["confirm_gain"]),
            confirm_gain_low=float(decision["confirm_gain_low"]),
            n_confirm_documents=int(decision["n_confirm_documents"]),
            candidates=_candidates(decision, record.get("report_bits_per_byte", {}), members),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptArtefact(f"{path} is no mixing record: {error}", "Run: fakesmrt build models") from error


def _candidates(
    decision: Mapping[str, Any], report: Mapping[str, float], members: set[str]
) -> tuple[Candidate, ...]:
    select, confirm = decision["select_bits_per_byte"], decision["confirm_bits_per_byte"]
    return tuple(
        Candidate(
            name,
            select[name],
            confirm.get(name),
            report.get(name),
            name in members,
            name == decision["chosen"],
        )
        for name in sorted(select, key=lambda name: (float(select[name]), name))
    )


def _newest_decision(home: Home, models: Sequence[ModelRow]) -> MixingDecision | None:
    """The decision behind the experiment's mixed model; None where nothing was mixed."""
    paths = [home.models / model.path / MIX_RECORD for model in models]
    found = [path for path in paths if path.is_file()]
    return mixing_decision(found[-1]) if found else None


def eval_report_html(data: EvalReportData) -> str:
    """The report as one page."""
    drawn = {"loss": pictures.loss_curves(data.curves)} if data.curves else {}
    if data.scores.get("all"):
        drawn["scores"] = pictures.bits_per_byte_bars(data.scores["all"])
    if data.weights:
        drawn["weights"] = pictures.mixing_weights(data.weights)
    if data.boxes:
        drawn["lineage"] = pictures.lineage_picture(data.boxes, data.arrows)
    images = {name: drawing.as_data_uri(png) for name, png in drawn.items()}
    return render("eval_report.html", data=data, images=images)
