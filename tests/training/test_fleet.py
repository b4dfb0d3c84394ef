"""Several trainings side by side: how many, for how long, and what a death or a failure of one leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakesmrt_models.training.fleet import Fleet, fleet_of, run_trainings
from fakesmrt_models.training.loop import Trainer
from fakesmrt_models.training.request import OptimizerConfig, TrainingRequest, TrainingResult
from fakesmrt_models.training.run import LOCK_FILE
from warehouse.errors import TrainingFailed
from warehouse.locks import in_turn

MakeRequest = Callable[..., TrainingRequest]
Disturbed = Callable[[Path, str], AbstractContextManager[None]]
GIB = 1 << 30


def alone(request: TrainingRequest, folder: Path) -> TrainingResult:
    trainer = Trainer(request, folder)
    trainer.run(lambda: False)
    return trainer.finish(attempts=1)


@pytest.mark.parametrize(
    ("n_trainings", "n_cores", "memory", "at_once", "threads"),
    [
        (4, 2, 24 * GIB, 2, 1),
        (1, 2, 24 * GIB, 1, 2),
        (3, 8, 24 * GIB, 3, 2),
        (8, 8, 4 * GIB, 3, 2),
        (2, 1, 24 * GIB, 1, 1),
        (4, 2, GIB // 2, 1, 2),
    ],
)
def test_cores_and_memory_say_how_many_train_at_once(
    n_trainings: int, n_cores: int, memory: int, at_once: int, threads: int
) -> None:
    assert fleet_of(n_trainings, n_cores, memory) == Fleet(n_trainings, at_once, threads)


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 64), st.integers(0, 256 * GIB))
def test_a_fleet_never_wants_more_than_there_is(n_trainings: int, n_cores: int, memory: int) -> None:
    fleet = fleet_of(n_trainings, n_cores, memory)
    assert 1 <= fleet.at_once <= n_trainings
    assert 1 <= fleet.at_once * fleet.threads <= n_cores
    assert fleet.rounds * fleet.minutes(3.0) == pytest.approx(3.0 * n_trainings)


def test_trainings_side_by_side_end_like_each_alone_whatever_kills_one(
    request_of: MakeRequest, tmp_path: Path, disturbed: Disturbed
) -> None:
    requests = [request_of(seed=seed, checkpoint_seconds=0.0) for seed in (1, 2, 3)]
    trainings = [(request, tmp_path / f"run-{request.seed}") for request in requests]
    ended: list[int] = []

    with disturbed(tmp_path / "run-1", "dies"), pytest.raises(TrainingFailed, match="status -9"):
        run_trainings(trainings, 2)
    results = run_trainings(trainings, 2, ended=ended.append)
    assert sorted(ended) == [0, 1, 2]
    expected = alone(requests[0], tmp_path / "alone")
    assert results[0].weights_sha256 == expected.weights_sha256
    assert len({result.weights_sha256 for result in results}) == 3
    # A second call starts no process: the results are there.
    assert run_trainings(trainings, 2) == results


def test_one_that_fails_stops_the_others_with_a_checkpoint(request_of: MakeRequest, tmp_path: Path) -> None:
    hopeless = request_of(steps=5_000, optimizer=OptimizerConfig(matrix_learning_rate=1e30))
    sound = request_of(steps=5_000)
    with pytest.raises(TrainingFailed, match="step"):
        run_trainings([(sound, tmp_path / "sound"), (hopeless, tmp_path / "hopeless")], 2)
    assert in_turn(tmp_path / "sound" / LOCK_FILE) == []
    assert not (tmp_path / "sound" / "result.json").exists()
