"""Cuts in the bytes: a document's bytes become pieces, and pieces become chunks.

What lives here: lines at aligned newline code units, sentences of long lines, and the rule by which they are
joined. What does not: clean text (`repair.py`). Memory is bounded by the chunk: a line longer than 64 KiB is
cut at a character.

    bytes -> lines (`read_lines`) -> pieces of at most max_characters (`measured_pieces`) -> chunks (`pack`)
"""

from __future__ import annotations

import bisect
import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from warehouse.cleanser.code_units import PAIRING, STATEFUL, CodeUnits, RunningDecoder, code_units

LONGEST_LINE_BYTES = 1 << 16
LARGEST_CHUNK_BYTES = 1 << 18
"""Escape sequences are bytes without characters: a chunk is closed before it holds more than 256 KiB of
anything."""

MINIMUM_FILL = 0.25
"""A boundary is preferred for its rank only where it leaves a chunk at least a quarter full: a heading alone
is none."""

_CLOSING = "[\"'”’»)\\]」』）]*"  # noqa: RUF001  # quotation marks of several scripts
_SENTENCE_END = re.compile(rf"[.!?…]{_CLOSING}\s+|[。！？]{_CLOSING}\s*")  # noqa: RUF001  # as above


_PAIRS = ("\r\n", "\r\x85")


class Boundary(IntEnum):
    """How good a place the end of a piece is to cut at."""

    FORCED = 0
    SENTENCE = 1
    LINE = 2
    PARAGRAPH = 3


@dataclass(frozen=True)
class Piece:
    """What is never divided any more.

    Attributes:
        raw: its bytes.
        n_characters: decoded characters, a line end counted once.
        boundary: the rank of its end.
        is_blank: whether it is a line of white space.
        decoder_state: shift state before its first byte; None for stateless encodings.
    """

    raw: bytes
    n_characters: int
    boundary: Boundary
    is_blank: bool
    decoder_state: str | None


def read_lines(
    blocks: Iterable[bytes], units: CodeUnits, decoder: RunningDecoder
) -> Iterator[tuple[bytes, bool]]:
    """Lines of a document with their ends, and whether each has one.

    Args:
        blocks: the document's bytes; the first begins a code unit.
        units: layout of its encoding.
        decoder: knows the shift state at each line's start when the line is asked for.
    """
    rest = b""
    for block in blocks:
        rest += block
        start = 0
        for end in units.line_ends(rest, is_last=False):
            if end - start <= LONGEST_LINE_BYTES:
                yield rest[start:end], True
            else:
                yield from _bounded(rest[start:end], decoder, True)
            start = end
        rest = rest[start:]
        while len(rest) > LONGEST_LINE_BYTES:
            end = _complete_bytes(rest[:LONGEST_LINE_BYTES], decoder)
            yield rest[:end], False
            rest = rest[end:]
    if rest:
        yield from _bounded(rest, decoder, bool(units.line_ends(rest, is_last=True)))


def _bounded(line: bytes, decoder: RunningDecoder, has_end: bool) -> Iterator[tuple[bytes, bool]]:
    while len(line) > LONGEST_LINE_BYTES:
        end = _complete_bytes(line[:LONGEST_LINE_BYTES], decoder)
        yield line[:end], False
        line = line[end:]
    yield line, has_end


def _complete_bytes(raw: bytes, decoder: RunningDecoder) -> int:
    """How many of these bytes form complete characters; a carriage return at the end waits for its line
    feed."""
    fresh = _incremental(decoder.encoding, decoder.state)
    text = fresh.decode(raw)
    n_bytes = len(raw) - len(fresh.getstate()[0])
    if text.endswith("\r"):
        n_bytes -= code_units(decoder.encoding).width
    return n_bytes


def _incremental(encoding: str, state: str | None) -> codecs.IncrementalDecoder:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    if state is not None:
        decoder.setstate((b"", int(state)))
    return decoder


def measured_pieces(
    blocks: Iterable[bytes], encoding: str, max_characters: int, decoder_state: str | None = None
) -> Iterator[Piece]:
    """A document's lines, those of more than `max_characters` divided at sentences, words or characters."""
    decoder = RunningDecoder(encoding, decoder_state)
    for raw, has_end in read_lines(blocks, code_units(encoding), decoder):
        state = decoder.state
        text = decoder.decode(raw)
        n_characters = len(text) - text.endswith(_PAIRS)
        is_blank = not text or text.isspace()
        boundary = Boundary.FORCED if not has_end else Boundary.PARAGRAPH if is_blank else Boundary.LINE
        if n_characters <= max_characters:
            yield Piece(raw, n_characters, boundary, is_blank, state)
        else:
            yield from _divided(Piece(raw, n_characters, boundary, is_blank, state), encoding, max_characters)


def _divided(line: Piece, encoding: str, max_characters: int) -> Iterator[Piece]:
    """Pieces of a long line; the last one has the boundary of the line."""
    offsets = _Offsets(line.raw, encoding, line.decoder_state)
    decoder = RunningDecoder(encoding, line.decoder_state)
    n_characters = len(offsets.text)
    start = char_start = 0
    for char_end, boundary in _piece_ends(offsets, max_characters):
        is_last = char_end == n_characters
        end = len(line.raw) if is_last else offsets.byte_offset(char_end)
        raw, state = line.raw[start:end], decoder.state
        decoder.decode(raw)
        pair = is_last and offsets.text.endswith(_PAIRS)
        yield Piece(
            raw, char_end - char_start - pair, line.boundary if is_last else boundary, line.is_blank, state
        )
        start, char_start = end, char_end


