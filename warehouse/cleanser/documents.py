"""Documents: what is said of each unit of text in a stream before it is cut.

    ranges that a reader found -> `describe_documents` -> documents with language, title and length

What lives here: the description, with memory that does not grow with the stream. What does not: finding the ranges
(``readers/``), and chunks (``chunks.py``).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from warehouse.cleanser.code_units import STATEFUL
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.language import identify_languages
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Extracted, NoTextError, Reader
from warehouse.cleanser.records import (
    GROUP_BYTES,
    BoundReaders,
    DecoderStates,
    EncodedSpan,
    decode_record,
    extract,
    grouped,
    spans_from_json,
    spans_to_json,
    spans_within,
)
from warehouse.cleanser.streams import Stream

TITLE_CHARACTERS = 120
LANGUAGE_SAMPLE = 1 << 11
"""A document's language is decided on 2,048 characters from its start and as many from its middle, which is past the
preface; in a document of megabytes, on as many bytes."""


@dataclass(frozen=True)
class DocumentRecord:
    """A document as `corpus.document` describes it; its bytes are [byte_start, byte_end) of the stream.

    Attributes:
        n_characters: as decoded and, where its reader extracts text, extracted; before repair.
        decoder_state: state that a stateful decoder has at byte_start; None for stateless encodings.
        encoding_regions: JSON where its encoding changes midway (`records.spans_to_json`); else None.
    """

    ordinal: int
    byte_start: int
    byte_end: int
    reader: str
    reader_version: str
    encoding: str
    encoding_confidence: float
    encoding_evidence: str
    language: str
    language_score: float
    n_characters: int
    title: str | None
    decoder_state: str | None = None
    encoding_regions: str | None = None

    @property
    def spans(self) -> tuple[EncodedSpan, ...]:
        """Its bytes by encoding."""
        if self.encoding_regions is not None:
            return spans_from_json(self.encoding_regions)
        whole = EncodedSpan(
            self.byte_start, self.byte_end, self.encoding, self.encoding_confidence, self.encoding_evidence
        )
        return (whole,)


@dataclass(frozen=True)
class Described:
    """A document, with its text where its reader had to extract that to describe it.

    Attributes:
        record: the description.
        text: the extracted text; None for plain kinds.
        errors: name of the codec error handler that decoding the record needed.
    """

    record: DocumentRecord
    text: str | None
    errors: str


@dataclass(frozen=True)
class _Look:
    """What a look at a document's text gave."""

    found: DocumentRange
    spans: tuple[EncodedSpan, ...]
    state: str | None
    sample: str
    title: str | None
    n_characters: int
    text: str | None
    errors: str


def describe_documents(
    stream: Stream,
    decision: EncodingDecision,
    reader: Reader,
    found: Iterable[DocumentRange | DroppedRange],
    first_ordinal: int = 0,
) -> Iterator[Described | DroppedRange]:
    """Describe consecutive documents of a stream; a record without text becomes a dropped range.

    Args:
        stream: where they lie.
        decision: its encoding.
        reader: what found them.
        found: their ranges and those between, in order.
        first_ordinal: number of the first document in the stream.

    Raises:
        InputUnreadable: if the stream cannot be read or has changed.
    """
    looker = _Looker(stream, decision, reader)
    ordinal = first_ordinal
    for group in grouped(found):
        looks = list(looker.look_at_all(group))
        languages = iter(
            identify_languages([look.sample for look in looks if not isinstance(look, DroppedRange)])
        )
        for look in _joined(looks):
            if isinstance(look, DroppedRange):
                yield look
            else:
                yield _described(look, reader, ordinal, *next(languages))
                ordinal += 1


def _joined(looks: Iterable[_Look | DroppedRange]) -> Iterator[_Look | DroppedRange]:
    """The same, with adjoining dropped ranges of one reason as one."""
    pending: DroppedRange | None = None
    for look in looks:
        if isinstance(look, DroppedRange):
            if pending is not None and (pending.reason, pending.byte_end) == (look.reason, look.byte_start):
                pending = DroppedRange(pending.byte_start, look.byte_end, look.reason)
                continue
            if pending is not None:
                yield pending
            pending = look
            continue
        if pending is not None:
            yield pending
            pending = None
        yield look
    if pending is not None:
        yield pending


