"""What is decided about a stream's encoding, and how sure that is.

What lives here: the value that a decision is. What does not: deciding (`decoding.py`).
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import dataclass

from warehouse.cleanser.encodings.regions import EncodingRegion

CONFIDENCE_SCALE = 4.0
"""Nats of margin over the best different reading that make 73 % confidence (logistic curve): fitted to
`benchmarks/decoding_generated.py`, because characters of a text are no independent witnesses."""


@dataclass(frozen=True)
class EncodingDecision:
    """What a stream's encoding is taken to be, and why.

    Attributes:
        encoding: Python's name of the codec, with explicit byte order; None where the bytes are no text.
        confidence: 0 to 1.
        evidence: short phrases, strongest first.
        runners_up: codecs that read the bytes as another text, most plausible first.
        flags: what a person may want to look at: ``broken_bytes``, ``cut_off_character``, ``ambiguous``,
            ``unusual_text``, ``declaration_contradicted``, ``control_characters``, ``mixed_encodings``,
            ``binary``, ``empty``.
        byte_order_mark_bytes: length of the byte order mark at the start, 0 where there is none.
        regions: parts in different encodings, empty unless the encoding changes midway; they tile the stream
            after its byte order mark and begin at line starts.
    """

    encoding: str | None
    confidence: float
    evidence: tuple[str, ...]
    runners_up: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    byte_order_mark_bytes: int = 0
    regions: tuple[EncodingRegion, ...] = ()

    def evidence_json(self) -> str:
        """Evidence, runners-up, flags and, if there are any, regions, as the Training Database stores them."""
        told: dict[str, object] = {
            "evidence": self.evidence,
            "runners_up": self.runners_up,
            "flags": self.flags,
        }
        if self.regions:
            told["n_regions"] = len(self.regions)
        return json.dumps(told, ensure_ascii=False)

    def region_at(self, byte: int) -> EncodingRegion | None:
        """The region that a byte of the stream lies in; None if there are no regions, or it lies in none."""
        place = bisect_right(self.regions, byte, key=lambda region: region.byte_start) - 1
        if place < 0 or byte >= self.regions[place].byte_end:
            return None
        return self.regions[place]

    def encoding_at(self, byte: int) -> str | None:
        """The encoding that a byte of the stream is in."""
        region = self.region_at(byte)
        return self.encoding if region is None else region.encoding


def confidence_of(margin: float) -> float:
    """Confidence, 0.5 to 1, in a reading that is ahead of others by so many nats."""
    return 1.0 / (1.0 + math.exp(-min(100.0, max(0.0, margin)) / CONFIDENCE_SCALE))
