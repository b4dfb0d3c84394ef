"""The report of one training: ``training.html`` in its folder, a page that needs nothing else.

What lives here: its values, from the files that the training left. What does not: its look (``templates``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fakesmrt_assets.reports import drawing, pictures
from fakesmrt_assets.reports.page import render
from fakesmrt_assets.reports.pictures import TrainingCurve
from fakesmrt_models.training.metrics import METRICS_FILE, read_metrics
from fakesmrt_models.training.request import TrainingResult
from fakesmrt_models.training.samples import SAMPLES_FILE, Sample, read_samples
from warehouse.files import write_bytes_whole

REPORT_FILE = "training.html"

COURSE = {
    "learning_rate": ("Learning rate", "of the matrices"),
    "gradient_norm": ("Gradient", "norm before clipping"),
    "tokens_per_second": ("Speed", "tokens a second"),
}
"""Fields of a line of metrics that are drawn beside the loss: title and unit."""


def write_training_report(run_dir: Path, result: TrainingResult) -> Path:
    """Write the report of a finished training into its folder; returns the page's path."""
    metrics = list(read_metrics(run_dir / METRICS_FILE))
    page = render(
        "training_report.html",
        result=result,
        choices=_choices(result),
        utilisation=[line["utilisation"] for line in metrics if line["utilisation"] is not None],
        images={"loss": _loss(metrics), "course": _course(metrics)},
        samples=_samples(run_dir / SAMPLES_FILE),
        request=json.dumps(json.loads((run_dir / "request.json").read_bytes()), indent=1, sort_keys=True),
    )
    path = run_dir / REPORT_FILE
    write_bytes_whole(path, page.encode())
    return path


def _choices(result: TrainingResult) -> dict[str, tuple[str, str]]:
    """What the training decided by itself: name -> value, reason."""
    values = asdict(result)
    names = [name.removesuffix("_reason") for name in values if name.endswith("_reason")]
    return {name.replace("_", " "): (str(values[name]), values[f"{name}_reason"]) for name in names}


def _loss(metrics: Sequence[dict[str, Any]]) -> str:
    curve = TrainingCurve(
        label="training",
        n_tokens=tuple(line["n_tokens"] for line in metrics),
        loss=tuple(line["loss"] for line in metrics),
        bits_per_byte=tuple(line["bits_per_byte"] for line in metrics),
    )
    return drawing.as_data_uri(pictures.loss_curves([curve]))


def _course(metrics: Sequence[dict[str, Any]]) -> str:
    series = {title: (unit, [line[name] for line in metrics]) for name, (title, unit) in COURSE.items()}
    return drawing.as_data_uri(pictures.training_course([line["n_tokens"] for line in metrics], series))


def _samples(path: Path) -> list[Sample]:
    """All samples, the newest first."""
    return sorted(read_samples(path), key=lambda sample: -sample.step) if path.exists() else []
