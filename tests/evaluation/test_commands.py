"""``fakesmrt eval``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli.evaluation import evaluate

Save = Callable[[str, int], Path]


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command("eval")(evaluate)
    return app


def test_eval_prints_one_object_a_file(app: typer.Typer, save_tiny: Save, tmp_path: Path) -> None:
    utf8, windows = tmp_path / "a.txt", tmp_path / "b.txt"
    utf8.write_bytes("Übermorgen,\r\nsaid the naïve walrus. ".encode() * 3)
    windows.write_bytes("Le café était fermé à midi, et la boulangère déjà partie. ".encode("cp1252") * 20)
    run = CliRunner().invoke(
        app, [str(save_tiny("model", 1)), "--text", str(utf8), str(windows), "--json"], catch_exceptions=False
    )
    assert run.exit_code == 0
    first, second = (json.loads(line) for line in run.stdout.splitlines())
    assert set(first) == {"path", "bits_per_byte", "perplexity", "n_bytes", "n_tokens"}
    assert first["path"] == str(utf8)
    assert first["n_bytes"] == utf8.stat().st_size
    assert first["perplexity"] == pytest.approx(
        math.exp(first["bits_per_byte"] * math.log(2) * first["n_bytes"] / first["n_tokens"])
    )
    # In UTF-8 the accents take two bytes, so the text is longer than its file.
    assert second["n_bytes"] > windows.stat().st_size


def test_a_bad_file_is_named_and_the_others_are_measured(
    app: typer.Typer, save_tiny: Save, tmp_path: Path
) -> None:
    good, empty = tmp_path / "good.txt", tmp_path / "empty.txt"
    good.write_text("Some words.")
    empty.touch()
    missing = tmp_path / "missing.txt"
    run = CliRunner().invoke(app, [str(save_tiny("model", 1)), "--text", str(missing), str(empty), str(good)])
    assert run.exit_code == 1
    assert run.stdout.startswith(f"{good}: ")
    assert [line.split(": ")[1] for line in run.stderr.splitlines()] == [str(missing), str(empty)]
