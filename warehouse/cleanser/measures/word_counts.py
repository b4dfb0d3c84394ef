"""Words of a batch of texts as arrays: every different piece of text is cut once and remembered.

What lives here: the memory of pieces, and Gopher's counts of words (Rae et al. 2021, arXiv:2112.11446, appendix
A.1.1, as datatrove 0.10 counts them). What does not: how a piece is cut (`words`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain, count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.measures.character_kinds import FIRST_LETTER, kind_of_code_point
from warehouse.cleanser.measures.character_kinds import PUNCTUATION as PUNCTUATION_KIND
from warehouse.cleanser.measures.characters import SENTENCE_ENDS, SYMBOLS
from warehouse.cleanser.measures.spellings import Spellings, spellings_of_words
from warehouse.cleanser.measures.text_batch import Positions, TextBatch, sums_by_text
from warehouse.cleanser.measures.words import cut_words

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Gopher asks English text for two different ones of these."""

REMEMBERED_PIECES = 1 << 16
REMEMBERED_CHARACTERS = 1 << 21
"""The memory is emptied when it is as large as that: some 20 MB, which 100 MB of text have filled already."""

WORD, SENTENCE_END, PUNCTUATION = range(3)
"""What a token is to the sentence rule."""
_KIND_BITS = 2
_IS_RUN = 1 << _KIND_BITS
_LENGTH_SHIFT = _KIND_BITS + 1

_SENTENCE_END_POINTS = np.array(sorted(map(ord, SENTENCE_ENDS)), np.uint32)
_SYMBOL_POINTS = np.array(sorted(map(ord, SYMBOLS)), np.uint32)
_STOP_BIT = {word: 1 << index for index, word in enumerate(STOP_WORDS)}
_BITS_SET = np.array([bin(bits).count("1") for bits in range(256)], np.int16)


class Growing:
    """A table that rows are appended to, column by column in memory."""

    def __init__(self, *dtypes: type[np.generic]) -> None:
        self._columns = [np.empty(1024, dtype) for dtype in dtypes]
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def extend(self, *columns: NDArray[np.generic]) -> None:
        needed = self._length + len(columns[0])
        if needed > len(self._columns[0]):
            self._columns = [np.resize(column[: self._length], 2 * needed) for column in self._columns]
        for own, column in zip(self._columns, columns, strict=True):
            own[self._length : needed] = column
        self._length = needed

    def take(self, rows: NDArray[np.int64]) -> list[NDArray[Any]]:
        return [column.take(rows) for column in self._columns]


class Numbered:
    """Numbers strings in the order in which they are first asked for.

    Only strings and numbers are kept: what holds other objects, the garbage collector would visit again and again.
    """

    def __init__(self) -> None:
        # Numbers are given without a step of the interpreter: most of the time goes into asking for them.
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)

    def numbers(self, strings: Iterable[str], n_strings: int) -> tuple[NDArray[np.int64], list[str]]:
        """The number of each string, and the strings that are new, in order."""
        n_before = len(self._numbers)
        numbers = np.fromiter(map(self._numbers.__getitem__, strings), np.int64, n_strings)
        n_new = len(self._numbers) - n_before
        return numbers, list(islice(reversed(self._numbers), n_new))[::-1]


