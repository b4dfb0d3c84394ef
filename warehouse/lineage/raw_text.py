"""A chunk's clean text together with the raw bytes that it was replayed from.

What lives here: which bytes some of its characters come from, in plain documents and in records. What does not: the
search (``alignment.py``), the proof that the text is the recorded one (``token_proof.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.cleanser.readers.reader import NoTextError, Reader
from warehouse.cleanser.records import BoundReaders, EncodedSpan, decode_record, extract, spans_from_json
from warehouse.cleanser.repair import RepairPlan
from warehouse.cleanser.replaying import ChunkDecision
from warehouse.cleanser.streams import Stream
from warehouse.lineage.alignment import bytes_of_character, characters_before_repair

LARGEST_SEARCHED_RECORD = 1 << 18
"""Characters: in longer records the place of a character is not searched for, because each try extracts it anew."""

TRIED_PLACES = 4
CONTEXT_CHARACTERS = (32, 8, 0)
NEAR = 8


@dataclass(frozen=True)
class RawText:
    """A chunk from its bytes to its text.

    Attributes:
        text: the stored text, replayed.
        raw: bytes of the chunk; of a structured document, those of the record.
        byte_start: of the first of them in the stream.
        spans: their encodings.
        decision: what was decided.
        decoded: characters of `raw`.
        reader: of a structured document; None for a plain one.
        extracted: what the reader makes of `decoded`; the same for a plain document.
    """

    text: str
    raw: bytes
    byte_start: int
    spans: tuple[EncodedSpan, ...]
    decision: ChunkDecision
    decoded: str
    reader: Reader | None
    extracted: str

    def bytes_of(self, first: int, last: int) -> tuple[int, int, bool]:
        """The bytes [begin, end) of `raw` that the characters [first, last) of the text come from, and whether they are
        these characters' own: of a record's, those of the whole record where their place in it is not certain."""
        plan = RepairPlan.from_json(self.decision.repair)
        offset = self.decision.char_start if self.reader else 0
        end = self.decision.char_end if self.reader else len(self.extracted)
        first, last = characters_before_repair(self.extracted[offset:end], plan, first, last)
        first, last = first + offset, last + offset
        if self.reader is not None:
            place = _place_in_record(self.reader, self.decoded, self.extracted, first, last)
            if place is None:
                return 0, len(self.raw), False
            first, last = place
        return self._decoded_from(first, plan.errors)[0], self._decoded_from(last - 1, plan.errors)[1], True

    def _decoded_from(self, character: int, errors: str) -> tuple[int, int]:
        return bytes_of_character(
            self.raw, self.spans, self.decision.decoder_state, errors, self.decoded, character
        )


def raw_text(stream: Stream, decision: ChunkDecision, text: str) -> RawText:
    """A chunk from its bytes to its text.

    Args:
        stream: where it lies.
        decision: what was decided, by which `text` was replayed.
        text: the stored text.

    Raises:
        InputUnreadable: if the stream cannot be read or has changed.
    """
    reader = BoundReaders(stream).named(decision.reader, decision.encoding)
    raw = b"".join(stream.range_blocks(decision.byte_start, decision.byte_end))
    spans: tuple[EncodedSpan, ...] = (
        EncodedSpan(decision.byte_start, decision.byte_end, decision.encoding, 1.0, "{}"),
    )
    if reader.extract is not None and decision.encoding_regions:
        spans = spans_from_json(decision.encoding_regions)
    errors = RepairPlan.from_json(decision.repair).errors
    decoded, _ = decode_record(raw, spans, decision.decoder_state, errors)
    structured = reader if reader.extract is not None else None
    extracted = decoded if structured is None else extract(structured, decoded).text
    return RawText(text, raw, decision.byte_start, spans, decision, decoded, structured, extracted)


def _place_in_record(
    reader: Reader, decoded: str, extracted: str, first: int, last: int
) -> tuple[int, int] | None:
    """Where in a record the extracted characters [first, last) stand; None where that is not certain.

    A place where they stand as they are is the one if another letter put there comes out of the reader in the place of
    the extracted one, and changes nothing else.
    """
    witness = _nearest_letter(extracted, first, last)
    if witness is None or len(decoded) > LARGEST_SEARCHED_RECORD:
        return None
    begin, end = min(first, witness), max(last, witness + 1)
    letter = "q" if extracted[witness] != "q" else "z"
    expected = extracted[:witness] + letter + extracted[witness + 1 :]
    for place in _candidates(decoded, extracted, begin, end):
        changed = place + witness - begin
        try:
            again = extract(reader, decoded[:changed] + letter + decoded[changed + 1 :]).text
        except NoTextError:
            continue
        if again == expected:
            return place + first - begin, place + last - begin
    return None


def _nearest_letter(text: str, first: int, last: int) -> int | None:
    """A letter or digit among the characters [first, last) or close to them."""
    near = [*range(first, last)]
    near += [place for distance in range(NEAR) for place in (first - 1 - distance, last + distance)]
    return next((place for place in near if 0 <= place < len(text) and text[place].isalnum()), None)


def _candidates(decoded: str, extracted: str, begin: int, end: int) -> list[int]:
    """Where in a record the extracted characters [begin, end) stand as they are, likely places first."""
    found: dict[int, None] = {}
    for width in CONTEXT_CHARACTERS:
        start = max(0, begin - width)
        wanted = extracted[start : end + width]
        at = decoded.find(wanted)
        while at >= 0 and len(found) < TRIED_PLACES:
            found.setdefault(at + begin - start)
            at = decoded.find(wanted, at + 1)
    return list(found)
