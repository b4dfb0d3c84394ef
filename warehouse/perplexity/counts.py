"""What an n-gram model counts: n-grams packed into integers, how often each occurs, how much to discount.

What lives here: pure array functions from stretches of text to ascending n-grams with adjusted counts and to
discounts. What does not: sorting what does not fit into memory (``runs.py``), probabilities (``training.py``).

A token sequence is the form in which shards hold text: chunks one after the other, each begun by the marker
(token id 0). The marker is context for what follows and is itself never predicted; no n-gram reaches over it
into the chunk before.

An n-gram of order k lies in one uint64, its newest token in the highest of its k * b bits. So n-grams in
ascending order lie grouped by their suffixes, and the suffix without the oldest token is a shift away, itself
in ascending order: the n-grams of all lower orders, and Kneser-Ney's number of distinct tokens before each,
follow from one sorted table without another sort. The context without the newest token is a bit mask away.

Near the start of a chunk, where the text has fewer tokens than the order, the places before the marker hold
markers too. An n-gram whose two oldest tokens are markers is such a padded one: it stands for the shorter
n-gram that begins with the marker, and belongs to no table of its own order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    """Distinct n-grams of one order, or a part of them.

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


def max_order(vocab_size: int) -> int:
    """The longest n-gram over so many token ids that fits into 64 bits: 5 for 1,025 to 4,096 ids.

    Raises:
        InvalidConfiguration: if token ids of such a vocabulary are no uint16, or there is no token but the
            marker.
    """
    if not 2 <= vocab_size <= 1 << 16:
        raise InvalidConfiguration(
            f"There is no n-gram model over {vocab_size} token ids", "Choose a vocabulary of 2 to 65,536"
        )
    return 64 // (vocab_size - 1).bit_length()


def bits_per_token(vocab_size: int, order: int) -> int:
    """Bits that one token takes in a packed n-gram.

    Raises:
        InvalidConfiguration: if an n-gram of this order over this vocabulary does not fit into 64 bits.
    """
    longest = max_order(vocab_size)
    if not 1 <= order <= longest:
        raise InvalidConfiguration(
            f"An n-gram model of order {order} over {vocab_size} token ids is impossible: "
            "an n-gram lies in 64 bits",
            f"Choose an order of 1 to {longest}, or a smaller vocabulary",
        )
    return (vocab_size - 1).bit_length()


def check_sequence(tokens: Tokens, starts: Positions, vocab_size: int) -> None:
    """Raise `InvalidConfiguration` unless `tokens` is chunks that begin at `starts`, each with the marker."""
    if len(tokens) == 0 and len(starts) == 0:
        return
    if not np.array_equal(np.flatnonzero(tokens == MARKER), starts) or starts[0] != 0:
        raise InvalidConfiguration(
            f"The marker (token {MARKER}) does not stand at the start of each chunk and nowhere else",
            "Begin each chunk with the marker, and pass the ascending positions of the markers as starts",
        )
    check_tokens(tokens, vocab_size)


def check_tokens(tokens: Tokens, vocab_size: int) -> None:
    """Raise `InvalidConfiguration` if a token lies outside the vocabulary."""
    if len(tokens) and int(tokens.max()) >= vocab_size:
        raise InvalidConfiguration(
            f"Token {int(tokens.max())} lies outside a vocabulary of {vocab_size}",
            "Encode the text with the tokenizer that the model was made for",
        )


def packed(tokens: Tokens, order: int, bits: int) -> Ngrams:
    """The n-gram that ends at each position of a stretch of text, padded with markers; shape of `tokens`.

    The first `order` - 1 positions know only what lies in the stretch. At a marker the n-gram is 0.
    """
    inside = (tokens != MARKER).astype(np.uint64)
    ngrams = tokens.astype(np.uint64) << np.uint64(bits * (order - 1))
    for distance in range(1, order):
        older = _shifted(tokens, distance)
        # Only up to the nearest marker: it is 0 itself, and all before it belong to another chunk.
        ngrams |= (older * inside) << np.uint64(bits * (order - 1 - distance))
        inside &= older != MARKER
    return ngrams


def counted(ngrams: Ngrams) -> CountTable:
    """Distinct n-grams and their occurrences; sorts `ngrams` in place to spare a copy."""
    ngrams.sort()
    first = run_starts(ngrams)
    return CountTable(ngrams[first], np.diff(first, append=len(ngrams)).astype(np.uint32))


def lower_order(parts: Iterable[CountTable], bits: int) -> Iterator[CountTable]:
    """The n-grams without their oldest token, with their adjusted counts (Chen & Goodman 1999, section 2.7).

    Kneser-Ney counts distinct predecessors below the highest order; n-grams that begin with the marker cannot
    have any and keep their occurrences.

    Args:
        parts: the n-grams of one order, padded ones included, in ascending parts.
        bits: of a token.

    Yields:
        The same for the next lower order, in ascending parts.
    """
    held = CountTable(np.zeros(0, np.uint64), np.zeros(0, np.uint32))
    for part in parts:
        table = CountTable(
            np.concatenate([held.ngrams, part.ngrams]), np.concatenate([held.counts, part.counts])
        )
        # The last suffix may go on in the next part.
        last_suffix = table.ngrams[-1] >> np.uint64(bits) << np.uint64(bits)
        whole = int(np.searchsorted(table.ngrams, last_suffix))
        held = CountTable(table.ngrams[whole:], table.counts[whole:])
        if whole:
            yield _suffixes(CountTable(table.ngrams[:whole], table.counts[:whole]), bits)
    if len(held.ngrams):
        yield _suffixes(held, bits)


def without_padded(table: CountTable, bits: int) -> CountTable:
    """Only the n-grams that are as long as their order (2 or more) says."""
    two_oldest = np.uint64((1 << (2 * bits)) - 1)
    real = (table.ngrams & two_oldest) != 0
    return CountTable(table.ngrams[real], table.counts[real])


def counts_of_counts(counts: Counts) -> Positions:
    """How many n-grams have the counts 1, 2, 3 and 4; shape (4,)."""
    return np.bincount(np.minimum(counts, 5), minlength=6)[1:5]


def estimated_discounts(of_counts: Sequence[int], order: int) -> Discounts:
    """The three discounts from the counts-of-counts (Chen & Goodman 1999, section 3.3, equation 26).

    Args:
        of_counts: how many n-grams have the adjusted counts 1, 2, 3 and 4.
        order: of these n-grams; for the note only.
    """
    n1, n2, n3, n4 = of_counts
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


def _suffixes(table: CountTable, bits: int) -> CountTable:
    suffixes = table.ngrams >> np.uint64(bits)
    first = run_starts(suffixes)
    suffixes = suffixes[first]
    n_before = np.diff(first, append=len(table.ngrams)).astype(np.uint32)
    begins_chunk = suffixes & np.uint64((1 << bits) - 1) == MARKER
    return CountTable(suffixes, np.where(begins_chunk, table.counts[first], n_before))


def _shifted(values: Tokens, distance: int) -> Tokens:
    """Each position gets the token `distance` places before it, the first ones the marker."""
    shifted = np.full_like(values, MARKER)
    shifted[distance:] = values[: max(len(values) - distance, 0)]
    return shifted
