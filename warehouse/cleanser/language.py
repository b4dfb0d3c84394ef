"""The language of a text, by py3langid (Lui & Baldwin 2012, "langid.py", in its present form).

py3langid walks an automaton over the bytes of a text, counts the byte n-grams that it meets and adds up what
each says for every language. The automaton knows nothing of what lies further back than its longest n-gram, so
here it walks many overlapping segments of many texts in step, and the counts of all texts are one sparse matrix.

What lives here: the model, loaded at first use, and what is asked of it. What does not: choosing a sample.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

UNDETERMINED = "und"

MINIMUM_LETTERS = 20
"""Below so many letters a language is a guess (ISO 639-2 has the code und for that)."""

SAMPLE_CHARACTERS = 8_000
"""More text than this changes the verdict rarely and costs time in proportion."""

LONGEST_NGRAM_BYTES = 6
"""Longest string of py3langid's automaton; a test reads it off the model."""

SEPARATOR = 0xFF
"""A byte that no UTF-8 text holds: in every state it leads back to the start of the automaton."""

BATCH_BYTES = 1 << 18
"""UTF-8 bytes that are walked at once; bounds the memory."""

_FEATURE_BITS = 17


@dataclass(frozen=True)
class _Model:
    """py3langid's model as arrays.

    Attributes:
        next_state: of row and byte; states that lead to the same places share a row.
        row_start: of a state in `next_state`.
        feature: that a state stands for; -1 for none.
        log_likelihoods: of feature and column, less their mean over the columns: only differences between
            languages count, and small numbers add up more exactly.
        log_priors: of a column.
        labels: the languages.
        column_of_label: a label's first column.
        second_columns: further columns, of languages that are written in two scripts.
        label_of_second: index of such a column's label in `labels`.
    """

    next_state: NDArray[np.int32]
    row_start: NDArray[np.int32]
    feature: NDArray[np.int32]
    log_likelihoods: NDArray[np.float32]
    log_priors: NDArray[np.float64]
    labels: tuple[str, ...]
    column_of_label: NDArray[np.intp]
    second_columns: NDArray[np.intp]
    label_of_second: NDArray[np.intp]


@cache
def _model() -> _Model:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    log_likelihoods = identifier.nb_ptc.astype(np.float32)
    log_likelihoods -= log_likelihoods.mean(axis=1, keepdims=True)
    classes = identifier.nb_classes
    labels = tuple(dict.fromkeys(classes))
    second = [column for column, label in enumerate(classes) if label in classes[:column]]
    return _Model(
        next_state=np.asarray(identifier.tk_nextmove).view(np.int32),
        row_start=np.left_shift(np.asarray(identifier.tk_row), 8, dtype=np.int32),
        feature=np.asarray(identifier.tk_output, np.int32),
        log_likelihoods=log_likelihoods,
        log_priors=np.asarray(identifier.nb_pc, np.float64),
        labels=labels,
        column_of_label=np.array([classes.index(label) for label in labels]),
        second_columns=np.array(second, np.intp),
        label_of_second=np.array([labels.index(classes[column]) for column in second], np.intp),
    )


