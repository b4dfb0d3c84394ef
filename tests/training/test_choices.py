"""What a training can be asked for beside its budget: averages, early stop, accumulation, regular checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.training import loop
from fakesmrt_models.training.averaging import average_decay
from fakesmrt_models.training.checkpoint import RAW_FILE, load_model, tensors_from
from fakesmrt_models.training.loop import Trainer
from fakesmrt_models.training.metrics import METRICS_FILE, WALL_CLOCK_FIELDS, read_metrics
from fakesmrt_models.training.request import EarlyStop, OptimizerConfig, TrainingRequest, TrainingResult
from fakesmrt_models.training.resume import read_state, saved_folders
from fakesmrt_models.training.samples import SAMPLES_FILE, read_samples
from fakesmrt_models.training.schedule import COSINE, TRUNK
from warehouse.errors import InvalidConfiguration

MakeRequest = Callable[..., TrainingRequest]
WriteTokens = Callable[..., Path]

EVERY_STEP = 1e-9
"""Seconds between evaluations: fewer than a step takes."""


def trained(request: TrainingRequest, folder: Path) -> TrainingResult:
    trainer = Trainer(request, folder)
    assert trainer.run(lambda: False)
    return trainer.finish(attempts=1)


def in_parts(request: TrainingRequest, folder: Path, stops: list[int]) -> TrainingResult:
    """A training that is left after each of some steps and taken up again."""
    for stop in stops:
        trainer = Trainer(request, folder)
        trainer.run(lambda trainer=trainer, stop=stop: trainer.position.step >= stop)
    return trained(request, folder)


def deterministic_metrics(folder: Path) -> list[dict[str, object]]:
    lines = read_metrics(folder / METRICS_FILE)
    return [{key: line[key] for key in line if key not in WALL_CLOCK_FIELDS} for line in lines]


def test_every_choice_survives_a_resume_to_the_bit(request_of: MakeRequest, tmp_path: Path) -> None:
    request = request_of(
        steps=9, accumulation=2, clip_norm=0.5, ema_decay=0.9, early_stop=EarlyStop(patience=50),
        evaluation_seconds=EVERY_STEP, gradient_checkpointing=True, schedule=COSINE,
        config=replace(PRESETS["56kx"], dropout=0.2), sample_prompts=("The ",),
    )  # fmt: skip
    whole = trained(request, tmp_path / "whole")
    parts = in_parts(request, tmp_path / "parts", [2, 7])
    assert parts.weights_sha256 == whole.weights_sha256
    assert deterministic_metrics(tmp_path / "parts") == deterministic_metrics(tmp_path / "whole")
    samples = [list(read_samples(tmp_path / name / SAMPLES_FILE)) for name in ("whole", "parts")]
    assert samples[0] == samples[1]
    assert [sample.step for sample in samples[0]] == list(range(1, 10))


def test_dropout_draws_other_units_in_every_step(request_of: MakeRequest, tmp_path: Path) -> None:
    """A resume that began the generator anew would draw those of the first step again."""
    dropped = request_of(steps=2, config=replace(PRESETS["56kx"], dropout=0.2))
    trained(dropped, tmp_path / "whole")
    states = [read_state(folder).generator for folder in saved_folders(tmp_path / "whole")]
    assert not torch.equal(states[0], states[-1])


def test_the_finished_model_is_the_average_with_the_raw_weights_beside(
    request_of: MakeRequest, tmp_path: Path
) -> None:
    result = trained(request_of(ema_decay=0.9), tmp_path / "averaged")
    raw = trained(request_of(), tmp_path / "raw")
    beside = tensors_from((result.model / RAW_FILE).read_bytes(), result.model / RAW_FILE)
    torch.testing.assert_close(beside, load_model(raw.model).model.state_dict(), rtol=0, atol=0)
    assert result.weights_sha256 != raw.weights_sha256


def test_the_average_is_young_at_first() -> None:
    assert average_decay(0, 0.998) == pytest.approx(0.1)
    assert average_decay(10_000, 0.998) == 0.998


def test_an_average_follows_its_formula(request_of: MakeRequest, tmp_path: Path) -> None:
    request = request_of(steps=2, ema_decay=0.9)
    trainer = Trainer(request, tmp_path)
    average = trainer.model.embedding.weight.detach().clone()
    for step in range(2):
        trainer.run(lambda step=step: trainer.position.step > step)
        average += (1 - average_decay(step, 0.9)) * (trainer.model.embedding.weight.detach() - average)
    assert trainer.average is not None
    torch.testing.assert_close(trainer.average.embedding.weight, average)


def test_a_training_that_no_longer_gains_ends_with_its_best(
    request_of: MakeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([3.0, 2.0, 2.5, 1.99, 2.5, 2.5])
    monkeypatch.setattr(loop.Validation, "bits_per_byte", lambda *_: next(figures))
    request = request_of(
        steps=20, early_stop=EarlyStop(patience=3, least_gain=0.1), evaluation_seconds=EVERY_STEP
    )
    result = trained(request, tmp_path / "stopped")
    # 1.99 is no gain of 0.1: after the best figure, that of step 2, three measurements pass.
    assert (result.n_steps, result.steps_taken, result.validation_bits_per_byte) == (2, 5, 2.0)
    assert result.n_tokens == 2 * request.batch_tokens
    assert "stopped early after 5 steps" in result.n_steps_reason
    best = read_state(saved_folders(tmp_path / "stopped")[0])
    torch.testing.assert_close(
        load_model(result.model).model.state_dict(), dict(best.weights), rtol=0, atol=0
    )


def test_where_the_best_checkpoint_is_damaged_the_last_step_is_the_model(
    request_of: MakeRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures = iter([3.0, 2.0, 2.5, 2.6])
    monkeypatch.setattr(loop.Validation, "bits_per_byte", lambda *_: next(figures))
    request = request_of(steps=20, early_stop=EarlyStop(patience=2), evaluation_seconds=EVERY_STEP)
    trainer = Trainer(request, tmp_path)
    trainer.run(lambda: False)
    (best, *_) = saved_folders(tmp_path)
    (best / "weights.safetensors").write_bytes(b"")
    result = trainer.finish(attempts=1)
    assert (result.n_steps, result.validation_bits_per_byte) == (4, 2.6)
    assert "step 2 is damaged, so the model is that of the last step" in result.n_steps_reason
    assert "step-00000002" in capsys.readouterr().err
    torch.testing.assert_close(
        load_model(result.model).model.state_dict(), trainer.model.state_dict(), rtol=0, atol=0
    )


def test_early_stop_needs_text_to_judge_by(
    request_of: MakeRequest, tmp_path: Path, documents: list[str], write_tokens: WriteTokens
) -> None:
    folder = write_tokens(tmp_path / "tokens", documents)
    (folder / "validation-0.json").unlink()
    with pytest.raises(InvalidConfiguration, match="no validation split"):
        Trainer(request_of(tokens=folder, early_stop=EarlyStop()), tmp_path / "run")


def test_regular_checkpoints_stay(request_of: MakeRequest, tmp_path: Path) -> None:
    trained(request_of(steps=11, keep_every=4), tmp_path)
    assert [int(folder.name[-2:]) for folder in saved_folders(tmp_path)] == [4, 8, 11]


def test_a_budget_of_tokens_is_rounded_up_to_steps(request_of: MakeRequest, tmp_path: Path) -> None:
    result = trained(request_of(steps=None, tokens_budget=513), tmp_path)
    assert (result.n_steps, result.n_tokens) == (2, 1_024)


def test_a_cosine_in_a_time_budget_follows_its_number_of_steps(
    request_of: MakeRequest, tmp_path: Path
) -> None:
    """Its rates depend on the end, so the measured steps are taken back."""
    timed = trained(request_of(steps=None, minutes=0.03, schedule=COSINE), tmp_path / "timed")
    counted = trained(request_of(steps=timed.n_steps, schedule=COSINE), tmp_path / "counted")
    assert timed.weights_sha256 == counted.weights_sha256


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"accumulation": 3}, "cannot be shared out among 3 micro-batches"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0"),
        ({"ema_decay": 0.9, "schedule": TRUNK}, "A trunk hands its raw weights"),
        ({"steps": None, "tokens_budget": 0}, "budget of 0"),
        ({"steps": None, "minutes": float("inf")}, "has no end"),
        ({"evaluation_seconds": 0.0}, "between evaluations"),
    ],
)
def test_impossible_choices_are_refused(
    request_of: MakeRequest, changes: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidConfiguration, match=named):
        request_of(**changes)


@pytest.mark.parametrize("rates", [{"matrix_learning_rate": 0.0}, {"betas": (0.9, 1.0)}, {"momentum": -0.1}])
def test_impossible_rates_are_refused(rates: dict[str, object]) -> None:
    with pytest.raises(InvalidConfiguration):
        OptimizerConfig(**rates)  # type: ignore[arg-type]  # one of each kind


def test_a_request_with_every_choice_round_trips(request_of: MakeRequest) -> None:
    request = request_of(
        config=PRESETS["56kx"], early_stop=EarlyStop(patience=2), sample_prompts=("a", "b"), sinks=("mlflow",)
    )
    assert TrainingRequest.from_json(request.to_json()) == request
