"""Several models on one split: bytes, documents, corpora, and nothing computed twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.evaluation.population import evaluate_population
from fakesmrt_models.mixing.ensembles import uniform_ensemble
from warehouse.errors import InputUnreadable, InvalidConfiguration

Write = Callable[[Path, str, Mapping[str, Sequence[str]]], None]
Save = Callable[[str, int], Path]


@pytest.fixture
def tokens_folder(write_split: Write, tmp_path: Path, texts: list[str]) -> Path:
    write_split(tmp_path / "tokens", "report", {"guide": texts[:6], "reference": texts[6:10]})
    return tmp_path / "tokens"


def test_bytes_are_those_of_the_raw_text(save_tiny: Save, tokens_folder: Path, texts: list[str]) -> None:
    evaluation = evaluate_population(
        {"a": save_tiny("a", 1)}, tokens_folder, "report", max_tokens=None, seed=0
    )
    assert int(evaluation.n_bytes.sum()) == sum(len(text.encode()) for text in texts[:10])
    assert evaluation.n_documents == 10


def test_scores_cover_all_and_each_corpus(save_tiny: Save, tokens_folder: Path) -> None:
    models = {"a": save_tiny("a", 1), "b": save_tiny("b", 2)}
    evaluation = evaluate_population(models, tokens_folder, "report", max_tokens=None, seed=0)
    scores = evaluation.scores(seed=3)
    assert [(score.model, score.corpus) for score in scores] == [
        (model, corpus) for model in "ab" for corpus in ("all", "guide", "reference")
    ]
    assert all(score.ci_low <= score.bits_per_byte <= score.ci_high for score in scores)
    assert scores[0].n_bytes == scores[1].n_bytes + scores[2].n_bytes
    assert scores == evaluation.scores(seed=3)


def test_an_ensemble_beside_its_members_costs_no_pass(
    save_tiny: Save, tokens_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {"a": save_tiny("a", 1), "b": save_tiny("b", 2)}
    uniform_ensemble(list(members.values()), tmp_path / "ensemble")
    inputs: list[int] = []
    hidden = Transformer.hidden

    def counted(self: Transformer, tokens: torch.Tensor) -> torch.Tensor:
        inputs.append(tokens.numel())
        return hidden(self, tokens)

    monkeypatch.setattr(Transformer, "hidden", counted)
    alone = evaluate_population(members, tokens_folder, "report", max_tokens=None, seed=0)
    n_inputs = sum(inputs)
    inputs.clear()
    models = {**members, "mix": tmp_path / "ensemble"}
    together = evaluate_population(models, tokens_folder, "report", max_tokens=None, seed=0)
    assert sum(inputs) == n_inputs
    assert np.allclose(together.nats[:2], alone.nats)
    assert (together.nats_of("mix") <= together.nats[:2].mean(axis=0) + 1e-6).all()


def test_an_empty_split_is_refused_by_name(save_tiny: Save, tokens_folder: Path) -> None:
    with pytest.raises(InputUnreadable, match="confirm"):
        evaluate_population({"a": save_tiny("a", 1)}, tokens_folder, "confirm", max_tokens=None, seed=0)


def test_a_model_of_another_tokenizer_is_refused_by_name(save_tiny: Save, tokens_folder: Path) -> None:
    stranger = save_tiny("stranger", 1)
    (stranger / "tokenizer.json").write_bytes((stranger / "tokenizer.json").read_bytes() + b"\n")
    manifest = stranger / "manifest.json"
    manifest.write_text("{}")
    with pytest.raises(InvalidConfiguration, match="stranger"):
        evaluate_population({"stranger": stranger}, tokens_folder, "report", max_tokens=None, seed=0)
