"""A population of micromodels in the place of the n-gram reference: each chunk is scored by one that left it out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli.score import score
from fakesmrt_assets.stages import micromodel
from fakesmrt_assets.stages.micromodel_scoring import score_texts
from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.transformer import initialised
from fakesmrt_models.evaluation.text import evaluate_text
from fakesmrt_models.mixing.ensembles import load_ensemble
from fakesmrt_models.training.checkpoint import save_model
from tests.stages.conftest import context_of
from warehouse.database import Connection, Warehouse, query
from warehouse.errors import CheckFailed, InvalidConfiguration
from warehouse.home import Home
from warehouse.identity import content_id
from warehouse.stages import chunk, duplicate, perplexity
from warehouse.stages.stage import StageContext, StageReport
from warehouse.textstore import read_rows
from warehouse.tokens.tokenizer import Tokenizer

N_MODELS = 3


def _record(connection: Connection, name: str, replicate: int | None, path: str) -> UUID:
    identity = content_id("checkpoint", name)
    connection.execute(
        query("record_checkpoint"),
        {
            "checkpoint_id": identity, "experiment": "tiny", "recipe": "default",
            "kind": "trunk" if replicate is None else "micromodel", "replicate": replicate, "step": 1,
            "preset": "tiny", "n_parameters": 1, "sha256": b"", "bits_per_byte": 8.0, "seed": 0, "path": path,
        },
    )  # fmt: skip
    return identity


def add_population(warehouse: Warehouse) -> None:
    """Three models on record, each trained on all training shards but every third."""
    tokenizer_file = next(warehouse.home.tokens.glob("*/tokenizer.json"))
    tiny = ModelConfig(
        vocab_size=Tokenizer.from_file(tokenizer_file).vocab_size, width=8, n_layers=1, n_heads=1, n_kv_heads=1,
        head_width=8, feed_forward_width=8, context_length=256,
    )  # fmt: skip
    with warehouse.write("test") as connection:
        for replicate in range(N_MODELS):
            path = f"tiny/replicate-{replicate}/model"
            model = initialised(tiny, seed=replicate)
            save_model(warehouse.home.models / path, model, tiny, {}, tokenizer_file)
            identity = _record(connection, f"replicate-{replicate}", replicate, path)
            connection.execute(
                "INSERT INTO models.checkpoint_range SELECT ?, shard_id, 0, n_tokens, 1 "
                "FROM tokens.shard WHERE split = 'train' AND number % 3 <> ?",
                [identity, replicate],
            )
    (warehouse.home.recipes / "micro.toml").write_text('[perplexity]\nreference = "micromodel"\n')


@pytest.fixture(scope="module")
def scored(
    built_corpus: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Warehouse, StageReport]:
    """A home whose chunks are scored by such a population, and how that went."""
    root = tmp_path_factory.mktemp("scored")
    shutil.copytree(built_corpus.home.root, root, symlinks=True, dirs_exist_ok=True)
    warehouse = Warehouse(Home(root))
    add_population(warehouse)
    return warehouse, _build(context_of(warehouse, recipe="micro"))


def _build(context: StageContext) -> StageReport:
    chunk.run(context)
    duplicate.run(context)
    return perplexity.run(context, score_texts)


def _fetched(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    with warehouse.read() as connection:
        return connection.execute(sql).fetchall()


SCORED = """
    FROM corpus.perplexity
    JOIN corpus.reference USING (reference_id)
    JOIN corpus.chunk USING (chunk_id)
    WHERE kind = 'micromodel'
