"""Segments of the word index: immutable Parquet files in ``index/``, each of the words of some text files.

A row says how often a word stands in a text; rows are sorted by word, so that a search reads the few row groups that
hold its words. The order of the words is not kept: no passage can be read from a segment.

What lives here: the layout of a segment, writing it, taking texts out of it. What does not: what a word is
(``views/search_words.sql``), which segments there are (``stages/search_index.py``), ranking
(``views/search_ranking.sql``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from warehouse.errors import CorruptArtefact
from warehouse.files import fetched, names, written_whole
from warehouse.identity import fingerprint
from warehouse.textstore import read_texts, text_file

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

ROW_GROUP_ROWS = 1 << 16
"""What a search reads and unpacks for a rare word: some 150 kB."""

BATCH_TEXTS = 4096
"""Texts split into words at a time: bounds the memory."""

FILE_PATTERN = "search-*.parquet"
LAYOUT = "postings-1"
TEXT_FILES = b"text_files"
"""Metadata of a segment: a JSON object, number to name of each text file."""

ROW_BITS = 32
"""A text is named by the number of its file, shifted by so many bits, and its row there: one number to join and group
by."""

POSTING = pa.schema({"word": pa.string(), "text": pa.int64(), "times": pa.int32(), "n_words": pa.int32()})
"""A row of a segment: the word stands `times` in a text of `n_words` words, repetitions counted. Of every text there is
a row of the empty word, `times` 0, which holds its length."""


@dataclass(frozen=True)
class NumberedFile:
    """A text file and the number that the word index knows it by."""

    text_file: str
    file_number: int


@dataclass(frozen=True)
class IndexedFile:
    """A text file in a segment: how many texts it has, and their words, repetitions counted."""

    text_file: str
    file_number: int
    n_chunks: int
    n_words: int


def words_sql() -> str:
    """The macros that say what a word is."""
    return (files("warehouse") / "views" / "search_words.sql").read_text()


@lru_cache
def index_rule() -> str:
    """Identity of what a word is and of the layout; another one makes every segment stale."""
    return fingerprint(LAYOUT, words_sql())


class WordSplitter:
    """Splits texts by the macro that published copies hold, so that index and question mean the same words."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1, "memory_limit": "256MiB"})
        self._connection.execute("CREATE SCHEMA corpus")
        self._connection.execute(words_sql())

    def split(self, texts: pa.Array) -> pa.ListArray:
        """The words of each text; none where it is NULL."""
        self._connection.register("texts", pa.table({"content": texts}))
        found = self._connection.sql("SELECT coalesce(corpus.search_words(content), []) AS words FROM texts")
        return found.to_arrow_table().column("words").combine_chunks()


@dataclass(frozen=True)
class _Postings:
    """The words of some texts.

    Attributes:
        words: the different words.
        codes: (n,) which of them.
        places: (n,) place of the text in the segment, from 0.
        times: (n,) how often it stands there.
        lengths: (n_texts,) words of each text, repetitions counted; -1 where there is no text.
        texts: (n_texts,) the number of each text.
    """

    words: pa.StringArray
    codes: Int32Array
    places: Int32Array
    times: Int32Array
    lengths: Int32Array
    texts: Int64Array


def _count_words(content: pa.Array, first_place: int, first_text: int, splitter: WordSplitter) -> _Postings:
    """The words of consecutive texts of a text file."""
    split, n_texts = splitter.split(content), len(content)
    lengths = compute.list_value_length(split).to_numpy().astype(np.int32)
    encoded = split.flatten().dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    keys, times = np.unique(codes * n_texts + np.repeat(np.arange(n_texts), lengths), return_counts=True)
    lengths[compute.is_null(content).to_numpy(zero_copy_only=False)] = -1
    return _Postings(
        encoded.dictionary,
        (keys // n_texts).astype(np.int32),
        (first_place + keys % n_texts).astype(np.int32),
        times.astype(np.int32),
        lengths,
        first_text + np.arange(n_texts),
    )


def _merged(parts: Sequence[_Postings]) -> _Postings:
    """The postings of all parts with one vocabulary, sorted by word (its UTF-8 bytes), then by text."""
    every = pa.concat_arrays([part.words for part in parts]).dictionary_encode()
    order = compute.array_sort_indices(every.dictionary)
    ranks = np.empty(len(order), np.int32)
    ranks[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    ends = np.cumsum([len(part.words) for part in parts])[:-1]
    ranks_of_codes = np.split(ranks[every.indices.to_numpy()], ends)
    codes = np.concatenate([own[part.codes] for own, part in zip(ranks_of_codes, parts, strict=True)])
    # Parts follow each other by text, so ties in the order that they have leave the texts of a word in theirs. One
    # sort of numbers that hold both is several times as fast as a stable sort of their places.
    by_word = np.sort(codes.astype(np.int64) << 32 | np.arange(len(codes))) & 0xFFFFFFFF
    return _Postings(
        every.dictionary.take(order),
        codes[by_word],
        np.concatenate([part.places for part in parts])[by_word],
        np.concatenate([part.times for part in parts])[by_word],
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.texts for part in parts]),
    )


