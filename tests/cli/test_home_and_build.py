"""The command line as a person meets it: one clear line for each mistake, exit status 0, 1 or 2, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets import building
from fakesmrt_assets.cli.build import build
from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.locks import build_lock
from warehouse.recipes import load_recipe
from warehouse.stages.shard import tokenizer_definition


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two text files."""
    (tmp_path / "letters").mkdir()
    for name in ("assignment", "booleans"):
        (tmp_path / "letters" / f"{name}.txt").write_text(topics[name])
    return tmp_path / "letters"


def fakesmrt(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "fakesmrt_assets.cli.main", *arguments],
        env={**os.environ, "FAKESMRT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_one_line(result: subprocess.CompletedProcess[str], *parts: str, status: int = 1) -> None:
    """The failure is one line that holds `parts`."""
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert all(part in last for part in parts), last


def test_init_makes_the_home_and_registers_the_demo(tmp_path: Path) -> None:
    home = tmp_path / "new"
    first = fakesmrt("init", home=home)
    assert (first.returncode, first.stdout.splitlines()[0]) == (0, f"Made the home {home}")
    assert fakesmrt("init", home=home).stdout == f"Found the home {home}\n"
    with Warehouse(Home(home)).read() as connection:
        corpora = [
            name for (name,) in connection.execute("SELECT corpus FROM corpus.corpus ORDER BY ALL").fetchall()
        ]
    assert "demo_library" in corpora
    assert "telemetry" in (home / "dagster" / "dagster.yaml").read_text()


def test_ones_own_text_takes_the_place_of_the_demos(tmp_path: Path, folder: Path) -> None:
    home = tmp_path / "new"
    fakesmrt("init", home=home)
    added = fakesmrt("add", "letters", str(folder), "--licence", "cc0-1.0", home=home)
    assert added.returncode == 0
    assert "The demo's text no longer counts" in added.stdout
    with Warehouse(Home(home)).read() as connection:
        assert connection.execute("FROM corpus.location").fetchall() == [("letters", str(folder))]


def test_add_makes_a_home_where_there_is_none(tmp_path: Path, folder: Path) -> None:
    assert fakesmrt("add", "letters", str(folder), "--licence", "MIT", home=tmp_path / "new").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("add", "x", "{folder}", "--licence", "Apache 2"), ("'Apache 2' is no SPDX licence", "Apache-2.0")),
        (("add", "x", "/nowhere", "--licence", "MIT"), ("There is nothing at /nowhere",)),
        (("build", "--recipe", "defalt"), ("no recipe 'defalt'", "Did you mean default?")),
        (("build", "--corpus", "diaries"), ("There is no corpus 'diaries'", "Registered are")),
        (("build", "everything"), ("There is no build 'everything'", "Choose one of")),
        (("build", "tokens"), ("corpus/training_chunk was not built yet", "fakesmrt build corpus")),
        (("add", "demo_x", "{folder}", "--licence", "MIT"), ("are the demo's", "Choose another name")),
        (("build", "--minutes", "0"), ("budget is zero", "--minutes")),
        (("plan", "--recipe", "defalt"), ("Did you mean default?",)),
        (("sql", "SELECT 1"), ("Nothing is published", "fakesmrt build")),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    home: Home, folder: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    given = [argument.format(folder=folder) for argument in arguments]
    assert_one_line(fakesmrt(*given, home=home.root), *parts)


@pytest.mark.parametrize("command", [("build",), ("plan",), ("doctor",), ("sql", "SELECT 1"), ("ui",)])
def test_without_a_home_the_remedy_is_init(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert_one_line(fakesmrt(*command, home=tmp_path / "none"), "There is no fakesmrt home", "fakesmrt init")


def test_wrong_usage_has_status_2(home: Home) -> None:
    assert fakesmrt("build", "--minuts", "3", home=home.root).returncode == 2
    assert fakesmrt("ad", home=home.root).returncode == 2


def test_building_tokens_ends_with_their_folder(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "run_build", lambda *_: building.BuildOutcome("a run", ()))
    definition = tokenizer_definition(load_recipe(home, "default"))
    with Warehouse(home).write("test") as connection:
        connection.execute(
            "INSERT INTO corpus.reference VALUES (uuid(), 'tokenizer', 'default-1', 'ab', ?, now())",
            [definition],
        )
    app = typer.Typer()
    app.command()(build)
    said = CliRunner().invoke(app, ["tokens"], catch_exceptions=False)
    assert f"fakesmrt train --tokens {home.tokens / 'default-1'} " in said.stdout


def test_a_second_builder_is_told_who_builds(home: Home) -> None:
    with build_lock(home.root):
        result = fakesmrt("build", home=home.root)
    assert_one_line(result, f"process {os.getpid()}", "Wait until it has finished")


def test_too_little_text_is_said_before_anything_is_trained(home: Home, folder: Path) -> None:
    fakesmrt("add", "letters", str(folder), "--licence", "MIT", home=home.root)
    result = fakesmrt("build", "--steps", "2", home=home.root)
    assert_one_line(result, "There is too little text", "fakesmrt add")
    assert "corpus/chunk" in result.stderr
    assert not any(home.models.iterdir())
    plan = fakesmrt("plan", "--json", home=home.root)
    stages = {line["asset"]: line for line in map(json.loads, plan.stdout.splitlines())}
    assert not stages["corpus/chunk"]["runs"]
    assert stages["tokens/shard"] == {
        "asset": "tokens/shard",
        "runs": True,
        "reason": "it was never built",
        "waits_for": None,
        "n_files": {},
        "files": [],
    }


def test_doctor_finds_nothing_in_a_new_home(home: Home) -> None:
    result = fakesmrt("doctor", home=home.root)
    assert (result.returncode, result.stdout) == (0, f"Nothing is wrong in {home.root}\n")


def test_every_command_has_help_with_an_example(home: Home) -> None:
    from fakesmrt_assets.cli.main import COMMANDS

    for command in COMMANDS:
        text = fakesmrt(command, "--help", home=home.root).stdout
        assert f"fakesmrt {command}" in text.split("Usage:")[1].split("\n", 1)[1], command
