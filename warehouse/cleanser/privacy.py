"""Private data in text: where it stands, how much of it there is, and what is put in its place.

What lives here: ranges of e-mail addresses, phone numbers, public IP addresses, payment card numbers and IBANs over
batches of texts, their counts, and masking. What does not: how each kind is recognised (``addresses.py``,
``account_numbers.py``, ``phone_numbers.py``), and which kinds are masked, which a recipe says.

Finding is exact about what is written and knows nothing of people: names and street addresses are not looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.private_data.account_numbers import EXAMPLE_CARD, EXAMPLE_IBAN, find_cards, find_ibans
from warehouse.cleanser.private_data.addresses import (
    EXAMPLE_EMAIL,
    EXAMPLE_IPV4,
    EXAMPLE_IPV6,
    count_urls,
    find_emails,
    find_public_ips,
)
from warehouse.cleanser.private_data.phone_numbers import EXAMPLE_PHONE, find_phones

PRIVACY_VERSION = 1
"""Rises when the same text would be found or masked otherwise."""


@dataclass(frozen=True, slots=True)
class PrivateRange:
    """The characters [char_start, char_end) of a text that are private data of a kind out of `KINDS`."""

    kind: str
    char_start: int
    char_end: int


_FINDERS: Mapping[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "iban": find_ibans,
    "card": find_cards,
    "public_ip": find_public_ips,
    "phone": find_phones,
}
"""Of the kinds that are numbers, the surest first. Where two overlap, the earlier kind holds, e-mail addresses before
all, and within a kind the range that begins first, of those the longest."""

KINDS = ("email", "phone", "public_ip", "card", "iban")
"""Kinds of private data, in the order of the columns that count them."""

COUNT_COLUMNS: Mapping[str, str] = {
    "n_emails": "email",
    "n_phones": "phone",
    "n_public_ips": "public_ip",
    "n_cards": "card",
    "n_ibans": "iban",
}

_REPLACEMENTS: Mapping[str, str] = {
    "email": EXAMPLE_EMAIL,
    "phone": EXAMPLE_PHONE,
    "public_ip": EXAMPLE_IPV4,
    "card": EXAMPLE_CARD,
    "iban": EXAMPLE_IBAN,
}
_EXAMPLES = (*_REPLACEMENTS.values(), EXAMPLE_IPV6)


def find_private(text: str) -> list[PrivateRange]:
    """Private data in a text: in order, disjoint."""
    return find_private_ranges([text])[0]


def find_private_ranges(texts: Sequence[str]) -> list[list[PrivateRange]]:
    """`find_private` of each text, at the cost of a few passes over the bytes where there is none."""
    found: list[list[PrivateRange]] = [[] for _ in texts]
    with_digits = _candidates(texts)
    for number, text in enumerate(texts):
        kinds = with_digits.get(number, ())
        if kinds or "@" in text:
            found[number] = _disjoint(text, kinds)
    return found


def _disjoint(text: str, kinds: Collection[str]) -> list[PrivateRange]:
    ranges = _without_overlaps("email", find_emails(text))
    text = _blanked(text, ranges)
    for kind, find in _FINDERS.items():
        # Again until nothing is found beside what was: so that masking twice is masking once.
        while kind in kinds and (own := _without_overlaps(kind, find(text))):
            text = _blanked(text, own)
            ranges += own
    return sorted(ranges, key=lambda item: item.char_start)


def _without_overlaps(kind: str, spans: Iterable[tuple[int, int]]) -> list[PrivateRange]:
    ranges, earlier = [], 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= earlier:
            ranges.append(PrivateRange(kind, start, end))
            earlier = end
    return ranges


def _blanked(text: str, ranges: Iterable[PrivateRange]) -> str:
    """The text with letters in the place of the ranges and of the examples that masking puts there."""
    parts, end = [], 0
    for item in ranges:
        parts += [text[end : item.char_start], "x" * (item.char_end - item.char_start)]
        end = item.char_end
    text = "".join([*parts, text[end:]]) if parts else text
    for example in _EXAMPLES:
        text = text.replace(example, "x" * len(example))
    return text


_DENSE_DIGITS, _DENSE_CHARACTERS = 7, 13
"""Every phone number and IBAN has so many digits within so many characters; hardly any prose has."""
_CARD_DIGITS, _CARD_CHARACTERS = 13, 17
"""The same for a card number: three signs among its first 13 digits."""
_QUAD_CHARACTERS = 9
"""From the first to the last dot of an IPv4 address, both counted, at most."""
_COLONS, _COLONS_CHARACTERS = 7, 31
"""Colons of an IPv6 address, and from the first to the last of them, at most; or two colons in a row."""


def _candidates(texts: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Numbers of the texts that may hold numeric kinds, with these; seen in one look at all their characters."""
    # Each character is a byte: what is no ASCII becomes a question mark.
    data = np.frombuffer("\0".join(texts).encode("ascii", "replace"), np.uint8)
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    digit = data - np.uint8(ord("0")) < 10
    digits = np.flatnonzero(digit)
    dots = np.flatnonzero(data[1:-1] == ord(".")) + 1
    colons = np.flatnonzero(data == ord(":"))
    quads = _close(dots[digit[dots - 1] & digit[dots + 1]], 3, _QUAD_CHARACTERS)
    colon_groups = [_close(colons, 2, 2), _close(colons, _COLONS, _COLONS_CHARACTERS)]
    near = {
        ("iban", "phone"): _close(digits, _DENSE_DIGITS, _DENSE_CHARACTERS),
        ("card",): _close(digits, _CARD_DIGITS, _CARD_CHARACTERS),
        ("public_ip",): np.concatenate([quads, *colon_groups]),
    }
    kinds: dict[int, tuple[str, ...]] = {}
    for some, positions in near.items():
        for number in np.unique(np.searchsorted(starts, positions, side="right") - 1).tolist():
            kinds[number] = kinds.get(number, ()) + some
    return kinds


