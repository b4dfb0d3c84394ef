"""Checkpoints: which are kept, what their manifest proves, what a full disk leaves."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fakesmrt_models.training import resume
from fakesmrt_models.training.plan import Plan
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.resume import (
    Position,
    SavedState,
    kept_steps,
    latest_state,
    read_state,
    save_state,
    saved_folders,
)
from warehouse.errors import CorruptArtefact, InvalidConfiguration, TrainingFailed

MakeRequest = Callable[..., TrainingRequest]

PLAN = Plan(
    request="r", n_steps=100, n_steps_reason="", evaluate_every=10, dtype="float32", dtype_reason="",
    compiled=False, compiled_reason="", native=False, native_reason="", matmul_peak=None, processor="",
)  # fmt: skip


def state_of(step: int, best_step: int | None = None) -> SavedState:
    return SavedState(
        plan=PLAN,
        position=Position(step=step, best_step=best_step),
        weights={"weight": torch.full((3, 2), float(step))},
        average={"weight": torch.full((3, 2), float(step) / 2)},
        optimizer={"weight:step": torch.tensor(float(step))},
        generator=torch.get_rng_state(),
    )


def test_a_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    saved = state_of(3, best_step=2)
    save_state(tmp_path, saved, None)
    found = latest_state(tmp_path, "r")
    assert found is not None
    assert (found.plan, found.position) == (saved.plan, saved.position)
    for name in ("weights", "average", "optimizer"):
        torch.testing.assert_close(getattr(found, name), dict(getattr(saved, name)), rtol=0, atol=0)
    assert torch.equal(found.generator, saved.generator)


@given(st.sets(st.integers(0, 60)), st.none() | st.integers(0, 60), st.none() | st.integers(1, 20))
@settings(deadline=None)
def test_the_last_two_the_best_and_the_regular_are_kept(
    steps: set[int], best_step: int | None, keep_every: int | None
) -> None:
    kept = kept_steps(steps, best_step, keep_every)
    assert kept <= steps
    for step in steps:
        later = sum(other > step for other in steps)
        regular = keep_every is not None and step > 0 and step % keep_every == 0
        assert (step in kept) == (later < 2 or step == best_step or regular)


def test_saving_drops_the_others_and_what_killed_processes_left(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / ".123.step-00000002").mkdir(parents=True)
    for step in range(1, 8):
        save_state(tmp_path, state_of(step, best_step=3 if step >= 3 else None), keep_every=5)
    assert [folder.name[-1] for folder in saved_folders(tmp_path)] == ["3", "5", "6", "7"]
    assert len(list((tmp_path / "checkpoints").iterdir())) == 4


@pytest.mark.parametrize("name", ["average", "generator", "manifest", "optimizer", "state", "weights"])
def test_a_changed_file_is_named_and_the_checkpoint_before_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    save_state(tmp_path, state_of(1), None)
    save_state(tmp_path, state_of(2), None)
    newest = saved_folders(tmp_path)[-1]
    (path,) = newest.glob(f"{name}.*")
    path.write_bytes(path.read_bytes()[:-2] + b"??")
    with pytest.raises(CorruptArtefact, match="step-00000002"):
        read_state(newest)
    found = latest_state(tmp_path, "r")
    assert found is not None
    assert found.position.step == 1
    assert "step-00000002" in capsys.readouterr().err


def test_the_manifest_names_every_file(tmp_path: Path) -> None:
    save_state(tmp_path, state_of(1), None)
    (folder,) = saved_folders(tmp_path)
    named = set(json.loads((folder / "manifest.json").read_bytes()))
    assert named == {path.name for path in folder.iterdir()} - {"manifest.json"}


def test_checkpoints_of_another_request_are_refused(tmp_path: Path) -> None:
    save_state(tmp_path, state_of(1), None)
    with pytest.raises(InvalidConfiguration, match="another training"):
        latest_state(tmp_path, "another")


def test_a_full_disk_leaves_the_checkpoint_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(tmp_path, state_of(1), None)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resume, "write_bytes_whole", full)
    with pytest.raises(TrainingFailed, match=r"step 2 could not be saved.*No space left.*Free some space"):
        save_state(tmp_path, state_of(2), None)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """Let the kernel refuse every write beyond `n_bytes` of a file: what writes meets that as it meets a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("n_bytes", [0, 50, 1_000])
def test_tensors_that_find_no_space_leave_the_checkpoint_before_and_nothing_else(
    tmp_path: Path, n_bytes: int
) -> None:
    """The smallest tensors fit into 1,000 bytes; the generator's 5,000 never do."""
    save_state(tmp_path, state_of(1), None)
    with (
        files_of_at_most(n_bytes),
        pytest.raises(TrainingFailed, match=r"step 2 could not be saved.*File too large.*Free some space"),
    ):
        save_state(tmp_path, state_of(2), None)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path: Path) -> None:
    for generation in (1.0, 2.0):
        state = replace(state_of(1), weights={"weight": torch.tensor(generation)})
        save_state(tmp_path, state, None)
    assert float(read_state(saved_folders(tmp_path)[0]).weights["weight"]) == 2.0
