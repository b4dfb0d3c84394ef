"""Which text is trained on and which is held out (DESIGN §9).

The unit of a split is a document, or a section of one where a corpus has few. The same unit is what a bootstrap
replicate repeats and what confidence intervals resample.
"""

from __future__ import annotations

from uuid import UUID

from warehouse.identity import content_id, uniform_draw

SPLITS = ("train", "validation", "select", "confirm", "report")

_UPPER_BOUNDS = {"train": 0.900, "validation": 0.925, "select": 0.950, "confirm": 0.975, "report": 1.0}

SECTION_CHUNKS = 8
"""Consecutive chunks of a section, about 16,000 characters: long enough that neighbours across its edges are few."""


def sampling_unit(document_id: UUID, ordinal: int, split_unit: str) -> UUID:
    """The document, or the section of it that chunk number `ordinal` lies in.

    Args:
        document_id: the chunk's document.
        ordinal: place of the chunk in it.
        split_unit: ``document``, ``section``, or ``chunk`` for sections of one chunk.
    """
    if split_unit == "document":
        return document_id
    return content_id(
        document_id.bytes, split_unit, ordinal // (SECTION_CHUNKS if split_unit == "section" else 1)
    )


def split_of(unit: UUID, salt: str) -> str:
    """The split of a sampling unit in the home with that salt."""
    draw = uniform_draw(str(unit), salt)
    return next(split for split in SPLITS if draw < _UPPER_BOUNDS[split])