def _described(look: _Look, reader: Reader, ordinal: int, language: str, score: float) -> Described:
    first = look.spans[0]
    record = DocumentRecord(
        ordinal=ordinal,
        byte_start=look.found.byte_start,
        byte_end=look.found.byte_end,
        reader=reader.name,
        reader_version=reader.version,
        encoding=first.encoding,
        encoding_confidence=first.confidence,
        encoding_evidence=first.evidence,
        language=language,
        language_score=score,
        n_characters=look.n_characters,
        title=look.title,
        decoder_state=look.state,
        encoding_regions=spans_to_json(look.spans),
    )
    return Described(record, look.text, look.errors)


class _Looker:
    """Looks at the documents of one stream, in order."""

    def __init__(self, stream: Stream, decision: EncodingDecision, reader: Reader) -> None:
        self._stream = stream
        self._decision = decision
        self._reader = reader
        self._readers = BoundReaders(stream)
        self._states = DecoderStates(stream, decision)

    def look_at_all(self, group: Sequence[DocumentRange | DroppedRange]) -> Iterator[_Look | DroppedRange]:
        """A look at each document of a group that one read fetches; one that is longer is not held."""
        documents = [found for found in group if isinstance(found, DocumentRange)]
        start = documents[0].byte_start if documents else 0
        end = documents[-1].byte_end if documents else 0
        is_held = self._reader.extract is not None or end - start <= GROUP_BYTES
        data = b"".join(self._stream.range_blocks(start, end)) if is_held and documents else b""
        for found in group:
            if isinstance(found, DroppedRange):
                yield found
            elif is_held:
                yield self._look_at(found, data[found.byte_start - start : found.byte_end - start])
            else:
                yield self._look_at_long(found)

    def _look_at(self, found: DocumentRange, raw: bytes) -> _Look | DroppedRange:
        state = self._states.at(found.byte_start)
        spans = spans_within(self._decision, found.byte_start, found.byte_end)
        text, errors = decode_record(raw, spans, state)
        extracted = Extracted(text)
        if self._reader.extract is not None:
            try:
                extracted = extract(self._readers.named(self._reader.name, spans[0].encoding), text)
            except NoTextError as nothing:
                return DroppedRange(found.byte_start, found.byte_end, nothing.reason)
        text = extracted.text
        head, middle = text[:LANGUAGE_SAMPLE], len(text) // 2
        is_short = len(text) < 4 * LANGUAGE_SAMPLE
        return _Look(
            found,
            spans,
            state,
            sample=head if is_short else f"{text[middle : middle + LANGUAGE_SAMPLE]}\n{head}",
            title=shortened(extracted.title) if extracted.title else title_of(head),
            n_characters=len(text),
            text=text if self._reader.extract is not None else None,
            errors=errors,
        )

    def _look_at_long(self, found: DocumentRange) -> _Look:
        state = self._states.at(found.byte_start)
        spans = spans_within(self._decision, found.byte_start, found.byte_end)
        head = sample = _peeked(self._stream, spans[0].encoding, found.byte_start)
        if spans[0].encoding not in STATEFUL:
            # A multiple of four bytes from the start begins a code unit in every encoding.
            middle = found.byte_start + (found.byte_end - found.byte_start) // 8 * 4
            there = next(span for span in spans if span.byte_start <= middle < span.byte_end)
            sample = f"{_peeked(self._stream, there.encoding, middle)}\n{head}"
        n_characters = sum(_count_characters(self._stream, span) for span in spans)
        return _Look(found, spans, state, sample, title_of(head), n_characters, None, "")


def _peeked(stream: Stream, encoding: str, start: int) -> str:
    return codecs.getincrementaldecoder(encoding)("ignore").decode(stream.peek(start, LANGUAGE_SAMPLE))


def _count_characters(stream: Stream, span: EncodedSpan) -> int:
    decoder = codecs.getincrementaldecoder(span.encoding)("replace")
    count = sum(len(decoder.decode(block)) for block in stream.range_blocks(span.byte_start, span.byte_end))
    return count + len(decoder.decode(b"", final=True))


def shortened(title: str) -> str | None:
    """A title on one line of at most 120 characters, without control characters; None where nothing is left."""
    line = " ".join("".join(filter(str.isprintable, " ".join(title.split()))).split())
    return line[:TITLE_CHARACTERS] or None


def title_of(head: str) -> str | None:
    """The first line that is short or a Markdown heading, at most 120 characters; None where there is
    none."""
    for line in head.splitlines():
        title = " ".join(line.lstrip("#").split())
        if (
            title
            and any(map(str.isalnum, title))
            and (len(title) <= TITLE_CHARACTERS or line.startswith("#"))
        ):
            return shortened(title)
    return None
