"""What is looked for, as sorted hashes: the passages of evaluation items, made ready for `search.py`.

Two things are looked for. A passage of `LONG_WORDS` words or more is known by its runs of so many words. And every
passage, in pieces of at most `MAX_PIECE_WORDS` words, is known by its seeds: four words of five in a row, in each
pattern that includes the first and the last, or four of four. Where four fifths of a piece's words stand in a text, and
the others are replaced, at least one of its seeds stands there too: either four words in a row are left, or runs of
three with one replaced word between them. A piece of three or four words is known by three of its words.

What lives here: passages to arrays. What does not: looking them up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.decontamination.items import LONG_WORDS, Item, are_searchable
from warehouse.decontamination.words import (
    BoolArray,
    Int64Array,
    UInt64Array,
    Words,
    pattern_hashes,
    ranges,
    split_words,
)
from warehouse.files import written_whole
from warehouse.identity import content_id

Int32Array = NDArray[np.int32]

MAX_PIECE_WORDS = 40
"""Longer passages are looked for in pieces, because a chunk may hold only a part of them."""

SEED_PATTERNS = ((0, 1, 2, 3), (0, 1, 2, 4), (0, 1, 3, 4), (0, 2, 3, 4))
SHORT_SEED_PATTERNS = ((0, 1, 2), (0, 1, 3), (0, 2, 3))
SHORT_PIECE_WORDS = 4
"""Pieces of at most so many words are sought by the short patterns too."""

MAX_SEED_PIECES = 1000
"""Seeds that more pieces share ("which of the following is") lead to no piece that has another seed."""

MAX_BLOCK_WORDS = 2_000_000
"""Words of the passages of one index: about 100 MB."""


@dataclass(frozen=True)
class ItemIndex:
    """Evaluation items to be looked for.

    Attributes:
        item_ids: (n_items, 16) ids.
        grams: (n_grams,) hashes of runs of `LONG_WORDS` words, ascending, with the item of each in `gram_items`.
        n_item_grams: (n_items,) distinct runs of each item.
        words: (n_words,) hashes of the pieces' words, piece after piece, with their `letters`.
        piece_starts: (n_pieces + 1,) where each piece's words begin.
        piece_items: (n_pieces,) the item of each piece.
        seeds: (n_seeds,) hashes, ascending, each with its `seed_pieces` and its place in the piece, `seed_places`.
    """

    item_ids: NDArray[np.uint8]
    grams: UInt64Array
    gram_items: Int32Array
    n_item_grams: Int32Array
    words: UInt64Array
    letters: NDArray[np.uint8]
    piece_starts: Int64Array
    piece_items: Int32Array
    seeds: UInt64Array
    seed_pieces: Int32Array
    seed_places: Int32Array

    @property
    def has_short_pieces(self) -> bool:
        return bool((np.diff(self.piece_starts) <= SHORT_PIECE_WORDS).any())

    def save(self, path: Path) -> None:
        """Write the index to a .npz file."""
        with written_whole(path) as partial:
            np.savez(partial, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> ItemIndex:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class SearchedItem:
    """An item with its passages that are long enough.

    Attributes:
        item_id: hash of the words of its texts: the same item in another file has the same.
        n_words: words of its texts.
        passages: what is searched for; none where all are too short.
    """

    item_id: bytes
    n_words: int
    passages: tuple[str, ...]


def searched_items(items: Sequence[Item]) -> list[SearchedItem]:
    """Items with their ids and those of their passages that can be searched for, each once."""
    texts = split_words([text for item in items for text in item.texts])
    searchable = are_searchable(split_words([passage for item in items for passage in item.passages]))
    searched, text, passage = [], 0, 0
    for item in items:
        start, end = texts.offsets[text], texts.offsets[text + len(item.texts)]
        flags = searchable[passage : passage + len(item.passages)].tolist()
        kept = dict.fromkeys(own for own, flag in zip(item.passages, flags, strict=True) if flag)
        item_id = content_id(texts.hashes[start:end].astype("<u8").tobytes(), *kept).bytes
        searched.append(SearchedItem(item_id, int(end - start), tuple(kept)))
        text += len(item.texts)
        passage += len(item.passages)
    return searched


def blocks_of_items(items: Sequence[SearchedItem]) -> Iterator[list[SearchedItem]]:
    """Distinct items in order of their ids, in blocks that fit one index."""
    block: list[SearchedItem] = []
    n_words = 0
    for item in sorted({item.item_id: item for item in items if item.passages}.values(), key=_item_id):
        size = sum(len(passage) // 5 for passage in item.passages)
        if block and n_words + size > MAX_BLOCK_WORDS:
            yield block
            block, n_words = [], 0
        block.append(item)
        n_words += size
    if block:
        yield block


def _item_id(item: SearchedItem) -> bytes:
    return item.item_id


def build_index(items: Sequence[SearchedItem]) -> ItemIndex:
    """The index of some items, each given once."""
    passages = [(passage, place) for place, item in enumerate(items) for passage in item.passages]
    # Places of pieces as long as each other are compared together.
    passages.sort(key=lambda passage: passage[0].count(" "))
    words = split_words([passage for passage, _ in passages])
    passage_items = np.array([place for _, place in passages], np.int64)
    item_ids = np.frombuffer(b"".join(item.item_id for item in items), np.uint8).reshape(-1, 16)
    grams, gram_items = _grams(words, passage_items)
    piece_starts, piece_passages = _pieces(words.offsets)
    seeds, seed_pieces, seed_places = _seeds(words.hashes, piece_starts)
    return ItemIndex(
        item_ids=item_ids,
        grams=grams,
        gram_items=gram_items,
        n_item_grams=np.bincount(gram_items, minlength=len(items)).astype(np.int32),
        words=words.hashes,
        letters=words.letters,
        piece_starts=piece_starts,
        piece_items=passage_items[piece_passages].astype(np.int32),
        seeds=seeds,
        seed_pieces=seed_pieces,
        seed_places=seed_places,
    )


def _grams(words: Words, passage_items: Int64Array) -> tuple[UInt64Array, Int32Array]:
    """Each item's distinct runs of `LONG_WORDS` words, ascending, and whose they are."""
    hashes = pattern_hashes(words.hashes, range(LONG_WORDS))
    of_word = words.text_of_word
    whole = of_word[: len(hashes)] == of_word[len(of_word) - len(hashes) :]
    hashes, items = hashes[whole], passage_items[of_word[: len(hashes)][whole]]
    order = np.lexsort((items, hashes))
    hashes, items = hashes[order], items[order]
    first = _changes(hashes) | _changes(items)
    return hashes[first], items[first].astype(np.int32)


