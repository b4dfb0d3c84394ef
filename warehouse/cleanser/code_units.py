"""How encodings lay text out in bytes: widths, newlines, shift states, families.

What lives here: facts about codecs, and a decoder that knows its state. What does not: guessing.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STATEFUL = frozenset(
    {
        "hz",
        "iso2022_jp",
        "iso2022_jp_1",
        "iso2022_jp_2",
        "iso2022_jp_2004",
        "iso2022_jp_3",
        "iso2022_jp_ext",
        "iso2022_kr",
    }
)
"""Codecs in which the meaning of a byte depends on escape sequences before it."""

PAIRING = frozenset({"big5hkscs", "euc_jis_2004", "euc_jisx0213", "shift_jis_2004", "shift_jisx0213"})
"""Codecs in which one code may stand for two characters."""

EBCDIC = frozenset({"cp037", "cp1026", "cp1140", "cp273", "cp424", "cp500", "cp875"})
"""Codecs whose newlines are 0x15 (next line, U+0085) and 0x25 (line feed)."""

WIDTHS = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
"""Bytes a code unit where it is not one."""

FAMILIES: tuple[tuple[str, ...], ...] = (
    ("shift_jis", "cp932", "shift_jis_2004"),
    ("euc_jp", "euc_jis_2004"),
    ("gb2312", "gbk", "gb18030"),
    ("big5", "cp950", "big5hkscs"),
    ("euc_kr", "cp949"),
)
"""Standards and their vendors' extensions, narrowest first: an extension is assumed only where it is
needed."""

EXTENSIONS = {"iso8859-1": "cp1252", "iso8859-9": "cp1254", "tis-620": "cp874", "iso8859-11": "cp874"}
"""Standards whose bytes 0x80 to 0x9F are controls that no text has, and the vendor's encoding with signs there
that is the same elsewhere."""


def codec_name(encoding: str) -> str:
    """Python's own name of a codec.

    Raises:
        LookupError: if Python has none.
    """
    return codecs.lookup(encoding).name


@dataclass(frozen=True)
class CodeUnits:
    """The layout of an encoding's line ends.

    Attributes:
        width: bytes a code unit: 1, 2 or 4.
        big_endian: byte order of wider units.
        line_feeds: code units that end a line, beside a carriage return.
    """

    width: int
    big_endian: bool
    line_feeds: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """Type of one code unit."""
        return np.dtype(f"{'>' if self.big_endian else '<'}u{self.width}")

    def units(self, data: bytes) -> NDArray[np.unsignedinteger]:
        """The complete code units of `data`, whose first byte begins a unit."""
        return np.frombuffer(data, self.dtype, len(data) // self.width)

    def line_ends(self, data: bytes, is_last: bool) -> list[int]:
        """Offsets just after each line end of `data`, ascending.

        A carriage return as the very last unit counts only if nothing follows: a line feed may belong to it.
        """
        units = self.units(data)
        ends = np.isin(units, self.line_feeds) if len(self.line_feeds) > 1 else units == self.line_feeds[0]
        returns = units == 0x0D
        if returns.any():
            lone = returns.copy()
            lone[:-1] &= ~ends[1:]
            if len(lone) and not is_last:
                lone[-1] = False
            ends = ends | lone
        return [int(end) for end in (np.flatnonzero(ends) + 1) * self.width]


def code_units(encoding: str) -> CodeUnits:
    """The layout of a codec, named as Python names it."""
    line_feeds = (0x15, 0x25) if encoding in EBCDIC else (0x0A,)
    return CodeUnits(WIDTHS.get(encoding, 1), encoding.endswith("-be"), line_feeds)


class RunningDecoder:
    """Decodes consecutive pieces of one text and knows the shift state between them.

    The state is the decimal form of the number by which Python's incremental decoder describes itself; None
    for encodings without states, whose pieces are decoded independently.
    """

    def __init__(self, encoding: str, state: str | None = None, errors: str = "replace") -> None:
        self.encoding = encoding
        self.errors = errors
        self._decoder: codecs.IncrementalDecoder | None = None
        if encoding in STATEFUL:
            self._decoder = codecs.getincrementaldecoder(encoding)(errors)
            if state is not None:
                self._decoder.setstate((b"", int(state)))

    @property
    def state(self) -> str | None:
        """State before the next piece."""
        return None if self._decoder is None else str(self._decoder.getstate()[1])

    def decode(self, raw: bytes) -> str:
        """Text of the next piece, which ends with a complete character."""
        if self._decoder is None:
            return raw.decode(self.encoding, self.errors)
        return self._decoder.decode(raw, final=True)
