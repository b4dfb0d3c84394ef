"""Models and n-gram baselines on the report split: the work of one process, whose memory goes when it is done.

What lives here: figures and samples of text. What does not: recording them (``eval_report.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fakesmrt_assets.reports.evaluation import Sample
from warehouse.perplexity.reference import sequence_nats
from warehouse.perplexity.training import train_ngram
from warehouse.progress import Progress
from warehouse.tokens.shards import TOKENIZER_FILE, Shard, open_split
from warehouse.tokens.tokenizer import Tokenizer

if TYPE_CHECKING:
    from fakesmrt_models.evaluation.results import Score
    from fakesmrt_models.evaluation.sampling import EvaluationChunks

SPLIT = "report"

BASELINE_ORDERS: Mapping[str, int] = {"unigram": 1, "5-gram": 5}
"""Name and order of each baseline: interpolated modified Kneser-Ney models of the training tokens."""

MAX_BASELINE_TOKENS = 24_000_000
"""Tokens that the baselines count, in whole shards: order 5 takes about 45 bytes of memory for each."""

N_SAMPLES = 3
PROMPT_TOKENS = 16
SAMPLE_TOKENS = 80
SAMPLE_TEMPERATURE = 0.7

Tokens = NDArray[np.uint16]


@dataclass(frozen=True)
class Measurement:
    """What was measured.

    Attributes:
        scores: bits per byte of every model and baseline, on each corpus and on all.
        n_documents: documents measured.
        n_bytes: UTF-8 bytes of their text.
        n_baseline_tokens: tokens that the baselines were trained on.
        samples: text that the sampled model wrote.
    """

    scores: list[Score]
    n_documents: int
    n_bytes: int
    n_baseline_tokens: int
    samples: list[Sample]


def joined(shards: Sequence[Shard], max_tokens: int) -> tuple[Tokens, NDArray[np.int64]]:
    """Tokens and chunk starts of the first shards, up to a number of tokens but at least one shard."""
    tokens: list[Tokens] = []
    starts: list[NDArray[np.int64]] = []
    n_tokens = 0
    for shard in shards:
        if tokens and n_tokens + len(shard.tokens) > max_tokens:
            break
        starts.append(shard.starts + n_tokens)
        tokens.append(np.asarray(shard.tokens))
        n_tokens += len(shard.tokens)
    return np.concatenate(tokens), np.concatenate(starts)


def baseline_nats(
    train: Sequence[Shard], measured: Sequence[Tokens], progress: Progress
) -> tuple[NDArray[np.float64], int]:
    """Nats of each measured chunk under each baseline.

    Args:
        train: shards to count.
        measured: chunks, each begun by the document marker.
        progress: told of each baseline.

    Returns:
        Shape [n_baselines, n_chunks]; and how many tokens were counted.
    """
    tokens, starts = joined(train, MAX_BASELINE_TOKENS)
    lengths = np.array([len(chunk) for chunk in measured], np.int64)
    sequence = np.concatenate([np.asarray(chunk) for chunk in measured])
    rows = []
    for number, (name, order) in enumerate(BASELINE_ORDERS.items()):
        progress(number, len(BASELINE_ORDERS), f"counting for the {name} baseline")
        model = train_ngram(tokens, starts, order, train[0].manifest.vocab_size)
        rows.append(sequence_nats(model, sequence, np.cumsum(lengths) - lengths)[0])
    return np.stack(rows), len(tokens)


def prompts(chunks: EvaluationChunks, tokenizer: Tokenizer) -> list[str]:
    """How a chunk begins, for the first measured chunk of each of some corpora: text that no model has seen."""
    first = {
        int(chunks.corpus[document]): number
        for number, document in reversed(list(enumerate(chunks.document)))
    }
    chosen = [chunks.tokens[first[corpus]] for corpus in sorted(first)[:N_SAMPLES]]
    return [tokenizer.decode(tokens[1 : 1 + PROMPT_TOKENS]) for tokens in chosen]


def _samples(name: str, folder: Path, begins: Sequence[str], seed: int) -> list[Sample]:
    from fakesmrt_models.generation.sampling import Sampling, generate
    from fakesmrt_models.mixing.ensembles import load_ensemble

    loaded = load_ensemble(folder)
    models = [member.model for member in loaded.members]
    tokenizer = Tokenizer.from_file(loaded.tokenizer_file)
    sampling = Sampling(temperature=SAMPLE_TEMPERATURE, seed=seed)
    return [
        Sample(name, begin, generate(models, tokenizer, begin, SAMPLE_TOKENS, sampling, loaded.weights).text)
        for begin in begins
    ]


def measure(
    models: dict[str, Path], sampled: str, tokens_folder: Path, max_tokens: int, seed: int, progress: Progress
) -> Measurement:
    """Measure every model and the baselines on the same chunks; let one model write.

    Args:
        models: names and folders.
        sampled: name of the model that writes.
        tokens_folder: shards and tokenizer.json.
        max_tokens: budget of tokens to measure on.
        seed: of the sample of documents, the intervals and the text.
        progress: told of the parts in turn.
    """
    from fakesmrt_models.evaluation.population import evaluate_population
    from fakesmrt_models.evaluation.results import sum_by_document
    from fakesmrt_models.evaluation.sampling import sample_chunks

    chunks = sample_chunks(open_split(tokens_folder, SPLIT), max_tokens, seed)
    nats, n_baseline_tokens = baseline_nats(open_split(tokens_folder, "train"), chunks.tokens, progress)
    evaluation = evaluate_population(
        models, tokens_folder, SPLIT, max_tokens=max_tokens, seed=seed, progress=progress
    )
    rows = sum_by_document(nats, chunks.document, len(chunks.document_ids))
    extended = replace(
        evaluation,
        models=(*evaluation.models, *BASELINE_ORDERS),
        nats=np.concatenate([evaluation.nats, rows]),
    )
    begins = prompts(chunks, Tokenizer.from_file(tokens_folder / TOKENIZER_FILE))
    return Measurement(
        scores=extended.scores(seed),
        n_documents=extended.n_documents,
        n_bytes=int(extended.n_bytes.sum()),
        n_baseline_tokens=n_baseline_tokens,
        samples=_samples(sampled, models[sampled], begins, seed),
    )
