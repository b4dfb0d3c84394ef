"""``fakesmrt dedup``: stable keys for machines, a table for people, nothing heavy loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli.dedup import dedup
from warehouse.errors import InvalidConfiguration

SENTENCE = "the quick brown fox jumps over the lazy dog near the river bank"


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(dedup)
    return app


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = [
        {"id": "b", "text": SENTENCE},
        {"id": "ä", "text": SENTENCE.upper()},
        {"id": 3, "text": "[bold]else"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_json_is_one_object_a_member(app: typer.Typer, source: Path) -> None:
    result = CliRunner().invoke(app, [str(source), "--json"])
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"id": "b", "cluster_id": "b", "keeper_id": "b", "jaccard": 1.0, "kept": True},
        {"id": "ä", "cluster_id": "b", "keeper_id": "b", "jaccard": 1.0, "kept": False},
    ]


def test_people_get_a_table_and_the_kept_rows(app: typer.Typer, source: Path, tmp_path: Path) -> None:
    output = tmp_path / "kept.jsonl"
    result = CliRunner().invoke(app, [str(source), "--output", str(output)])
    assert result.exit_code == 0
    assert "3 rows, 1 clusters, 1 duplicates, 2 kept" in result.stdout
    assert [json.loads(line)["id"] for line in output.read_text().splitlines()] == ["b", 3]


def test_an_older_file_is_named_as_the_place_of_the_keeper(
    app: typer.Typer, source: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older.jsonl"
    older.write_text(json.dumps({"id": "b", "text": SENTENCE.title()}) + "\n")
    result = CliRunner().invoke(app, [str(source), "--against", str(older), "--json"])
    assert result.exit_code == 0
    expected = {"cluster_id": "b", "keeper_id": "b", "jaccard": 1.0, "kept": False, "keeper_path": str(older)}
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"id": "b", **expected},
        {"id": "ä", **expected},
    ]


def test_no_input_is_overwritten(app: typer.Typer, source: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.jsonl"
    older.write_bytes(source.read_bytes())
    arguments = [str(source), "--against", str(older), "--output", str(older)]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InvalidConfiguration)
    assert older.read_bytes() == source.read_bytes()


def test_a_threshold_that_the_sketch_cannot_serve_is_wrong_usage(app: typer.Typer, source: Path) -> None:
    assert CliRunner().invoke(app, [str(source), "--threshold", "0.2"]).exit_code == 2


def test_help_states_the_keeper_rule(app: typer.Typer) -> None:
    text = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    assert "most links" in text
    assert "Example: fakesmrt dedup" in text


def test_neither_dagster_nor_torch_is_loaded(source: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from fakesmrt_assets.cli.dedup import dedup\n"
        "early = {'numpy', 'duckdb', 'pyarrow', 'rich'} & set(sys.modules)\n"
        "dedup(Path(sys.argv[1]), True, None, 0.8)\n"
        "print(sorted(early | {'dagster', 'torch'} & set(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, str(source)], capture_output=True, text=True, check=True, timeout=60
    )
    assert finished.stdout.splitlines()[-1] == "[]"
