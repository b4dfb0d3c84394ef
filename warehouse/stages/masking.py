"""What a recipe takes out of its chunks where text becomes tokens: private data and repeated passages.

Private data is replaced by stand-ins, as ``[privacy]`` asks; passages that other documents repeat are left out, as
``[passages]`` asks. Where the two overlap, what is left of a private range is masked.

What lives here: the way from a recipe to text as it becomes tokens. What does not: finding private data and repeated
passages, and the stored text, which never changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from warehouse.cleanser.privacy import PRIVACY_VERSION, PrivateRange, mask
from warehouse.database import Connection, query, read_rows
from warehouse.recipes import Recipe
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import StageContext

LEAVING_OUT_VERSION = 1
"""Rises when the same ranges left out would give another text."""


@dataclass(frozen=True)
class Mask:
    """What is taken out of one chunk's stored text.

    Attributes:
        private: ranges that are replaced, in order.
        left_out: [char_start, char_end) of passages that are left out, in order, disjoint; each begins a line and
            ends before the next one that stays.
    """

    private: tuple[PrivateRange, ...] = ()
    left_out: tuple[tuple[int, int], ...] = ()


Masks = Mapping[UUID, Mask]
"""What is taken out of each chunk that something is taken out of."""


@dataclass(frozen=True)
class StoredRange:
    """A row of ``corpus.private_range``."""

    chunk_id: UUID
    kind: str
    char_start: int
    char_end: int


@dataclass(frozen=True)
class PassageRange:
    """A place of a repeated passage that is left out."""

    chunk_id: UUID
    char_start: int
    char_end: int


def masking_version(recipe: Recipe) -> str:
    """What is masked, and by which version of the code."""
    return f"{', '.join(recipe.privacy.mask) or 'nothing'} masked by version {PRIVACY_VERSION}"


def leaving_out_version(recipe: Recipe) -> str:
    """Which repeated passages are left out, and by which version of the code."""
    rules = recipe.passages
    if not rules.remove:
        return "nothing left out"
    copies = "all but the first" if rules.keep_first else "all"
    return (
        f"{', '.join(sorted(rules.remove))} in {rules.min_documents} documents, {copies}, left out by version "
        f"{LEAVING_OUT_VERSION}"
    )


def recipe_masks(connection: Connection, context: StageContext) -> Masks:
    """What the build's recipe takes out of all chunks that it may keep."""
    chunking_id, rules = recipe_chunking(context)[1], context.recipe.passages
    private = {"kinds": list(context.recipe.privacy.mask), "chunking_id": chunking_id}
    passages = {
        "chunking_id": chunking_id,
        "remove": list(rules.remove),
        "min_documents": rules.min_documents,
        "keep_first": rules.keep_first,
    }
    return _by_chunk(
        read_rows(connection, query("private_ranges_of_chunking"), private, StoredRange),
        read_rows(connection, query("ranges_to_leave_out"), passages, PassageRange),
    )


def shard_masks(connection: Connection, recipe: Recipe, places: Sequence[tuple[UUID, UUID]]) -> Masks:
    """What the recipe's shards took out of some chunks.

    Args:
        connection: the database.
        recipe: the recipe.
        places: shard_id and chunk_id, each chunk in one shard.
    """
    return masks_of(connection, recipe.privacy.mask, places)


def masks_of(connection: Connection, kinds: Sequence[str], places: Sequence[tuple[UUID, UUID]]) -> Masks:
    """What shards took out of some chunks, by the kinds of private data that are masked in them.

    Args:
        connection: the database.
        kinds: out of `warehouse.cleanser.privacy.KINDS`.
        places: shard_id and chunk_id, each chunk in one shard.
    """
    chunk_ids = [chunk_id for _, chunk_id in places]
    private = {"kinds": list(kinds), "chunk_ids": chunk_ids}
    passages = {"shard_ids": [shard_id for shard_id, _ in places], "chunk_ids": chunk_ids}
    return _by_chunk(
        read_rows(connection, query("private_ranges_of_chunks"), private, StoredRange),
        read_rows(connection, query("ranges_left_out"), passages, PassageRange),
    )


