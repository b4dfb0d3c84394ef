"""Where else the metrics and samples of a training go: TensorBoard, Weights & Biases, MLflow, each by its own library.

A sink is a projection of ``metrics.jsonl`` and ``samples.jsonl``: `open_sinks` clears what an earlier attempt left and
writes anew all that these files hold, so after a resume no step is missing and none stands there twice.

What lives here: the sinks, which write below ``sinks/<name>/`` of the run's folder and nowhere else. What does not:
the two files, which are always written (``metrics.py``, ``samples.py``).
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from fakesmrt_models.architecture.config import nearest_name
from fakesmrt_models.training.metrics import METRICS_FILE, Metric, read_metrics
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.samples import SAMPLES_FILE, read_samples
from warehouse.errors import InvalidConfiguration

SINKS_FOLDER = "sinks"


class Sink(Protocol):
    """A place that takes metrics and samples while a training runs."""

    def log(self, metric: Metric) -> None:
        """Take what was logged at a step."""

    def sample(self, step: int, prompt: str, text: str) -> None:
        """Take a continuation `text` of `prompt`, generated after `step` steps."""

    def close(self) -> None:
        """Write what is still held back, and end."""


OpenSink = Callable[[Path, TrainingRequest], Sink]

LIBRARIES: dict[str, str] = {}
"""The name of each sink, which is also the extra that installs it, and the module of its library."""

OPENERS: dict[str, OpenSink] = {}


def require_sinks(names: Sequence[str]) -> None:
    """Raise `InvalidConfiguration` for a sink that is unknown or whose library is not installed."""
    for name in names:
        if name not in LIBRARIES:
            raise InvalidConfiguration(
                f"Unknown sink {name!r}: {nearest_name(name, set(LIBRARIES))}", "Name another sink"
            )
        if importlib.util.find_spec(LIBRARIES[name]) is None:
            raise InvalidConfiguration(
                f"The sink {name} needs the library {LIBRARIES[name]}, which is not installed",
                f"Run: pip install 'fakesmrt[{name}]'",
            )


def open_sinks(names: Sequence[str], run_dir: Path, request: TrainingRequest) -> list[Sink]:
    """Open each named sink and give it what was logged up to the checkpoint that the training goes on from.

    Call it when ``metrics.jsonl`` and ``samples.jsonl`` have been cut back to that checkpoint.

    Raises:
        InvalidConfiguration: a sink is unknown, or its library is not installed.
    """
    require_sinks(names)
    sinks = []
    for name in dict.fromkeys(names):
        folder = run_dir / SINKS_FOLDER / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        sink = OPENERS[name](folder, request)
        replay(run_dir, sink)
        sinks.append(sink)
    return sinks


def replay(run_dir: Path, sink: Sink) -> None:
    """Give `sink` all metrics and samples of a run's folder."""
    if (run_dir / METRICS_FILE).exists():
        for values in read_metrics(run_dir / METRICS_FILE):
            sink.log(Metric(**values))
    if (run_dir / SAMPLES_FILE).exists():
        for row in read_samples(run_dir / SAMPLES_FILE):
            sink.sample(row.step, row.prompt, row.text)
