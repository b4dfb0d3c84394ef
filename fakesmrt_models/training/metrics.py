"""``metrics.jsonl``: one line a logged step, appended; a resume cuts it back to its checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

METRICS_FILE = "metrics.jsonl"


@dataclass(frozen=True)
class Metric:
    """What is logged at a step.

    Attributes:
        step: steps taken.
        n_steps: steps that the training takes in all.
        n_tokens: tokens trained on so far.
        loss: mean since the last line, nats a token; markers included.
        train_bits_per_byte: the same in bits a UTF-8 byte.
        bits_per_byte: on the validation sample, where it was measured at this step.
        learning_rate: of the matrices.
        gradient_norm: of the last step, before clipping.
        tokens_per_second: since the last line, evaluation and checkpoints not counted.
        utilisation: operations a second of these tokens, as a share of the peak that was measured at the
            start; None where that is unknown.
        seconds: wall time in the loop so far.
    """

    step: int
    n_steps: int
    n_tokens: int
    loss: float
    train_bits_per_byte: float
    bits_per_byte: float | None
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    utilisation: float | None
    seconds: float


WALL_CLOCK_FIELDS = frozenset({"tokens_per_second", "utilisation", "seconds"})
"""Fields in which a resumed training differs from an undisturbed one."""


class MetricsLog:
    """An open metrics file."""

    def __init__(self, path: Path, position: int) -> None:
        """Open `path`, made if absent, and forget what stands after byte `position`."""
        path.touch()
        self._stream = path.open("r+b")
        self._stream.truncate(position)
        self._stream.seek(position)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()

    def append(self, metric: Metric) -> None:
        """Write one line, readable by others at once."""
        self._stream.write(json.dumps(asdict(metric), allow_nan=False).encode() + b"\n")
        self._stream.flush()

    def position(self) -> int:
        """The file's length in bytes, all of it on disk."""
        os.fsync(self._stream.fileno())
        return self._stream.tell()


def read_metrics(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a metrics file; an unfinished last line is left out."""
    with path.open("rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                yield json.loads(line)