def _row_groups(postings: _Postings) -> Iterator[pa.Table]:
    """The rows of a segment, the empty word first."""
    present = np.flatnonzero(postings.lengths >= 0).astype(np.int32)
    places = np.concatenate([present, postings.places])
    codes = np.concatenate([np.zeros(len(present), np.int32), postings.codes + np.int32(1)])
    times = np.concatenate([np.zeros(len(present), np.int32), postings.times])
    words = pa.concat_arrays([pa.array([""]), postings.words])
    for start in range(0, len(places), ROW_GROUP_ROWS):
        rows = slice(start, start + ROW_GROUP_ROWS)
        low, high = int(codes[rows][0]), int(codes[rows][-1])
        # Only the words of the group: a dictionary is written whole, whatever of it is used.
        word = pa.DictionaryArray.from_arrays(codes[rows] - low, words.slice(low, high - low + 1))
        own = places[rows]
        columns = [word.cast(pa.string()), postings.texts[own], times[rows], postings.lengths[own]]
        yield pa.table(columns, schema=POSTING)


def _write_rows(path: Path, numbered: Mapping[int, str], groups: Iterable[pa.Table]) -> None:
    metadata = {TEXT_FILES: json.dumps({str(number): name for number, name in sorted(numbered.items())})}
    with (
        written_whole(path) as partial,
        parquet.ParquetWriter(
            partial,
            POSTING.with_metadata(metadata),
            compression="zstd",
            use_dictionary=["word", "times", "n_words"],
            column_encoding={"text": "DELTA_BINARY_PACKED"},
        ) as writer,
    ):
        for group in groups:
            writer.write_table(group.replace_schema_metadata(metadata), row_group_size=ROW_GROUP_ROWS)


def write_segment(path: Path, text_folder: Path, numbered: Sequence[NumberedFile]) -> None:
    """Write the words of all texts of some text files.

    Args:
        path: of the segment.
        text_folder: where the text files lie.
        numbered: the text files, by ascending number.

    Raises:
        CorruptArtefact: if a text file is missing or damaged.
    """
    splitter = WordSplitter()
    parts: list[_Postings] = []
    place = 0
    for file in numbered:
        row = 0
        for content in read_texts(text_file(text_folder, file.text_file), BATCH_TEXTS):
            first_text = (file.file_number << ROW_BITS) + row
            parts.append(_count_words(content, place + row, first_text, splitter))
            row += len(content)
        place += row
    groups = _row_groups(_merged(parts)) if parts else iter(())
    _write_rows(path, {file.file_number: file.text_file for file in numbered}, groups)


def indexed_files(path: Path) -> list[IndexedFile]:
    """What a segment holds, by the number of the text file.

    Raises:
        CorruptArtefact: if the segment is damaged.
    """
    numbered = _text_files(path)
    counted = dict.fromkeys(numbered, (0, 0))
    for rows in _rows_of_texts(path):
        files = compute.shift_right(rows.column("text"), ROW_BITS)
        grouped = pa.table({"file": files, "n_words": rows.column("n_words")}).group_by("file")
        for row in grouped.aggregate([("n_words", "count"), ("n_words", "sum")]).to_pylist():
            n_chunks, n_words = counted[row["file"]]
            counted[row["file"]] = (n_chunks + row["n_words_count"], n_words + row["n_words_sum"])
    return [IndexedFile(numbered[number], number, *counted[number]) for number in sorted(numbered)]


def forget_texts(index_folder: Path, places: Sequence[tuple[str, int]]) -> list[str]:
    """Take the words of some texts out of every segment of a folder, used or not; a segment keeps its name.

    What stays of a text is its length, so that numbers which were recorded beside the segment still hold.
    Doing it again, after a kill for instance, gives the same files.

    Args:
        index_folder: where the segments lie.
        places: name of the text file and row of each text.

    Returns:
        Names of the segments that were written anew.

    Raises:
        CorruptArtefact: if a segment is damaged.
    """
    changed = []
    for name in names(index_folder, FILE_PATTERN):
        path = fetched(index_folder / name)
        numbered = _text_files(path)
        numbers = {text_file: number for number, text_file in numbered.items()}
        texts = pa.array(
            [(numbers[file] << ROW_BITS) + row for file, row in places if file in numbers], pa.int64()
        )
        if len(texts) and _holds_words(path, texts):
            _write_rows(path, numbered, _rows_without(path, texts))
            changed.append(name)
    return changed


def _text_files(path: Path) -> dict[int, str]:
    """Names of the text files of a segment by their numbers."""
    try:
        metadata = parquet.read_schema(path).metadata or {}
        numbered = json.loads(metadata[TEXT_FILES])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise _damaged(path, error) from error
    return {int(number): name for number, name in numbered.items()}


def _rows_of_texts(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of the empty word, which come first."""
    with parquet.ParquetFile(path) as file:
        for rows in file.iter_batches(ROW_GROUP_ROWS):
            of_texts = rows.filter(compute.equal(rows.column("word"), ""))
            if not len(of_texts):
                return
            yield of_texts


def _holds_words(path: Path, texts: pa.Array) -> bool:
    with parquet.ParquetFile(path) as file:
        for rows in file.iter_batches(ROW_GROUP_ROWS, columns=["text", "times"]):
            of_texts = rows.column("times").filter(compute.is_in(rows.column("text"), texts))
            if compute.any(compute.greater(of_texts, 0)).as_py():
                return True
    return False


def _rows_without(path: Path, texts: pa.Array) -> Iterator[pa.Table]:
    """The rows of a segment but for the words of some texts."""
    with parquet.ParquetFile(path) as file:
        for rows in file.iter_batches(ROW_GROUP_ROWS):
            is_word = compute.greater(rows.column("times"), 0)
            forgotten = compute.and_(is_word, compute.is_in(rows.column("text"), texts))
            yield pa.table(rows.filter(compute.invert(forgotten)))


def _damaged(path: Path, error: Exception) -> CorruptArtefact:
    return CorruptArtefact(f"The index file {path} cannot be read: {error}", "Run: fakesmrt doctor --fix")
