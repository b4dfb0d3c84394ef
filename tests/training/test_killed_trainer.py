"""Training in a child process: whatever ends it, the next call ends in the same bytes; never a twin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.killed_trainings import begun, child, ends_of, request_for, write_tokens
from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.training.duration import expected_step_seconds
from fakesmrt_models.training.loop import Trainer
from fakesmrt_models.training.request import REQUEST_FILE, OptimizerConfig, TrainingRequest, stored_request
from fakesmrt_models.training.resume import saved_folders
from fakesmrt_models.training.run import EXIT_STOPPED, LOCK_FILE, count_attempt, train_in
from fakesmrt_models.training.supervisor import LOG_FILE, Child, run_training, stop_seconds
from warehouse.errors import InputUnreadable, InvalidConfiguration, LockHeld, TrainingFailed
from warehouse.locks import exclusive

MakeRequest = Callable[..., TrainingRequest]
Disturbed = Callable[[Path, str], AbstractContextManager[None]]


def test_whatever_ends_the_child_the_result_is_the_same(
    request_of: MakeRequest, tmp_path: Path, disturbed: Disturbed
) -> None:
    request = request_of(checkpoint_seconds=0.0)
    undisturbed = Trainer(request, tmp_path / "undisturbed")
    undisturbed.run(lambda: False)
    expected = undisturbed.finish(attempts=1)

    def interrupt(done: float, total: float, note: str) -> None:
        # Step 4 was saved before the death at step 5: the fifth step from there is where it waits.
        if done >= 9:
            raise KeyboardInterrupt

    with disturbed(tmp_path / "run", "dies"), pytest.raises(TrainingFailed, match="status -9"):
        run_training(request, tmp_path / "run")
    with disturbed(tmp_path / "run", "is stopped"), pytest.raises(KeyboardInterrupt):
        run_training(request, tmp_path / "run", interrupt)
    assert saved_folders(tmp_path / "run")
    resumed = run_training(request, tmp_path / "run")
    assert resumed.weights_sha256 == expected.weights_sha256
    assert resumed.attempts == 3

    def never(done: float, total: float, note: str) -> None:
        pytest.fail("a finished training starts no process")

    assert run_training(request, tmp_path / "run", never) == resumed


def test_kills_between_micro_batches_and_inside_saving_change_nothing(tmp_path: Path) -> None:
    """``benchmarks/killed_trainings.py`` does it at random moments; the folder is killed twice here."""
    request = replace(request_for(write_tokens(tmp_path / "tokens"), 8, 1, compiled=False), keep_every=2)
    undisturbed = begun(request, tmp_path / "undisturbed")
    assert train_in(undisturbed) == 0
    killed = begun(request, tmp_path / "killed")
    assert child(killed, "accumulation", 3) == -signal.SIGKILL
    # The third call that writes something, in the middle of a checkpoint.
    assert child(killed, "saving", 3) == -signal.SIGKILL
    assert train_in(killed) == 0
    assert ends_of(killed) == ends_of(undisturbed)


def test_a_second_trainer_is_refused_and_told_who_trains(request_of: MakeRequest, tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).touch()
    with (
        exclusive(tmp_path / LOCK_FILE, "The training", "a test", timeout=0.0),
        pytest.raises(LockHeld, match=f"process {os.getpid()}"),
    ):
        run_training(request_of(), tmp_path)
    assert not (tmp_path / REQUEST_FILE).exists()


def test_a_child_trains_what_its_own_parent_asked_for(request_of: MakeRequest, tmp_path: Path) -> None:
    """Another command for the folder may come while torch is being loaded."""
    with Child(request_of(steps=2), tmp_path) as child:
        (tmp_path / REQUEST_FILE).write_bytes(request_of(steps=2, seed=1).to_json())
        child._process.wait()
        assert child.result().seed == 0
    assert stored_request(tmp_path) == request_of(steps=2)


def test_an_interrupted_child_may_end_its_step(request_of: MakeRequest) -> None:
    large = request_of(preset="112m", batch_tokens=8_192)
    assert stop_seconds(large) > 2 * expected_step_seconds(large) > 60
    assert stop_seconds(request_of()) == pytest.approx(15, abs=1)


def test_the_childs_error_comes_through(request_of: MakeRequest, tmp_path: Path) -> None:
    run_training(request_of(steps=2), tmp_path)
    with pytest.raises(InvalidConfiguration, match="another training"):
        run_training(request_of(steps=3), tmp_path)


def test_another_request_leaves_that_of_the_stopped_training(request_of: MakeRequest, tmp_path: Path) -> None:
    stopped = begun(request_of(), tmp_path / "run")
    trainer = Trainer(request_of(), stopped)
    count_attempt(stopped, trainer.plan.request)
    trainer.run(lambda: True)
    with pytest.raises(InvalidConfiguration, match=r"\(other optimizer; seed 0, not 1\)"):
        run_training(request_of(seed=1, optimizer=OptimizerConfig(momentum=0.9)), stopped)
    assert stored_request(stopped) == request_of()
    assert not (stopped / LOG_FILE).exists()


def test_a_request_without_tokens_writes_nothing(request_of: MakeRequest, tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="no folder of tokens"):
        run_training(request_of(tokens=tmp_path / "absent"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_request_that_its_model_does_not_fit_writes_nothing(
    request_of: MakeRequest, tmp_path: Path
) -> None:
    with pytest.raises(InvalidConfiguration, match="a vocabulary of 512, and the model one of 300"):
        run_training(request_of(config=replace(PRESETS["56kx"], vocab_size=300)), tmp_path / "run")
    (tmp_path / "config.json").write_text(PRESETS["1mx"].to_json())
    with pytest.raises(InvalidConfiguration, match="does not have the shape of the preset 56kx"):
        run_training(request_of(initial_model=tmp_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_full_disk_is_named_and_mended(request_of: MakeRequest, tmp_path: Path) -> None:
    """A file where a folder must be fails like a disk without space: by an OSError of the system."""
    (tmp_path / "checkpoints").touch()
    # The log lies on that disk too, and says nothing.
    (tmp_path / LOG_FILE).symlink_to(os.devnull)
    with pytest.raises(TrainingFailed, match=r"could not be saved.*run the same command again"):
        run_training(request_of(steps=2), tmp_path)
    (tmp_path / "checkpoints").unlink()
    assert run_training(request_of(steps=2), tmp_path).n_steps == 2


def test_a_child_whose_parent_died_does_not_begin(request_of: MakeRequest, tmp_path: Path) -> None:
    (tmp_path / REQUEST_FILE).write_bytes(request_of().to_json())
    command = [sys.executable, "-m", "fakesmrt_models.training.run", "--run-dir", str(tmp_path)]
    ended = subprocess.run([*command, "--parent", "1"], check=False)
    assert ended.returncode == EXIT_STOPPED
    assert not (tmp_path / LOCK_FILE).exists()


def test_the_child_dies_with_its_parent(request_of: MakeRequest, tmp_path: Path) -> None:
    """The parent is killed while the child trains; the kernel ends the child and frees its lock."""
    (tmp_path / REQUEST_FILE).write_bytes(request_of(steps=5_000).to_json())
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    # The kernel gives the lock back when the child is gone; a child that lived on would keep it for hours.
    with exclusive(tmp_path / LOCK_FILE, "The training", "a test", timeout=20.0):
        assert child != os.getpid()


PARENT = """
import sys
from pathlib import Path
from fakesmrt_models.training.loop import Trainer
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.supervisor import run_training
from warehouse.locks import in_turn
run_dir = Path(sys.argv[1])
def report(done, total, note):
    if done:
        print(in_turn(run_dir / "lock")[0].pid, flush=True)
run_training(TrainingRequest.from_json((run_dir / "request.json").read_bytes()), run_dir, report)
"""


def test_what_the_child_warns_of_reaches_its_user(
    request_of: MakeRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = OptimizerConfig(matrix_learning_rate=1e6, embedding_learning_rate=1e6)

    run_training(request_of(steps=3, optimizer=wild), tmp_path / "run")

    assert "worse than one that knows nothing" in capsys.readouterr().err
