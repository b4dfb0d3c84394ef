"""A tokenizer of a few hundred ids, and model folders with weights that no initialisation gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from pydoc_data.topics import topics

# transformers reads it when it is imported, and no test asks a network.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import torch

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.checkpoint import save_model
from warehouse.tokens.tokenizer import train_tokenizer

MakeModel = Callable[..., Path]


def with_random_weights(config: ModelConfig, seed: int = 0) -> Transformer:
    """Every tensor random, so that a norm without its gain or a projection left out would show."""
    model = initialised(config, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            gain = 1.0 if "norm" in name else 0.0
            spread = 0.2 if parameter.ndim < 2 else parameter.shape[-1] ** -0.5
            parameter.normal_(gain, spread, generator=generator)
    return model.eval()


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """For models so small a second thread only waits."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on Python's own documentation; 400 ids, fewer than any preset has."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    path.write_bytes(train_tokenizer([text[:2_000] for _, text in sorted(topics.items())][:30], 400))
    return path


@pytest.fixture
def model_of(tokenizer_file: Path, tmp_path: Path) -> MakeModel:
    """Write a model folder: ``model_of(config, model=None, **manifest)``."""

    def write(config: ModelConfig, model: Transformer | None = None, **manifest: object) -> Path:
        folder = tmp_path / "model"
        save_model(folder, model or with_random_weights(config), config, manifest, tokenizer_file)
        return folder

    return write
