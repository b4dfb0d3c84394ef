"""Two processes that train one model, started as by torchrun: equal to one, resumed, ended together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fakesmrt_models.training import distributed, run
from fakesmrt_models.training.distributed import PeerLost, Processes, single
from fakesmrt_models.training.launch import Launch, launch
from fakesmrt_models.training.loop import Trainer
from fakesmrt_models.training.metrics import METRICS_FILE, WALL_CLOCK_FIELDS, read_metrics
from fakesmrt_models.training.request import REQUEST_FILE, RESULT_FILE, TrainingRequest, TrainingResult
from fakesmrt_models.training.run import EXIT_FOLLOWED
from fakesmrt_models.training.supervisor import LOG_FILE, run_training
from warehouse.errors import InvalidConfiguration, TrainingFailed

PATIENCE = 300.0
"""Seconds; a busy machine may be slow, and only a fault lasts longer."""

MakeRequest = Callable[..., TrainingRequest]
PROGRAM = "import sys; from fakesmrt_models.training.run import main; sys.exit(main(sys.argv[1:]))"

DYING = """
import os, signal, sys
from fakesmrt_models.training import distributed, run
any_of = distributed.Processes.any
n_asked = 0
def any_of_the_living(processes, flag):
    global n_asked
    n_asked += 1
    if n_asked == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return any_of(processes, flag)
distributed.Processes.any = any_of_the_living
sys.exit(run.main(sys.argv[1:]))
"""
"""Asked once when they meet, and after every step: it dies in its fourth step."""

Started = list[subprocess.Popen[bytes]]


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@contextmanager
def training(
    *requests_and_folders: tuple[TrainingRequest, Path], second_program: str = PROGRAM
) -> Iterator[Started]:
    """The processes of one training, rank after rank; none outlives the block."""
    world = {
        "WORLD_SIZE": str(len(requests_and_folders)),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    started = []
    for rank, (request, folder) in enumerate(requests_and_folders):
        folder.mkdir(exist_ok=True)
        (folder / REQUEST_FILE).write_bytes(request.to_json())
        with (folder / LOG_FILE).open("wb") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", second_program if rank else PROGRAM, "--run-dir", str(folder)],
                    stdout=log,
                    stderr=log,
                    env=os.environ | world | {"RANK": str(rank), "OMP_NUM_THREADS": "1"},
                )
            )
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def shared(tokens: Path) -> TrainingRequest:
    """A training of two processes."""
    return TrainingRequest(
        tokens=tokens, preset="56kx", steps=12, threads=1, batch_tokens=512, sequence_length=64, processes=2
    )


@pytest.fixture(scope="module")
def whole(shared: TrainingRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of rank 0 of that training, undisturbed, and beside it the scratch folder of the other."""
    root = tmp_path_factory.mktemp("whole")
    with training((shared, root / "run"), (shared, root / "scratch")) as processes:
        assert [process.wait(PATIENCE) for process in processes] == [0, 0]
    return root / "run"


def losses(folder: Path) -> list[float]:
    return [line["loss"] for line in read_metrics(folder / METRICS_FILE)]


def deterministic_metrics(folder: Path) -> list[dict[str, object]]:
    lines = read_metrics(folder / METRICS_FILE)
    return [{key: line[key] for key in line if key not in WALL_CLOCK_FIELDS} for line in lines]


def result(folder: Path) -> TrainingResult:
    return TrainingResult.from_json((folder / RESULT_FILE).read_bytes(), folder)


def test_two_processes_learn_what_one_does(shared: TrainingRequest, whole: Path, tmp_path: Path) -> None:
    alone = Trainer(replace(shared, processes=1), tmp_path)
    alone.run(lambda: False)
    alone.finish(attempts=1)
    assert len(losses(whole)) == 12
    assert losses(whole) == pytest.approx(losses(tmp_path), rel=2e-3)
    assert not (whole.parent / "scratch" / METRICS_FILE).exists()
    assert not (whole.parent / "scratch" / RESULT_FILE).exists()


def test_a_dead_process_ends_all_with_one_line_and_the_training_goes_on(
    shared: TrainingRequest, whole: Path, tmp_path: Path
) -> None:
    often = replace(shared, checkpoint_seconds=0.0)
    run = (often, tmp_path / "run")
    with training(run, (often, tmp_path / "scratch"), second_program=DYING) as (first, second):
        assert first.wait(PATIENCE) == 1
        assert second.wait(PATIENCE) == -signal.SIGKILL
    named = json.loads((tmp_path / "run" / LOG_FILE).read_text().splitlines()[-1])
    assert named["error"] == "PeerLost"
    assert "One of the 2 processes of this training ended" in named["cause"]
    # Another machine may take the place of the lost one: the checkpoint comes from rank 0.
    with training(run, (often, tmp_path / "new")) as processes:
        assert [process.wait(PATIENCE) for process in processes] == [0, 0]
    assert result(tmp_path / "run").attempts == 2
    assert result(tmp_path / "run").weights_sha256 == result(whole).weights_sha256
    assert deterministic_metrics(tmp_path / "run") == deterministic_metrics(whole)


def test_processes_with_other_arguments_are_refused(request_of: MakeRequest, tmp_path: Path) -> None:
    one, other = request_of(processes=2), request_of(processes=2, seed=1)
    with training((one, tmp_path / "run"), (other, tmp_path / "scratch")) as (first, second):
        assert first.wait(PATIENCE) == 1
        assert second.wait(PATIENCE) in (1, EXIT_FOLLOWED)
    assert "asked for different trainings" in (tmp_path / "run" / LOG_FILE).read_text()


@pytest.mark.parametrize("failure", [PeerLost, TrainingFailed])
def test_a_process_leaves_only_a_lost_one_to_be_named_by_others(
    failure: type[TrainingFailed], request_of: MakeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise failure("This processor does not multiply bfloat16", "Go on where it was begun")

    monkeypatch.setattr(distributed, "joined", lambda *_: nullcontext(Processes(1, 2)))
    monkeypatch.setattr(run, "_train", fail)
    asked = request_of(processes=2).to_json()
    if failure is PeerLost:
        assert run.train_in(tmp_path, asked) == EXIT_FOLLOWED
    else:
        with pytest.raises(TrainingFailed, match="does not multiply bfloat16"):
            run.train_in(tmp_path, asked)


def test_a_training_for_two_is_refused_where_there_is_one(request_of: MakeRequest, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="wants 2 processes, and 1 are there"):
        run_training(request_of(processes=2), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_each_process_takes_its_rows_and_all_are_taken() -> None:
    batch = torch.arange(24).view(6, 4)
    parts = [Processes(rank, 3).part(batch) for rank in range(3)]
    assert torch.equal(torch.cat(parts), batch)
    with pytest.raises(InvalidConfiguration, match="6 sequences cannot be shared out among 4"):
        Processes(0, 4).part(batch)


def test_a_single_process_agrees_with_itself() -> None:
    gradient = torch.ones(3)
    single().average([gradient])
    assert torch.equal(gradient, torch.ones(3))
    assert single().agreed(None) is None
    assert single().any(False) is False


def test_what_torchrun_says_is_read() -> None:
    assert launch({}) == Launch(rank=0, world_size=1, local_world_size=1)
    second = launch({"RANK": "1", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"})
    assert second == Launch(rank=1, world_size=4, local_world_size=2)
    assert not second.owns_folder
    assert Launch(local_world_size=1_000_000).default_threads() == 1
