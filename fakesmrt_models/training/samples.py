"""``samples.jsonl``: what the model writes at each evaluation, one line a prompt; a resume cuts it back.

What lives here: generating samples in a training, and their file. What does not: choosing tokens
(``generation/sampling.py``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The supervisor reads samples without torch.
    from fakesmrt_models.architecture.transformer import Transformer
    from warehouse.tokens.tokenizer import Tokenizer

SAMPLES_FILE = "samples.jsonl"

SAMPLE_TOKENS = 64
"""About 200 characters: enough to judge by, a tenth of a second for 1mx."""


@dataclass(frozen=True)
class Sample:
    """What the model wrote: after `step` steps it continued `prompt` with `text`."""

    step: int
    prompt: str
    text: str


def generated_samples(
    model: Transformer, tokenizer: Tokenizer, prompts: Sequence[str], step: int, seed: int
) -> list[Sample]:
    """Continue each prompt by `SAMPLE_TOKENS` tokens in float32, drawn by `seed` and `step` alone.

    The model comes back as it was given; the generator that the training draws from is not touched.
    """
    import torch

    from fakesmrt_models.generation.sampling import Sampling, generate

    dtype, training = model.compute_dtype, model.training
    model.compute_dtype = torch.float32
    model.eval()
    sampling = Sampling(seed=seed + step)
    samples = [
        Sample(step, prompt, generate([model], tokenizer, prompt, SAMPLE_TOKENS, sampling).text)
        for prompt in prompts
    ]
    model.compute_dtype = dtype
    model.train(training)
    return samples


class SampleLog:
    """An open file of samples, one JSON object a line."""

    def __init__(self, path: Path, step: int) -> None:
        """Open `path`, made if absent, and forget the samples after `step` steps."""
        self._path = path
        path.touch()
        kept = [sample for sample in read_samples(path) if sample.step <= step]
        with path.open("r+b") as stream:
            stream.truncate(sum(len(_line(sample)) for sample in kept))

    def append(self, samples: Iterable[Sample]) -> None:
        """Write a line each; they are on disk when this returns, before the next checkpoint."""
        with self._path.open("ab") as stream:
            stream.write(b"".join(map(_line, samples)))
            stream.flush()
            os.fsync(stream.fileno())


def read_samples(path: Path) -> Iterator[Sample]:
    """The lines of a file of samples; an unfinished last line is left out."""
    with path.open("rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                yield Sample(**json.loads(line))


def _line(sample: Sample) -> bytes:
    return json.dumps(asdict(sample), ensure_ascii=False).encode() + b"\n"
