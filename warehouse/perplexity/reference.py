"""A reference: one tokenizer and cross-fitted n-gram models, pinned in one folder.

    tokenizer.json
    fold-0/ fold-1/ …    model f, trained on the sampled chunks that are not in fold f
    reference.json       written last: what it was made from, with the hashes of everything beside it

What lives here: making, saving, loading and asking a reference. What does not: the choice of the sample and
the fold of a chunk (``calibration.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.files import file_sha256, write_bytes_whole
from warehouse.perplexity import calibration
from warehouse.perplexity.array_files import ArrayFile, ArrayWriter
from warehouse.perplexity.ngram import NgramModel, model_sha256
from warehouse.perplexity.training import MEMORY_LIMIT, train_ngram_files
from warehouse.progress import Progress, silent
from warehouse.tokens.tokenizer import Tokenizer, joined_chunks, train_tokenizer

FORMAT_VERSION = 1
MANIFEST = "reference.json"
REMEDY = "Train the reference anew with: fakesmrt build --new-references"

BATCH_TEXTS = 2048
"""Texts encoded at once: bounds the memory that encodings take to some tens of MiB."""


@dataclass(frozen=True)
class Scores:
    """How likely texts are, one entry a text.

    Attributes:
        nats: total negative log-likelihood, natural log.
        n_tokens: tokens predicted.
        n_bytes: UTF-8 bytes of the text.
    """

    nats: NDArray[np.float64]
    n_tokens: NDArray[np.int64]
    n_bytes: NDArray[np.int64]

    @property
    def bits_per_byte(self) -> NDArray[np.float64]:
        """NaN for an empty text."""
        return calibration.bits_per_byte(self.nats, self.n_bytes)

    @property
    def perplexity(self) -> NDArray[np.float64]:
        """exp(nats a token); NaN for an empty text."""
        return calibration.perplexity(self.nats, self.n_tokens)


@dataclass(frozen=True)
class Reference:
    """A tokenizer and the models of all folds."""

    tokenizer: Tokenizer
    models: tuple[NgramModel, ...]

    @property
    def notes(self) -> list[str]:
        """What the models could not estimate and replaced by a default."""
        return [f"fold {fold}: {note}" for fold, model in enumerate(self.models) for note in model.notes]

    def score(self, texts: Sequence[str], folds: Sequence[int]) -> Scores:
        """Score each text with the model of its fold.

        Args:
            texts: any texts.
            folds: the model for each, from `calibration.choose_model`.

        Raises:
            InvalidConfiguration: if a fold has no model, or there are not as many folds as texts.
        """
        asked = np.asarray(folds, np.int64)
        if len(asked) != len(texts) or (
            len(asked) and not 0 <= asked.min() <= asked.max() < len(self.models)
        ):
            raise InvalidConfiguration(
                f"{len(texts)} texts need as many folds from 0 to {len(self.models) - 1}",
                "Take them from the reference's sample",
            )
        nats = np.zeros(len(texts))
        n_tokens = np.zeros(len(texts), np.int64)
        n_bytes = np.fromiter((len(text.encode(errors="replace")) for text in texts), np.int64, len(texts))
        for fold, model in enumerate(self.models):
            rows = np.flatnonzero(asked == fold)
            for begin in range(0, len(rows), BATCH_TEXTS):
                part = rows[begin : begin + BATCH_TEXTS]
                nats[part], n_tokens[part] = score_chunks(model, self.tokenizer, [texts[i] for i in part])
        return Scores(nats, n_tokens, n_bytes)

    def save(self, folder: Path, definition: Mapping[str, Any] | None = None) -> str:
        """Write the reference.

        Args:
            folder: where to; made if it is not there.
            definition: what it was made from (sample, seed, recipe), stored as JSON beside the hashes.

        Returns:
            SHA-256 of its content, hexadecimal; the same for the same tokenizer, models and definition.
        """
        write_bytes_whole(folder / "tokenizer.json", self.tokenizer.data)
        for fold, model in enumerate(self.models):
            model.save(_model_folder(folder, fold))
        return _write_manifest(folder, self, definition or {})

    @classmethod
    def load(cls, folder: Path, verify: bool = True) -> Reference:
        """Open a saved reference; the models stay on disk (memory-mapped).

        Args:
            folder: where `save` wrote.
            verify: read every byte of the models and compare the hashes; else only the manifests'.

        Raises:
            InputUnreadable: if the folder is no reference.
            CorruptArtefact: if a file in it is not what its manifest says.
        """
        manifest = _read_manifest(folder)
        tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
        if tokenizer.sha256.hex() != manifest["tokenizer_sha256"]:
            raise CorruptArtefact(
                f"{folder / 'tokenizer.json'} is not the tokenizer of its reference", REMEDY
            )
        models = []
        for fold in range(manifest["n_folds"]):
            model_folder = _model_folder(folder, fold)
            models.append(NgramModel.load(model_folder, verify))
            if model_sha256(model_folder) != manifest["model_sha256"][fold]:
                raise CorruptArtefact(f"{model_folder} is not the model of its reference", REMEDY)
        return cls(tokenizer, tuple(models))


def train_reference(
    folder: Path,
    batches: Callable[[], Iterable[Sequence[str]]],
    folds: Sequence[int],
    *,
    n_folds: int,
    order: int,
    vocab_size: int,
    temporary: Path,
    definition: Mapping[str, Any] | None = None,
    memory_limit: int = MEMORY_LIMIT,
    progress: Progress = silent,
) -> Reference:
    """Train a reference on a sample and write it; neither the sample nor a model has to fit into memory.

    Args:
        folder: where the reference is written, made if it is not there; as `Reference.save` would.
        batches: gives the sampled chunks, batch by batch; called once for the tokenizer and once for the
            models. Their order changes nothing but which fold is whose.
        folds: the fold of each text in the order of the batches, from `calibration.assign_folds`.
        n_folds: models to train.
        order: tokens in the longest n-gram.
        vocab_size: of the tokenizer; a small sample may give a smaller one.
        temporary: an existing folder for token files and sorted runs, which are gone at the end in any case.
        definition: what it is made from (sample, seed, recipe), stored as JSON beside the hashes.
        memory_limit: bytes that the process may take while it counts; changes nothing in the result.
        progress: told after the tokenizer and after each model.

    Returns:
        The reference, its models memory-mapped from `folder`.

    Raises:
        InvalidConfiguration: if there are not as many folds as texts, or an n-gram is too long for the
            vocabulary.
    """
    progress(0, n_folds + 1, "training the reference's tokenizer")
    tokenizer = Tokenizer(train_tokenizer(chain.from_iterable(batches()), vocab_size))
    write_bytes_whole(folder / "tokenizer.json", tokenizer.data)
    with TemporaryDirectory(dir=temporary) as working:
        encoded = _write_tokens(Path(working), tokenizer, batches(), folds, n_folds)
        for fold in range(n_folds):
            progress(fold + 1, n_folds + 1, f"counting n-grams, model {fold}")
            train_ngram_files(
                _model_folder(folder, fold),
                [tokens for own, tokens in enumerate(encoded) if own != fold],
                order,
                tokenizer.vocab_size,
                temporary=Path(working),
                memory_limit=memory_limit,
            )
    models = (NgramModel.load(_model_folder(folder, fold), verify=False) for fold in range(n_folds))
    reference = Reference(tokenizer, tuple(models))
    _write_manifest(folder, reference, definition or {})
    progress(n_folds + 1, n_folds + 1, "reference trained")
    return reference


def reference_sha256(folder: Path) -> str:
    """SHA-256, in hexadecimal, of a saved reference's manifest: what `Reference.save` returned."""
    return file_sha256(folder / MANIFEST).hex()


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[NDArray[np.uint16]]:
    """Token ids of each text without marker, encoded batch by batch."""
    encoded: list[NDArray[np.uint16]] = []
    for begin in range(0, len(texts), BATCH_TEXTS):
        encoded += tokenizer.encode_batch(texts[begin : begin + BATCH_TEXTS])
    return encoded


