"""Mixes in probability space: a token's probability is the weighted mean of the members' probabilities.

What lives here: the folder of an ensemble, and reading any folder as one:

    ensemble.json     {"format_version": 1, "members": ["0", "1", …], "weights": [0.5, 0.5, …]}
    tokenizer.json    the members' common tokenizer
    0/, 1/, …         the members, whole model folders, unchanged

Probabilities are averaged, not logits: the mean of probabilities is never worse than the mean of the members'
losses (Jensen's inequality).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.mixing.folders import copy_file, folder_written_whole
from fakesmrt_models.mixing.members import (
    CONFIG_FILE,
    ENSEMBLE_FILE,
    MANIFEST_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    inspect_member,
    normalised_weights,
    require_pool,
)
from fakesmrt_models.training.checkpoint import LoadedModel, load_model
from fakesmrt_models.training.model_folder import canonical_json, model_folder
from warehouse.errors import CorruptArtefact
from warehouse.files import fetched_folder, file_sha256, write_bytes_whole

FORMAT_VERSION = 1


@dataclass(frozen=True)
class LoadedEnsemble:
    """One model or several with the weights of their probabilities.

    Attributes:
        members: in the order of `weights`; one where the folder is a plain model.
        weights: non-negative, sum 1.
        tokenizer_file: the members' common tokenizer.
    """

    members: tuple[LoadedModel, ...]
    weights: tuple[float, ...]
    tokenizer_file: Path

    @property
    def context_length(self) -> int:
        """Longest sequence that every member takes, in tokens."""
        return min(member.config.context_length for member in self.members)

    def module(self) -> Ensemble:
        """The ensemble as one torch module."""
        return Ensemble([member.model for member in self.members], self.weights)


class Ensemble(nn.Module):
    """Several causal language models as one: its logits are the log of the mean probabilities."""

    log_weights: Tensor

    def __init__(self, models: Sequence[Transformer], weights: Sequence[float]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.register_buffer("log_weights", torch.tensor(weights, dtype=torch.float32).log())

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [B, T] to log probabilities of each next token, float32 [B, T, vocabulary]."""
        log_probabilities = torch.stack([model(tokens).float().log_softmax(dim=-1) for model in self.models])
        return torch.logsumexp(log_probabilities + self.log_weights.view(-1, 1, 1, 1), dim=0)


def uniform_ensemble(
    members: Sequence[Path], output: Path, weights: Sequence[float] | None = None
) -> list[float]:
    """Write the probability ensemble of model folders as an ensemble folder.

    Args:
        members: model folders of one tokenizer; their shapes may differ.
        output: folder to be made.
        weights: share of each member, normalised to sum 1; None for equal shares.

    Returns:
        The shares, with sum 1.

    Raises:
        InvalidConfiguration: fewer than two members, another tokenizer, or weights that sum to zero.
        CorruptArtefact: a member's file is truncated or holds values that are not finite.
    """
    inspected = [inspect_member(folder) for folder in members]
    require_pool(inspected)
    shares = normalised_weights(weights, len(inspected))
    names = [str(number) for number in range(len(inspected))]
    with folder_written_whole(output) as partial:
        for name, member in zip(names, inspected, strict=True):
            copy_checkpoint(member.folder, partial / name)
        copy_file(inspected[0].folder / TOKENIZER_FILE, partial / TOKENIZER_FILE)
        description = {
            "format_version": FORMAT_VERSION,
            "members": names,
            "weights": shares,
            "weights_sha256": [member.weights_sha256 for member in inspected],
            "tokenizer_sha256": inspected[0].tokenizer_sha256,
        }
        write_bytes_whole(partial / ENSEMBLE_FILE, canonical_json(description))
    return shares


def load_ensemble(folder: Path) -> LoadedEnsemble:
    """Read an ensemble folder, or a model folder as an ensemble of one.

    Raises:
        InputUnreadable: there is neither at `folder`.
        CorruptArtefact: a file does not hold what its manifest says.
    """
    if not (fetched_folder(folder) / ENSEMBLE_FILE).exists():
        model = load_model(folder)
        return LoadedEnsemble((model,), (1.0,), model.tokenizer_file)
    try:
        stored = json.loads((folder / ENSEMBLE_FILE).read_bytes())
        n_members = len(stored["members"])
        weights = tuple(float(weight) for weight in stored["weights"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptArtefact(
            f"{folder / ENSEMBLE_FILE} is no ensemble: {error}", "Mix the members again"
        ) from error
    # Members are numbered, so that no name in a file is ever used as a path.
    members = tuple(load_model(folder / str(number)) for number in range(n_members))
    tokenizer_file = folder / TOKENIZER_FILE
    _require_members(folder, members, weights)
    return LoadedEnsemble(members, weights, tokenizer_file)


def copy_checkpoint(source: Path, target: Path) -> None:
    """Copy the files of a model or of an ensemble, and nothing else that lies beside them."""
    if (source / ENSEMBLE_FILE).exists():
        for name in (ENSEMBLE_FILE, TOKENIZER_FILE):
            copy_file(source / name, target / name)
        for member in sorted(path for path in source.iterdir() if path.name.isdecimal()):
            copy_checkpoint(member, target / member.name)
        return
    for name in (CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE, MANIFEST_FILE):
        copy_file(model_folder(source) / name, target / name)


def _require_members(folder: Path, members: Sequence[LoadedModel], weights: Sequence[float]) -> None:
    if not members or len(weights) != len(members) or abs(sum(weights) - 1.0) > 1e-6 or min(weights) < 0:
        raise CorruptArtefact(
            f"{folder / ENSEMBLE_FILE} has weights {list(weights)} for {len(members)} members",
            "Mix the members again",
        )
    expected = file_sha256(folder / TOKENIZER_FILE)
    for member in members:
        if file_sha256(member.tokenizer_file) != expected:
            raise CorruptArtefact(
                f"{member.tokenizer_file} is not the tokenizer of the ensemble", "Mix the members again"
            )
