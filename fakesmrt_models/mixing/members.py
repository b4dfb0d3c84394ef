"""The ingredients of a mix, looked at before anything is mixed.

What lives here: reading a member's header, manifest and weights one tensor at a time, and saying by name what
does not fit together. Nothing here loads torch.

Two kinds of pools are never confused (DESIGN §10): a *branch pool* grew from one trunk, and its weights may
be averaged; in an *independent pool* each unit of a layer means something else in each member, so that
averaging weights destroys them and only probabilities are mixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from fakesmrt_models.architecture.config import ModelConfig
from fakesmrt_models.training.model_folder import model_folder, read_file, read_manifest
from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration
from warehouse.files import file_sha256

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "manifest.json"
ENSEMBLE_FILE = "ensemble.json"


@dataclass(frozen=True)
class Member:
    """A model folder that was read and found sound.

    Attributes:
        path: as it was given: a model folder, or the folder of a training that ended with one.
        folder: the model folder.
        config: its shape.
        shapes: shape of every tensor by name.
        weights_sha256: hash of its weights file.
        tokenizer_sha256: hash of its tokenizer file.
        trunk: hash of the weights that it was branched from; None for a model of its own initialisation.
    """

    path: Path
    folder: Path
    config: ModelConfig
    shapes: Mapping[str, tuple[int, ...]]
    weights_sha256: str
    tokenizer_sha256: str
    trunk: str | None


def inspect_member(path: Path) -> Member:
    """Read a model folder, or the model in the folder of a training, without keeping its weights.

    Raises:
        InputUnreadable: there is no model at `path`.
        CorruptArtefact: its weights are truncated, not those of its manifest, or not finite.
        InvalidConfiguration: it is an ensemble.
    """
    if (path / ENSEMBLE_FILE).exists():
        raise InvalidConfiguration(f"{path} is an ensemble, not a model", "Give the models in it as members")
    folder = model_folder(path)
    config = ModelConfig.from_json(read_file(folder, CONFIG_FILE), folder / CONFIG_FILE)
    manifest = read_manifest(folder)
    weights_sha256 = _sha256(folder, WEIGHTS_FILE)
    if manifest.get("weights_sha256", weights_sha256) != weights_sha256:
        raise CorruptArtefact(
            f"{folder / WEIGHTS_FILE} is not the file of its manifest", "Train or copy the model again"
        )
    return Member(
        path=path,
        folder=folder,
        config=config,
        shapes=_finite_shapes(folder),
        weights_sha256=weights_sha256,
        tokenizer_sha256=_sha256(folder, TOKENIZER_FILE),
        trunk=manifest.get("parent"),
    )


@contextmanager
def opened_weights(folder: Path) -> Iterator[Any]:
    """The member's safetensors file, from which numpy tensors are read one at a time."""
    path = folder / WEIGHTS_FILE
    try:
        with safe_open(path, framework="numpy") as weights:
            yield weights
    except (SafetensorError, OSError) as error:
        raise CorruptArtefact(f"{path} cannot be read: {error}", "Train or copy the model again") from error


def require_pool(members: Sequence[Member]) -> None:
    """Members can be mixed in probabilities: two or more, all different, one tokenizer.

    Raises:
        InvalidConfiguration: naming the member that does not fit.
    """
    if len(members) < 2:
        raise InvalidConfiguration(
            f"A mix needs at least two members, here are {len(members)}", "Train more replicates"
        )
    first = members[0]
    seen: dict[str, Path] = {}
    for member in members:
        if member.tokenizer_sha256 != first.tokenizer_sha256:
            raise InvalidConfiguration(
                f"{member.folder} has another tokenizer than {first.folder}", "Mix models of one tokenizer"
            )
        if member.config.vocab_size != first.config.vocab_size:
            raise InvalidConfiguration(
                f"{member.folder} has a vocabulary of {member.config.vocab_size}, {first.folder} of "
                f"{first.config.vocab_size}",
                "Mix models of one vocabulary",
            )
        if member.weights_sha256 in seen:
            raise InvalidConfiguration(
                f"{member.folder} has the same weights as {seen[member.weights_sha256]}",
                "Give each member once",
            )
        seen[member.weights_sha256] = member.folder


