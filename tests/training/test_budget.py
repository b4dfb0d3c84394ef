"""Choices made once, each with its reason."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fakesmrt_models.training import budget
from fakesmrt_models.training.request import TrainingRequest

MakeRequest = Callable[..., TrainingRequest]


@pytest.fixture(autouse=True)
def _compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A compiler and its headers are installed, and nothing was compiled before."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", "sh")
    (tmp_path / "Python.h").touch()
    monkeypatch.setattr(budget.sysconfig, "get_paths", lambda: {"include": str(tmp_path)})


def test_long_trainings_are_compiled(request_of: MakeRequest) -> None:
    assert budget.choose_compilation(request_of(steps=None, minutes=10))[0]
    assert budget.choose_compilation(request_of(preset="1mx", steps=5_000))[0]


def test_short_trainings_are_compiled_only_if_they_were_before(request_of: MakeRequest) -> None:
    short = request_of(steps=None, minutes=1)
    assert budget.choose_compilation(short) == (
        False,
        "compiling does not pay in a training of about 60 s",
    )
    budget.note_compiled(short)
    compiled, reason = budget.choose_compilation(short)
    assert compiled
    assert "compiled before" in reason
    assert not budget.choose_compilation(request_of(steps=None, minutes=1, threads=2))[0]


def test_what_was_compiled_before_changes_no_training_of_steps(request_of: MakeRequest) -> None:
    counted = request_of(preset="1mx", steps=150, batch_tokens=8_192)
    before = budget.choose_compilation(counted)
    budget.note_compiled(counted)
    assert budget.choose_compilation(counted) == before
    assert not before[0]


def test_a_request_decides(request_of: MakeRequest) -> None:
    assert budget.choose_compilation(request_of(compiled=True)) == (True, "as requested")
    assert budget.choose_compilation(request_of(compiled=False, steps=5_000)) == (False, "as requested")


def test_without_a_compiler_the_loop_is_eager(
    request_of: MakeRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "Python.h").unlink()
    assert budget.choose_compilation(request_of(compiled=True)) == (
        False,
        "the headers of Python are not installed",
    )
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert budget.choose_compilation(request_of(compiled=True)) == (
        False,
        "there is no C++ compiler no-such-compiler",
    )


@pytest.mark.parametrize(
    ("capabilities", "gain", "dtype", "reason"),
    [
        ({"avx512_bf16": True}, 3.9, torch.bfloat16, "bfloat16 take 0.26 times"),
        ({"avx512_bf16": True}, 0.5, torch.float32, "bfloat16 take 2.00 times"),
        ({"avx512_bf16": False, "avx2": True}, 9.9, torch.float32, "does not multiply bfloat16"),
    ],
)
def test_the_number_type_is_the_one_that_measures_faster(
    request_of: MakeRequest,
    monkeypatch: pytest.MonkeyPatch,
    capabilities: dict[str, bool],
    gain: float,
    dtype: torch.dtype,
    reason: str,
) -> None:
    long = request_of(steps=None, minutes=1)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(budget, "measured_bfloat16_gain", lambda *_: gain)
    chosen, why = budget.choose_dtype(long)
    assert (chosen, reason in why) == (dtype, True)
    monkeypatch.setattr(budget, "measured_bfloat16_gain", lambda *_: pytest.fail("measured again"))
    assert budget.choose_dtype(long) == (chosen, why)


def test_products_are_measured_in_both_types() -> None:
    assert 0 < budget.measured_bfloat16_gain(64, 16, 16) < math.inf


def test_steps_fill_the_time_that_is_left() -> None:
    assert budget.steps_within(10.0, 0.25)[0] == 40
    assert budget.steps_within(-3.0, 0.25) == (
        1,
        "the set-up took the whole time budget, which is too small: one more step was taken",
    )
