"""Measures of chunks, many at a time: a call for each chunk would cost more than the measuring.

What lives here: batches of texts with their signals and private ranges as columns. What does not: how either is
computed (``signals.py``, ``privacy.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from numpy.typing import NDArray

from warehouse.cleanser.privacy import PrivateRange, find_private_ranges
from warehouse.cleanser.signals import measure_signals

BATCH_CHUNKS = 512
BATCH_CHARACTERS = 1 << 18
"""Chunks are measured so many at a time, or until they have so many characters: enough to spread the cost of a call,
little enough to take little memory."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Measures:
    """What was measured of some texts.

    Attributes:
        signals: a column for each signal, in the order of the texts.
        private: the private ranges of each text.
    """

    signals: dict[str, NDArray[Any]]
    private: list[list[PrivateRange]]


def measure(texts: Sequence[str]) -> Measures:
    """Signals and private ranges of some stored texts, at best some hundred of about 2,000 characters."""
    private = find_private_ranges(texts)
    return Measures(measure_signals(texts, private), private)


def in_batches(items: Iterable[Item], text_of: Callable[[Item], str]) -> Iterator[list[Item]]:
    """Consecutive items, as many as are measured at a time.

    Args:
        items: whatever has a text.
        text_of: gives it.
    """
    batch: list[Item] = []
    n_characters = 0
    for item in items:
        batch.append(item)
        n_characters += len(text_of(item))
        if len(batch) == BATCH_CHUNKS or n_characters >= BATCH_CHARACTERS:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch
