"""All that a training says of itself while it runs: metrics, samples, and the sinks that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fakesmrt_models.training.metrics import METRICS_FILE, Metric, MetricsLog
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.resume import Position
from fakesmrt_models.training.samples import SAMPLES_FILE, Sample, SampleLog
from fakesmrt_models.training.sinks import Sink, open_sinks


class Record:
    """The open files and sinks of a training."""

    def __init__(self, metrics: MetricsLog, samples: SampleLog, sinks: Sequence[Sink]) -> None:
        self._metrics = metrics
        self._samples = samples
        self._sinks = sinks

    def log(self, metric: Metric) -> None:
        """Write a line of metrics."""
        self._metrics.append(metric)
        for sink in self._sinks:
            sink.log(metric)

    def sample(self, samples: Sequence[Sample]) -> None:
        """Write what the model wrote."""
        self._samples.append(samples)
        for sink in self._sinks:
            for sample in samples:
                sink.sample(sample.step, sample.prompt, sample.text)

    def position(self) -> int:
        """Length of the metrics file in bytes, all of it on disk."""
        return self._metrics.position()


@contextmanager
def opened_record(request: TrainingRequest, run_dir: Path, position: Position) -> Iterator[Record]:
    """The record of a training that goes on from `position`; what was written after it is forgotten.

    Raises:
        InvalidConfiguration: a sink is unknown, or its library is not installed.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    with MetricsLog(run_dir / METRICS_FILE, position.metrics_position) as metrics:
        samples = SampleLog(run_dir / SAMPLES_FILE, position.step)
        sinks = open_sinks(request.sinks, run_dir, request)
        try:
            yield Record(metrics, samples, sinks)
        finally:
            for sink in sinks:
                sink.close()