def _pieces(offsets: Int64Array) -> tuple[Int64Array, Int64Array]:
    """(n_pieces + 1,) borders of passages cut into pieces as long as each other, and each piece's passage."""
    lengths = np.diff(offsets)
    n_pieces = np.maximum(1, -(-lengths // MAX_PIECE_WORDS))
    passages = np.repeat(np.arange(len(lengths)), n_pieces)
    number = ranges(np.zeros_like(n_pieces), n_pieces)
    starts = offsets[:-1][passages] + number * lengths[passages] // n_pieces[passages]
    return np.append(starts, offsets[-1]), passages


def _seeds(words: UInt64Array, piece_starts: Int64Array) -> tuple[UInt64Array, Int32Array, Int32Array]:
    """Seeds of all pieces: hashes, ascending, pieces and places in them; a seed counts once a piece."""
    sizes = np.diff(piece_starts)
    piece_of_word = np.repeat(np.arange(len(sizes)), sizes)
    hashes, firsts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for pattern in (*SEED_PATTERNS, *SHORT_SEED_PATTERNS):
        found = pattern_hashes(words, pattern)
        piece = piece_of_word[: len(found)]
        fits = piece == piece_of_word[len(words) - len(found) :]
        if pattern in SHORT_SEED_PATTERNS:
            fits &= sizes[piece] <= SHORT_PIECE_WORDS
        hashes.append(found[fits])
        firsts.append(np.flatnonzero(fits))
    seeds, first = np.concatenate(hashes), np.concatenate(firsts)
    pieces = piece_of_word[first]
    order = np.lexsort((first, pieces, seeds))
    seeds, first, pieces = seeds[order], first[order], pieces[order]
    kept = _changes(seeds) | _changes(pieces)
    seeds, first, pieces = seeds[kept], first[kept], pieces[kept]
    telling = _telling(seeds, pieces, len(sizes))
    places = first - piece_starts[pieces]
    return seeds[telling], pieces[telling].astype(np.int32), places[telling].astype(np.int32)


def _telling(seeds: UInt64Array, pieces: Int64Array, n_pieces: int) -> BoolArray:
    """(n_seeds,) which seeds are looked up: those that few pieces share, and each piece's rarest."""
    run = np.cumsum(_changes(seeds)) - 1
    n_sharing = np.bincount(run)[run] if len(run) else run
    rarest = np.full(n_pieces, np.iinfo(np.int64).max)
    np.minimum.at(rarest, pieces, n_sharing)
    telling: BoolArray = (n_sharing <= MAX_SEED_PIECES) | (n_sharing == rarest[pieces])
    return telling


def _changes(values: NDArray[np.generic]) -> BoolArray:
    """(n,) whether a value differs from the one before; True for the first."""
    changed = np.ones(len(values), np.bool_)
    changed[1:] = values[1:] != values[:-1]
    return changed
