"""Cuts in the bytes: a document's bytes become the bytes of its chunks.

What lives here: which bytes the characters of a chunk are, in any encoding. What does not: where to cut
(`cutting.py`) and clean text (`repair.py`). Memory is bounded by the block and the chunk.

    bytes -> text -> ends of chunks (`Cutter`) -> bytes

Most encodings let the bytes of a text be counted: the text is decoded block by block and cut as it is. In the
others (shift states, codes for several characters, bytes with several meanings) lines are decoded one by one,
and the line in which a chunk ends is looked at byte by byte.
"""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.code_units import STATEFUL, CodeUnits, RunningDecoder, code_units
from warehouse.cleanser.cutting import Cutter, ends_of_rest

LONGEST_LINE_BYTES = 1 << 16
LARGEST_CHUNK_BYTES = 1 << 18
"""Escape sequences are bytes without characters: where 256 KiB of them hold less than a chunk, they are one."""

MOST_BYTES_A_CHARACTER = 16


@dataclass(frozen=True)
class RawChunk:
    """A chunk before it is clean.

    Attributes:
        raw: its bytes.
        decoder_state: shift state before its first byte; None for stateless encodings.
    """

    raw: bytes
    decoder_state: str | None = None


def cut_bytes(
    blocks: Iterable[bytes], encoding: str, chunking: Chunking, decoder_state: str | None = None
) -> Iterator[RawChunk]:
    """The chunks of a document: their bytes in order are the document's. They are the same for any blocks.

    Args:
        blocks: the document's bytes; the first begins a character.
        encoding: a codec, by Python's own name.
        chunking: how long chunks may be.
        decoder_state: shift state before the first byte; None for the beginning of a text.

    Raises:
        InputUnreadable: if the tokenizer of `chunking` cannot be read.
        InvalidConfiguration: if it is no tokenizer.
    """
    cutter = Cutter(chunking, encoding)
    counter = _byte_counter(encoding)
    if counter is not None:
        errors = "surrogateescape" if encoding == "utf-8" else "replace"
        yield from _cut_blocks(blocks, codecs.getincrementaldecoder(encoding)(errors), counter, cutter)
    else:
        yield from _cut_lines(blocks, encoding, cutter, RunningDecoder(encoding, decoder_state))


ByteCounter = Callable[[str], int]


def _byte_counter(encoding: str) -> ByteCounter | None:
    """How to count the bytes of decoded text, broken ones included; None where only the bytes can tell."""
    if encoding == "utf-8":
        return lambda text: len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
    if encoding.startswith("utf-16-"):
        # A replaced code unit and U+FFFD have two bytes alike.
        return lambda text: len(text.encode("utf-16-le"))
    if encoding.startswith("utf-32-"):
        return lambda text: 4 * len(text)
    return len if _is_single_byte(encoding) else None


@lru_cache(maxsize=256)
def _is_single_byte(encoding: str) -> bool:
    """Whether each byte is a character or none, whatever stands beside it."""
    for byte in range(256):
        try:
            if len(bytes([byte]).decode(encoding)) != 1:
                return False
        except UnicodeDecodeError as error:
            if encoding != "ascii" and "undefined" not in error.reason:
                return False
    return True


def _cut_blocks(
    blocks: Iterable[bytes],
    decoder: codecs.IncrementalDecoder,
    n_bytes: ByteCounter,
    cutter: Cutter,
) -> Iterator[RawChunk]:
    raw, text = b"", ""
    for block in blocks:
        raw += block
        text += decoder.decode(block)
        start = byte_start = 0
        while len(text) - start >= cutter.reach:
            end = cutter.end(text, start, is_last=False)
            byte_end = byte_start + n_bytes(text[start:end])
            yield RawChunk(raw[byte_start:byte_end])
            start, byte_start = end, byte_end
        raw, text = raw[byte_start:], text[start:]
    text += decoder.decode(b"", final=True)
    # An incomplete code unit at the end has fewer bytes than its character would have.
    for start, end in ends_of_rest(text, cutter):
        byte_end = len(raw) if end == len(text) else n_bytes(text[start:end])
        yield RawChunk(raw[:byte_end])
        raw = raw[byte_end:]


@dataclass(frozen=True)
class _Line:
    """A line that is not in a chunk yet, or what is left of it."""

    raw: bytes
    text: str
    state: str | None


