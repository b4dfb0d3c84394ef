"""Where else the metrics and samples of a training go: TensorBoard, Weights & Biases, MLflow, each by its own library.

A sink is a projection of ``metrics.jsonl`` and ``samples.jsonl``: `open_sinks` gives it all that these files hold,
and a sink leaves out or clears away what an earlier attempt wrote. So after a resume no step is missing, and none
stands there twice. Each writes below ``sinks/<name>/`` of the run's folder, and to no network.

What lives here: the sinks. What does not: the two files, which are always written (``metrics.py``, ``samples.py``).
"""

from __future__ import annotations

import html
import importlib.util
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from fakesmrt_models.architecture.config import nearest_name
from fakesmrt_models.training.metrics import METRICS_FILE, Metric, read_metrics
from fakesmrt_models.training.request import TrainingRequest, request_fingerprint
from fakesmrt_models.training.samples import SAMPLES_FILE, Sample, read_samples
from warehouse.errors import InvalidConfiguration
from warehouse.identity import fingerprint

SINKS_FOLDER = "sinks"
PROJECT = "fakesmrt"
NOT_MEASURED = frozenset({"step", "n_steps"})


class Sink(Protocol):
    """A place that takes metrics and samples while a training runs."""

    def log(self, metric: Metric) -> None:
        """Take what was logged at a step."""

    def sample(self, step: int, prompt: str, text: str) -> None:
        """Take a continuation `text` of `prompt`, generated after `step` steps."""

    def close(self) -> None:
        """Write what is still held back, and end."""


def require_sinks(names: Sequence[str]) -> None:
    """Raise `InvalidConfiguration` for a sink that is unknown or whose library is not installed."""
    for name in names:
        if name not in SINKS:
            raise InvalidConfiguration(
                f"Unknown sink {name!r}: {nearest_name(name, set(SINKS))}", "Name another sink"
            )
        if importlib.util.find_spec(name) is None:
            raise InvalidConfiguration(
                f"The sink {name} needs the library {name}, which is not installed",
                f"Run: pip install 'fakesmrt[{name}]'",
            )


def open_sinks(names: Sequence[str], run_dir: Path, request: TrainingRequest) -> list[Sink]:
    """Open each named sink, and give it what was logged up to the checkpoint that the training goes on from.

    Call it when ``metrics.jsonl`` and ``samples.jsonl`` have been cut back to that checkpoint.

    Raises:
        InvalidConfiguration: a sink is unknown, or its library is not installed.
    """
    require_sinks(names)
    logged = _logged(run_dir)
    seconds = max((entry.seconds for entry in logged if isinstance(entry, Metric)), default=0.0)
    sinks = []
    for name in dict.fromkeys(names):
        sink = SINKS[name](run_dir, request, time.time() - seconds)
        for entry in logged:
            if isinstance(entry, Metric):
                sink.log(entry)
            else:
                sink.sample(entry.step, entry.prompt, entry.text)
        sinks.append(sink)
    return sinks


def _logged(run_dir: Path) -> list[Metric | Sample]:
    """All metrics and samples of a run's folder by step, a step's metrics first."""
    metrics, samples = run_dir / METRICS_FILE, run_dir / SAMPLES_FILE
    logged: list[Metric | Sample] = []
    if metrics.exists():
        logged.extend(Metric(**values) for values in read_metrics(metrics))
    if samples.exists():
        logged.extend(read_samples(samples))
    return sorted(logged, key=lambda entry: (entry.step, isinstance(entry, Sample)))


def measured_values(metric: Metric) -> dict[str, float]:
    """The fields of a metric that were measured, by name."""
    return {
        name: value
        for name, value in asdict(metric).items()
        if name not in NOT_MEASURED and value is not None
    }


def _cleared(folder: Path) -> Path:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


class TensorBoardSink:
    """Event files in ``sinks/tensorboard``; look with ``tensorboard --logdir``."""

    def __init__(self, run_dir: Path, request: TrainingRequest, begun: float) -> None:
        """Begin the event file anew; `begun` is the time (Unix) at which the training's seconds count from."""
        from torch.utils.tensorboard import SummaryWriter

        self._begun = begun
        self._writer = SummaryWriter(str(_cleared(run_dir / SINKS_FOLDER / "tensorboard")))
        self._writer.add_text("request", _preformatted(request.to_json().decode()))

    def log(self, metric: Metric) -> None:
        """A scalar for each measured field."""
        for name, value in measured_values(metric).items():
            self._writer.add_scalar(name, value, metric.step, self._begun + metric.seconds)

    def sample(self, step: int, prompt: str, text: str) -> None:
        """A text, named by its prompt."""
        self._writer.add_text(_sample_name(prompt), _preformatted(prompt + text), step)

    def close(self) -> None:
        """Write the rest of the events."""
        self._writer.close()