def _by_chunk(private: Iterable[StoredRange], passages: Iterable[PassageRange]) -> Masks:
    masked: dict[UUID, list[PrivateRange]] = {}
    for row in private:
        masked.setdefault(row.chunk_id, []).append(PrivateRange(row.kind, row.char_start, row.char_end))
    left_out: dict[UUID, list[tuple[int, int]]] = {}
    for place in passages:
        left_out.setdefault(place.chunk_id, []).append((place.char_start, place.char_end))
    return {
        chunk_id: Mask(tuple(masked.get(chunk_id, ())), tuple(left_out.get(chunk_id, ())))
        for chunk_id in masked.keys() | left_out.keys()
    }


def masked_text(text: str, chunk_id: UUID, masks: Masks) -> str:
    """A chunk's text as it becomes tokens; the text itself where nothing is taken out of it."""
    taken_out = masks.get(chunk_id)
    return apply_mask(text, taken_out) if taken_out else text


@dataclass(frozen=True)
class Piece:
    """A stretch of a text as it becomes tokens.

    Attributes:
        text: its characters; never empty.
        char_start: first character of the stored text that it stands for.
        char_end: one past the last.
        kind: of the private data for which it is the stand-in; None where it is the stored characters themselves.
    """

    text: str
    char_start: int
    char_end: int
    kind: str | None = None


def apply_mask(text: str, taken_out: Mask) -> str:
    """A stored text without what is taken out of it.

    Where a passage is left out, one paragraph break stays between its neighbours, and the text begins and ends as
    it did: without blank lines at the beginning, with the same line ends at the end.
    """
    return "".join(piece.text for piece in masked_pieces(text, taken_out))


def masked_pieces(text: str, taken_out: Mask) -> list[Piece]:
    """`apply_mask`, each stretch with the characters that it stands for."""
    parts = [
        list(_masked(text, taken_out.private, start, end))
        for start, end in _stays(len(text), taken_out.left_out)
    ]
    return _mended(parts, text) if taken_out.left_out else parts[0]


def _stays(length: int, left_out: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ranges between those left out, empty ones among them."""
    begin = 0
    for start, end in left_out:
        yield begin, start
        begin = end
    yield begin, length


def _masked(text: str, private: Iterable[PrivateRange], start: int, end: int) -> Iterator[Piece]:
    """The characters [start, end) of a text, with a stand-in for what of each private range lies there."""
    position = start
    for item in private:
        first, last = max(item.char_start, start), min(item.char_end, end)
        if first >= last:
            continue
        if position < first:
            yield Piece(text[position:first], position, first)
        own = PrivateRange(item.kind, 0, last - first)
        yield Piece(mask(text[first:last], [own], {item.kind}), first, last, item.kind)
        position = last
    if position < end:
        yield Piece(text[position:end], position, end)


_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")


def _mended(parts: Iterable[list[Piece]], text: str) -> list[Piece]:
    """The parts of a text that stay, one after the other, with one break where there would be two."""
    joined: list[Piece] = []
    white_space = ""
    for part in parts:
        after_break = not joined or white_space.count("\n") > 1
        blank = _BLANK_LINES.match(_joined(part)) if after_break else None
        stays = _without_first(part, blank.end()) if blank else part
        content = _joined(stays)
        if content:
            joined += stays
            white_space = (white_space if content.isspace() else "") + content[len(content.rstrip()) :]
    whole = _up_to(joined, _line_ends(_joined(joined)))
    last = _line_ends(text)
    return [*whole, Piece(text[last:], last, len(text))] if whole and last < len(text) else whole


def _joined(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _line_ends(text: str) -> int:
    """Where the line ends begin with which a text ends; its length where it ends with none."""
    return len(text.rstrip("\n"))


def _without_first(pieces: Iterable[Piece], n_characters: int) -> list[Piece]:
    """Pieces without their first characters, which are no stand-in's."""
    stays = []
    for piece in pieces:
        n_cut = min(n_characters, len(piece.text))
        n_characters -= n_cut
        if n_cut < len(piece.text):
            cut = replace(piece, text=piece.text[n_cut:], char_start=piece.char_start + n_cut)
            stays.append(cut if n_cut else piece)
    return stays


def _up_to(pieces: Iterable[Piece], length: int) -> list[Piece]:
    """The first characters of pieces; where they end is not in a stand-in."""
    stays = []
    for piece in pieces:
        n_kept = min(length, len(piece.text))
        length -= n_kept
        if n_kept:
            cut = replace(piece, text=piece.text[:n_kept], char_end=piece.char_start + n_kept)
            stays.append(cut if n_kept < len(piece.text) else piece)
    return stays
