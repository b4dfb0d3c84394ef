"""The model card, as Markdown: what a model is, was made of, is good for, and is not for."""

from __future__ import annotations

from dataclasses import dataclass

from fakesmrt_assets.reports import picture_data
from fakesmrt_assets.reports.evaluation import (
    Distance,
    ModelRow,
    Sample,
    distances,
    read_models,
    training_seconds,
)
from fakesmrt_assets.reports.page import render
from fakesmrt_assets.reports.pictures import Score
from warehouse.database import Connection, query, read_rows
from warehouse.errors import InvalidConfiguration


@dataclass(frozen=True)
class LicenceShare:
    """What a model was trained on under a licence; tokens with repetitions."""

    licence: str
    n_files: int
    n_chunks: int
    n_tokens: int


@dataclass(frozen=True)
class CorpusShare:
    """What a model was trained on of a corpus; tokens with repetitions."""

    corpus: str
    n_files: int
    n_chunks: int
    n_tokens: int


@dataclass(frozen=True)
class ModelCardData:
    """Everything that a model card says."""

    recipe: str
    experiment: str
    model: ModelRow
    ancestors: tuple[ModelRow, ...]
    licences: tuple[LicenceShare, ...]
    corpora: tuple[CorpusShare, ...]
    scores: tuple[Score, ...]
    distances: tuple[Distance, ...]
    training_seconds: float
    samples: tuple[Sample, ...]


def collect_model_card(
    connection: Connection, recipe: str, samples: tuple[Sample, ...] = ()
) -> ModelCardData:
    """Read the card of a recipe's promoted model; before the first promotion, of the newest mix.

    Raises:
        InvalidConfiguration: if there is neither.
    """
    rows = connection.execute(query("report_promoted"), {"recipe": recipe}).fetchall()
    if not rows:
        raise InvalidConfiguration(f"There is no model on the recipe {recipe!r} yet", "Run: fakesmrt build")
    checkpoint_id, experiment = rows[0]
    models = read_models(connection, experiment)
    by_model: dict[str, object] = {"checkpoint_id": checkpoint_id}
    scores = tuple(picture_data.scores(connection, recipe, experiment).get("all", ()))
    return ModelCardData(
        recipe=recipe,
        experiment=experiment,
        model=next(model for model in models if model.checkpoint_id == checkpoint_id),
        ancestors=tuple(model for model in models if model.checkpoint_id != checkpoint_id),
        licences=tuple(read_rows(connection, query("report_model_licences"), by_model, LicenceShare)),
        corpora=tuple(read_rows(connection, query("report_model_corpora"), by_model, CorpusShare)),
        scores=scores,
        distances=distances(scores),
        training_seconds=training_seconds(connection, experiment),
        samples=samples,
    )


def model_card_markdown(data: ModelCardData) -> str:
    """The card as Markdown."""
    return render("model_card.md.html", data=data)
