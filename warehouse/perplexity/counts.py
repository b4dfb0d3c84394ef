"""What an n-gram model counts: n-grams packed into integers, how often each occurs, how much to discount.

What lives here: pure array functions from a token sequence to sorted n-grams with adjusted counts and to
discounts. What does not: probabilities (``ngram.py``).

A token sequence is the form in which shards hold text: chunks one after the other, each begun by the marker
(token id 0). The marker is context for what follows and is itself never predicted; no n-gram reaches over it
into the chunk before.

An n-gram of order k lies in one uint64, its oldest token in the highest bits. So sorted n-grams lie grouped
by their context (all but the newest token), and the suffix without the oldest token is a bit mask away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import InvalidConfiguration

MARKER = 0
"""Token id that begins each chunk."""

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Used where the counts-of-counts of a small corpus or vocabulary give no valid discounts: the defaults of
``lmplz --discount_fallback`` in KenLM (https://kheafield.com/code/kenlm/)."""

Tokens = NDArray[np.uint16]
Positions = NDArray[np.int64]
Ngrams = NDArray[np.uint64]
Counts = NDArray[np.uint32]


@dataclass(frozen=True)
class CountTable:
    """The distinct n-grams of one order.

    Attributes:
        ngrams: packed n-grams, ascending and distinct, shape (n,).
        counts: adjusted counts, shape (n,): occurrences at the highest order and for n-grams that begin with
            the marker; below, the number of distinct tokens seen before the n-gram.
    """

    ngrams: Ngrams
    counts: Counts


@dataclass(frozen=True)
class Discounts:
    """What modified Kneser-Ney takes from an n-gram seen once, twice, or three times and more.

    Attributes:
        values: the three discounts, each in (0, i] for i = 1, 2, 3.
        note: why these are not estimates from the counts; None where they are.
    """

    values: tuple[float, float, float]
    note: str | None = None


def bits_per_token(vocab_size: int, order: int) -> int:
    """Bits that one token takes in a packed n-gram.

    Raises:
        InvalidConfiguration: if an n-gram of this order over this vocabulary does not fit into 64 bits.
    """
    if order < 1 or not 2 <= vocab_size <= 1 << 16:
        raise InvalidConfiguration(
            f"An n-gram model of order {order} over {vocab_size} token ids does not exist",
            "Choose an order of at least 1 and a vocabulary of 2 to 65,536",
        )
    bits = (vocab_size - 1).bit_length()
    if bits * order > 64:
        raise InvalidConfiguration(
            f"{order} tokens of {bits} bits each do not fit into the 64 bits of a packed n-gram",
            f"Choose an order of at most {64 // bits} for a vocabulary of {vocab_size}",
        )
    return bits


def check_sequence(tokens: Tokens, starts: Positions, vocab_size: int) -> None:
    """Raise `InvalidConfiguration` unless `tokens` is chunks that begin at `starts`, each with the marker."""
    if len(tokens) == 0 and len(starts) == 0:
        return
    if not np.array_equal(np.flatnonzero(tokens == MARKER), starts) or starts[0] != 0:
        raise InvalidConfiguration(
            f"The marker (token {MARKER}) does not stand at the start of each chunk and nowhere else",
            "Begin each chunk with the marker, and pass the ascending positions of the markers as starts",
        )
    if int(tokens.max()) >= vocab_size:
        raise InvalidConfiguration(
            f"Token {int(tokens.max())} lies outside a vocabulary of {vocab_size}",
            "Encode the text with the tokenizer that the model was made for",
        )


def count_ngrams(tokens: Tokens, starts: Positions, order: int, vocab_size: int) -> list[CountTable]:
    """Count the n-grams of all orders.

    Args:
        tokens: chunks one after the other, each begun by the marker, shape (n,).
        starts: positions of the markers.
        order: the highest order.
        vocab_size: number of token ids, the marker included.

    Returns:
        A table for each of the orders 1, …, `order`, with adjusted counts (Chen & Goodman 1999, section 2.7:
        Kneser-Ney counts distinct predecessors below the highest order; n-grams that begin with the marker
        cannot have any and keep their occurrences).
    """
    bits = bits_per_token(vocab_size, order)
    check_sequence(tokens, starts, vocab_size)
    table = _counted(_packed(tokens, starts, order, bits))
    tables = [table]
    for k in range(order - 1, 0, -1):
        suffixes = table.ngrams & np.uint64((1 << (bits * k)) - 1)
        table = _joined(_counted(_first_ngrams(tokens, starts, k, bits)), _counted(suffixes))
        tables.append(table)
    return tables[::-1]


def estimated_discounts(counts: Counts, order: int) -> Discounts:
    """The three discounts from the counts-of-counts (Chen & Goodman 1999, section 3.3, equation 26).

    Args:
        counts: adjusted counts of one order.
        order: that order; for the note only.
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == i)) for i in (1, 2, 3, 4))
    if 0 in (n1, n2, n3, n4):
        return Discounts(
            FALLBACK_DISCOUNTS, f"order {order}: not each of the counts 1 to 4 occurs; default discounts"
        )
    y = n1 / (n1 + 2 * n2)
    one, two, three = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
    if not (0 < one <= 1 and 0 < two <= 2 and 0 < three <= 3):
        return Discounts(
            FALLBACK_DISCOUNTS, f"order {order}: discounts outside their range; default discounts"
        )
    return Discounts((one, two, three))


def run_starts(ascending: Ngrams) -> Positions:
    """Where each run of equal values begins."""
    is_start = np.ones(len(ascending), bool)
    np.not_equal(ascending[1:], ascending[:-1], out=is_start[1:])
    return np.flatnonzero(is_start)


def _packed(tokens: Tokens, starts: Positions, order: int, bits: int) -> Ngrams:
    """Every n-gram that lies in one chunk and does not predict the marker, in the order of the text."""
    n_ngrams = len(tokens) - order + 1
    if n_ngrams <= 0:
        return np.zeros(0, np.uint64)
    packed = np.zeros(n_ngrams, np.uint64)
    for j in range(order):
        packed <<= np.uint64(bits)
        packed |= tokens[j : j + n_ngrams]
    inside = np.ones(n_ngrams, bool)
    for j in range(max(1, order - 1)):
        # An n-gram with the marker anywhere but at its first place reaches into another chunk.
        oldest = starts + j - (order - 1)
        inside[oldest[(oldest >= 0) & (oldest < n_ngrams)]] = False
    return packed[inside]


def _first_ngrams(tokens: Tokens, starts: Positions, order: int, bits: int) -> Ngrams:
    """The n-grams that begin with the marker, one for each chunk that is long enough."""
    if order == 1:
        return np.zeros(0, np.uint64)
    ends = np.append(starts[1:], len(tokens))
    first = starts[ends - starts >= order]
    packed = np.zeros(len(first), np.uint64)
    for j in range(order):
        packed <<= np.uint64(bits)
        packed |= tokens[first + j]
    return packed


def _counted(ngrams: Ngrams) -> CountTable:
    """Distinct n-grams and their occurrences; sorts `ngrams` in place to spare a copy."""
    ngrams.sort()
    first = run_starts(ngrams)
    return CountTable(ngrams[first], np.diff(first, append=len(ngrams)).astype(np.uint32))


def _joined(first: CountTable, others: CountTable) -> CountTable:
    """One table: what begins with the marker (0 in the highest bits) sorts before everything else."""
    return CountTable(
        np.concatenate([first.ngrams, others.ngrams]), np.concatenate([first.counts, others.counts])
    )
