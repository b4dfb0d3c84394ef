"""Mixes in weight space: the mean of models that grew from one trunk.

What lives here: averages that read one tensor at a time, so that the peak of memory is the float64 output and
one member, however many there are (model soups: Wortsman et al. 2022, arXiv 2203.05482).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from fakesmrt_models.mixing.folders import copy_file, folder_written_whole
from fakesmrt_models.mixing.members import (
    CONFIG_FILE,
    MANIFEST_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    Member,
    inspect_member,
    normalised_weights,
    opened_weights,
    require_branch_pool,
)
from fakesmrt_models.training.model_folder import canonical_json
from warehouse.files import file_sha256, write_bytes_whole, written_whole


def uniform_soup(
    members: Sequence[Path], output: Path, weights: Sequence[float] | None = None
) -> list[float]:
    """Write the (weighted) mean of the members' weights as a model folder.

    Args:
        members: model folders that grew from one trunk.
        output: folder to be made.
        weights: share of each member, normalised to sum 1; None for equal shares.

    Returns:
        The shares, with sum 1.

    Raises:
        InvalidConfiguration: fewer than two members; other shapes, tokenizer or trunk; a bad weight.
        CorruptArtefact: a member's file is truncated or holds values that are not finite.
    """
    inspected = [inspect_member(folder) for folder in members]
    require_branch_pool(inspected)
    shares = normalised_weights(weights, len(inspected))
    first = inspected[0]
    with folder_written_whole(output) as partial:
        with written_whole(partial / WEIGHTS_FILE) as path:
            save_file(mean_tensors(inspected, shares), path, metadata={"format": "pt"})
        copy_file(first.folder / CONFIG_FILE, partial / CONFIG_FILE)
        copy_file(first.folder / TOKENIZER_FILE, partial / TOKENIZER_FILE)
        write_bytes_whole(
            partial / MANIFEST_FILE, canonical_json(_manifest(inspected, shares, partial / WEIGHTS_FILE))
        )
    return shares


def mean_tensors(members: Sequence[Member], shares: Sequence[float]) -> dict[str, NDArray[np.float32]]:
    """Weighted mean of every tensor, summed in float64 and rounded once to float32.

    One member's file is open at a time: mapped files count as resident memory for as long as they are open.
    """
    totals = {name: np.zeros(shape, dtype=np.float64) for name, shape in sorted(members[0].shapes.items())}
    for member, share in zip(members, shares, strict=True):
        with opened_weights(member.folder) as weights:
            for name, total in totals.items():
                total += weights.get_tensor(name).astype(np.float64) * share
    return {name: total.astype(np.float32) for name, total in totals.items()}


def _manifest(members: Sequence[Member], shares: Sequence[float], weights_file: Path) -> dict[str, object]:
    return {
        "kind": "mixed_model",
        "method": "uniform",
        "parent": members[0].trunk,
        "members": [
            {"weights_sha256": member.weights_sha256, "weight": share}
            for member, share in zip(members, shares, strict=True)
        ],
        "weights_sha256": file_sha256(weights_file).hex(),
        "tokenizer_sha256": members[0].tokenizer_sha256,
    }
