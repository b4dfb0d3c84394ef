"""What a recipe masks: the private ranges of its chunks, and their text as it becomes tokens.

What lives here: the way from a recipe's ``[privacy]`` to text without private data. What does not: finding it, which
the cleanser does when chunks are cut, and the stored text, which never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from warehouse.cleanser.privacy import PRIVACY_VERSION, PrivateRange, mask
from warehouse.database import Connection, query, read_rows
from warehouse.recipes import Recipe
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.stage import StageContext

Masks = Mapping[UUID, Sequence[PrivateRange]]
"""The ranges to mask of each chunk that has some, in order."""


@dataclass(frozen=True)
class StoredRange:
    """A row of ``corpus.private_range``."""

    chunk_id: UUID
    kind: str
    char_start: int
    char_end: int


def masking_version(recipe: Recipe) -> str:
    """What is masked, and by which version of the code."""
    return f"{', '.join(recipe.privacy.mask) or 'nothing'} masked by version {PRIVACY_VERSION}"


def recipe_masks(connection: Connection, context: StageContext) -> Masks:
    """What the build's recipe masks of all chunks that it may keep."""
    kinds = list(context.recipe.privacy.mask)
    parameters = {"kinds": kinds, "chunking_id": recipe_chunking(context)[1]}
    return _by_chunk(read_rows(connection, query("private_ranges_of_chunking"), parameters, StoredRange))


def masks_of(connection: Connection, recipe: Recipe, chunk_ids: Iterable[UUID]) -> Masks:
    """What the recipe masks of some chunks."""
    parameters = {"kinds": list(recipe.privacy.mask), "chunk_ids": list(chunk_ids)}
    return _by_chunk(read_rows(connection, query("private_ranges_of_chunks"), parameters, StoredRange))


def _by_chunk(rows: Iterable[StoredRange]) -> Masks:
    masks: dict[UUID, list[PrivateRange]] = {}
    for row in rows:
        masks.setdefault(row.chunk_id, []).append(PrivateRange(row.kind, row.char_start, row.char_end))
    return masks


def masked_text(text: str, chunk_id: UUID, masks: Masks) -> str:
    """A chunk's text with its ranges in `masks` masked; the text itself where there is none."""
    ranges = masks.get(chunk_id)
    return mask(text, ranges, {item.kind for item in ranges}) if ranges else text