"""


def test_each_chunk_is_scored_by_a_model_that_was_not_trained_on_it(
    scored: tuple[Warehouse, StageReport],
) -> None:
    population, report = scored
    assert report.counts["n_chunks_scored"] == report.n_rows > 200
    left_out = dict(
        _fetched(
            population,
            "SELECT chunk_id, number % 3 FROM tokens.shard_chunk JOIN tokens.shard USING (shard_id) "
            "WHERE split = 'train'",
        )
    )
    fold_of = dict(_fetched(population, f"SELECT chunk_id, fold {SCORED}"))
    assert {
        chunk_id: fold for chunk_id, fold in left_out.items() if fold_of.get(chunk_id, fold) != fold
    } == {}
    assert {fold for chunk_id, fold in fold_of.items() if chunk_id not in left_out} == {0, 1, 2}
    assert len(left_out.keys() - fold_of.keys()) == report.counts["n_chunks_without_clean_model"]


def test_its_scores_are_those_of_the_pinned_models(scored: tuple[Warehouse, StageReport]) -> None:
    population, report = scored
    folder = population.home.references / str(report.counts["reference"])
    rows = _fetched(
        population,
        f"SELECT fold, bits_per_byte, n_tokens, text_file, text_row {SCORED} "
        "AND chunk.n_bytes > 500 ORDER BY chunk_id LIMIT 3",
    )
    for fold, bits_per_byte, n_tokens, name, row in rows:
        (text,) = read_rows(population.home.text / name, [row])
        ensemble = load_ensemble(folder / f"model-{fold}")
        alone = evaluate_text(ensemble, Tokenizer.from_file(ensemble.tokenizer_file), text)
        assert (bits_per_byte, n_tokens) == (pytest.approx(alone.bits_per_byte, rel=1e-5), alone.n_tokens)
    again = context_of(population, recipe="micro", new_references=True)
    assert _build(again).counts == {**report.counts, "n_chunks_scored": 0}


def test_a_population_that_saw_everything_is_refused(changeable: tuple[Warehouse, Path]) -> None:
    population, _ = changeable
    add_population(population)
    with population.write("test") as connection:
        trunk = _record(connection, "trunk", None, "tiny/trunk/model")
        connection.execute(
            "INSERT INTO models.checkpoint_range SELECT ?, shard_id, 0, n_tokens, 1 FROM tokens.shard",
            [trunk],
        )
        connection.execute(
            "INSERT INTO models.checkpoint_parent SELECT checkpoint_id, ?, 'resume', 1.0 "
            "FROM models.checkpoint WHERE kind = 'micromodel'",
            [trunk],
        )
    with pytest.raises(CheckFailed, match=r"saw \d+ of \d+ chunks.* --independent"):
        _build(context_of(population, recipe="micro"))
    assert _fetched(population, "FROM corpus.reference WHERE kind = 'micromodel'") == []
    assert not list(population.home.references.glob("micromodel-*"))


def test_what_is_missing_is_named(changeable: tuple[Warehouse, Path]) -> None:
    warehouse, _ = changeable
    (warehouse.home.recipes / "micro.toml").write_text('[perplexity]\nreference = "micromodel"\n')
    context = context_of(warehouse, recipe="micro")
    with pytest.raises(CheckFailed, match="no population of micromodels"):
        _build(context)
    with pytest.raises(InvalidConfiguration, match="need torch"):
        perplexity.run(context)


def test_the_command_scores_by_a_reference_and_by_a_model(
    scored: tuple[Warehouse, StageReport], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    population, _ = scored
    monkeypatch.setenv("FAKESMRT_HOME", str(population.home.root))
    app = typer.Typer()
    app.command()(score)
    file = tmp_path / "texts.jsonl"
    file.write_text('{"id": "rain", "text": "The cat looked at the rain."}\n{"id": "none", "text": ""}\n')

    def lines(reference: str) -> list[dict[str, Any]]:
        run = CliRunner().invoke(app, [str(file), "--json", "--reference", reference], catch_exceptions=False)
        return [json.loads(line) for line in run.stdout.splitlines()]

    (identity, path), *_ = _fetched(
        population, "SELECT reference_id, path FROM corpus.reference WHERE kind = 'micromodel'"
    )
    pinned = lines(str(identity))
    assert list(pinned[0]) == ["id", "bits_per_byte", "perplexity", "n_tokens", "n_bytes"]
    assert pinned[0]["n_bytes"] == len("The cat looked at the rain.")
    assert pinned[1]["bits_per_byte"] is None
    home = Home(population.home.root)
    for same in (
        str(identity)[:8],
        str(home.references / path),
        str(home.models / "tiny" / "replicate-0"),
        str(content_id("checkpoint", "replicate-0")),
    ):
        assert lines(same) == pinned


def test_independent_replicates_have_no_trunk(built_corpus: Warehouse, tmp_path: Path) -> None:
    folder = next(built_corpus.home.tokens.iterdir())
    branching = context_of(built_corpus, replicates=3, steps=10)
    branches = dict(micromodel.population_requests(branching, folder, tmp_path / "trunk"))
    assert list(branches) == [None, 0, 1, 2]
    assert [branches[number].initial_model for number in (0, 1, 2)] == [tmp_path / "trunk"] * 3
    apart = context_of(built_corpus, replicates=3, steps=10, independent=True)
    replicates = dict(micromodel.population_requests(apart, folder, tmp_path / "trunk"))
    assert list(replicates) == [0, 1, 2]
    for number, request in replicates.items():
        assert (request.initial_model, request.steps) == (None, 10)
        assert request.bootstrap_seed == branches[number].bootstrap_seed
    assert micromodel.version(apart).data_version != micromodel.version(branching).data_version