def _piece_ends(offsets: _Offsets, max_characters: int) -> Iterator[tuple[int, Boundary]]:
    """Ends of the pieces of a long line: sentences, and inside sentences that are too long, words or
    characters."""
    text = offsets.text
    sentence_ends = [offsets.aligned(found.end()) for found in _SENTENCE_END.finditer(text)]
    start = 0
    for end in [*sentence_ends, len(text)]:
        while end - start > max_characters:
            start = min(end, _forced_end(offsets, start, max_characters))
            yield start, Boundary.FORCED
        if end > start:
            start = end
            yield end, Boundary.SENTENCE


def _forced_end(offsets: _Offsets, start: int, max_characters: int) -> int:
    """After the last space of the next `max_characters`, unless that makes a small piece; never inside a
    line end."""
    text, limit = offsets.text, start + max_characters
    space = text.rfind(" ", start + max_characters // 2, limit)
    if space >= 0 and offsets.aligned(space + 1) == space + 1:
        return space + 1
    if text[limit - 1 : limit + 1] in _PAIRS:
        return limit + 1
    end = offsets.aligned(limit)
    return end if end > start else offsets.next_aligned(start)


class _Offsets:
    """Where the characters of a line begin in its bytes."""

    def __init__(self, raw: bytes, encoding: str, state: str | None) -> None:
        self.encoding = encoding
        self._starts: list[int] | None = None
        self._counts: list[int] = []
        self.text = ""
        if encoding not in STATEFUL and encoding not in PAIRING:
            self.text = raw.decode(encoding, "replace")
            try:
                if self.text.encode(encoding) == raw:
                    return
            except UnicodeEncodeError:
                pass  # replaced bytes have no way back: count byte by byte
        self._count_bytes(raw, state)

    def _count_bytes(self, raw: bytes, state: str | None) -> None:
        """Decode byte by byte and note after which bytes no character is incomplete."""
        decoder = _incremental(self.encoding, state)
        self._starts = [0]
        self._counts = [0]
        texts = []
        count = 0
        for position in range(len(raw)):
            part = decoder.decode(raw[position : position + 1])
            count += len(part)
            texts.append(part)
            if not decoder.getstate()[0]:
                self._starts.append(position + 1)
                self._counts.append(count)
        texts.append(decoder.decode(b"", final=True))
        self.text = "".join(texts)

    def aligned(self, n_characters: int) -> int:
        """The largest number of characters, at most this one, after which the bytes may be cut."""
        if self._starts is None:
            return n_characters
        return self._counts[bisect.bisect_right(self._counts, n_characters) - 1]

    def next_aligned(self, n_characters: int) -> int:
        """The smallest number of characters above this one after which the bytes may be cut."""
        if self._starts is None:
            return n_characters + 1
        index = bisect.bisect_right(self._counts, n_characters)
        return self._counts[index] if index < len(self._counts) else len(self.text)

    def byte_offset(self, n_characters: int) -> int:
        """Bytes of the first `n_characters` characters, an aligned number."""
        if self._starts is None:
            return len(self.text[:n_characters].encode(self.encoding))
        return self._starts[bisect.bisect_left(self._counts, n_characters)]


def pack(pieces: Iterable[Piece], max_characters: int) -> Iterator[list[Piece]]:
    """Join consecutive pieces to chunks of at most `max_characters`, cut at the best boundaries."""
    pending: list[Piece] = []
    n_characters = n_bytes = 0
    for piece in pieces:
        while pending and (
            n_characters + piece.n_characters > max_characters
            or n_bytes + len(piece.raw) > LARGEST_CHUNK_BYTES
        ):
            end = _best_end(pending, n_characters, max_characters)
            yield pending[:end]
            pending = pending[end:]
            n_characters = sum(kept.n_characters for kept in pending)
            n_bytes = sum(len(kept.raw) for kept in pending)
        if piece.is_blank and pending and pending[-1].boundary is Boundary.PARAGRAPH:
            # All blank lines between two paragraphs stay with the first.
            pending[-1] = replace(pending[-1], boundary=Boundary.LINE)
        pending.append(piece)
        n_characters += piece.n_characters
        n_bytes += len(piece.raw)
    if pending:
        yield pending


def _best_end(pending: list[Piece], n_characters: int, max_characters: int) -> int:
    """Number of pieces before the last of the best boundaries that leave the chunk filled enough."""
    best, best_rank = len(pending), -1
    for end in range(len(pending), 0, -1):
        if best_rank >= 0 and n_characters < MINIMUM_FILL * max_characters:
            break
        if pending[end - 1].boundary > best_rank:
            best, best_rank = end, pending[end - 1].boundary
        if best_rank == Boundary.PARAGRAPH:
            break
        n_characters -= pending[end - 1].n_characters
    return best
