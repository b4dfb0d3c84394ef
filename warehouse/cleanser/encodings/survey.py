"""One pass over a stream's bytes: everything that a decision about its encoding looks at.

What lives here: counts and samples of bounded size. What does not: the decision (`decoding.py`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.streams import Stream

HEAD_BYTES = 1 << 16
SAMPLE_BYTES = 1 << 16
BLOCK_SAMPLE_BYTES = 1 << 13
LINE_SAMPLE_BYTES = 1 << 11
"""A sample of 64 KiB is made of lines with bytes above 0x7F: at most 8 KiB of each block of 1 MiB until it
is full, so that rare accents deep in a large file are seen."""

CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\x0b\x0c\r\x0e\x0f\x1a\x1b")) + b"\x7f"
"""Control bytes that text does without: not white space, shifts, escape and the end mark of DOS."""

HIGHEST_CONTROL_SHARE = 0.01
"""Random bytes have a tenth of these; text with a stray one is text."""

_HIGH = re.compile(rb"[\x80-\xff]")
_LINE_END = re.compile(rb"\r\n?|\n")
_BROKEN = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class ByteSurvey:
    """What one pass over a stream found.

    Attributes:
        n_bytes: length of the stream.
        counts: how often each byte value occurs; shape (256,).
        n_broken: bytes that are no part of well-formed UTF-8, a character cut off by the end not counted.
        n_multibyte: well-formed UTF-8 characters of two bytes and more.
        n_cut_off: bytes of a UTF-8 character that the end of the stream cuts off, 0 to 3.
        head: the first 64 KiB.
        sample: lines with bytes above 0x7F from all over the stream, at most 64 KiB.
    """

    n_bytes: int
    counts: NDArray[np.int64]
    n_broken: int
    n_multibyte: int
    n_cut_off: int
    head: bytes
    sample: bytes

    def share(self, values: bytes) -> float:
        """Share of the stream's bytes that have one of these values."""
        return float(self.counts[list(values)].sum()) / max(1, self.n_bytes)


def _excerpt(line: bytes) -> bytes:
    """At most 2 KiB of a line, from some words before its first byte above 0x7F."""
    if len(line) <= LINE_SAMPLE_BYTES:
        return line
    found = _HIGH.search(line)
    start = max(0, found.start() - LINE_SAMPLE_BYTES // 8) if found else 0
    return line[start : start + LINE_SAMPLE_BYTES]


class _Sample:
    """Collects lines with bytes above 0x7F, in order, until full."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.n_bytes = 0

    def add_block(self, block: bytes) -> None:
        room = min(BLOCK_SAMPLE_BYTES, SAMPLE_BYTES - self.n_bytes) if self.n_bytes else SAMPLE_BYTES // 2
        for line in foreign_lines(block):
            if room <= 0:
                return
            part = _excerpt(line)[:room]
            self.lines.append(part)
            self.n_bytes += len(part)
            room -= len(part)


def foreign_lines(block: bytes) -> Iterator[bytes]:
    """The lines of a block that have bytes above 0x7F, with their ends."""
    position = 0
    while found := _HIGH.search(block, position):
        place = found.start()
        start = (
            max(block.rfind(b"\n", position, place), block.rfind(b"\r", position, place), position - 1) + 1
        )
        end = _LINE_END.search(block, place)
        position = end.end() if end else len(block)
        yield block[start:position]


def count_utf8(data: bytes) -> tuple[int, int, bytes]:
    """How many well-formed UTF-8 characters of two bytes and more and how many other bytes above 0x7F there are,
    and the start of a character at the end, which is counted as neither."""
    try:
        _, n_read = codecs.utf_8_decode(data, "strict", False)
        n_leads = np.count_nonzero(np.frombuffer(data, np.uint8, n_read) >= 0xC0)
        return int(n_leads), 0, data[n_read:]
    except UnicodeDecodeError:
        text, n_read = codecs.utf_8_decode(data, "surrogateescape", False)
        n_broken = len(_BROKEN.findall(text))
        return len(text) - len(text.encode("ascii", "ignore")) - n_broken, n_broken, data[n_read:]


def survey_bytes(stream: Stream) -> ByteSurvey:
    """Read a stream once, with memory that does not grow with it.

    Raises:
        InputUnreadable: if it cannot be read, or is not the stream that was hashed.
    """
    counts = np.zeros(256, np.int64)
    sample = _Sample()
    head = rest = b""
    n_broken = n_multibyte = 0
    for block in stream.blocks():
        counts += np.bincount(np.frombuffer(block, np.uint8), minlength=256)
        head = head or block[:HEAD_BYTES]
        if block.isascii() and not rest:
            continue
        multibyte, broken, rest = count_utf8(rest + block)
        n_multibyte, n_broken = n_multibyte + multibyte, n_broken + broken
        sample.add_block(block)
    n_cut_off = len(rest)
    return ByteSurvey(
        int(counts.sum()), counts, n_broken, n_multibyte, n_cut_off, head, b"".join(sample.lines)
    )
