"""Several models on the same documents of one split, each distinct member computed once.

What lives here: from folders to an `Evaluation`. Models and ensembles are read alike; an ensemble whose
members are evaluated beside it costs nothing more than arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fakesmrt_models.architecture.transformer import Transformer
from fakesmrt_models.evaluation.bits_per_byte import CONTEXT, chunk_nats
from fakesmrt_models.evaluation.results import Evaluation, sum_by_document
from fakesmrt_models.evaluation.sampling import sample_chunks
from fakesmrt_models.mixing.ensembles import LoadedEnsemble, load_ensemble
from fakesmrt_models.training.checkpoint import LoadedModel
from warehouse.errors import InvalidConfiguration
from warehouse.files import file_sha256
from warehouse.progress import Progress, silent
from warehouse.tokens.shards import TOKENIZER_FILE, open_split


def evaluate_population(
    models: Mapping[str, Path],
    tokens_folder: Path,
    split: str,
    *,
    max_tokens: int | None,
    seed: int,
    progress: Progress = silent,
) -> Evaluation:
    """Nats of every model in every sampled document of a split.

    Args:
        models: names and folders of models or ensembles of the shards' tokenizer.
        tokens_folder: shards and tokenizer.json.
        split: validation, select, confirm or report.
        max_tokens: budget of BPE tokens a model; None measures the whole split.
        seed: of the sample.
        progress: told the tokens done and to do.

    Raises:
        InvalidConfiguration: a model has another tokenizer than the shards.
        InputUnreadable: a folder holds no model, or the split holds no text.
        CorruptArtefact: a file does not hold what its manifest says.
    """
    chunks = sample_chunks(open_split(tokens_folder, split), max_tokens, seed)
    loaded = {name: load_ensemble(folder) for name, folder in models.items()}
    _require_tokenizer(loaded, tokens_folder)
    members, weights = _distinct_members(loaded)
    context = min([CONTEXT, *(ensemble.context_length for ensemble in loaded.values())])
    nats = chunk_nats(
        members, chunks.tokens, weights, context=context, stride=max(1, context // 2), progress=progress
    )
    n_documents = len(chunks.document_ids)
    return Evaluation(
        split=split,
        models=tuple(loaded),
        corpora=chunks.corpora,
        document_ids=chunks.document_ids,
        corpus=chunks.corpus,
        n_bytes=np.bincount(chunks.document, weights=chunks.n_bytes, minlength=n_documents).astype(np.int64),
        n_tokens=np.bincount(chunks.document, weights=chunks.n_tokens, minlength=n_documents).astype(
            np.int64
        ),
        nats=sum_by_document(nats[len(members) :], chunks.document, n_documents),
    )


def _distinct_members(
    loaded: Mapping[str, LoadedEnsemble],
) -> tuple[list[Transformer], NDArray[np.float64]]:
    """Each different member once, and each model as a row of weights over them."""
    distinct: dict[str, LoadedModel] = {}
    for ensemble in loaded.values():
        for member in ensemble.members:
            distinct.setdefault(_weights_sha256(member), member)
    columns = {sha256: column for column, sha256 in enumerate(distinct)}
    weights = np.zeros((len(loaded), len(distinct)))
    for row, ensemble in zip(weights, loaded.values(), strict=True):
        for member, weight in zip(ensemble.members, ensemble.weights, strict=True):
            row[columns[_weights_sha256(member)]] += weight
    return [member.model for member in distinct.values()], weights


def _weights_sha256(member: LoadedModel) -> str:
    return file_sha256(member.tokenizer_file.with_name("model.safetensors")).hex()


def _require_tokenizer(loaded: Mapping[str, LoadedEnsemble], tokens_folder: Path) -> None:
    expected = file_sha256(tokens_folder / TOKENIZER_FILE)
    for name, ensemble in loaded.items():
        if file_sha256(ensemble.tokenizer_file) != expected:
            raise InvalidConfiguration(
                f"The model {name} has another tokenizer than the shards in {tokens_folder}",
                "Evaluate it on the tokens that it was trained on",
            )