class Vocabulary:
    """Every piece of text met so far and the tokens that it is cut into.

    Attributes:
        pieces: of each its first row in `tokens`, tokens, words, characters of these, alphabetic tokens, and bits of
            the stop words among them.
        tokens: of each piece in turn: hash of a token, value of its spelling, and its length and kind.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._piece_numbers = Numbered()
        self._token_numbers = Numbered()
        self._facts = Growing(np.int64, np.uint64, *[np.int64] * 4)
        self._n_characters = 0
        self.pieces = Growing(*[np.int32] * 6)
        self.tokens = Growing(np.int64, np.uint64, np.int64)

    def numbers(self, pieces: list[str]) -> NDArray[np.int64]:
        """The number of each piece; what is new is cut and remembered."""
        if len(self.pieces) > REMEMBERED_PIECES or self._n_characters > REMEMBERED_CHARACTERS:
            self.forget()
        numbers, new = self._piece_numbers.numbers(pieces, len(pieces))
        if new:
            self._cut(new)
        return numbers

    def _cut(self, pieces: list[str]) -> None:
        cut = cut_words(pieces)
        n_tokens = np.fromiter(map(len, cut), np.int64, len(cut))
        end = np.cumsum(n_tokens)
        numbers, new = self._token_numbers.numbers(chain.from_iterable(cut), int(end[-1]))
        if new:
            self._facts.extend(*_facts(new))
        token_hash, spelling, length_and_kind, is_word, is_alphabetic, stop_bit = self._facts.take(numbers)
        bounds = np.concatenate(([0], end))
        has_stop_word = np.flatnonzero(stop_bit)
        stop_bits = np.zeros(len(cut), np.int64)
        piece = np.searchsorted(end, has_stop_word, side="right")
        np.bitwise_or.at(stop_bits, piece, stop_bit[has_stop_word])
        self.pieces.extend(
            bounds[:-1] + len(self.tokens),
            n_tokens,
            sums_by_text(is_word, bounds),
            sums_by_text(is_word * (length_and_kind >> _LENGTH_SHIFT), bounds),
            sums_by_text(is_alphabetic, bounds),
            stop_bits,
        )
        self.tokens.extend(token_hash, spelling, length_and_kind)
        self._n_characters += sum(map(len, pieces))


def _facts(tokens: list[str]) -> tuple[NDArray[np.generic], ...]:
    """Hash, spelling, length and kind of tokens, whether each is a word and alphabetic, and its stop word's bit."""
    points = np.frombuffer("".join(tokens).encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = kind_of_code_point()[points]
    length = np.fromiter(map(len, tokens), np.int64, len(tokens))
    start = np.cumsum(length) - length
    kind = np.where(np.logical_and.reduceat(kinds == PUNCTUATION_KIND, start), PUNCTUATION, WORD)
    kind[(length == 1) & np.isin(points[start], _SENTENCE_END_POINTS)] = SENTENCE_END
    is_run = (length > 1) & np.logical_and.reduceat(points == np.repeat(points[start], length), start)
    return (
        np.fromiter(map(hash, tokens), np.int64, len(tokens)),
        spellings_of_words(points, start, length),
        length << _LENGTH_SHIFT | np.where(is_run, _IS_RUN, 0) | kind,
        ~np.logical_and.reduceat(np.isin(points, _SYMBOL_POINTS), start),
        np.logical_or.reduceat(kinds >= FIRST_LETTER, start),
        np.fromiter((_STOP_BIT.get(token, 0) for token in tokens), np.int64, len(tokens)),
    )


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary()


@dataclass(frozen=True)
class WordBatch:
    """Words of a batch of texts.

    Attributes:
        n_words: tokens of each text.
        n_non_symbol_words: tokens that do not consist of punctuation alone.
        n_word_characters: in these.
        n_alphabetic_words: tokens with a letter.
        stop_word_kinds: how many different ones of STOP_WORDS occur.
        token_hash, token_length, token_kind: of all tokens, in order.
        token_is_run: whether a token is one sign several times, as in a ruled line.
        spellings: of all tokens.
        token_bounds: text `i` has the tokens [bounds[i], bounds[i + 1]).
        first_token: of each piece of the batch, and one more.
    """

    n_words: NDArray[np.int64]
    n_non_symbol_words: NDArray[np.int64]
    n_word_characters: NDArray[np.int64]
    n_alphabetic_words: NDArray[np.int64]
    stop_word_kinds: NDArray[np.int16]
    token_hash: NDArray[np.uint64]
    token_length: NDArray[np.int64]
    token_kind: NDArray[np.int64]
    token_is_run: NDArray[np.bool]
    token_bounds: Positions
    spellings: Spellings
    first_token: Positions


def words_of(batch: TextBatch) -> WordBatch:
    """Cut the texts of a batch into words."""
    vocabulary = _vocabulary()
    numbers = vocabulary.numbers(batch.pieces)
    bounds = batch.piece_bounds
    start, n_tokens, n_words, word_length, n_alphabetic, stop_bits = vocabulary.pieces.take(numbers)
    first_token = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(n_tokens, out=first_token[1:])
    token = np.arange(first_token[-1]) + np.repeat(start - first_token[:-1], n_tokens)
    token_bounds = first_token[bounds]
    token_hash, spelling, length_and_kind = vocabulary.tokens.take(token)
    token_length = length_and_kind >> _LENGTH_SHIFT
    has_pieces = np.flatnonzero(bounds[1:] > bounds[:-1])

    def of_texts(combine: np.ufunc, values: NDArray[np.int32]) -> NDArray[np.int64]:
        """Values of pieces combined for each text."""
        combined = np.zeros(len(batch.texts), np.int64)
        if len(has_pieces):
            combined[has_pieces] = combine.reduceat(values, bounds[has_pieces], dtype=np.int64)
        return combined

    return WordBatch(
        n_words=np.diff(token_bounds),
        n_non_symbol_words=of_texts(np.add, n_words),
        n_word_characters=of_texts(np.add, word_length),
        n_alphabetic_words=of_texts(np.add, n_alphabetic),
        stop_word_kinds=_BITS_SET[of_texts(np.bitwise_or, stop_bits)],
        token_hash=token_hash.view(np.uint64),
        token_length=token_length,
        token_kind=length_and_kind & ((1 << _KIND_BITS) - 1),
        token_is_run=length_and_kind & _IS_RUN != 0,
        token_bounds=token_bounds,
        spellings=Spellings.of(spelling, token_length),
        first_token=first_token,
    )