def _close(positions: NDArray[np.int64], n: int, n_characters: int) -> NDArray[np.int64]:
    """Those of the positions from which on `n` stand within `n_characters`."""
    first, last = positions[: len(positions) - n + 1], positions[n - 1 :]
    return first[last - first < n_characters] if len(positions) >= n else positions[:0]


def count_private(
    texts: Sequence[str], ranges: Sequence[Sequence[PrivateRange]] | None = None
) -> dict[str, NDArray[np.int32]]:
    """How often each kind occurs in each text, and how many URLs.

    Args:
        texts: texts of any length.
        ranges: what `find_private_ranges` gave for them, where that is there.

    Returns:
        n_emails, n_phones, n_public_ips, n_cards, n_ibans, n_urls, each of shape (len(texts),).
    """
    found = find_private_ranges(texts) if ranges is None else ranges
    counts = {column: np.zeros(len(texts), np.int32) for column in COUNT_COLUMNS}
    for number, own in enumerate(found):
        if own:
            for column, kind in COUNT_COLUMNS.items():
                counts[column][number] = sum(item.kind == kind for item in own)
    return {**counts, "n_urls": np.fromiter(map(count_urls, texts), np.int32, len(texts))}


def mask(text: str, ranges: Iterable[PrivateRange], kinds: Collection[str]) -> str:
    """The text with its ranges of some kinds replaced by readable stand-ins, the same for each range of a kind.

    The stand-ins are values that nobody has, and `find_private` takes none of them for private.

    Args:
        text: any text.
        ranges: what `find_private` gave for it, all or some, in order.
        kinds: out of `KINDS`.
    """
    parts, end = [], 0
    for item in ranges:
        if item.kind in kinds:
            parts += [text[end : item.char_start], _replacement(text, item)]
            end = item.char_end
    return "".join([*parts, text[end:]]) if parts else text


def _replacement(text: str, item: PrivateRange) -> str:
    if item.kind == "public_ip" and ":" in text[item.char_start : item.char_end]:
        return EXAMPLE_IPV6
    return _REPLACEMENTS[item.kind]
