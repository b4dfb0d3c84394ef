"""How documents are cut: the parameters, and their identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.identity import content_id

if TYPE_CHECKING:
    from warehouse.recipes import ChunkingChoice

CUTTER_VERSION = 3
"""Rises when the same parameters would cut elsewhere or store another text."""

DEFAULT_MAX_CHARACTERS = 2_000
MINIMUM_MAX_CHARACTERS = 16
"""Broken bytes that cannot be parted stand for several characters; no encoding knows a group as long as
this."""

MINIMUM_MAX_TOKENS = 64
"""A single character can become many tokens: U+FDFA is 33 bytes of UTF-8 after compatibility normalisation
(UAX #15), and a byte-level tokenizer may know none of its merges."""

TokenEnds = Callable[[str], list[int]]
"""From a text to the number of characters before the end of each of its tokens."""


@dataclass(frozen=True)
class Chunking:
    """How documents are cut. Where both limits are given, both hold.

    Attributes:
        max_characters: characters of clean text that a chunk has at most; 16 or more.
        max_tokens: tokens of clean text that a chunk has at most, 64 or more; None for any number.
        tokenizer: a Hugging Face ``tokenizer.json`` by which tokens are counted; needed for `max_tokens`.
        repair_mojibake: whether wrong decodings of the past are undone.
    """

    max_characters: int = DEFAULT_MAX_CHARACTERS
    max_tokens: int | None = None
    tokenizer: Path | str | None = None
    repair_mojibake: bool = True

    def __post_init__(self) -> None:
        if self.max_characters < MINIMUM_MAX_CHARACTERS:
            raise InvalidConfiguration(
                f"Chunks of {self.max_characters} characters are too small to cut",
                "Set max_characters to 16 or more",
            )
        if self.max_tokens is not None and self.max_tokens < MINIMUM_MAX_TOKENS:
            raise InvalidConfiguration(
                f"Chunks of {self.max_tokens} tokens are too small to cut", "Set max_tokens to 64 or more"
            )
        if (self.max_tokens is None) != (self.tokenizer is None):
            raise InvalidConfiguration(
                "A limit in tokens needs a tokenizer, and a tokenizer a limit",
                "Set both max_tokens and tokenizer, or neither",
            )

    def chunking_id(self) -> UUID:
        """Identity of the parameters, of the tokenizer's content and of the cutter's version.

        Raises:
            InputUnreadable: if there is a tokenizer and its file cannot be read.
        """
        tokens: tuple[int | bytes, ...] = ()
        if self.max_tokens is not None and self.tokenizer is not None:
            tokens = (self.max_tokens, sha256(_content(Path(self.tokenizer))).digest())
        return content_id("chunking", CUTTER_VERSION, self.max_characters, int(self.repair_mojibake), *tokens)

    def token_ends(self) -> TokenEnds | None:
        """By what tokens are counted; None without a limit in tokens.

        Raises:
            InputUnreadable: if the tokenizer's file cannot be read.
            InvalidConfiguration: if it is no tokenizer.
        """
        return None if self.tokenizer is None else _token_ends(_content(Path(self.tokenizer)))


def recipe_chunking(choice: ChunkingChoice, recipes: Path) -> Chunking:
    """How a recipe's section ``[chunking]`` cuts.

    Args:
        choice: the section.
        recipes: the folder in which its tokenizer lies.
    """
    return Chunking(
        max_characters=choice.max_characters,
        max_tokens=choice.max_tokens or None,
        tokenizer=recipes / choice.tokenizer if choice.tokenizer else None,
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise InputUnreadable(
            f"The tokenizer {path} cannot be read: {failure.strerror or failure}",
            "Put a tokenizer.json there, or remove max_tokens and tokenizer from the recipe",
        ) from failure


@lru_cache(maxsize=4)
def _token_ends(content: bytes) -> TokenEnds:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(content.decode())
    except Exception as failure:  # the library raises bare exceptions
        raise InvalidConfiguration(
            f"The chunking's tokenizer is not a tokenizer.json: {failure}",
            "Name a file that the tokenizers library has written",
        ) from failure
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def ends(text: str) -> list[int]:
        return [end for _, end in tokenizer.encode(text, add_special_tokens=False).offsets]

    return ends