class WeightsAndBiasesSink:
    """An offline run in ``sinks/wandb``, which stays on this machine until somebody calls ``wandb sync``."""

    def __init__(self, run_dir: Path, request: TrainingRequest, begun: float) -> None:
        """Begin the offline run anew, under an id that stays the same after a resume."""
        # The arguments of init come too late for the library's reports on its own use.
        os.environ |= {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}
        import wandb

        del begun  # it keeps its own clock
        self._html, self._end_service = wandb.Html, wandb.teardown
        self._run = wandb.init(
            mode="offline",
            dir=str(_cleared(run_dir / SINKS_FOLDER / "wandb")),
            project=PROJECT,
            name=run_dir.resolve().name,
            id=fingerprint(str(run_dir.resolve()), request_fingerprint(request))[:16],
            config=json.loads(request.to_json()),
            settings=wandb.Settings(
                console="off",
                silent=True,
                disable_git=True,
                disable_code=True,
                x_disable_stats=True,
            ),
        )

    def log(self, metric: Metric) -> None:
        """One row of the history."""
        self._run.log(measured_values(metric), step=metric.step)

    def sample(self, step: int, prompt: str, text: str) -> None:
        """A panel, named by its prompt."""
        self._run.log(
            {_sample_name(prompt): self._html(_preformatted(prompt + text), inject=False)}, step=step
        )

    def close(self) -> None:
        """End the offline run, and the library's own process, which holds back what it has not written yet."""
        self._run.finish()
        self._end_service()


class MLflowSink:
    """A run in ``sinks/mlflow/mlflow.db``; look with ``mlflow ui --backend-store-uri sqlite:///…/mlflow.db``."""

    def __init__(self, run_dir: Path, request: TrainingRequest, begun: float) -> None:
        """Make the database and its one run, or go on with what an earlier attempt committed."""
        # The library would report its use to its makers.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        from mlflow import MlflowClient

        self._begun = begun
        folder = run_dir.resolve() / SINKS_FOLDER / "mlflow"
        database = folder / "mlflow.db"
        if not database.exists():
            # A kill while the tables are made leaves no half of a database.
            unfinished = _cleared(folder) / "mlflow.unfinished.db"
            MlflowClient(f"sqlite:///{unfinished}").search_experiments()
            unfinished.rename(database)
        self._client = MlflowClient(f"sqlite:///{database}")
        known = self._client.get_experiment_by_name(PROJECT)
        if known is None:
            experiment = self._client.create_experiment(PROJECT, (folder / "artifacts").as_uri())
        else:
            experiment = known.experiment_id
        runs = self._client.search_runs([experiment])
        run = runs[0] if runs else self._client.create_run(experiment, run_name=run_dir.resolve().name)
        self._run_id = run.info.run_id
        self._client.update_run(self._run_id, status="RUNNING")
        self._client.log_text(self._run_id, request.to_json().decode(), "request.json")
        history = self._client.get_metric_history(self._run_id, "loss")
        self._last_step = max((entry.step for entry in history), default=0)

    def log(self, metric: Metric) -> None:
        """All measured fields in one transaction; a step that is there already is left as it is."""
        from mlflow.entities import Metric as Value

        if metric.step <= self._last_step:
            return
        at = int(1000 * (self._begun + metric.seconds))
        values = [Value(name, value, at, metric.step) for name, value in measured_values(metric).items()]
        self._client.log_batch(self._run_id, metrics=values)
        self._last_step = metric.step

    def sample(self, step: int, prompt: str, text: str) -> None:
        """A text file, named by step and prompt."""
        name = "".join(char if char.isalnum() else "_" for char in prompt)[:40]
        self._client.log_text(self._run_id, prompt + text, f"samples/{step:08}-{name}.txt")

    def close(self) -> None:
        """Mark the run as finished."""
        self._client.set_terminated(self._run_id)


def _sample_name(prompt: str) -> str:
    return f"sample/{prompt[:40]}"


def _preformatted(text: str) -> str:
    """As a page shows it, letter by letter."""
    return f"<pre>{html.escape(text)}</pre>"


SINKS: dict[str, Callable[[Path, TrainingRequest, float], Sink]] = {
    "tensorboard": TensorBoardSink,
    "wandb": WeightsAndBiasesSink,
    "mlflow": MLflowSink,
}
"""Each sink by its name, which is also that of its library and of the extra that installs it."""
