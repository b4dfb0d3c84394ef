"""The model card, and the licences that the Training Database knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli.export import export
from fakesmrt_models.architecture.presets import PRESETS
from fakesmrt_models.export.card import TrainingLicence, front_matter, model_card
from warehouse.database import migrate, query, read_rows
from warehouse.errors import InvalidConfiguration

MakeModel = Callable[..., Path]
EXAMPLE_ROWS = Path(__file__).parent.parent / "lineage" / "example_rows.sql"


def test_the_card_tells_what_the_manifest_and_the_database_know() -> None:
    manifest = {
        "preset": "1mx", "n_tokens": 8_192_000, "validation_bits_per_byte": 1.65432, "weights_sha256": "ab" * 32,
        "parent": None, "data": [{"shard_id": "s-1", "sha256": "cd" * 32}],
    }  # fmt: skip
    card = model_card(PRESETS["1mx"], manifest, [TrainingLicence("CC-BY-SA-4.0", 3, 8_192_001)], "MIT")
    for part in (
        "license: mit",
        "1,048,576",
        "8,192,000",
        "1.6543",
        "ab" * 32,
        "s-1",
        "CC-BY-SA-4.0 | 3 | 8,192,001",
    ):
        assert part in card
    assert "branched from" not in card, "a fact that the manifest does not state is left out"
    assert "averaged" not in card
    mixed = model_card(PRESETS["1mx"], {"members": [{"weights_sha256": "ef" * 32, "weight": 0.25}]}, [], None)
    assert f"averaged\n\n| SHA-256 of the weights | share |\n|---|--:|\n| {'ef' * 32} | 0.2500 |" in mixed
    bare = model_card(PRESETS["1mx"], {}, [], None)
    assert "no Training Database there knows these weights" in bare
    assert "license:" not in bare


def test_a_licence_that_the_hub_does_not_list_keeps_its_name() -> None:
    assert 'license: other\nlicense_name: "EUPL-1.2"' in front_matter("EUPL-1.2")


def test_licences_are_found_by_the_hash_of_the_weights() -> None:
    with duckdb.connect() as connection:
        migrate(connection)
        connection.execute(EXAMPLE_ROWS.read_text())
        sha256, checkpoint_id = connection.execute(
            "SELECT sha256, checkpoint_id FROM models.checkpoint WHERE alias = 'promoted'"
        ).fetchone()
        known = read_rows(
            connection, query("licences_of_weights"), {"weights_sha256": sha256}, TrainingLicence
        )
        expected = connection.execute(
            "SELECT licence, n_files, n_tokens FROM lineage.model_licence WHERE checkpoint_id = ?",
            [checkpoint_id],
        ).fetchall()
        assert sorted((row.licence, row.n_files, row.n_tokens) for row in known) == sorted(expected) != []
        unknown = {"weights_sha256": b"\0" * 32}
        assert read_rows(connection, query("licences_of_weights"), unknown, TrainingLicence) == []


def test_the_command(model_of: MakeModel, tmp_path: Path) -> None:
    model = model_of(PRESETS["56kx"], preset="56kx")
    app = typer.Typer()
    app.command()(export)
    arguments = [str(model), "--format", "hf", "--output", str(tmp_path / "out")]
    with pytest.raises(InvalidConfiguration, match="no SPDX licence"):
        CliRunner().invoke(app, [*arguments, "--licence", "MTI"], catch_exceptions=False)
    result = CliRunner().invoke(app, [*arguments, "--licence", "mit", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout) == {
        "output": str(tmp_path / "out"), "format": "hf", "architecture": "Qwen3ForCausalLM", "n_parameters": 57_344,
        "n_stored": 57_344 + 3 * 64 + 2 * 32,
    }  # fmt: skip
    assert "license: mit" in (tmp_path / "out" / "README.md").read_text()
    assert CliRunner().invoke(app, [*arguments, "--format", "gguf"]).exit_code == 2