def score_chunks(
    model: NgramModel, tokenizer: Tokenizer, texts: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Total nats and number of tokens of each text, each begun by the marker."""
    tokens, starts = joined_chunks(encode_texts(tokenizer, texts))
    return sequence_nats(model, tokens, starts)


def sequence_nats(
    model: NgramModel, tokens: NDArray[np.uint16], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Total nats and number of predicted tokens of each chunk of a sequence, such as a shard's tokens."""
    n_tokens: NDArray[np.int64] = np.diff(starts, append=len(tokens)) - 1
    chunk = np.repeat(np.arange(len(starts)), n_tokens)
    log_probability = model.token_log_probabilities(tokens, starts)
    nats = np.bincount(chunk, weights=-log_probability, minlength=len(starts))
    return np.asarray(nats, np.float64), n_tokens


def score_texts(folder: str, texts: Sequence[str], folds: Sequence[int]) -> Scores:
    """`Reference.score` for a process pool: each worker opens the reference in `folder` once."""
    return _opened(folder).score(texts, folds)


@lru_cache(maxsize=1)
def _opened(folder: str) -> Reference:
    return Reference.load(Path(folder), verify=False)


def _model_folder(folder: Path, fold: int) -> Path:
    return folder / f"fold-{fold}"


def _write_tokens(
    folder: Path,
    tokenizer: Tokenizer,
    batches: Iterable[Sequence[str]],
    folds: Sequence[int],
    n_folds: int,
) -> list[ArrayFile]:
    """One token file a fold: its chunks one after the other, each begun by the marker."""
    paths = [folder / f"tokens-{fold}.npy" for fold in range(n_folds)]
    n_texts = 0
    with ExitStack() as stack:
        writers = [stack.enter_context(ArrayWriter(path, np.uint16)) for path in paths]
        for batch in batches:
            own = _folds_of(folds, n_texts, len(batch), n_folds)
            n_texts += len(batch)
            encoded = encode_texts(tokenizer, batch)
            for fold in np.unique(own):
                writers[fold].append(joined_chunks([encoded[i] for i in np.flatnonzero(own == fold)])[0])
    if n_texts < len(folds):
        raise _wrong_folds(f"{n_texts} texts do not need {len(folds)} folds")
    return [ArrayFile(path) for path in paths]


def _folds_of(folds: Sequence[int], begin: int, n_texts: int, n_folds: int) -> NDArray[np.int64]:
    own = np.asarray(folds[begin : begin + n_texts], np.int64)
    if len(own) < n_texts or (n_texts and not 0 <= own.min() <= own.max() < n_folds):
        raise _wrong_folds(f"{begin + n_texts} texts need as many folds from 0 to {n_folds - 1}")
    return own


def _wrong_folds(cause: str) -> InvalidConfiguration:
    return InvalidConfiguration(cause, "Give one fold for each text, in the order of the texts")


def _write_manifest(folder: Path, reference: Reference, definition: Mapping[str, Any]) -> str:
    """Write reference.json for the tokenizer and models in `folder`; returns its SHA-256, hexadecimal."""
    n_folds = len(reference.models)
    manifest = {
        "format_version": FORMAT_VERSION,
        "n_folds": n_folds,
        "tokenizer_sha256": reference.tokenizer.sha256.hex(),
        "model_sha256": [model_sha256(_model_folder(folder, fold)) for fold in range(n_folds)],
        "notes": reference.notes,
        "definition": dict(definition),
    }
    data = json.dumps(manifest, sort_keys=True, indent=1).encode()
    write_bytes_whole(folder / MANIFEST, data)
    return hashlib.sha256(data).hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise InputUnreadable(
            f"{folder} is no perplexity reference: it has no {MANIFEST}",
            "Name a folder below references/ of a home, or make one with: fakesmrt build corpus",
        )
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise CorruptArtefact(f"{path} is no JSON ({error})", REMEDY) from error
    expected = {"format_version": int, "n_folds": int, "tokenizer_sha256": str, "model_sha256": list}
    if not isinstance(manifest, dict) or not all(
        isinstance(manifest.get(key), kind) for key, kind in expected.items()
    ):
        raise CorruptArtefact(f"{path} lacks keys of the format", REMEDY)
    if manifest["format_version"] != FORMAT_VERSION:
        raise CorruptArtefact(
            f"{path} has format version {manifest['format_version']}, not {FORMAT_VERSION}", REMEDY
        )
    if len(manifest["model_sha256"]) != manifest["n_folds"]:
        raise CorruptArtefact(f"{path} does not state a hash for each of its models", REMEDY)
    return manifest
