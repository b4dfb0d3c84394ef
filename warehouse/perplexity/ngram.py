"""An interpolated modified Kneser-Ney n-gram model over token ids: training, scoring, files.

The model is Chen & Goodman 1999, "An Empirical Study of Smoothing Techniques for Language Modeling", section
3.3, equations 22 to 27: with c the adjusted count of an n-gram, D its discount, h the context and h' the
context without its oldest token,

    p(w | h) = (c(h w) - D(c(h w))) / sum over v of c(h v)  +  backoff(h) · p(w | h')

and, below the unigrams, the uniform distribution over all tokens but the marker. So every token has a
probability above 0, and the probabilities of the tokens that can follow a context sum to 1.

What lives here: the model. What does not: counting (``counts.py``), which text it is trained on
(``calibration.py``), the tokenizer that goes with it (``reference.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import CorruptArtefact
from warehouse.files import file_sha256, write_bytes_whole, written_whole
from warehouse.perplexity.counts import (
    MARKER,
    CountTable,
    Discounts,
    Ngrams,
    Positions,
    Tokens,
    bits_per_token,
    check_sequence,
    count_ngrams,
    estimated_discounts,
    run_starts,
)

FORMAT_VERSION = 1
MANIFEST = "ngram.json"
BLOCK = 1 << 20
"""Tokens or n-grams handled at once: bounds the memory of temporaries to some tens of MiB."""

LogProbabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """The n-grams of one order.

    Attributes:
        ngrams: packed n-grams, ascending, shape (n,); at order 1 every token id.
        log_probability: natural log of the interpolated probability of the newest token given the others,
        (n,).
        log_backoff: natural log of the weight that the next lower order gets after this n-gram, (n,); 0 where
            nothing was seen after it, and no entries at the highest order.
    """

    ngrams: Ngrams
    log_probability: LogProbabilities
    log_backoff: LogProbabilities


@dataclass(frozen=True)
class NgramModel:
    """A trained model; make one with `train_ngram` or `NgramModel.load`.

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
            context = max(0, begin - self.order)
            scores[begin : begin + BLOCK] = self._scored(tokens[context : begin + BLOCK])[begin - context :]
        return np.delete(scores, starts)

    def _scored(self, tokens: Tokens) -> LogProbabilities:
        """Log probability at each position of a stretch of text, from what context the stretch holds."""
        bits = bits_per_token(self.vocab_size, self.order)
        is_marker = tokens == MARKER
        scores: LogProbabilities = self.levels[0].log_probability[tokens]
        packed = tokens.astype(np.uint64)
        seen = tokens.astype(np.int64)
        inside = ~is_marker
        for k in range(2, self.order + 1):
            lower, level = self.levels[k - 2], self.levels[k - 1]
            before = _shifted(seen, 1, -1)
            inside &= ~_shifted(is_marker, k - 2, True)
            packed |= _shifted(tokens, k - 1, MARKER).astype(np.uint64) << np.uint64(bits * (k - 1))
            has_context = np.flatnonzero(inside & (before >= 0))
            scores[has_context] += lower.log_backoff[before[has_context]]
            # An n-gram was seen only if its suffix was.
            asked = has_context[seen[has_context] >= 0]
            found = find(level.ngrams, packed[asked])
            seen = np.full(len(tokens), -1)
            seen[asked] = found
            hits = found >= 0
            scores[asked[hits]] = level.log_probability[found[hits]]
        return scores

    def save(self, folder: Path) -> None:
        """Write the model as .npy files and, last, `ngram.json` with their hashes."""
        hashes = {}
        for k, level in enumerate(self.levels, start=1):
            for name, array in vars(level).items():
                path = folder / _file_name(k, name)
                with written_whole(path) as partial:
                    np.save(partial, array, allow_pickle=False)
                hashes[path.name] = file_sha256(path).hex()
        manifest = {
            "format_version": FORMAT_VERSION,
            "order": self.order,
            "vocab_size": self.vocab_size,
            "n_tokens": self.n_tokens,
            "discounts": [{"values": d.values, "note": d.note} for d in self.discounts],
            "sha256": hashes,
        }
        write_bytes_whole(folder / MANIFEST, json.dumps(manifest, sort_keys=True, indent=1).encode())

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
        order, vocab_size = manifest["order"], manifest["vocab_size"]
        bits_per_token(vocab_size, order)
        levels = tuple(_load_level(folder, k, manifest["sha256"], verify) for k in range(1, order + 1))
        if len(levels[0].ngrams) != vocab_size:
            raise _corrupt(folder / _file_name(1, "ngrams"), "does not hold one entry a token id")
        discounts = tuple(Discounts(tuple(d["values"]), d["note"]) for d in manifest["discounts"])
        return cls(order, vocab_size, manifest["n_tokens"], levels, discounts)


