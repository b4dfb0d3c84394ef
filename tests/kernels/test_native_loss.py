"""A model trained by native code is the model that plain torch trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.architecture.transformer import initialised
from fakesmrt_models.kernels import build
from fakesmrt_models.training.loss import choose_native, loss_function
from warehouse.errors import TrainingFailed


@pytest.mark.skipif(build.compiler() is None, reason="native code needs a C++ compiler")
def test_loss_and_every_gradient_equal_those_of_plain_torch() -> None:
    inputs, targets = torch.randint(512, (2, 3, 40), generator=torch.Generator().manual_seed(0))
    found: list[dict[str, Tensor | None]] = []
    for native in (False, True):
        model = initialised(preset("56kx"), seed=1)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, 0.0, 0.1, generator=torch.Generator().manual_seed(2))
        loss = loss_function(model, compiled=False, native=native)(inputs, targets)
        torch.autograd.backward(loss)
        found.append({"loss": loss, **{name: p.grad for name, p in model.named_parameters()}})

    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name], expected, atol=1e-6, rtol=1e-4)


def test_shapes_that_native_code_does_not_cover_are_left_to_torch_with_a_reason() -> None:
    config = preset("56kx")

    assert choose_native(replace(config, logit_softcap=15.0)) == (
        False, "native code has neither a logit softcap nor values from the embedding"
    )  # fmt: skip
    assert choose_native(replace(config, head_width=48))[0] is False


def test_without_a_compiler_plain_torch_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")

    assert choose_native(preset("56kx")) == (False, "there is no C++ compiler")


def test_with_a_compiler_that_refuses_plain_torch_trains_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refusing = tmp_path / "refusing-compiler"
    refusing.write_text("#!/bin/sh\necho unknown option >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("CXX", str(refusing))
    monkeypatch.setattr(build, "cache_dir", lambda: str(tmp_path))
    build.library.cache_clear()

    native, reason = choose_native(preset("56kx"))

    assert not native
    assert reason.endswith("attention.cpp: unknown option")


@pytest.mark.skipif(build.compiler() is None, reason="native code needs a C++ compiler")
def test_a_damaged_library_is_built_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "cache_dir", lambda: str(tmp_path))
    build.library.cache_clear()
    build.library("cross_entropy.cpp")
    (built,) = (tmp_path / "fakesmrt-native").glob("*.so")
    whole = built.read_bytes()
    # Another file under the name: the one that is loaded must not be cut.
    built.unlink()
    built.write_bytes(whole[:3_000])
    build.library.cache_clear()

    build.library("cross_entropy.cpp")

    assert built.read_bytes() == whole


def test_code_that_others_can_write_is_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fakesmrt-native").mkdir()
    (tmp_path / "fakesmrt-native").chmod(0o777)
    monkeypatch.setattr(build, "cache_dir", lambda: str(tmp_path))
    build.library.cache_clear()

    with pytest.raises(TrainingFailed, match="others may write"):
        build.library("cross_entropy.cpp")
