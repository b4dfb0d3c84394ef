"""Words of a batch of texts as arrays: every different piece of text is cut once and remembered.

What lives here: the memory of pieces, and Gopher's counts of words (Rae et al. 2021, arXiv:2112.11446, appendix
A.1.1, as datatrove 0.10 counts them). What does not: how a piece is cut (`words`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.characters import SENTENCE_ENDS, SYMBOLS
from warehouse.cleanser.text_batch import Positions, TextBatch, sums_by_text
from warehouse.cleanser.words import cut_word, is_punctuation

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Gopher asks English text for two different ones of these."""

REMEMBERED_PIECES = 1 << 17
REMEMBERED_CHARACTERS = 1 << 22
"""The memory is emptied when it is as large as that: some 40 MB."""

WORD, SENTENCE_END, PUNCTUATION = range(3)
"""What a token is to the sentence rule."""
_KIND_BITS = 2
_IS_RUN = 1 << _KIND_BITS
_LENGTH_SHIFT = _KIND_BITS + 1

_STOP_BIT = {word: 1 << index for index, word in enumerate(STOP_WORDS)}
_BITS_SET = np.array([bin(bits).count("1") for bits in range(256)], np.int16)


class Growing:
    """An array that rows are appended to."""

    def __init__(self, n_columns: int, dtype: type[np.generic]) -> None:
        self._rows = np.empty((1024, n_columns), dtype)
        self._length = 0

    def extend(self, rows: list[tuple[int, ...]]) -> None:
        needed = self._length + len(rows)
        if needed > len(self._rows):
            grown = np.empty((2 * needed, self._rows.shape[1]), self._rows.dtype)
            grown[: self._length] = self._rows[: self._length]
            self._rows = grown
        self._rows[self._length : needed] = rows
        self._length = needed

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._rows.take(rows, axis=0)


class Vocabulary(dict[str, int]):
    """Number of every piece of text met so far; a new one is cut when it is asked for."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.clear()
        self.n_characters = 0
        self.n_tokens = 0
        self.pieces = Growing(6, np.int32)
        self.tokens = Growing(2, np.int64)
        self._facts: dict[str, tuple[int, ...]] = {}
        self._new_pieces: list[tuple[int, ...]] = []
        self._new_tokens: list[tuple[int, ...]] = []

    def __missing__(self, piece: str) -> int:
        number = len(self)
        self[piece] = number
        tokens = cut_word(piece)
        facts = [self._facts.get(token) or self._learn(token) for token in tokens]
        self._new_tokens += [(token_hash, length_and_kind) for token_hash, length_and_kind, *_ in facts]
        if len(facts) == 1:
            _, length_and_kind, is_word, is_alphabetic, stop_bit = facts[0]
            length = length_and_kind >> _LENGTH_SHIFT
            self._new_pieces.append((self.n_tokens, 1, is_word, is_word * length, is_alphabetic, stop_bit))
        else:
            n_words = word_length = n_alphabetic = stop_bits = 0
            for _, length_and_kind, is_word, is_alphabetic, stop_bit in facts:
                n_words += is_word
                word_length += is_word * (length_and_kind >> _LENGTH_SHIFT)
                n_alphabetic += is_alphabetic
                stop_bits |= stop_bit
            self._new_pieces.append(
                (self.n_tokens, len(facts), n_words, word_length, n_alphabetic, stop_bits)
            )
        self.n_tokens += len(tokens)
        self.n_characters += len(piece)
        return number

    def _learn(self, token: str) -> tuple[int, ...]:
        """Hash, length and kind of a token, whether it is a word and alphabetic, and its bit among the stop
        words."""
        length = len(token) << _LENGTH_SHIFT
        if token.isalpha():
            facts = (hash(token), length | WORD, 1, 1, _STOP_BIT.get(token, 0))
        else:
            kind = SENTENCE_END if token in SENTENCE_ENDS else PUNCTUATION if is_punctuation(token) else WORD
            is_word = not SYMBOLS.issuperset(token)
            is_run = _IS_RUN if len(token) > 1 and len(set(token)) == 1 else 0
            facts = (hash(token), length | is_run | kind, int(is_word), int(any(map(str.isalpha, token))), 0)
        self._facts[token] = facts
        return facts

    def numbers(self, pieces: list[str]) -> NDArray[np.int64]:
        """The number of each piece; what is new is cut and remembered."""
        if len(self) > REMEMBERED_PIECES or self.n_characters > REMEMBERED_CHARACTERS:
            self.forget()
        numbers = np.fromiter(map(self.__getitem__, pieces), np.int64, len(pieces))
        if self._new_pieces:
            self.pieces.extend(self._new_pieces)
            self.tokens.extend(self._new_tokens)
            self._new_pieces, self._new_tokens = [], []
        return numbers


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
    first_token: Positions


def words_of(batch: TextBatch) -> WordBatch:
    """Cut the texts of a batch into words."""
    vocabulary = _vocabulary()
    numbers = vocabulary.numbers(batch.pieces)
    bounds = batch.piece_bounds
    start, n_tokens, n_words, word_length, n_alphabetic, stop_bits = np.ascontiguousarray(
        vocabulary.pieces.take(numbers).T
    )
    first_token = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(n_tokens, out=first_token[1:])
    token = np.arange(first_token[-1]) + np.repeat(start - first_token[:-1], n_tokens)
    token_bounds = first_token[bounds]
    token_hash, length_and_kind = np.ascontiguousarray(vocabulary.tokens.take(token).T)
    stop_word_kinds = np.zeros(len(batch.texts), np.int16)
    has_pieces = np.flatnonzero(bounds[1:] > bounds[:-1])
    if len(has_pieces):
        stop_word_kinds[has_pieces] = _BITS_SET[np.bitwise_or.reduceat(stop_bits, bounds[has_pieces])]
    return WordBatch(
        n_words=np.diff(token_bounds),
        n_non_symbol_words=sums_by_text(n_words, bounds),
        n_word_characters=sums_by_text(word_length, bounds),
        n_alphabetic_words=sums_by_text(n_alphabetic, bounds),
        stop_word_kinds=stop_word_kinds,
        token_hash=token_hash.view(np.uint64),
        token_length=length_and_kind >> _LENGTH_SHIFT,
        token_kind=length_and_kind & ((1 << _KIND_BITS) - 1),
        token_is_run=length_and_kind & _IS_RUN != 0,
        token_bounds=token_bounds,
        first_token=first_token,
    )
