"""What a training starts from: its first weights, and a process in which equal steps give equal bits."""

from __future__ import annotations

import torch

from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.training.checkpoint import load_model, read_optimizer_state
from fakesmrt_models.training.model_folder import model_folder
from fakesmrt_models.training.optimizer import Optimizer
from fakesmrt_models.training.request import TrainingRequest, request_config


def make_deterministic(threads: int, seed: int) -> None:
    """Equal sums in every run: fixed threads, and no additions in the order in which threads arrive.

    Args:
        threads: of this process.
        seed: of torch's default generator, which draws dropout.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # That switch would also fill every new tensor, which costs time and changes nothing here.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010  # torch types it not
    torch.manual_seed(seed)


def first_model(request: TrainingRequest, dtype: torch.dtype) -> tuple[Transformer, Optimizer, str | None]:
    """The model before its first step, new or the parent's; its optimiser; hash of the parent's weights.

    Args:
        request: what to train.
        dtype: of the optimiser's matrix products.

    Raises:
        CorruptArtefact: the parent is damaged.
    """
    if request.initial_model is None:
        model = initialised(request_config(request), request.seed)
        return model, Optimizer(model, request.optimizer, dtype), None
    folder = model_folder(request.initial_model)
    loaded = load_model(folder)
    # The parent's module has the parent's dropout.
    with torch.random.fork_rng(devices=[]):
        model = Transformer(request_config(request))
    model.load_state_dict(loaded.model.state_dict())
    optimizer = Optimizer(model, request.optimizer, dtype)
    optimizer.load_state(read_optimizer_state(folder) or {})
    return model, optimizer, str(loaded.manifest["weights_sha256"])