def read_lines(blocks: Iterable[bytes], units: CodeUnits, decoder: RunningDecoder) -> Iterator[bytes]:
    """Lines of a document with their ends; those longer than 64 KiB in parts.

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
            yield from _bounded(rest[start:end], decoder)
            start = end
        rest = rest[start:]
        while len(rest) > LONGEST_LINE_BYTES:
            end = _complete_bytes(rest[:LONGEST_LINE_BYTES], decoder)
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield from _bounded(rest, decoder)


def _bounded(line: bytes, decoder: RunningDecoder) -> Iterator[bytes]:
    while len(line) > LONGEST_LINE_BYTES:
        end = _complete_bytes(line[:LONGEST_LINE_BYTES], decoder)
        yield line[:end]
        line = line[end:]
    yield line


def _complete_bytes(raw: bytes, decoder: RunningDecoder) -> int:
    """How many of these bytes form complete characters; a carriage return at the end waits for its line
    feed."""
    fresh = _incremental(decoder.encoding, decoder.state)
    text = fresh.decode(raw)
    n_bytes = len(raw) - len(fresh.getstate()[0])
    if text.endswith("\r"):
        n_bytes -= code_units(decoder.encoding).width
    return n_bytes or len(raw)


def _incremental(encoding: str, state: str | None) -> codecs.IncrementalDecoder:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    if state is not None:
        decoder.setstate((b"", int(state)))
    return decoder


def _cut_lines(
    blocks: Iterable[bytes], encoding: str, cutter: Cutter, decoder: RunningDecoder
) -> Iterator[RawChunk]:
    most_bytes = max(LARGEST_CHUNK_BYTES, MOST_BYTES_A_CHARACTER * cutter.reach)
    waiting: deque[_Line] = deque()
    n_characters = n_bytes = 0
    for raw in read_lines(blocks, code_units(encoding), decoder):
        state = decoder.state
        line = _Line(raw, decoder.decode(raw), state)
        waiting.append(line)
        n_characters += len(line.text)
        n_bytes += len(raw)
        while n_characters >= cutter.reach or n_bytes > most_bytes:
            chunk, n_taken = _take(waiting, encoding, cutter, is_last=n_characters < cutter.reach)
            yield chunk
            n_characters -= n_taken
            n_bytes -= len(chunk.raw)
    while waiting:
        yield _take(waiting, encoding, cutter, is_last=True)[0]


def _take(waiting: deque[_Line], encoding: str, cutter: Cutter, is_last: bool) -> tuple[RawChunk, int]:
    """Take the next chunk from the waiting lines; also how many characters they lost."""
    n_before = sum(len(line.text) for line in waiting)
    text = "".join(_enough(waiting, cutter.reach))
    end = cutter.end(text, 0, is_last) if text else 0
    state = waiting[0].state
    taken: list[_Line] = []
    n_left = end
    while waiting and len(waiting[0].text) <= n_left:
        taken.append(waiting.popleft())
        n_left -= len(taken[-1].text)
    if waiting and n_left:
        line = waiting.popleft()
        head, rest = _divided(line, encoding, _complete_characters(line, encoding, n_left, not taken))
        taken += head
        waiting.extendleft(rest)
    raw = b"".join(line.raw for line in taken)
    # Lines of broken bytes are not always as many characters together as one by one.
    while len(taken) > 1 and "\ufffd" in text and len(_decoded(raw, encoding, state)) > end:
        waiting.appendleft(taken.pop())
        raw = b"".join(line.raw for line in taken)
    return RawChunk(raw, state), n_before - sum(len(line.text) for line in waiting)


def _divided(line: _Line, encoding: str, n_bytes: int) -> tuple[list[_Line], list[_Line]]:
    """A line before and after its first `n_bytes` bytes: one line each, or none."""
    if n_bytes in (0, len(line.raw)):
        return ([line], []) if n_bytes else ([], [line])
    running = RunningDecoder(encoding, line.state)
    head = _Line(line.raw[:n_bytes], running.decode(line.raw[:n_bytes]), line.state)
    state = running.state
    return [head], [_Line(line.raw[n_bytes:], running.decode(line.raw[n_bytes:]), state)]


def _decoded(raw: bytes, encoding: str, state: str | None) -> str:
    return RunningDecoder(encoding, state).decode(raw)


def _enough(waiting: deque[_Line], n_characters: int) -> Iterator[str]:
    for line in waiting:
        if n_characters <= 0:
            return
        yield line.text
        n_characters -= len(line.text)


def _complete_characters(line: _Line, encoding: str, n_characters: int, at_least_one: bool) -> int:
    """Bytes of at most the first `n_characters` characters of a line after which it may be cut.

    None at all is 0 bytes; with `at_least_one`, as many bytes as characters instead.
    """
    if encoding not in STATEFUL:
        try:
            encoded = line.text[:n_characters].encode(encoding)
        except UnicodeEncodeError:
            encoded = b""  # replaced bytes have no way back
        if encoded and line.raw.startswith(encoded):
            return len(encoded)
    ends = _character_ends(line, encoding, n_characters)
    # Broken bytes are not always as many characters together as one by one.
    for end in reversed(ends):
        if len(_decoded(line.raw[:end], encoding, line.state)) <= n_characters:
            return end
    # A run of broken bytes may have no end in sight; a byte is one character at most.
    return min(n_characters, len(line.raw)) if at_least_one else 0


def _character_ends(line: _Line, encoding: str, n_characters: int) -> list[int]:
    """After which bytes of a line no character is incomplete: those after at most `n_characters`, and one more."""
    decoder = _incremental(encoding, line.state)
    ends: list[int] = []
    n_decoded = 0
    for end in range(1, len(line.raw) + 1):
        n_decoded += len(decoder.decode(line.raw[end - 1 : end]))
        if n_decoded and not decoder.getstate()[0]:
            ends.append(end)
            if n_decoded > n_characters:
                break
    return ends or [len(line.raw)]
