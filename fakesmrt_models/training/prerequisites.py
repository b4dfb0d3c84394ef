"""What a request, its tokens and the model that it starts from must have in common, before anything is written.

What lives here: refusals for which manifests and configurations suffice, so without torch. What does not: whether the
token files are what their manifests say (``token_files.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.training.model_folder import STATE_FILE, model_folder, read_file, read_manifest
from fakesmrt_models.training.request import TrainingRequest, request_config
from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.tokens.shards import REMEDY, TOKENIZER_FILE, Shard, open_split
from warehouse.tokens.tokenizer import Tokenizer


def require_prerequisites(request: TrainingRequest) -> None:
    """Refuse a request that its tokens or its first model do not fit.

    Raises:
        InputUnreadable: there are no training shards, or no model to start from.
        InvalidConfiguration: the model knows fewer tokens than the tokenizer has, or the first model has another shape
            or tokenizer, or is a checkpoint.
        CorruptArtefact: a manifest, a tokenizer or a configuration cannot be read or contradicts another.
    """
    shards, held_out = open_split(request.tokens, "train"), _held_out(request.tokens)
    require_vocabulary(request.tokens, [*shards, *held_out], request_config(request))
    if request.initial_model is not None:
        _require_parent(model_folder(request.initial_model), request)


def require_vocabulary(folder: Path, shards: Sequence[Shard], config: ModelConfig) -> None:
    """The shards state the vocabulary of the tokenizer beside them, and the model knows all of it.

    Raises:
        CorruptArtefact: a shard states another vocabulary than the tokenizer has.
        InvalidConfiguration: the model's vocabulary is smaller.
    """
    n_ids = Tokenizer.from_file(folder / TOKENIZER_FILE).vocab_size
    for shard in shards:
        if shard.manifest.vocab_size != n_ids:
            raise CorruptArtefact(
                f"The shard {shard.path} states a vocabulary of {shard.manifest.vocab_size:,}, and its tokenizer has "
                f"{n_ids:,} ids",
                REMEDY,
            )
    if n_ids > config.vocab_size:
        raise InvalidConfiguration(
            f"The tokens in {folder} have a vocabulary of {n_ids:,}, and the model one of {config.vocab_size:,}",
            "Choose another preset, or make tokens with a smaller vocabulary",
        )


def _require_parent(folder: Path, request: TrainingRequest) -> None:
    if (folder / STATE_FILE).is_file():
        raise InvalidConfiguration(
            f"{folder} is a checkpoint of a training that goes on, not a finished model",
            "Give the folder of a training that has ended, or of its model",
        )
    path = folder / "config.json"
    config = ModelConfig.from_json(read_file(folder, path.name), path)
    # Dropout is a choice of each training: the weights of either fit the other.
    if replace(config, dropout=0.0) != replace(request_config(request), dropout=0.0):
        raise InvalidConfiguration(
            f"{folder} does not have the shape of the preset {request.preset}",
            f"Name the preset of the model, or give --config {path}",
        )
    if read_file(folder, "tokenizer.json") != read_file(request.tokens, TOKENIZER_FILE):
        raise InvalidConfiguration(
            f"{folder} has another tokenizer than the tokens", "Train on its own tokens"
        )
    if "weights_sha256" not in read_manifest(folder):
        raise CorruptArtefact(
            f"{folder / 'manifest.json'} states no weights_sha256", "Train or copy the model again"
        )


def _held_out(folder: Path) -> list[Shard]:
    try:
        return open_split(folder, "validation")
    except InputUnreadable:
        return []
