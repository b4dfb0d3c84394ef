"""Streams whose encoding changes midway, as those of mail folders, logs and joined files.

What lives here: lines in UTF-8 among lines in a legacy encoding, and long parts in different legacy encodings.
What does not: the decision about a stream as a whole (`decoding.py`). Where the readings do not show a change
beyond doubt, there is none: a region is worse than a broken byte if it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from warehouse.cleanser.encodings.candidates import COMMONNESS, commonness
from warehouse.cleanser.encodings.comparison import is_comparable, ranked
from warehouse.cleanser.encodings.plausibility import is_gibberish, log_likelihood, n_witnesses, surroundings
from warehouse.cleanser.encodings.survey import SAMPLE_BYTES, ByteSurvey, count_utf8, foreign_lines
from warehouse.cleanser.streams import Stream

MOST_REGIONS = 1_000
MOST_RUNS = 20_000
"""Runs of lines that are held in memory; where there are more, those with the fewest foreign characters join the
one before."""

LONGEST_LINE_BYTES = 1 << 20
"""A longer line is looked at in parts."""

PLAUSIBLE_NATS = -6.0
DOUBTFUL_NATS = -4.5
"""A reading whose witnesses are likelier than this on average may be text; one below the second is looked at
twice. Of right readings of 2 KiB, 1 % lie below -6 and 7 % below -4.5, of wrong ones 80 % below -4.5."""

USUAL_SPREAD = 1.0
"""Averages of the parts of one text in one encoding seldom differ by more nats; where they do, other encodings are
tried."""

CHANGE_NATS = 25.0
"""By so much a part's reading in another encoding must be likelier than in the stream's, and so much does each
change of encoding cost."""

LEAST_BLOCK_BYTES = 1 << 13
MOST_BLOCKS = 256
BLOCK_SAMPLE_BYTES = 1 << 11
LEAST_FOREIGN_BYTES = 24
WORST_BLOCKS = 3
WEIGHED_LINES = 512
WEIGHED_LINE_BYTES = 256
"""Legacy text is looked at in at most 256 blocks of 8 KiB or more, by 2 KiB of lines with at least 24 bytes above
0x7F; the three worst readings are compared with other encodings. The line at which the encoding changes is sought
among 512 lines, by 256 bytes of each."""


@dataclass(frozen=True)
class EncodingRegion:
    """A part of a stream that is in one encoding.

    Attributes:
        byte_start: first byte, at a line's start.
        byte_end: byte after the last one.
        encoding: Python's name of the codec.
        confidence: 0 to 1.
        evidence: a short phrase.
    """

    byte_start: int
    byte_end: int
    encoding: str
    confidence: float
    evidence: str


def find_regions(
    stream: Stream, survey: ByteSurvey, encoding: str, byte_start: int
) -> tuple[EncodingRegion, ...]:
    """The regions of a stream, none where one encoding serves.

    Args:
        stream: where a second pass is worth it, it is read again.
        survey: what the first pass found.
        encoding: the encoding that the stream as a whole was taken to be in; one that extends ASCII.
        byte_start: end of the byte order mark.

    Raises:
        InputUnreadable: if the stream cannot be read, or is not the one that was hashed.
    """
    if not is_comparable(encoding) and encoding != "utf-8":
        return ()
    if survey.n_multibyte and survey.n_broken:
        regions = _by_lines(stream, byte_start)
        if regions or encoding == "utf-8":
            return regions
    if survey.n_broken and survey.n_bytes >= 2 * LEAST_BLOCK_BYTES:
        return _by_blocks(stream, survey.n_bytes, encoding, byte_start)
    return ()


def lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends, from blocks that end anywhere; the last one may have none."""
    rest = b""
    for block in blocks:
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield line + b"\n"
        if len(rest) > LONGEST_LINE_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


@dataclass
class _Run:
    """Consecutive lines of one kind: UTF-8, or something else."""

    byte_start: int
    is_utf8: bool
    n_foreign: int
    sample: bytes


@dataclass
class _Part:
    """A sample of the lines of one kind, and how often each byte value occurs in all of them."""

    lines: list[bytes] = field(default_factory=list)
    n_bytes: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))

    def add(self, line: bytes) -> None:
        self.counts += np.bincount(np.frombuffer(line, np.uint8), minlength=256)
        if self.n_bytes < SAMPLE_BYTES:
            self.lines.append(line[:SAMPLE_BYTES])
            self.n_bytes += len(self.lines[-1])

    @property
    def sample(self) -> bytes:
        return b"".join(self.lines)


def _kind_of(line: bytes) -> tuple[bool, int]:
    """Whether a line with bytes above 0x7F is UTF-8, perhaps with a broken byte; and its foreign characters."""
    n_multibyte, n_broken, cut_off = count_utf8(line)
    return n_multibyte >= n_broken + len(cut_off), max(1, n_multibyte + n_broken)