def require_branch_pool(members: Sequence[Member]) -> None:
    """Members can be mixed in weights: a pool of equal shapes that grew from one trunk.

    Raises:
        InvalidConfiguration: naming the member that does not fit.
    """
    require_pool(members)
    first = members[0]
    for member in members:
        if member.shapes != first.shapes:
            name = sorted(set(member.shapes.items()) ^ set(first.shapes.items()))[0][0]
            raise InvalidConfiguration(
                f"{member.folder} and {first.folder} differ in the tensor {name}", "Mix models of one shape"
            )
        if member.trunk is None or member.trunk != first.trunk:
            raise InvalidConfiguration(
                f"{member.folder} and {first.folder} did not grow from one trunk, and averaging the weights "
                "of independently initialised models destroys them",
                "Use the method ensemble, which mixes probabilities",
            )


def is_branch_pool(members: Sequence[Member]) -> bool:
    """Whether the members' weights may be averaged."""
    first = members[0]
    return first.trunk is not None and all(
        member.trunk == first.trunk and member.shapes == first.shapes for member in members
    )


def sound_members(paths: Sequence[Path]) -> tuple[list[Member], dict[Path, str]]:
    """Those that can be mixed in probabilities, and why each of the others cannot.

    The tokenizer of most members is the pool's; of equally frequent ones, that of the first member.
    """
    members: list[Member] = []
    refused: dict[Path, str] = {}
    for path in paths:
        try:
            members.append(inspect_member(path))
        except FakesmrtError as error:
            refused[path] = error.cause
    if not members:
        return [], refused
    tokenizers = Counter(member.tokenizer_sha256 for member in members)
    pool_tokenizer = tokenizers.most_common(1)[0][0]
    sound: dict[str, Member] = {}
    for member in members:
        if member.tokenizer_sha256 != pool_tokenizer:
            refused[member.path] = f"{member.path} has another tokenizer than most members"
        elif member.weights_sha256 in sound:
            twin = sound[member.weights_sha256].path
            refused[member.path] = f"{member.path} has the same weights as {twin}"
        else:
            sound[member.weights_sha256] = member
    return list(sound.values()), refused


def normalised_weights(weights: Sequence[float] | None, n_members: int) -> list[float]:
    """Shares that sum to 1; equal ones where none are given.

    Raises:
        InvalidConfiguration: another number of weights than members, a negative one, or a sum of zero.
    """
    if weights is None:
        return [1.0 / n_members] * n_members
    values = np.asarray(weights, dtype=np.float64)
    if len(values) != n_members:
        raise InvalidConfiguration(
            f"{len(values)} weights are given for {n_members} members", "Give one weight a member"
        )
    if not np.isfinite(values).all() or (values < 0).any():
        raise InvalidConfiguration(
            f"The weights {list(weights)} are not all finite and non-negative", "Give numbers from 0 up"
        )
    if values.sum() <= 0:
        raise InvalidConfiguration("The weights sum to zero", "Give at least one member a positive weight")
    return [float(value) for value in values / values.sum()]


def _finite_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    shapes = {}
    with opened_weights(folder) as weights:
        for name in sorted(weights.keys()):
            tensor = weights.get_tensor(name)
            if not np.isfinite(tensor).all():
                raise CorruptArtefact(
                    f"{folder / WEIGHTS_FILE} holds values in {name} that are not finite",
                    "Train the model again",
                )
            shapes[name] = tuple(tensor.shape)
    return shapes


def _sha256(folder: Path, name: str) -> str:
    try:
        return file_sha256(folder / name).hex()
    except OSError as error:
        raise InputUnreadable(
            f"There is no model at {folder}: {name} cannot be read ({error.strerror})",
            "Give the folder of a model",
        ) from error
