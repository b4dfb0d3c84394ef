"""``fakesmrt presets`` as a user meets it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli import presets as room
from fakesmrt_assets.cli.presets import n_bytes, presets
from fakesmrt_models.architecture.presets import PRESETS
from warehouse.errors import InvalidConfiguration


def said(*arguments: object) -> str:
    app = typer.Typer()
    app.command()(presets)
    result = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def run(*arguments: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(*arguments, "--json").splitlines()]


def test_all_are_listed_with_exact_counts() -> None:
    listed = {facts["preset"]: facts for facts in run("--no-measure")}
    assert list(listed) == list(PRESETS)
    assert listed["1mx"]["n_parameters"] == 1_048_576 == sum(listed["1mx"]["parameters"].values())
    assert listed["1mx"]["batch_size"] * listed["1mx"]["sequence_length"] == 8_192
    assert listed["1mx"]["fits"] is None


def test_more_at_once_takes_more_memory() -> None:
    (small,), (large,) = (run("1mx", "--no-measure", "--batch-size", size) for size in (1, 64))
    assert small["memory_bytes"] < large["memory_bytes"]
    assert small["memory"]["weights"] == large["memory"]["weights"] == 4 * 1_048_576
    (again,) = run("1mx", "--no-measure", "--batch-size", 64, "--gradient-checkpointing")
    assert again["memory"]["activations"] < large["memory"]["activations"]


def test_memory_says_which_fit() -> None:
    fits = {facts["preset"]: facts["fits"] for facts in run("--no-measure", "--memory", "4GiB")}
    assert fits["1mx"]
    assert not fits["medium"]
    assert "does not fit" in said("medium", "--no-measure", "--memory", "4GiB")


def test_one_preset_is_measured_by_steps_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MEASURED_SECONDS", 0.01)
    (facts,) = run("56kx", "--batch-size", 2)
    assert facts["tokens_per_second"] > 0
    assert facts["tokens_per_second_source"] == "measured uncompiled"


def test_people_read_the_components() -> None:
    account = said("112m", "--no-measure")
    assert "112,085,760 parameters" in account
    for part in ("process", "weights", "gradients", "optimizer", "activations", "logits", "evaluation"):
        assert f"\n  {part} " in account


def test_an_unknown_preset_offers_the_nearest() -> None:
    with pytest.raises(InvalidConfiguration, match="the nearest is 1mx"):
        run("1xm")
    with pytest.raises(InvalidConfiguration, match="the nearest is 1mx"):
        run("1MX")


def test_a_sequence_longer_than_the_context_is_refused() -> None:
    with pytest.raises(InvalidConfiguration, match="256 tokens, not 257"):
        run("1mx", "--seq-len", 257)


def test_a_list_takes_no_sequence_longer_than_a_context() -> None:
    lengths = {facts["preset"]: facts["sequence_length"] for facts in run("--no-measure", "--seq-len", 512)}
    assert (lengths["56kx"], lengths["1mx"], lengths["112m"]) == (64, 256, 512)


@pytest.mark.parametrize(
    ("text", "amount"), [("4GiB", 4 << 30), ("800 MB", 800_000_000), ("1.5kib", 1_536), ("1000", 1_000)]
)
def test_amounts_of_memory(text: str, amount: int) -> None:
    assert n_bytes(text) == amount


@pytest.mark.parametrize("text", ["", "GiB", "4 parsecs", "-1GiB", "0"])
def test_what_is_no_amount_of_memory_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfiguration, match="no amount of memory"):
        n_bytes(text)
