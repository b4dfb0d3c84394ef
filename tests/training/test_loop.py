"""Training in this process: resume to the bit, refusals, budgets, branches."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.training import loop, plan
from fakesmrt_models.training.checkpoint import load_model
from fakesmrt_models.training.finishing import RANGES_FILE
from fakesmrt_models.training.loop import Trainer
from fakesmrt_models.training.metrics import METRICS_FILE, WALL_CLOCK_FIELDS, read_metrics
from fakesmrt_models.training.request import (
    EarlyStop,
    OptimizerConfig,
    TrainingRequest,
    TrainingResult,
    finished_result,
    request_fingerprint,
)
from fakesmrt_models.training.resume import saved_folders
from fakesmrt_models.training.schedule import BRANCH, TRUNK
from warehouse.errors import CorruptArtefact, InvalidConfiguration, TrainingFailed

MakeRequest = Callable[..., TrainingRequest]
WriteTokens = Callable[..., Path]


def never() -> bool:
    return False


def trained(request: TrainingRequest, folder: Path) -> TrainingResult:
    trainer = Trainer(request, folder)
    assert trainer.run(never)
    return trainer.finish(attempts=1)


def stopped_after(request: TrainingRequest, folder: Path, n_steps: int) -> Trainer:
    trainer = Trainer(request, folder)
    assert not trainer.run(lambda: trainer.position.step >= n_steps)
    return trainer


def deterministic_metrics(folder: Path) -> list[dict[str, object]]:
    lines = read_metrics(folder / METRICS_FILE)
    return [{key: line[key] for key in line if key not in WALL_CLOCK_FIELDS} for line in lines]


def test_a_resumed_training_ends_in_the_same_bytes(request_of: MakeRequest, tmp_path: Path) -> None:
    request = request_of(steps=14, bootstrap_seed=1)
    whole = trained(request, tmp_path / "whole")
    for n_steps in (1, 7, 8):
        stopped_after(request, tmp_path / "parts", n_steps)
    parts = trained(request, tmp_path / "parts")
    assert parts.weights_sha256 == whole.weights_sha256
    assert parts.validation_bits_per_byte == whole.validation_bits_per_byte
    assert deterministic_metrics(tmp_path / "parts") == deterministic_metrics(tmp_path / "whole")
    ranges = [(tmp_path / folder / RANGES_FILE).read_bytes() for folder in ("whole", "parts")]
    assert ranges[0] == ranges[1]


def test_lines_after_the_checkpoint_are_forgotten(request_of: MakeRequest, tmp_path: Path) -> None:
    """A killed process may have logged steps that its last checkpoint does not know."""
    request = request_of(steps=8)
    stopped_after(request, tmp_path, 4)
    with (tmp_path / METRICS_FILE).open("a") as stream:
        stream.write('{"step": 5, "n_steps"')
    trained(request, tmp_path)
    assert [line["step"] for line in deterministic_metrics(tmp_path)] == list(range(1, 9))


def test_a_broken_checkpoint_falls_back_on_the_one_before(request_of: MakeRequest, tmp_path: Path) -> None:
    request = request_of(steps=8)
    stopped_after(request, tmp_path / "run", 2)
    stopped_after(request, tmp_path / "run", 5)
    _, newer = saved_folders(tmp_path / "run")
    (newer / "weights.safetensors").write_bytes(b"\0" * 100)
    assert Trainer(request, tmp_path / "run").position.step == 2
    assert (
        trained(request, tmp_path / "run").weights_sha256 == trained(request, tmp_path / "w").weights_sha256
    )


def test_going_on_on_another_processor_is_said(
    request_of: MakeRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopped_after(request_of(), tmp_path, 2)
    Trainer(request_of(), tmp_path)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(plan, "processor", lambda: "avx512_f, torch=1.0")
    Trainer(request_of(), tmp_path)
    said = capsys.readouterr().err
    assert "not to the same bytes" in said
    assert "torch=1.0" in said


def test_when_no_checkpoint_is_sound_it_says_so(request_of: MakeRequest, tmp_path: Path) -> None:
    stopped_after(request_of(), tmp_path, 2)
    for folder in saved_folders(tmp_path):
        (folder / "state.json").unlink()
    with pytest.raises(CorruptArtefact, match="step-"):
        Trainer(request_of(), tmp_path)


def test_another_request_is_refused(request_of: MakeRequest, tmp_path: Path) -> None:
    trained(request_of(), tmp_path)
    assert finished_result(request_of(), tmp_path) is not None
    with pytest.raises(InvalidConfiguration, match="another training"):
        Trainer(request_of(seed=1), tmp_path)
    with pytest.raises(InvalidConfiguration, match="another training"):
        finished_result(request_of(steps=13), tmp_path)


def test_the_model_learns_and_is_written(request_of: MakeRequest, tmp_path: Path) -> None:
    result = trained(request_of(steps=40), tmp_path)
    lines = list(read_metrics(tmp_path / METRICS_FILE))
    assert lines[-1]["train_bits_per_byte"] < 0.8 * lines[0]["train_bits_per_byte"]
    assert [line["step"] for line in lines if line["bits_per_byte"] is not None] == [40]
    assert result.validation_bits_per_byte == lines[-1]["bits_per_byte"]
    assert load_model(result.model).manifest["weights_sha256"] == result.weights_sha256
    ranges = json.loads((tmp_path / RANGES_FILE).read_text())
    n_read = sum((row["token_end"] - row["token_start"]) * row["times"] for row in ranges)
    assert n_read == result.n_tokens + 1 == 40 * 512 + 1


def test_a_loss_that_is_not_finite_stops_the_training(request_of: MakeRequest, tmp_path: Path) -> None:
    request = request_of(
        steps=60, optimizer=OptimizerConfig(matrix_learning_rate=1e30), checkpoint_seconds=0.0
    )
    with pytest.raises(TrainingFailed, match=r"loss is (nan|inf) at step \d+ with learning rate"):
        trained(request, tmp_path)
    assert saved_folders(tmp_path), "the last good checkpoint is kept"
    for tensor in Trainer(request, tmp_path).model.state_dict().values():
        assert not torch.isnan(tensor).any()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_model_that_knows_nothing_is_warned_of(
    request_of: MakeRequest,
    tmp_path: Path,
    documents: list[str],
    write_tokens: WriteTokens,
    capsys: pytest.CaptureFixture[str],
    split: str,
) -> None:
    folder = write_tokens(tmp_path / "tokens", documents)
    if split == "train":
        (folder / "validation-0.json").unlink()
    trained(request_of(tokens=folder), tmp_path / "sound")
    assert capsys.readouterr().err == ""
    # The learning rate rises from step to step: the third is the first whose loss shows it.
    wild = OptimizerConfig(matrix_learning_rate=1e6, embedding_learning_rate=1e6)
    trained(request_of(tokens=folder, steps=3, optimizer=wild), tmp_path / "wild")
    assert "worse than one that knows nothing" in capsys.readouterr().err


def test_a_validation_figure_that_is_not_finite_stops_the_training(
    request_of: MakeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop.Validation, "bits_per_byte", lambda *_: math.nan)
    with pytest.raises(TrainingFailed, match="validation figure is nan after step 2 with learning rate"):
        trained(request_of(steps=2), tmp_path)


def test_a_time_budget_becomes_a_number_of_steps(request_of: MakeRequest, tmp_path: Path) -> None:
    timed = request_of(steps=None, minutes=0.05)
    trainer = stopped_after(timed, tmp_path / "timed", 1)
    n_steps = trainer.plan.n_steps
    assert n_steps > 1
    resumed = trained(timed, tmp_path / "timed")
    assert resumed.n_steps == n_steps
    assert "s a step" in resumed.n_steps_reason
    # The measurement left no trace in the weights.
    assert resumed.weights_sha256 == trained(request_of(steps=n_steps), tmp_path / "counted").weights_sha256


def test_a_branch_goes_on_from_its_trunk(request_of: MakeRequest, tmp_path: Path) -> None:
    trunk = trained(request_of(steps=20, schedule=TRUNK), tmp_path / "trunk")
    request = request_of(steps=10, schedule=BRANCH, initial_model=trunk.model, seed=1, bootstrap_seed=1)
    branch = trained(request, tmp_path / "branch")
    assert branch.parent == trunk.weights_sha256
    assert branch.weights_sha256 != trunk.weights_sha256
    first = next(iter(read_metrics(tmp_path / "branch" / METRICS_FILE)))
    assert first["learning_rate"] == request.optimizer.matrix_learning_rate
    last_of_trunk = list(read_metrics(tmp_path / "trunk" / METRICS_FILE))[-1]
    assert abs(first["loss"] - last_of_trunk["loss"]) < 0.5
    momentum = Trainer(request_of(steps=3, initial_model=trunk.model), tmp_path / "x").optimizer.state()
    assert any("momentum" in name and tensor.abs().max() > 0 for name, tensor in momentum.items())
    dropping = Trainer(replace(request, config=replace(PRESETS["56kx"], dropout=0.1)), tmp_path / "dropping")
    assert {module.p for module in dropping.model.modules() if isinstance(module, nn.Dropout)} == {0.1}
    assert torch.equal(dropping.model.embedding.weight, load_model(trunk.model).model.embedding.weight)


def test_a_parent_of_another_shape_or_tokenizer_is_refused(
    request_of: MakeRequest, tmp_path: Path, write_tokens: WriteTokens
) -> None:
    trunk = trained(request_of(steps=2, schedule=TRUNK), tmp_path / "trunk")
    with pytest.raises(InvalidConfiguration, match="shape of the preset 1mx"):
        Trainer(request_of(preset="1mx", initial_model=trunk.model), tmp_path / "a")
    with pytest.raises(InvalidConfiguration, match="is a checkpoint of a training that goes on"):
        Trainer(request_of(initial_model=saved_folders(tmp_path / "trunk")[0]), tmp_path / "c")
    other = write_tokens(
        tmp_path / "tokens", ["other text " * 900, "quite other " * 900, "validation " * 900], 300
    )
    with pytest.raises(InvalidConfiguration, match="another tokenizer"):
        Trainer(request_of(tokens=other, initial_model=trunk.model), tmp_path / "b")


def test_tokens_of_a_larger_vocabulary_are_refused(
    request_of: MakeRequest, tmp_path: Path, documents: list[str], write_tokens: WriteTokens
) -> None:
    larger = write_tokens(tmp_path / "tokens", documents, vocab_size=700)
    with pytest.raises(InvalidConfiguration, match="vocabulary of 700, and the model one of 512"):
        Trainer(request_of(tokens=larger), tmp_path / "run")


def test_a_truncated_shard_is_refused(
    request_of: MakeRequest, tmp_path: Path, documents: list[str], write_tokens: WriteTokens
) -> None:
    cut = write_tokens(tmp_path / "tokens", documents)
    (cut / "train-0.bin").write_bytes((cut / "train-0.bin").read_bytes()[:-2])
    with pytest.raises(CorruptArtefact, match="train-0"):
        Trainer(request_of(tokens=cut), tmp_path / "run")


def test_without_a_validation_split_there_is_no_figure(
    request_of: MakeRequest, tmp_path: Path, documents: list[str], write_tokens: WriteTokens
) -> None:
    folder = write_tokens(tmp_path / "tokens", documents)
    (folder / "validation-0.json").unlink()
    assert trained(request_of(tokens=folder), tmp_path / "run").validation_bits_per_byte is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"steps": 0}, "budget of 0"),
        ({"minutes": 1.0}, "one budget"),
        ({"steps": None}, "one budget"),
        ({"steps": None, "minutes": -1.0}, "budget of -1.0"),
        ({"sequence_length": 65}, "sequences of 1 to 64 tokens"),
        ({"batch_tokens": 500}, "no multiple"),
        ({"preset": "56k"}, "the nearest is 56kx"),
    ],
)
def test_impossible_requests_are_refused(
    request_of: MakeRequest, changes: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidConfiguration, match=named):
        request_of(**changes)


def test_a_request_round_trips_and_its_fingerprint_follows_contents(
    request_of: MakeRequest, tmp_path: Path, documents: list[str], write_tokens: WriteTokens
) -> None:
    request = request_of(initial_model=None, schedule=BRANCH, optimizer=OptimizerConfig(betas=(0.8, 0.9)))
    assert TrainingRequest.from_json(request.to_json()) == request
    moved = write_tokens(tmp_path / "tokens", documents)
    assert request_fingerprint(replace(request, tokens=moved)) == request_fingerprint(request)
    changed = write_tokens(tmp_path / "changed", [*documents, "one more document " * 100])
    assert request_fingerprint(replace(request, tokens=changed)) != request_fingerprint(request)
    named = [replace(request, preset=name, config=PRESETS["56kx"]) for name in ("56kx", "my-shape")]
    assert {request_fingerprint(each) for each in named} == {request_fingerprint(request)}
    values = json.loads(request.to_json()) | {"stepss": 3}
    with pytest.raises(InvalidConfiguration, match="the nearest is steps"):
        TrainingRequest.from_json(json.dumps(values).encode())


def test_the_fingerprint_follows_validation_text_only_where_it_chooses_the_weights(
    request_of: MakeRequest, tmp_path: Path, tokens: Path
) -> None:
    judged = shutil.copytree(tokens, tmp_path / "tokens")
    manifest = judged / "validation-0.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"sha256": "0" * 64}))
    for early_stop in (None, EarlyStop()):
        request = request_of(early_stop=early_stop)
        same = request_fingerprint(replace(request, tokens=judged)) == request_fingerprint(request)
        assert same == (early_stop is None)


def test_a_result_round_trips(request_of: MakeRequest, tmp_path: Path) -> None:
    result = trained(request_of(steps=2), tmp_path)
    assert TrainingResult.from_json(result.to_json(), tmp_path) == result
    assert set(asdict(result)) <= set(json.loads((tmp_path / "result.json").read_text()))
