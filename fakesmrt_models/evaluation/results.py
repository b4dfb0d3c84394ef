"""What an evaluation found: nats of every model in every document, and the figures that follow by arithmetic.

What lives here: values only. How the nats are computed stands in ``bits_per_byte.py`` and ``population.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fakesmrt_models.evaluation.confidence import confidence_interval
from warehouse.errors import InvalidConfiguration

ALL_CORPORA = "all"


def bits_per_byte(nats: float, n_bytes: float) -> float:
    """Total nats / ln 2 / UTF-8 bytes of the clean text: comparable across tokenizers (DESIGN §10)."""
    return nats / math.log(2.0) / n_bytes


@dataclass(frozen=True)
class Score:
    """Bits per byte of a model on the documents of one corpus, or of all corpora.

    Attributes:
        model: name of the model.
        corpus: name of the corpus, or "all".
        bits_per_byte: ratio of sums over the documents.
        ci_low: lower end of the 95 % bootstrap interval over documents.
        ci_high: its upper end.
        n_documents: documents measured.
        n_bytes: UTF-8 bytes of their measured chunks.
        n_tokens: BPE tokens predicted.
    """

    model: str
    corpus: str
    bits_per_byte: float
    ci_low: float
    ci_high: float
    n_documents: int
    n_bytes: int
    n_tokens: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Every model on the same documents of one split.

    Attributes:
        split: name of the split.
        models: names, in the order of the rows of `nats`.
        corpora: names that `corpus` counts.
        document_ids: UUIDs as bytes, shape [n_documents, 16].
        corpus: index into `corpora`, shape [n_documents].
        n_bytes: UTF-8 bytes of the measured clean text, shape [n_documents].
        n_tokens: BPE tokens predicted, shape [n_documents].
        nats: shape [n_models, n_documents].
    """

    split: str
    models: tuple[str, ...]
    corpora: tuple[str, ...]
    document_ids: NDArray[np.uint8]
    corpus: NDArray[np.int64]
    n_bytes: NDArray[np.int64]
    n_tokens: NDArray[np.int64]
    nats: NDArray[np.float64]

    @property
    def n_documents(self) -> int:
        """Documents measured."""
        return len(self.n_bytes)

    def nats_of(self, model: str) -> NDArray[np.float64]:
        """The model's nats in each document, shape [n_documents]."""
        if model not in self.models:
            raise InvalidConfiguration(
                f"{model!r} was not evaluated on {self.split}", f"Choose one of {', '.join(self.models)}"
            )
        nats: NDArray[np.float64] = self.nats[self.models.index(model)]
        return nats

    def bits_per_byte(self, model: str) -> float:
        """Bits per byte of a model over all documents."""
        return bits_per_byte(float(self.nats_of(model).sum()), float(self.n_bytes.sum()))

    def score(self, model: str, corpus: str = ALL_CORPORA, seed: int = 0) -> Score:
        """Bits per byte with its interval, on one corpus or on all.

        All corpora are pooled as they were sampled: where a budget cut the sample, in equal parts.
        """
        inside = np.ones(self.n_documents, dtype=bool)
        if corpus != ALL_CORPORA:
            inside = self.corpus == self.corpora.index(corpus)
        nats = self.nats_of(model)[inside]
        n_bytes = self.n_bytes[inside]
        low, high = confidence_interval(nats / math.log(2.0), n_bytes.astype(np.float64), seed)
        return Score(
            model=model,
            corpus=corpus,
            bits_per_byte=bits_per_byte(float(nats.sum()), float(n_bytes.sum())),
            ci_low=low,
            ci_high=high,
            n_documents=int(inside.sum()),
            n_bytes=int(n_bytes.sum()),
            n_tokens=int(self.n_tokens[inside].sum()),
        )

    def scores(self, seed: int = 0) -> list[Score]:
        """Every model on all corpora together, then on each corpus that has a document here."""
        present = [name for number, name in enumerate(self.corpora) if (self.corpus == number).any()]
        return [
            self.score(model, corpus, seed) for model in self.models for corpus in [ALL_CORPORA, *present]
        ]


def sum_by_document(
    values: NDArray[np.float64], document: NDArray[np.int64], n_documents: int
) -> NDArray[np.float64]:
    """Add up per-chunk values, shape [n, n_chunks], to per-document ones, shape [n, n_documents]."""
    summed = np.zeros((len(values), n_documents), dtype=np.float64)
    for row, sums in zip(values, summed, strict=True):
        sums += np.bincount(document, weights=row, minlength=n_documents)
    return summed
