"""An interpolated modified Kneser-Ney n-gram model over token ids: scoring and files.

The model is Chen & Goodman 1999, "An Empirical Study of Smoothing Techniques for Language Modeling", section
3.3, equations 22 to 27: with c the adjusted count of an n-gram, D its discount, h the context and h' the
context without its oldest token,

    p(w | h) = (c(h w) - D(c(h w))) / sum over v of c(h v)  +  backoff(h) · p(w | h')

and, below the unigrams, the uniform distribution over all tokens but the marker. So every token has a
probability above 0, and the probabilities of the tokens that can follow a context sum to 1.

What lives here: the finished model. What does not: packing and counting (``counts.py``), training
(``training.py``), which text it is trained on (``calibration.py``), the tokenizer that goes with it
(``reference.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import CorruptArtefact, InvalidConfiguration
from warehouse.files import file_sha256, write_bytes_whole, written_whole
from warehouse.perplexity.counts import (
    Discounts,
    Ngrams,
    Positions,
    Tokens,
    bits_per_token,
    check_sequence,
    packed,
    run_starts,
)

FORMAT_VERSION = 2
MANIFEST = "ngram.json"
BLOCK = 1 << 20
"""Tokens scored at once: bounds the memory of temporaries to about 100 MiB."""

STRETCH = 512
"""N-grams looked up at once."""

ARRAYS: Mapping[str, str] = {"ngrams": "<u8", "log_probability": "<f4", "log_backoff": "<f4"}
"""The arrays of each order, and the dtype of each."""

LogProbabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """The n-grams of one order.

    Attributes:
        ngrams: packed n-grams, ascending, shape (n,); at order 1 every token id.
        log_probability: natural log of the interpolated probability of the newest token given the others, (n,).
        log_backoff: natural log of the weight that the next lower order gets after this n-gram, (n,); 0 where
            nothing was seen after it, and no entries at the highest order.
    """

    ngrams: Ngrams
    log_probability: LogProbabilities
    log_backoff: LogProbabilities


@dataclass(frozen=True)
class NgramModel:
    """A trained model; make one with `training.train_ngram` or `NgramModel.load`.

    Attributes:
        order: tokens in the longest n-gram.
        vocab_size: number of token ids, the marker included.
        n_tokens: tokens that it was trained on, the markers not counted.
        levels: what was seen, for the orders 1, …, `order`.
        discounts: for the orders 1, …, `order`.
    """

    order: int
    vocab_size: int
    n_tokens: int
    levels: tuple[Level, ...]
    discounts: tuple[Discounts, ...]

    @property
    def notes(self) -> list[str]:
        """What could not be estimated and was replaced by a default."""
        return [discounts.note for discounts in self.discounts if discounts.note is not None]

    def token_log_probabilities(self, tokens: Tokens, starts: Positions) -> LogProbabilities:
        """Natural log of the probability of each token given its chunk so far.

        Args:
            tokens: chunks one after the other, each begun by the marker, shape (n,).
            starts: positions of the markers, shape (m,).

        Returns:
            Shape (n - m,): the tokens in their order, without the markers.

        Raises:
            InvalidConfiguration: if the markers do not stand at the starts, or a token is not in the
            vocabulary.
        """
        check_sequence(tokens, starts, self.vocab_size)
        scores = np.empty(len(tokens), np.float32)
        for begin in range(0, len(tokens), BLOCK):
            context = min(begin, self.order - 1)
            scores[begin : begin + BLOCK] = self._scored(tokens[begin - context : begin + BLOCK])[context:]
        return np.delete(scores, starts)

    def _scored(self, tokens: Tokens) -> LogProbabilities:
        """Log probability at each position of a stretch of text, from what context the stretch holds."""
        ngrams = packed(tokens, self.order, bits_per_token(self.vocab_size, self.order))
        by_ngram = np.argsort(ngrams)
        log_probability, longest, log_backoff = self._matched(ngrams[by_ngram], tokens[by_ngram])
        # What all contexts give away that are longer than the one that the token was seen after.
        for k in range(self.order - 1, 0, -1):
            log_backoff[k - 1] += log_backoff[k]
        place = np.empty(len(tokens), np.int64)
        place[by_ngram] = np.arange(len(tokens))
        of_token_before = place[np.maximum(by_ngram - 1, 0)]
        scores = np.empty(len(tokens), np.float32)
        scores[by_ngram] = log_probability + log_backoff[longest - 1, of_token_before]
        return scores

    def _matched(
        self, ngrams: Ngrams, unigrams: Tokens
    ) -> tuple[LogProbabilities, NDArray[np.int64], LogProbabilities]:
        """Look n-grams up that were packed at the model's order and are ascending, shape (n,).

        One sort serves all orders: n-grams in ascending order have their suffixes in ascending order too.

        Returns:
            Log probability of the newest token after the longest context that it was seen after, (n,); the order
            of that match, (n,); the log backoff after the suffix of each order, 0 where it was not seen and at the
            highest order, (order, n).
        """
        log_probability = np.asarray(self.levels[0].log_probability)[unigrams]
        longest = np.ones(len(ngrams), np.int64)
        log_backoff = np.zeros((self.order, len(ngrams)), np.float32)
        if self.order > 1:
            log_backoff[0] = np.asarray(self.levels[0].log_backoff)[unigrams]
        seen = np.arange(len(ngrams))
        bits = bits_per_token(self.vocab_size, self.order)
        for k in range(2, self.order + 1):
            # An n-gram was seen only if its suffix was.
            level, asked = self.levels[k - 1], ngrams[seen] >> np.uint64(bits * (self.order - k))
            first = run_starts(asked)
            found = find(level.ngrams, asked[first])
            hits, n_times = found >= 0, np.diff(first, append=len(asked))
            seen, found, n_times = seen[np.repeat(hits, n_times)], found[hits], n_times[hits]
            longest[seen] = k
            log_probability[seen] = np.repeat(np.asarray(level.log_probability)[found], n_times)
            if k < self.order:
                log_backoff[k - 1, seen] = np.repeat(np.asarray(level.log_backoff)[found], n_times)
        return log_probability, longest, log_backoff

    def save(self, folder: Path) -> None:
        """Write the model as .npy files and, last, `ngram.json` with their hashes."""
        for k, level in enumerate(self.levels, start=1):
            for name in ARRAYS:
                with written_whole(folder / file_name(k, name)) as partial:
                    np.save(partial, getattr(level, name), allow_pickle=False)
        write_manifest(folder, self.order, self.vocab_size, self.n_tokens, self.discounts)

    @classmethod
    def load(cls, folder: Path, verify: bool = True) -> NgramModel:
        """Open a saved model; its arrays stay on disk (memory-mapped, read-only).

        Args:
            folder: where `save` wrote.
            verify: read every byte and compare the hashes; else only what the arrays' shapes tell.

        Raises:
            CorruptArtefact: if a file is missing or is not what the manifest says.
        """
        manifest = _read_manifest(folder)
        levels = load_levels(folder, manifest.order)
        for k, level in enumerate(levels, start=1):
            _check_level(folder, k, level, manifest)
        if verify:
            for name, sha256 in manifest.sha256.items():
                if file_sha256(folder / name).hex() != sha256:
                    raise _corrupt(folder / name, "does not have the hash that its manifest states")
        return cls(manifest.order, manifest.vocab_size, manifest.n_tokens, levels, manifest.discounts)


def find(ngrams: Ngrams, asked: Ngrams) -> NDArray[np.int64]:
    """Where each of the ascending `asked` lies in the ascending `ngrams`, -1 where it does not."""
    if len(ngrams) == 0:
        return np.full(len(asked), -1)
    table = np.asarray(ngrams)
    # A stretch of ascending questions has its answers between those of its ends: half the steps of a search
    # in the whole table, and all of them in the processor's cache.
    bounds = [*np.searchsorted(table, asked[::STRETCH]).tolist(), len(table)]
    places = np.empty(len(asked), np.int64)
    for i, (low, high) in enumerate(pairwise(bounds)):
        part = slice(i * STRETCH, (i + 1) * STRETCH)
        places[part] = low + np.searchsorted(table[low:high], asked[part])
    places = np.minimum(places, len(table) - 1)
    return np.where(table[places] == asked, places, -1)


def file_name(k: int, name: str) -> str:
    """The file that holds an array of order `k`."""
    return f"order-{k}.{name}.npy"


def load_levels(folder: Path, order: int, in_memory: bool = False) -> tuple[Level, ...]:
    """Open the arrays of all orders; memory-mapped and read-only, or read into memory.

    Raises:
        CorruptArtefact: if a file is missing or is no array.
    """
    return tuple(
        Level(*(_load_array(folder / file_name(k, name), in_memory) for name in ARRAYS))
        for k in range(1, order + 1)
    )


def write_manifest(
    folder: Path, order: int, vocab_size: int, n_tokens: int, discounts: Sequence[Discounts]
) -> None:
    """Write `ngram.json` for the arrays that lie in a folder, with their hashes."""
    names = [file_name(k, name) for k in range(1, order + 1) for name in ARRAYS]
    manifest = {
        "format_version": FORMAT_VERSION,
        "order": order,
        "vocab_size": vocab_size,
        "n_tokens": n_tokens,
        "discounts": [{"values": d.values, "note": d.note} for d in discounts],
        "sha256": {name: file_sha256(folder / name).hex() for name in names},
    }
    write_bytes_whole(folder / MANIFEST, json.dumps(manifest, sort_keys=True, indent=1).encode())


def model_sha256(folder: Path) -> str:
    """SHA-256, in hexadecimal, of a saved model's manifest, which holds the hashes of all its other files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


