"""The Data Cleanser: bytes of any origin become clean chunks of text, and every byte is accounted for.

    >>> from warehouse.cleanser import cleanse_bytes
    >>> clean = cleanse_bytes("Grüße aus Köln, schÃ¶n!\\r\\n".encode(), "card.txt")
    >>> clean.text
    'Grüße aus Köln, schön!\\n'
    >>> clean.examination.decision.encoding
    'utf-8'

`cleanse(path)` does the same for a file, a stream for each member of an archive; `iterate_chunks(path)` goes through
a file of any size in bounded memory, with the signals of each chunk. `Chunking` says how to cut. `replay(stream,
ChunkDecision.of(document, chunk))` computes a chunk's text again from its raw bytes.

Importing this package costs nothing; each name loads what it needs when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warehouse.cleanser.chunking import Chunking
    from warehouse.cleanser.cleansing import (
        CleanChunk,
        CleanFile,
        CleanStream,
        cleanse,
        cleanse_bytes,
        iterate_chunks,
    )
    from warehouse.cleanser.replaying import ChunkDecision, replay

__all__ = [
    "ChunkDecision",
    "Chunking",
    "CleanChunk",
    "CleanFile",
    "CleanStream",
    "cleanse",
    "cleanse_bytes",
    "iterate_chunks",
    "replay",
]

_MODULES = {"ChunkDecision": "replaying", "Chunking": "chunking", "replay": "replaying"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'cleansing')}"), name)