def identify_languages(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Language of each text and its probability: what py3langid says of the same text alone.

    Args:
        texts: any texts; of each the first 8,000 characters are looked at.

    Returns:
        For each an ISO 639-1 code with a probability in [0, 1] (naive Bayes over byte n-grams, tempered by the
        square root of the length in bytes, as py3langid calibrates it), or ("und", 0.0) where there are fewer
        than 20 letters.
    """
    samples = [text[:SAMPLE_CHARACTERS] for text in texts]
    spoken = [index for index, sample in enumerate(samples) if _has_letters(sample)]
    found = [(UNDETERMINED, 0.0)] * len(samples)
    if not spoken:
        return found
    model = _model()
    start = 0
    for scores, lengths in _scored([samples[index] for index in spoken]):
        scores /= np.sqrt(np.maximum(lengths, 1))[:, None]
        likelihoods = np.exp(scores - scores.max(axis=1, keepdims=True))
        by_label = likelihoods.take(model.column_of_label, axis=1)
        by_label[:, model.label_of_second] += likelihoods[:, model.second_columns]
        best = by_label.argmax(axis=1)
        shares = by_label.max(axis=1) / by_label.sum(axis=1)
        for index, label, share in zip(
            spoken[start : start + len(scores)], best.tolist(), shares.tolist(), strict=True
        ):
            found[index] = (model.labels[label], share)
        start += len(scores)
    return found


def identify_language(text: str) -> tuple[str, float]:
    """Language of one text and its probability, as `identify_languages` gives them."""
    return identify_languages([text])[0]


def language_evidences(texts: Sequence[str]) -> list[float]:
    """How strongly each text speaks for some language rather than for languages at large.

    Returns:
        Log-likelihood of the best language minus the mean over all languages, in nats; 0 or more. Text that
        was decoded wrongly looks like no language and scores low.
    """
    model = _model()
    evidences: list[float] = []
    for scores, _ in _scored(texts):
        by_label = scores.take(model.column_of_label, axis=1)
        by_label[:, model.label_of_second] = np.maximum(
            by_label[:, model.label_of_second], scores[:, model.second_columns]
        )
        evidences += (by_label.max(axis=1) - by_label.mean(axis=1)).tolist()
    return evidences


def language_evidence(text: str) -> float:
    """How strongly one text speaks for some language, as `language_evidences` gives it."""
    return language_evidences([text])[0]


def _has_letters(sample: str) -> bool:
    head = sample[: 3 * MINIMUM_LETTERS]
    return sum(map(str.isalpha, head)) >= MINIMUM_LETTERS or sum(map(str.isalpha, sample)) >= MINIMUM_LETTERS


def _scored(texts: Sequence[str]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """For each batch of texts their log-posteriors by column, up to a constant for each text (all 0 where a
    text has no known n-gram), and their lengths in bytes."""
    batch: list[bytes] = []
    n_bytes = 0
    for text in texts:
        encoded = _encoded(text)
        if batch and n_bytes + len(encoded) > BATCH_BYTES:
            yield _batch_scores(batch)
            batch, n_bytes = [], 0
        batch.append(encoded)
        n_bytes += len(encoded)
    if batch:
        yield _batch_scores(batch)


def _encoded(text: str) -> bytes:
    """The bytes that py3langid looks at."""
    if text.isupper():
        text = text.lower()
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")


def _batch_scores(encoded: list[bytes]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from scipy.sparse import csr_array

    model = _model()
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    separator = bytes([SEPARATOR])
    features = _walked(separator.join([*encoded, b""]), model)
    # Sorting takes twice as long for numbers of twice the size.
    key = np.uint32 if len(encoded) < 1 << (32 - _FEATURE_BITS) else np.int64
    owner = np.repeat(np.left_shift(np.arange(len(encoded)), _FEATURE_BITS).astype(key), lengths + 1)
    met = np.flatnonzero(features >= 0)
    visits = owner.take(met) | features.take(met).astype(key)
    visits.sort()
    first = np.flatnonzero(np.concatenate(([True], visits[1:] != visits[:-1]))) if len(visits) else visits
    counts = np.diff(np.append(first, len(visits)))
    distinct = visits[first]
    weights = csr_array(
        (
            np.log1p(counts.astype(np.float32)),
            (distinct & ((1 << _FEATURE_BITS) - 1)).astype(np.int32),
            np.searchsorted(distinct >> _FEATURE_BITS, np.arange(len(encoded) + 1)).astype(np.int32),
        ),
        shape=(len(encoded), len(model.log_likelihoods)),
    )
    scores = np.asarray(weights @ model.log_likelihoods, np.float64) + model.log_priors
    scores[np.diff(weights.indptr) == 0] = 0.0
    return scores, lengths


def _walked(data: bytes, model: _Model) -> NDArray[np.int32]:
    """The feature that the automaton meets after each byte, -1 for none.

    The bytes are cut into segments that are walked side by side, each from so far before its start that the
    automaton has forgotten what came earlier.
    """
    segment = max(4, math.isqrt(len(data)) // 5)
    n_segments = -(-len(data) // segment)
    padded = np.full(LONGEST_NGRAM_BYTES + n_segments * segment, SEPARATOR, np.uint8)
    padded[LONGEST_NGRAM_BYTES : LONGEST_NGRAM_BYTES + len(data)] = np.frombuffer(data, np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(padded, LONGEST_NGRAM_BYTES + segment)[::segment]
    state = np.zeros(n_segments, np.int32)
    states = np.empty((segment, n_segments), np.int32)
    for step, letters in enumerate(np.ascontiguousarray(windows.T), -LONGEST_NGRAM_BYTES):
        state = model.next_state.take(model.row_start.take(state) + letters)
        if step >= 0:
            states[step] = state
    return model.feature[states.T.reshape(-1)[: len(data)]]
