"""What a model writes while it is trained, and its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.loop import Trainer
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.samples import (
    SAMPLES_FILE,
    Sample,
    SampleLog,
    generated_samples,
    read_samples,
)
from warehouse.tokens.tokenizer import Tokenizer

MakeRequest = Callable[..., TrainingRequest]


@pytest.fixture
def model() -> Transformer:
    """A model in the middle of a training that multiplies in bfloat16."""
    model = initialised(preset("56kx"), seed=0).train()
    model.compute_dtype = torch.bfloat16
    return model


def test_seed_and_step_alone_decide_what_is_written(model: Transformer, tokens: Path) -> None:
    tokenizer = Tokenizer.from_file(tokens / "tokenizer.json")
    torch.manual_seed(1)
    first = generated_samples(model, tokenizer, ["The"], step=4, seed=0)
    torch.manual_seed(2)
    assert generated_samples(model, tokenizer, ["The"], step=4, seed=0) == first
    assert generated_samples(model, tokenizer, ["The"], step=5, seed=0)[0].text != first[0].text


def test_the_training_goes_on_as_if_nothing_had_been_written(model: Transformer, tokens: Path) -> None:
    before = torch.get_rng_state()
    generated_samples(model, Tokenizer.from_file(tokens / "tokenizer.json"), ["The"], step=4, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training
    assert model.compute_dtype is torch.bfloat16


def test_a_resume_forgets_the_samples_after_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES_FILE
    SampleLog(path, 0).append([Sample(2, "Once", " é\n"), Sample(4, "Once", " two")])
    with path.open("ab") as stream:
        stream.write(b'{"step": 6, "prom')
    SampleLog(path, 3).append([Sample(4, "Once", " again")])
    assert list(read_samples(path)) == [Sample(2, "Once", " é\n"), Sample(4, "Once", " again")]


def test_a_training_writes_samples_at_its_evaluations(request_of: MakeRequest, tmp_path: Path) -> None:
    request = request_of(steps=3, compiled=False, sample_prompts=("The", ""))
    Trainer(request, tmp_path).run(lambda: False)
    lines = [json.loads(line) for line in (tmp_path / SAMPLES_FILE).read_text().splitlines()]
    assert [(line["step"], line["prompt"]) for line in lines] == [(3, "The"), (3, "")]
    assert all(line["text"] for line in lines)
