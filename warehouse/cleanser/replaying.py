"""Replay: the stored text of any chunk, computed again from its stream and what the Training Database holds.

What lives here: the one function that proves lineage. What does not: finding the stream (``stages/feeding.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.cleanser.chunks import ChunkRecord
from warehouse.cleanser.documents import DocumentRecord
from warehouse.cleanser.records import BoundReaders, EncodedSpan, decode_record, extract, spans_from_json
from warehouse.cleanser.repair import RepairPlan, apply_repair
from warehouse.cleanser.streams import Stream
from warehouse.errors import InvalidConfiguration


@dataclass(frozen=True)
class ChunkDecision:
    """The columns of ``corpus.chunk``, and of its document, that decide its text.

    Attributes:
        byte_start: first byte in the stream; of a structured document, that of the record.
        byte_end: one past the last byte.
        char_start: first character in the record's extracted text; for plain documents it decides nothing.
        char_end: one past the last character.
        encoding: column ``encoding``.
        decoder_state: column ``decoder_state``.
        repair: column ``repair``, JSON.
        reader: column ``reader`` of the document.
        reader_version: column ``reader_version`` of the document.
        encoding_regions: column ``encoding_regions`` of the document, JSON or None.
    """

    byte_start: int
    byte_end: int
    char_start: int
    char_end: int
    encoding: str
    decoder_state: str | None
    repair: str
    reader: str
    reader_version: str
    encoding_regions: str | None

    @classmethod
    def of(cls, document: DocumentRecord, chunk: ChunkRecord) -> ChunkDecision:
        """The decision behind a chunk that was just cut."""
        return cls(
            chunk.byte_start,
            chunk.byte_end,
            chunk.char_start,
            chunk.char_end,
            chunk.encoding,
            chunk.decoder_state,
            chunk.repair,
            document.reader,
            document.reader_version,
            document.encoding_regions,
        )


def replay(stream: Stream, decision: ChunkDecision) -> str:
    """The stored text of a chunk: decode its bytes, extract and slice where its reader does, apply its repair plan.

    Args:
        stream: the stream that it was cut from.
        decision: what was decided.

    Raises:
        InputUnreadable: if the stream cannot be read or has changed.
        InvalidConfiguration: if the reader is gone or has another version by now, so that it may extract another
            text.
    """
    plan = RepairPlan.from_json(decision.repair)
    try:
        reader = BoundReaders(stream).named(decision.reader, decision.encoding)
    except KeyError:
        raise _other_reader(decision, "there is none of that name") from None
    raw = b"".join(stream.range_blocks(decision.byte_start, decision.byte_end))
    span = EncodedSpan(decision.byte_start, decision.byte_end, decision.encoding, 1.0, "{}")
    if reader.extract is None:
        text, _ = decode_record(raw, (span,), decision.decoder_state, plan.errors)
        return apply_repair(text, plan)
    if reader.version != decision.reader_version:
        raise _other_reader(decision, f"it is {reader.version}")
    spans = spans_from_json(decision.encoding_regions) if decision.encoding_regions else (span,)
    record, _ = decode_record(raw, spans, decision.decoder_state, plan.errors)
    return apply_repair(extract(reader, record).text[decision.char_start : decision.char_end], plan)


def _other_reader(decision: ChunkDecision, what: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"The text was extracted by the reader {decision.reader} {decision.reader_version}, and {what} now",
        "Run: fakesmrt build corpus",
    )
