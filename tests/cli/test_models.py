"""``train`` and ``generate`` as a user meets them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli.models import generate
from fakesmrt_assets.cli.training import _tell_missing_sinks, _trained, train
from fakesmrt_models.training import supervisor
from fakesmrt_models.training.launch import Launch
from fakesmrt_models.training.request import OptimizerConfig, TrainingRequest
from fakesmrt_models.training.resume import CHECKPOINTS, folder_name
from fakesmrt_models.training.sinks import SINKS_FOLDER
from warehouse.errors import InvalidConfiguration
from warehouse.tokens.shards import ChunkTokens, write_shard
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer

TRAIN_KEYS = {
    "checkpoint", "preset", "n_parameters", "n_steps", "n_tokens", "seconds", "tokens_per_second",
    "train_bits_per_byte", "validation_bits_per_byte",
}  # fmt: skip


def run(command: Callable[..., None], *arguments: object) -> list[dict[str, Any]]:
    """Call a command with --json; returns the objects it prints."""
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokens")
    texts = [text[:2_000] for _, text in sorted(topics.items())][:20]
    tokenizer = Tokenizer(train_tokenizer(texts, 512))
    (folder / "tokenizer.json").write_bytes(tokenizer.data)
    rows = [
        ChunkTokens(uuid.uuid4(), uuid.uuid4(), "python", 1.0, tokenizer.encode(text), len(text.encode()))
        for text in texts
    ]
    for split, part in (("train", rows[:15]), ("validation", rows[15:])):
        write_shard(
            folder, split, part, shard_id=uuid.uuid4(), split=split, tokenizer_sha256=tokenizer.sha256,
            vocab_size=tokenizer.vocab_size,
        )  # fmt: skip
    return folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--seed", "-1"), "'--seed': Input should be greater"),
        (("--steps", "0"), "'--steps': Input should be greater"),
        (("--tokens-budget", "0"), "'--tokens-budget': Input should be greater"),
        (("--output", ""), "name a folder"),
    ],
)
def test_what_no_training_could_mean_is_wrong_usage(arguments: tuple[str, str], said: str) -> None:
    app = typer.Typer()
    app.command()(train)
    result = CliRunner().invoke(app, ["--tokens", "any", "--output", "any", *arguments])
    assert result.exit_code == 2
    assert said in result.output


def test_a_missing_budget_is_named_by_its_options() -> None:
    with pytest.raises(InvalidConfiguration, match="--minutes, --steps or --tokens-budget"):
        run(train, "--tokens", "any", "--output", "any")


def test_an_interrupted_training_says_whether_there_is_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(supervisor, "run_training", interrupted)
    said = []
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            _trained(TrainingRequest(tokens=tmp_path, steps=1), tmp_path)
        said.append(capsys.readouterr().err)
        (tmp_path / CHECKPOINTS / folder_name(1)).mkdir(parents=True, exist_ok=True)
    assert "There is no checkpoint yet" in said[0]
    assert f"A checkpoint lies in {tmp_path}" in said[1]


def test_sinks_that_a_finished_training_lacks_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / SINKS_FOLDER / "wandb").mkdir(parents=True)
    _tell_missing_sinks(("wandb",), tmp_path)
    assert capsys.readouterr().err == ""
    _tell_missing_sinks(("wandb", "mlflow"), tmp_path)
    assert "there is no mlflow in" in capsys.readouterr().err


def test_the_help_states_the_learning_rates() -> None:
    app = typer.Typer()
    app.command()(train)
    said = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "400"}).stdout.split())
    assert f"(Muon), {OptimizerConfig().matrix_learning_rate} by default" in said
    assert f"(AdamW), {OptimizerConfig().embedding_learning_rate} by default" in said


def test_train_then_generate(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("--tokens", tokens, "--preset", "56kx", "--steps", 2, "--output", tmp_path, "--threads", 1)
    with pytest.raises(InvalidConfiguration, match="sequences of 1 to 64"):
        run(train, *arguments, "--sequence-length", 65)
    (first,), (again,) = run(train, *arguments), run(train, *arguments)
    assert set(first) == TRAIN_KEYS
    assert first == again, "the second call finds it done"
    monkeypatch.setattr(Launch, "default_threads", lambda _: 3)
    assert run(train, *arguments[:-2]) == [first], "on as many threads as it was begun with"
    with pytest.raises(InvalidConfiguration, match="--preset and --config both name a shape"):
        run(train, *arguments, "--config", tmp_path / "model" / "config.json")
    texts = [
        run(generate, folder, "--prompt", "The", "--max-tokens", 12, "--seed", 1)[0]
        for folder in (first["checkpoint"], tmp_path)
    ]
    assert set(texts[0]) == {"text", "n_tokens", "tokens_per_second"}
    assert texts[0]["text"] == texts[1]["text"]
    assert texts[0]["n_tokens"] == 12
