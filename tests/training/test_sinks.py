"""What a training shows elsewhere: each sink holds every logged step once, also after a resume."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakesmrt_models.training.metrics import METRICS_FILE, Metric, MetricsLog
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.samples import SAMPLES_FILE, Sample, SampleLog
from fakesmrt_models.training.sinks import measured_values, open_sinks, require_sinks
from warehouse.errors import InvalidConfiguration

MakeRequest = Callable[..., TrainingRequest]


def metric(step: int) -> Metric:
    """A line of metrics; the validation sample was measured at even steps."""
    values = {field.name: float(step) for field in dataclasses.fields(Metric)}
    return Metric(
        **values | {"step": step, "n_steps": 6, "bits_per_byte": 2.0 if step % 2 == 0 else None}  # type: ignore[arg-type]
    )


def log_steps(run_dir: Path, steps: range) -> None:
    """Write metrics, and a sample at even steps, as a training does."""
    with MetricsLog(run_dir / METRICS_FILE, 0) as log:
        for step in steps:
            log.append(metric(step))
    samples = SampleLog(run_dir / SAMPLES_FILE, 0)
    samples.append(Sample(step, "Once upon", f" a time {step}") for step in steps if step % 2 == 0)


def killed_and_resumed(name: str, run_dir: Path, request: TrainingRequest) -> None:
    """A sink that saw steps 1 to 4 and was killed; its training goes on from a checkpoint at step 2."""
    log_steps(run_dir, range(1, 5))
    open_sinks([name], run_dir, request)[0].close()
    log_steps(run_dir, range(1, 3))
    sink = open_sinks([name], run_dir, request)[0]
    for step in range(3, 7):
        sink.log(metric(step))
        if step % 2 == 0:
            sink.sample(step, "Once upon", f" a time {step}")
    sink.close()


def tensorboard_steps(run_dir: Path) -> Iterator[tuple[str, list[int]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run_dir / "sinks" / "tensorboard"))
    events.Reload()
    for tag in events.Tags()["scalars"]:
        yield tag, [event.step for event in events.Scalars(tag)]
    yield "samples", [event.step for event in events.Tensors("sample/Once upon/text_summary")]


def wandb_records(data: bytes) -> Iterator[bytes]:
    """The records of an offline run: a LevelDB log with a header of seven bytes."""
    block, place, record = 32_768, 7, b""
    while place < len(data):
        if block - place % block < 7:
            place += block - place % block
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in {1, 4}:
            yield record
            record = b""


def wandb_steps(run_dir: Path) -> Iterator[tuple[str, list[int]]]:
    from wandb.proto import wandb_internal_pb2

    (path,) = (run_dir / "sinks" / "wandb" / "wandb").glob("offline-run-*/*.wandb")
    steps: dict[str, list[int]] = {}
    for data in wandb_records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        for name in {item.nested_key[0] for item in record.history.item}:
            steps.setdefault(name, []).append(record.history.step.num)
    yield "samples", steps.pop("sample/Once upon")
    yield from (row for row in steps.items() if not row[0].startswith("_"))


def mlflow_steps(run_dir: Path) -> Iterator[tuple[str, list[int]]]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{run_dir}/sinks/mlflow/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("fakesmrt").experiment_id])
    assert run.info.status == "FINISHED"
    for key in run.data.metrics:
        yield key, sorted(entry.step for entry in client.get_metric_history(run.info.run_id, key))
    texts = client.list_artifacts(run.info.run_id, "samples")
    yield "samples", sorted(int(Path(text.path).name[:8]) for text in texts)


READERS = {"mlflow": mlflow_steps, "tensorboard": tensorboard_steps, "wandb": wandb_steps}


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_sink_holds_every_step_once_after_a_resume(
    name: str, tmp_path: Path, request_of: MakeRequest
) -> None:
    killed_and_resumed(name, tmp_path, request_of())
    logged = dict(READERS[name](tmp_path))
    assert logged.pop("samples") == [2, 4, 6]
    assert logged.pop("bits_per_byte") == [2, 4, 6]
    assert set(logged) == set(measured_values(metric(1)))
    assert all(steps == [1, 2, 3, 4, 5, 6] for steps in logged.values())


WATCHED_TRAINING = """
import socket, sys
from pathlib import Path
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.sinks import open_sinks

def asked(host, *rest, **named):
    Path(sys.argv[1], "asked").write_text(str(host))
    raise OSError("no network here")

socket.getaddrinfo = asked
request = TrainingRequest.from_json(Path(sys.argv[2]).read_bytes())
open_sinks(["wandb"], Path(sys.argv[1]), request)[0].close()
"""


def test_weights_and_biases_asks_for_no_host_even_if_its_user_is_online(
    tmp_path: Path, request_of: MakeRequest
) -> None:
    """Its reports on its own use leave a process at its very end."""
    log_steps(tmp_path, range(1, 5))
    (tmp_path / "request.json").write_bytes(request_of().to_json())
    arguments = [sys.executable, "-c", WATCHED_TRAINING, str(tmp_path), str(tmp_path / "request.json")]
    subprocess.run(arguments, check=True, env=os.environ | {"WANDB_MODE": "online"})
    assert not (tmp_path / "asked").exists()
    assert list(tmp_path.glob("sinks/wandb/wandb/offline-run-*/*.wandb"))


def test_an_unknown_sink_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidConfiguration, match="the nearest is tensorboard"):
        require_sinks(["tensorbord"])


def test_a_sink_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)
    with pytest.raises(InvalidConfiguration, match=r"pip install 'fakesmrt\[wandb\]'"):
        require_sinks(["wandb"])


def test_no_library_is_loaded_unless_asked_for() -> None:
    script = "import sys, fakesmrt_models.training.sinks; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"mlflow", "tensorboard", "torch", "wandb"}
