"""From the bytes of a document to its characters: in one encoding or several, and through its reader.

What lives here: what describing, cutting and replaying have in common, so that all three see the same text. What
does not: where documents begin and end (``readers/``), and repair (``repair.py``).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from warehouse.cleanser.code_units import STATEFUL, RunningDecoder
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.reader import Extracted, NoTextError, Reader, stream_head
from warehouse.cleanser.readers.registry import READERS, reader_named
from warehouse.cleanser.repair import LONE_WINDOWS_1252, REPLACE, STRICT
from warehouse.cleanser.streams import Stream

GROUP_BYTES = 1 << 21
GROUP_RANGES = 512
"""Consecutive documents are read together, up to so many bytes and so many documents: a read and a batch of language
decisions for each of a million short records would cost more than the records."""


class Range(Protocol):
    """Bytes [byte_start, byte_end) of a stream."""

    @property
    def byte_start(self) -> int: ...

    @property
    def byte_end(self) -> int: ...


AnyRange = TypeVar("AnyRange", bound=Range)


@dataclass(frozen=True)
class EncodedSpan:
    """The bytes [byte_start, byte_end) of a document that are in one encoding.

    Attributes:
        byte_start: first byte in the stream.
        byte_end: one past the last byte.
        encoding: a Python codec.
        confidence: 0 to 1.
        evidence: as column ``encoding_evidence`` holds it, JSON.
    """

    byte_start: int
    byte_end: int
    encoding: str
    confidence: float
    evidence: str


def spans_within(decision: EncodingDecision, byte_start: int, byte_end: int) -> tuple[EncodedSpan, ...]:
    """The spans of a document's bytes, in order; one where the encoding does not change in it.

    Raises:
        ValueError: if the stream is no text.
    """
    clipped = tuple(
        EncodedSpan(
            max(byte_start, region.byte_start),
            min(byte_end, region.byte_end),
            region.encoding,
            region.confidence,
            json.dumps({"evidence": region.evidence, "runners_up": (), "flags": ()}, ensure_ascii=False),
        )
        for region in decision.regions
        if region.byte_start < byte_end and byte_start < region.byte_end
    )
    if clipped:
        return clipped
    if decision.encoding is None:
        raise ValueError("bytes that are no text have no encoding")
    whole = EncodedSpan(
        byte_start, byte_end, decision.encoding, decision.confidence, decision.evidence_json()
    )
    return (whole,)


def spans_to_json(spans: tuple[EncodedSpan, ...]) -> str | None:
    """Column ``encoding_regions``: None for one span, which the columns of the document describe."""
    if len(spans) == 1:
        return None
    rows = [
        (span.byte_start, span.byte_end, span.encoding, span.confidence, json.loads(span.evidence))
        for span in spans
    ]
    return json.dumps(rows, ensure_ascii=False)


def spans_from_json(stored: str) -> tuple[EncodedSpan, ...]:
    """The spans that `spans_to_json` wrote."""
    return tuple(
        EncodedSpan(start, end, encoding, confidence, json.dumps(evidence, ensure_ascii=False))
        for start, end, encoding, confidence, evidence in json.loads(stored)
    )


def decode_record(
    raw: bytes,
    spans: tuple[EncodedSpan, ...],
    decoder_state: str | None = None,
    errors: str | None = None,
) -> tuple[str, str]:
    """Decode the bytes of a record as a whole.

    Args:
        raw: the bytes of the spans.
        spans: their encodings.
        decoder_state: what `RunningDecoder` knew at the first byte; None for stateless encodings.
        errors: the handler by which it was decoded before; None tries strictly first.

    Returns:
        The text, and the name of the codec error handler that was needed.
    """
    if errors is not None:
        return _decoded(raw, spans, decoder_state, strict=errors == STRICT), errors
    try:
        return _decoded(raw, spans, decoder_state, strict=True), STRICT
    except UnicodeDecodeError:
        return _decoded(raw, spans, decoder_state, strict=False), lenient_errors(spans[0].encoding)


def lenient_errors(encoding: str) -> str:
    """The error handler for bytes that an encoding does not define."""
    return LONE_WINDOWS_1252 if encoding == "utf-8" else REPLACE


def _decoded(raw: bytes, spans: tuple[EncodedSpan, ...], decoder_state: str | None, *, strict: bool) -> str:
    start = spans[0].byte_start
    return "".join(
        RunningDecoder(
            span.encoding,
            decoder_state if position == 0 else None,
            STRICT if strict else lenient_errors(span.encoding),
        ).decode(raw[span.byte_start - start : span.byte_end - start])
        for position, span in enumerate(spans)
    )


def extract(reader: Reader, text: str) -> Extracted:
    """What of a record's characters is text, by its reader.

    Raises:
        NoTextError: if none is.
    """
    if reader.extract is None:
        raise NoTextError("not_structured")
    extracted = reader.extract(text)
    if not extracted.text or extracted.text.isspace():
        raise NoTextError("no_text")
    return extracted


@lru_cache(maxsize=64)
def has_records(reader: str) -> bool:
    """Whether the reader of that name extracts the text of its documents, which are records then.

    Raises:
        KeyError: if there is no such reader.
    """
    named = {known.name: known for known in READERS}[reader]
    return named.extract is not None or named.bind is not None


def record_readers() -> list[str]:
    """Names of the readers whose documents are records."""
    return [reader.name for reader in READERS if has_records(reader.name)]


class BoundReaders:
    """The readers of one stream, each bound to the stream's head once for each encoding."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._bound: dict[tuple[str, str | None], Reader] = {}

    def named(self, name: str, encoding: str | None) -> Reader:
        """The reader that column ``reader`` names.

        Args:
            name: as the column shows it.
            encoding: that of the document, in whose terms the head is read; None where the stream is no text.

        Raises:
            KeyError: if there is no such reader.
        """
        key = (name, encoding)
        if key not in self._bound:
            self._bound[key] = reader_named(name, stream_head(self._stream, encoding))
        return self._bound[key]


def grouped(ranges: Iterable[AnyRange]) -> Iterator[list[AnyRange]]:
    """Consecutive ranges that one read fetches; one that is longer than a group stands alone."""
    group: list[AnyRange] = []
    for found in ranges:
        if group and (len(group) == GROUP_RANGES or found.byte_end - group[0].byte_start > GROUP_BYTES):
            yield group
            group = []
        group.append(found)
    if group:
        yield group


class DecoderStates:
    """The shift states of a stream at ascending positions; None at all of them for stateless encodings."""

    def __init__(self, stream: Stream, decision: EncodingDecision) -> None:
        self._stream = stream
        self._position = decision.byte_order_mark_bytes
        self._decoder = (
            codecs.getincrementaldecoder(decision.encoding)("replace")
            if decision.encoding in STATEFUL
            else None
        )

    def at(self, byte: int) -> str | None:
        """The state before a byte, which is not before the one that was asked for last."""
        if self._decoder is None:
            return None
        for block in self._stream.range_blocks(self._position, byte):
            self._decoder.decode(block)
        self._position = byte
        return str(self._decoder.getstate()[1])