@dataclass(frozen=True)
class _Manifest:
    order: int
    vocab_size: int
    n_tokens: int
    discounts: tuple[Discounts, ...]
    sha256: dict[str, str]


def _read_manifest(folder: Path) -> _Manifest:
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_bytes())
        found = values["format_version"]
        if found != FORMAT_VERSION:
            raise _corrupt(path, f"has format version {found}, not {FORMAT_VERSION}")
        return _parsed(values)
    except (OSError, ValueError, KeyError, TypeError, InvalidConfiguration) as error:
        raise _corrupt(path, f"cannot be read ({type(error).__name__}: {error})") from error


def _parsed(values: dict[str, Any]) -> _Manifest:
    """What a manifest states; raises ValueError, KeyError or TypeError where it is none."""
    discounts = []
    for entry in values["discounts"]:
        one, two, three = map(float, entry["values"])
        discounts.append(Discounts((one, two, three), entry["note"]))
    order, vocab_size = int(values["order"]), int(values["vocab_size"])
    bits_per_token(vocab_size, order)
    names = {file_name(k, name) for k in range(1, order + 1) for name in ARRAYS}
    if set(values["sha256"]) != names or len(discounts) != order:
        raise ValueError(f"not the files and discounts of {order} orders")
    return _Manifest(order, vocab_size, int(values["n_tokens"]), tuple(discounts), dict(values["sha256"]))


def _load_array(path: Path, in_memory: bool) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode=None if in_memory else "r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _corrupt(path, f"cannot be read ({error})") from error
    return array


def _check_level(folder: Path, k: int, level: Level, manifest: _Manifest) -> None:
    """Raise `CorruptArtefact` unless the arrays of order `k` have the dtypes and lengths of the format."""
    n_ngrams = manifest.vocab_size if k == 1 else len(level.ngrams)
    for name, dtype in ARRAYS.items():
        array = getattr(level, name)
        length = 0 if name == "log_backoff" and k == manifest.order else n_ngrams
        if array.dtype != np.dtype(dtype) or array.shape != (length,):
            what = f"holds {array.dtype} of shape {array.shape}, not {length} {np.dtype(dtype)}"
            raise _corrupt(folder / file_name(k, name), what)


def _corrupt(path: Path, what: str) -> CorruptArtefact:
    return CorruptArtefact(
        f"The n-gram model file {path} {what}",
        "Train the reference anew with: fakesmrt build --new-references",
    )
