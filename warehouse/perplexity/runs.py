"""Sorted runs on disk: how more rows are sorted and summed up than fit into memory.

What lives here: rows of an integer key with columns, written as sorted runs, merged with bounded buffers, looked
up by ascending keys. What does not: what the rows mean (``training.py``).

Merging adds up integers, so the same rows give the same table however they were dealt into runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.perplexity.array_files import ArrayFile, ArrayWriter
from warehouse.perplexity.counts import Ngrams, run_starts

Columns = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Rows:
    """Rows in ascending order of their keys.

    Attributes:
        keys: shape (n,).
        columns: what belongs to each key, arrays of shape (n,).
    """

    keys: Ngrams
    columns: Columns

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, begin: int, end: int) -> Rows:
        """Rows `begin` to `end`."""
        return Rows(self.keys[begin:end], tuple(column[begin:end] for column in self.columns))


@dataclass(frozen=True)
class RowsFile:
    """Rows on disk, one file for the keys and one for each column; a part of them is read into memory."""

    keys: ArrayFile
    columns: tuple[ArrayFile, ...]

    @classmethod
    def open(cls, keys: Path, *columns: Path) -> RowsFile:
        """Open what `rows_written` wrote."""
        return cls(ArrayFile(keys), tuple(map(ArrayFile, columns)))

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, begin: int, end: int) -> Rows:
        """Rows `begin` to `end`, read from disk."""
        return Rows(self.keys[begin:end], tuple(column[begin:end] for column in self.columns))

    def parts(self, size: int) -> Iterator[Rows]:
        """All rows, at most `size` at once."""
        for begin in range(0, len(self), size):
            yield self.part(begin, begin + size)

    def looked_up(self, asked: Ngrams, size: int) -> Columns:
        """The columns' values at some keys; 0 where a key is not there.

        Args:
            asked: ascending keys.
            size: rows read at once.
        """
        values = tuple(np.zeros(len(asked), column.dtype) for column in self.columns)
        if not len(asked):
            return values
        last = self.keys.place_of(int(asked[-1]), side="right")
        for begin in range(self.keys.place_of(int(asked[0])), last, size):
            rows = self.part(begin, min(begin + size, last))
            first = np.searchsorted(asked, rows.keys[0], "left")
            end = np.searchsorted(asked, rows.keys[-1], "right")
            places = np.searchsorted(rows.keys, asked[first:end])
            hits = rows.keys[places] == asked[first:end]
            for value, column in zip(values, rows.columns, strict=True):
                value[first:end][hits] = column[places[hits]]
        return values


@contextmanager
def rows_written(keys: Path, columns: Sequence[tuple[Path, type]]) -> Iterator[Callable[[Rows], None]]:
    """Yield a function that appends rows to the files of a table; ``columns`` are paths and dtypes."""
    with ExitStack() as stack:
        files = [(keys, np.uint64), *columns]
        writers = [stack.enter_context(ArrayWriter(path, dtype)) for path, dtype in files]

        def write(rows: Rows) -> None:
            for writer, values in zip(writers, (rows.keys, *rows.columns), strict=True):
                writer.append(values)

        yield write


def written_run(folder: Path, rows: Rows) -> RowsFile:
    """Write one run into a folder of its own."""
    folder.mkdir(parents=True)
    columns = [(folder / f"{i}.npy", column.dtype.type) for i, column in enumerate(rows.columns)]
    with rows_written(folder / "keys.npy", columns) as write:
        write(rows)
    return RowsFile.open(folder / "keys.npy", *(path for path, _ in columns))


def merged(runs: Sequence[RowsFile], size: int) -> Iterator[Rows]:
    """Merge runs of distinct keys; columns of the same key are added up.

    Args:
        runs: each in ascending order of its keys.
        size: rows held in memory at once, of all runs together.

    Yields:
        The merged rows, in ascending parts.
    """
    share = max(size // max(len(runs), 1), 1)
    buffers = [run.part(0, share) for run in runs]
    n_read = [len(buffer) for buffer in buffers]
    while any(len(buffer) for buffer in buffers):
        # Above the smallest of these keys, a run may have rows that were not read yet.
        last_keys = [b.keys[-1] for b, run, n in zip(buffers, runs, n_read, strict=True) if n < len(run)]
        whole = [
            int(np.searchsorted(buffer.keys, min(last_keys), "right")) if last_keys else len(buffer)
            for buffer in buffers
        ]
        yield summed(_joined([buffer.part(0, n) for buffer, n in zip(buffers, whole, strict=True)]))
        for i, n_taken in enumerate(whole):
            more = runs[i].part(n_read[i], n_read[i] + n_taken)
            buffers[i] = _joined([buffers[i].part(n_taken, len(buffers[i])), more])
            n_read[i] += len(more)


def summed(rows: Rows) -> Rows:
    """Rows in any order, with repeated keys, as rows of ascending distinct keys with added-up columns."""
    if np.all(rows.keys[1:] > rows.keys[:-1]):
        return rows
    by_key = np.argsort(rows.keys)
    keys = rows.keys[by_key]
    first = run_starts(keys)
    added = (np.add.reduceat(column[by_key], first, dtype=column.dtype) for column in rows.columns)
    return Rows(keys[first], tuple(added))


def _joined(parts: Sequence[Rows]) -> Rows:
    columns = zip(*(part.columns for part in parts), strict=True)
    return Rows(np.concatenate([part.keys for part in parts]), tuple(map(np.concatenate, columns)))