def train_ngram(tokens: Tokens, starts: Positions, order: int, vocab_size: int) -> NgramModel:
    """Train a model on a token sequence.

    A corpus too small for a discount gets a default in its place, and no tokens at all give the uniform
    distribution; `NgramModel.notes` says so.

    Args:
        tokens: chunks one after the other, each begun by the marker, shape (n,).
        starts: positions of the markers.
        order: tokens in the longest n-gram; 1 gives the unigram baseline.
        vocab_size: number of token ids, the marker included.

    Raises:
        InvalidConfiguration: if an n-gram does not fit into 64 bits, or the sequence is not as described.
    """
    tables = count_ngrams(tokens, starts, order, vocab_size)
    bits = bits_per_token(vocab_size, order)
    discounts = tuple(estimated_discounts(table.counts, k) for k, table in enumerate(tables, start=1))
    log_probability = _unigram_log_probability(tables[0], discounts[0], vocab_size)
    ngrams = np.arange(vocab_size, dtype=np.uint64)
    levels = []
    for k in range(2, order + 1):
        higher, log_backoff = _interpolated(tables[k - 1], ngrams, log_probability, discounts[k - 1], bits, k)
        levels.append(Level(ngrams, log_probability, log_backoff))
        ngrams, log_probability = tables[k - 1].ngrams, higher
    levels.append(Level(ngrams, log_probability, np.zeros(0, np.float32)))
    return NgramModel(order, vocab_size, len(tokens) - len(starts), tuple(levels), discounts)


def find(ngrams: Ngrams, asked: Ngrams) -> NDArray[np.int64]:
    """Where each of `asked` lies in the ascending `ngrams`, -1 where it does not; shape of `asked`."""
    found = np.full(len(asked), -1)
    if len(ngrams) == 0:
        return found
    # Ascending questions walk through the table once, which is several times faster than jumping about in it.
    ascending = np.argsort(asked)
    wanted = asked[ascending]
    places = np.minimum(np.searchsorted(ngrams, wanted), len(ngrams) - 1)
    hits = ngrams[places] == wanted
    found[ascending[hits]] = places[hits]
    return found


def _unigram_log_probability(table: CountTable, discounts: Discounts, vocab_size: int) -> LogProbabilities:
    """One log probability a token id: discounted counts, the rest spread evenly over all but the marker."""
    counts = np.zeros(vocab_size)
    counts[table.ngrams.astype(np.int64)] = table.counts
    taken = _discount_table(discounts)[np.minimum(counts, 3).astype(np.int64)]
    total = counts.sum()
    backoff = taken.sum() / total if total else 1.0
    probability = (counts - taken) / max(total, 1.0) + backoff / (vocab_size - 1)
    probability[MARKER] = 0.0
    with np.errstate(divide="ignore"):
        log_probability: LogProbabilities = np.log(probability).astype(np.float32)
    return log_probability


def _interpolated(
    table: CountTable,
    lower_ngrams: Ngrams,
    lower_log_probability: LogProbabilities,
    discounts: Discounts,
    bits: int,
    k: int,
) -> tuple[LogProbabilities, LogProbabilities]:
    """Log probability of each n-gram of order k; log backoff of each context (order k - 1)."""
    log_probability = np.empty(len(table.ngrams), np.float32)
    log_backoff = np.zeros(len(lower_ngrams), np.float32)
    suffix_mask = np.uint64((1 << (bits * (k - 1))) - 1)
    for part in _whole_contexts(table.ngrams, bits):
        contexts = table.ngrams[part] >> np.uint64(bits)
        first = run_starts(contexts)
        n_after = np.diff(first, append=len(contexts))
        counts = table.counts[part].astype(np.float64)
        taken = _discount_table(discounts)[np.minimum(table.counts[part], 3)]
        totals = np.add.reduceat(counts, first)
        backoff = np.add.reduceat(taken, first) / totals
        suffixes = find(lower_ngrams, table.ngrams[part] & suffix_mask)
        below = np.exp(lower_log_probability[suffixes].astype(np.float64))
        probability = (counts - taken) / np.repeat(totals, n_after) + np.repeat(backoff, n_after) * below
        log_probability[part] = np.log(probability)
        log_backoff[find(lower_ngrams, contexts[first])] = np.log(backoff)
    return log_probability, log_backoff


def _whole_contexts(ngrams: Ngrams, bits: int) -> Iterator[slice]:
    """Slices of about a block that part no two n-grams of one context."""
    begin = 0
    while begin < len(ngrams):
        end = min(begin + BLOCK, len(ngrams))
        last_of_context = int(ngrams[end - 1]) | ((1 << bits) - 1)
        end = int(np.searchsorted(ngrams, np.uint64(last_of_context), side="right"))
        yield slice(begin, end)
        begin = end


def _discount_table(discounts: Discounts) -> NDArray[np.float64]:
    """Discounts by min(count, 3); nothing is taken from what was not seen."""
    return np.array([0.0, *discounts.values])


def _shifted(values: NDArray[Any], distance: int, fill: int | bool) -> NDArray[Any]:
    """Each position gets the value `distance` places before it, the first ones `fill`."""
    shifted = np.full_like(values, fill)
    shifted[distance:] = values[: len(values) - distance]
    return shifted


def _file_name(k: int, name: str) -> str:
    return f"order-{k}.{name}.npy"


def _corrupt(path: Path, what: str) -> CorruptArtefact:
    return CorruptArtefact(
        f"The n-gram model file {path} {what}",
        "Train the reference anew with: fakesmrt build --new-references",
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _corrupt(path, f"cannot be read ({error})") from error
    expected = {"format_version", "order", "vocab_size", "n_tokens", "discounts", "sha256"}
    if not isinstance(manifest, dict) or not expected <= manifest.keys():
        raise _corrupt(path, "lacks keys of the format")
    if manifest["format_version"] != FORMAT_VERSION:
        raise _corrupt(path, f"has format version {manifest['format_version']}, not {FORMAT_VERSION}")
    return manifest


def _load_level(folder: Path, k: int, hashes: dict[str, str], verify: bool) -> Level:
    arrays = {}
    for name in ("ngrams", "log_probability", "log_backoff"):
        path = folder / _file_name(k, name)
        try:
            if verify and file_sha256(path).hex() != hashes.get(path.name):
                raise _corrupt(path, "does not have the hash that its manifest states")
            arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise _corrupt(path, f"cannot be read ({error})") from error
    if len(arrays["ngrams"]) != len(arrays["log_probability"]):
        raise _corrupt(folder / _file_name(k, "ngrams"), "does not fit the probabilities beside it")
    return Level(**arrays)


def model_sha256(folder: Path) -> str:
    """SHA-256, in hexadecimal, of a saved model's manifest, which holds the hashes of all its other files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