def _by_lines(stream: Stream, byte_start: int) -> tuple[EncodingRegion, ...]:
    """Lines in UTF-8 among lines in a legacy encoding."""
    runs: list[_Run] = []
    utf8, legacy = _Part(), _Part()
    position = 0
    for line in lines_of(stream.blocks()):
        start, position = position, position + len(line)
        if line.isascii():
            continue
        is_utf8, n_foreign = _kind_of(line)
        (utf8 if is_utf8 else legacy).add(line)
        if runs and runs[-1].is_utf8 == is_utf8:
            runs[-1].n_foreign += n_foreign
            runs[-1].sample += _excerpt(line) * (len(runs[-1].sample) < WEIGHED_LINE_BYTES)
        else:
            runs.append(_Run(start, is_utf8, n_foreign, _excerpt(line)))
        if len(runs) > MOST_RUNS:
            runs = _at_most(runs, MOST_RUNS // 2)
    if not utf8.lines or not legacy.lines:
        return ()
    encoding = _legacy_encoding(legacy)
    if encoding is None:
        return ()
    runs = _without_doubtful(runs, encoding)
    if len(runs) < 2:
        return ()
    ends = [run.byte_start for run in runs[1:]] + [position]
    starts = [byte_start, *ends[:-1]]
    return tuple(
        EncodingRegion(start, end, "utf-8", 1.0, f"{run.n_foreign} UTF-8 characters")
        if run.is_utf8
        else EncodingRegion(start, end, encoding, 0.9, "lines that are no UTF-8")
        for run, start, end in zip(runs, starts, ends, strict=True)
    )


def _at_most(runs: list[_Run], n_runs: int) -> list[_Run]:
    """Runs of which those with the fewest foreign characters joined the one before; neighbours of one kind join."""
    by_size = sorted(range(1, len(runs)), key=lambda place: runs[place].n_foreign)
    dropped = set(by_size[: max(0, len(runs) - n_runs)])
    kept: list[_Run] = []
    for place, run in enumerate(runs):
        if kept and (place in dropped or kept[-1].is_utf8 == run.is_utf8):
            kept[-1].n_foreign += run.n_foreign * (kept[-1].is_utf8 == run.is_utf8)
        else:
            kept.append(run)
    return kept


def _without_doubtful(runs: list[_Run], encoding: str) -> list[_Run]:
    """Runs of which those that are unlike most others and need not be joined their neighbours."""
    main_is_utf8 = _n_foreign(runs, True) >= _n_foreign(runs, False)
    for run in runs:
        if run.is_utf8 != main_is_utf8 and not _is_beyond_doubt(run, encoding):
            run.is_utf8 = main_is_utf8
    return _at_most(runs, MOST_REGIONS)


def _n_foreign(runs: list[_Run], is_utf8: bool) -> int:
    return sum(run.n_foreign for run in runs if run.is_utf8 == is_utf8)


def _legacy_encoding(legacy: _Part) -> str | None:
    """The encoding of the lines that are no UTF-8; None if they are no text."""
    ranking = ranked(legacy.sample, legacy.counts)
    if not ranking or is_gibberish(ranking[0].text):
        return None
    return ranking[0].encoding


def _is_beyond_doubt(run: _Run, encoding: str) -> bool:
    """Whether lines that are unlike most others must be in the other encoding."""
    own, other = ("utf-8", encoding) if run.is_utf8 else (encoding, "utf-8")
    nats = _nats(run.sample, own)
    return nats - _nats(run.sample, other) > CHANGE_NATS and _is_plausible(run.sample, own, nats)


def _is_plausible(sample: bytes, encoding: str, nats: float) -> bool:
    return nats >= PLAUSIBLE_NATS * n_witnesses(sample.decode(encoding, "replace"), sample)


def _excerpt(line: bytes) -> bytes:
    """Some bytes of a line, from before its first byte above 0x7F."""
    if len(line) <= WEIGHED_LINE_BYTES:
        return line
    start = next(place for place, byte in enumerate(line) if byte > 0x7F)
    start = max(0, start - WEIGHED_LINE_BYTES // 4)
    return line[start : start + WEIGHED_LINE_BYTES]


@dataclass
class _Block:
    """A part of a stream that begins at a line's start, and some of its lines with bytes above 0x7F."""

    byte_start: int
    sample: bytes = b""


def _by_blocks(stream: Stream, n_bytes: int, encoding: str, byte_start: int) -> tuple[EncodingRegion, ...]:
    """Long parts in different legacy encodings."""
    blocks = _blocks_of(stream, max(LEAST_BLOCK_BYTES, n_bytes // MOST_BLOCKS))
    judged = [block for block in blocks if sum(byte > 0x7F for byte in block.sample) >= LEAST_FOREIGN_BYTES]
    if len(judged) < 2:
        return ()
    own = [_nats(block.sample, encoding) for block in judged]
    rates = [
        nats / n_witnesses(block.sample.decode(encoding, "replace"), block.sample)
        for nats, block in zip(own, judged, strict=True)
    ]
    worst = sorted(range(len(judged)), key=lambda place: rates[place])[:WORST_BLOCKS]
    rivals = dict.fromkeys(
        _better_encoding(judged[place].sample, own[place])
        for place in worst
        if rates[place] < max(DOUBTFUL_NATS, max(rates) - USUAL_SPREAD)
    )
    names = [encoding, *(rival for rival in rivals if rival is not None and rival != encoding)]
    if len(names) < 2:
        return ()
    nats = np.array([[_nats(block.sample, name) for name in names] for block in judged])
    return _joined(stream, judged, names, cheapest_path(nats, CHANGE_NATS), n_bytes, byte_start)


def _blocks_of(stream: Stream, size: int) -> list[_Block]:
    blocks = [_Block(0)]
    position = 0
    for piece in _pieces(stream.blocks(), size):
        for line in foreign_lines(piece):
            if len(blocks[-1].sample) >= BLOCK_SAMPLE_BYTES:
                break
            blocks[-1].sample += line[:BLOCK_SAMPLE_BYTES]
        position += len(piece)
        blocks.append(_Block(position))
    return blocks[:-1]


def _pieces(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Pieces of about a size, cut after line feeds; longer only where a line is."""
    rest = b""
    for block in blocks:
        rest += block
        while len(rest) > size:
            end = rest.find(b"\n", size) + 1
            if not end and len(rest) <= LONGEST_LINE_BYTES + size:
                break
            end = end or len(rest)
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _nats(sample: bytes, encoding: str) -> float:
    counts = np.bincount(np.frombuffer(sample, np.uint8), minlength=256)
    return log_likelihood(sample.decode(encoding, "replace"), encoding, surroundings(sample, counts))


def _better_encoding(sample: bytes, own: float) -> str | None:
    """An encoding in which a sample is plausible, and likelier by far."""
    ranking = ranked(sample, np.bincount(np.frombuffer(sample, np.uint8), minlength=256))
    if not ranking:
        return None
    encoding = ranking[0].encoding
    nats = _nats(sample, encoding)
    return encoding if nats > own + CHANGE_NATS and _is_plausible(sample, encoding, nats) else None


def cheapest_path(nats: NDArray[np.float64], change: float) -> list[int]:
    """The choice of a column in each row with the largest sum, less a cost for each change (Viterbi 1967)."""
    best = nats[0].copy()
    came_from = []
    for row in nats[1:]:
        staying = np.arange(len(best))
        source = np.where(best >= best.max() - change, staying, best.argmax())
        came_from.append(source)
        best = best[source] - change * (source != staying) + row
    path = [int(best.argmax())]
    for source in reversed(came_from):
        path.append(int(source[path[-1]]))
    return path[::-1]


def _joined(
    stream: Stream, blocks: list[_Block], names: list[str], path: list[int], n_bytes: int, byte_start: int
) -> tuple[EncodingRegion, ...]:
    """Regions of consecutive blocks in one encoding, cut where the lines say."""
    starts, encodings = [byte_start], [names[path[0]]]
    for place in range(1, len(blocks)):
        if path[place] == path[place - 1]:
            continue
        before, after = names[path[place - 1]], names[path[place]]
        end = blocks[place + 1].byte_start if place + 1 < len(blocks) else n_bytes
        cut = _place_of_change(stream, max(starts[-1], blocks[place - 1].byte_start), end, before, after)
        if cut > starts[-1]:
            starts.append(cut)
            encodings.append(after)
    if len(starts) < 2:
        return ()
    named = {encoding: _usual_name(encoding, blocks, names, path) for encoding in encodings}
    return tuple(
        EncodingRegion(start, end, named[encoding], 0.9, f"reads best in {named[encoding]}")
        for start, end, encoding in zip(starts, [*starts[1:], n_bytes], encodings, strict=True)
    )


def _usual_name(encoding: str, blocks: list[_Block], names: list[str], path: list[int]) -> str:
    """The most expected encoding that reads the blocks of another one as the same text."""
    sample = b"".join(
        block.sample for block, column in zip(blocks, path, strict=True) if names[column] == encoding
    )
    text = sample.decode(encoding, "replace")
    same = (name for name in COMMONNESS if sample.decode(name, "replace") == text)
    return max((encoding, *same), key=commonness)


def _place_of_change(stream: Stream, byte_start: int, byte_end: int, before: str, after: str) -> int:
    """The line start at which one encoding gives way to another, between two bytes that begin lines."""
    difference = _line_differences(before, after)
    places: list[tuple[int, float]] = []
    position = byte_start
    step = max(1, (byte_end - byte_start) // (WEIGHED_LINES * WEIGHED_LINE_BYTES))
    for number, line in enumerate(lines_of(stream.range_blocks(byte_start, byte_end))):
        if not line.isascii() and number % step == 0:
            places.append((position, difference(line)))
        position += len(line)
    total, best, cut = 0.0, 0.0, byte_start
    for place, (_, nats) in enumerate(places):
        total += nats
        if total > best:
            best, cut = total, places[place + 1][0] if place + 1 < len(places) else byte_end
    return cut


def _line_differences(before: str, after: str) -> Callable[[bytes], float]:
    def difference(line: bytes) -> float:
        part = _excerpt(line)
        return _nats(part, before) - _nats(part, after)

    return difference
