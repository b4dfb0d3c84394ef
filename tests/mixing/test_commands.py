"""``fakesmrt mix``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli.evaluation import mix

Pool = Callable[[int], list[Path]]


def test_mix_prints_what_it_decided(branch_pool: Pool, tokens_folder: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("mix")(mix)
    members = [str(member) for member in branch_pool(2)]
    arguments = ["--tokens", str(tokens_folder), "--evaluation-tokens", "0", "--method", "uniform"]
    output = tmp_path / "mixed"
    run = CliRunner().invoke(
        app,
        [*members, str(tmp_path / "nowhere"), *arguments, "--output", str(output), "--json"],
        catch_exceptions=False,
    )
    assert run.exit_code == 0
    values = json.loads(run.stdout)
    assert values["checkpoint"] == str(output)
    assert values["method"] == "uniform"
    assert values["accepted"] is True
    assert values["weights"] == [0.5, 0.5, 0.0]
    assert values["confirm_gain_low"] > 0
    assert values["select_bits_per_byte"] > 0
    assert values["seconds"] > 0
    assert "nowhere" in run.stderr
    plain = CliRunner().invoke(app, [*members, *arguments, "--output", str(tmp_path / "again")])
    assert "uniform accepted" in plain.stdout
