"""How documents are cut: the parameters, and their identity."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from warehouse.errors import InvalidConfiguration
from warehouse.identity import content_id

CUTTER_VERSION = 2
"""Rises when the same parameters would cut elsewhere or store another text."""

DEFAULT_MAX_CHARACTERS = 2_000
MINIMUM_MAX_CHARACTERS = 16
"""Broken bytes that cannot be parted stand for several characters; no encoding knows a group as long as
this."""


@dataclass(frozen=True)
class Chunking:
    """How documents are cut.

    Attributes:
        max_characters: characters of clean text that a chunk has at most; 16 or more.
        repair_mojibake: whether wrong decodings of the past are undone.
    """

    max_characters: int = DEFAULT_MAX_CHARACTERS
    repair_mojibake: bool = True

    def __post_init__(self) -> None:
        if self.max_characters < MINIMUM_MAX_CHARACTERS:
            raise InvalidConfiguration(
                f"Chunks of {self.max_characters} characters are too small to cut",
                "Set max_characters to 16 or more",
            )

    def chunking_id(self) -> UUID:
        """Identity of the parameters and of the cutter's version."""
        return content_id("chunking", CUTTER_VERSION, self.max_characters, int(self.repair_mojibake))
